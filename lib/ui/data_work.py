"""What Data, Cost and Train work on: the chosen version with its saved edits, and what the check says about it.

Only slices are read for a page. The check and the counts of a version are kept by its id, and an edit costs what it
touches, so that a rerun counts nothing again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import streamlit as st

from lib.catalog.models import models
from lib.dataset import drafts, shelf
from lib.dataset.check import Report, check
from lib.dataset.drafts import Entry
from lib.dataset.example import Example, encode
from lib.dataset.finding import Finding
from lib.dataset.shelf import Version
from lib.errors import EncodingUnavailable
from lib.tokens.billing import example_tokens
from lib.tokens.counting import counter
from lib.ui import data_report, frame, session
from lib.ui.figures import number_of
from lib.ui.plain import plain

VIEWS = ("Examples", "Table", "Findings", "Split", "Versions")


@dataclass(frozen=True, slots=True)
class Measure:
    """How tokens are counted: the encoding, and where an example is cut. `model` is whose they are."""

    model: str
    encoding: str
    limit: int | None

    @property
    def count(self) -> Callable[[str], int] | None:
        """Counts a text; None when the encoding is not to be had, which costs the counts and nothing else."""
        try:
            return _counter(self.encoding)
        except EncodingUnavailable:
            return None


@dataclass(frozen=True, slots=True)
class Work:
    """A version with its edits. `places` is how many positions there are, removed examples included."""

    version: Version
    edits: Mapping[int, Entry]
    places: int
    report: Report
    measure: Measure

    @property
    def key(self) -> str:
        """Names exactly this state: the version and every edit."""
        return (
            f"{self.version.id}@{max((entry.revision for entry in self.edits.values()), default=0)}/{len(self.edits)}"
        )

    @property
    def held_out(self) -> int:
        """How many examples are held out for validation."""
        return data_report.held_out(self.version, self.edits)

    @property
    def training(self) -> int:
        """How many examples are trained on."""
        return self.report.examples - self.held_out

    def entries(self, places: Sequence[int]) -> list[Entry]:
        """The entries at these places, as they are now."""
        lines = shelf.open_lines(session.workspace(), self.version)
        return [self.edits.get(at) or _untouched(at, lines.example(at)) for at in places]

    def raw(self, place: int) -> bytes:
        """The bytes that a search looks through; none for an example that was removed."""
        if place in self.edits:
            held = self.edits[place].example
            return encode(held.data) if held else b""
        return shelf.open_lines(session.workspace(), self.version).raw(place)

    def tokens_of(self, example: Example) -> int | None:
        """What one example bills for one epoch; None when its tokens cannot be counted."""
        count = self.measure.count
        return example_tokens(example.data, count, self.measure.limit) if count else None

    def findings_at(self, place: int) -> list[Finding]:
        """What was found in the example at this place."""
        return [finding for finding in self.report.findings if finding.line == place + 1]


def current() -> Work | None:
    """The chosen version as it is now; None on an empty shelf."""
    version = session.version()
    return None if version is None else of(version)


def of(version: Version) -> Work:
    """A version with its saved edits, checked."""
    ws, measure = session.workspace(), _measure()
    edits = drafts.edits(ws, version.id)
    report = _checked(version.id, measure.encoding, measure.limit, version, measure)
    return Work(
        version=version,
        edits=edits,
        places=max(version.examples, max(edits, default=-1) + 1),
        report=data_report.with_edits(report, version, edits, measure.count, measure.limit),
        measure=measure,
    )


def training_tokens(work: Work, encoding: str, limit: int | None) -> int:
    """Billed tokens of one epoch in another encoding, cut at another limit. Raises EncodingUnavailable."""
    count = _counter(encoding)
    base = _tokens(work.version.id, encoding, limit, work.version)
    return base + data_report.more_tokens(work.version, work.edits, count, limit)


def places_with_findings(work: Work) -> list[int]:
    """The places at which something was found, ascending."""
    return sorted({finding.line - 1 for finding in work.report.findings if finding.line is not None})


def nearest(places: Sequence[int], wanted: int) -> int:
    """Where in `places` (ascending, not empty) the place is that comes nearest from above."""
    return min(bisect_left(places, wanted), len(places) - 1)


def open_example(place: int) -> None:
    """Show this example, on the view that shows one at a time."""
    st.session_state["place"] = place
    st.session_state["data_view"] = VIEWS[0]
    st.session_state.pop("editing", None)


def choose_view(work: Work) -> str:
    """Which side of the data is looked at."""
    found = len(work.report.findings)
    # Other places set the view as well, so its first value is the session's and not the widget's.
    st.session_state.setdefault("data_view", VIEWS[0])
    view = st.segmented_control(
        "View",
        VIEWS,
        format_func=lambda view: f"{view} ({found:,})" if view == "Findings" and found else view,
        key="data_view",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    return view or VIEWS[0]


def summary(work: Work) -> None:
    """One line on the whole: how much there is, what it costs in tokens, what was found."""
    report = work.report
    parts = [number_of(report.examples, "example"), report.method]
    parts.append(f"{work.training:,} training, {work.held_out:,} validation" if work.held_out else "no validation")
    if report.tokens_per_epoch is not None:
        parts.append(f"{report.tokens_per_epoch:,} tokens an epoch for {plain(work.measure.model)}")
    for severity, colour in (("error", "red"), ("warning", "orange")):
        if number := sum(1 for finding in report.findings if finding.severity == severity):
            parts.append(f":{colour}[{number_of(number, severity)}]")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f":small[{' · '.join(parts)}]", width="content")
        if report.ok:
            frame.link("cost", "See what training costs", icon=":material/arrow_forward:")


def nothing_yet(line: str) -> None:
    """An empty page: one sentence, and the one action that fills it."""
    st.markdown(line)
    if st.button("Bring in examples", type="primary", icon=":material/upload_file:"):
        frame.go("data")


def _measure() -> Measure:
    """The encoding of the chosen service's first model: what is counted follows what is trained."""
    offered = models(session.service().kind) or models("openai")
    return Measure((*offered[0].aliases, offered[0].id)[0], offered[0].encoding, offered[0].tokens_per_example)


@cache
def _counter(encoding: str) -> Callable[[str], int]:
    """One counter for each encoding: it remembers the texts that come again and again."""
    return counter(encoding)


def _untouched(place: int, example: Example) -> Entry:
    return Entry(place, 0, example, example)


@st.cache_resource(max_entries=8, show_spinner="Checking the examples …")
def _checked(version_id: str, encoding: str, limit: int | None, _version: Version, _measure: Measure) -> Report:
    lines = shelf.open_lines(session.workspace(), _version)
    return check(lines, method=_version.method, limit=limit, count=_measure.count, validation=_version.validation)


@st.cache_resource(max_entries=32, show_spinner="Counting the tokens …")
def _tokens(version_id: str, encoding: str, limit: int | None, _version: Version) -> int:
    lines, count = shelf.open_lines(session.workspace(), _version), _counter(encoding)
    return sum(
        example_tokens(lines.example(at).data, count, limit)
        for at in range(len(lines))
        if at not in _version.validation
    )
