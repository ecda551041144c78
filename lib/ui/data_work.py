"""What Data, Cost and Train work on: the chosen version with its saved edits, and what the check says about it.

A desk (lib.dataset.desk) knows the version; it is opened once and follows every edit, so that a rerun reads one page of
examples and counts nothing again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import streamlit as st

from lib.catalog.limits import limits
from lib.catalog.models import models
from lib.dataset.desk import Desk
from lib.dataset.drafts import Entry
from lib.dataset.finding import Finding, Severity
from lib.dataset.rules.kinds import KINDS, Kind
from lib.dataset.rules.size import too_large
from lib.dataset.samples.repaired import repaired
from lib.dataset.shelf import Version
from lib.errors import EncodingUnavailable
from lib.tokens.batch import BatchCounter, batch_counter
from lib.ui import frame, session
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

Positions = npt.NDArray[np.int64]

VIEWS = ("Examples", "Table", "Findings", "Profile", "Split", "Versions")
ORDER: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Measure:
    """How tokens are counted: the encoding, and where an example is cut. `model` is whose they are."""

    model: str
    encoding: str
    limit: int | None
    file_bytes: int

    @property
    def counter(self) -> BatchCounter | None:
        """Counts texts; None when the encoding is not to be had, which costs the counts and nothing else."""
        try:
            return batch_counter(self.encoding)
        except EncodingUnavailable:
            return None


@dataclass(frozen=True, slots=True)
class Said:
    """What the check says of a state of the desk: positions by code, findings about the whole, kinds with numbers; and
    how much there is, which takes a look at every example too.
    """

    found: Mapping[str, Positions]
    about_the_whole: list[Finding]
    kinds: list[tuple[Kind, int]]
    examples: int
    training: int
    held_out: int
    tokens: int


@dataclass(frozen=True)
class Work:
    """A version with its edits, as it was when this rerun began. Positions count from 0, removed examples included."""

    version: Version
    desk: Desk
    measure: Measure

    @property
    def key(self) -> str:
        """Names exactly this state: the version, every edit, and how it is measured."""
        near = "near" if self.desk.assessed.near is not None else "plain"
        return f"{self.version.id}@{self.desk.revision}/{near}/{self.desk.encoding}/{self.measure.limit}"

    @property
    def places(self) -> int:
        """How many positions there are, those of removed examples included."""
        return len(self.desk)

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return self._said.examples

    @property
    def training(self) -> int:
        """How many examples are trained on."""
        return self._said.training

    @property
    def held_out(self) -> int:
        """How many examples are held out for validation."""
        return self._said.held_out

    @property
    def tokens(self) -> int | None:
        """Tokens billed for one epoch; None when they cannot be counted."""
        return self._said.tokens if self.desk.encoding else None

    @property
    def found(self) -> Mapping[str, Positions]:
        """For each kind of finding, by code, the positions at which it was found, ascending."""
        return self._said.found

    @property
    def about_the_whole(self) -> list[Finding]:
        """Findings that are about no example in particular."""
        return self._said.about_the_whole

    @property
    def kinds(self) -> list[tuple[Kind, int]]:
        """The kinds of findings about examples, errors first, each with the number of examples it is found in."""
        return self._said.kinds

    @cached_property
    def _said(self) -> Said:
        return _said(self.key, self)

    def number_of(self, severity: Severity) -> int:
        """How many findings there are of this severity, one for each example and kind."""
        whole = sum(1 for finding in self.about_the_whole if finding.severity == severity)
        return whole + sum(number for kind, number in self.kinds if kind.severity == severity)

    @property
    def ok(self) -> bool:
        """Whether there is no error: a service would take the file."""
        return self.number_of("error") == 0

    def entries(self, places: Sequence[int]) -> list[Entry]:
        """The examples at these positions, as they are now."""
        return self.desk.entries(places)

    def tokens_of(self, place: int) -> int | None:
        """What one example bills for one epoch; None when its tokens cannot be counted."""
        if not self.desk.encoding:
            return None
        tokens = int(self.desk.assessed.columns.tokens[place])
        return tokens if self.measure.limit is None else min(tokens, self.measure.limit)

    def findings_at(self, place: int) -> list[Finding]:
        """What was found in the example at this position."""
        return self.desk.findings([place], self.measure.limit)[0]


def current() -> Work | None:
    """The chosen version as it is now; None on an empty shelf."""
    version = session.version()
    return None if version is None else of(version)


def of(version: Version) -> Work:
    """A version with its saved edits, checked."""
    measure = chosen_measure()
    desk = _desk(version, measure)
    desk.follow()
    return Work(version, desk, measure)


def repaired_sample(version: Version) -> Version:
    """A sample as it is trained on: with what the check finds repaired, which is a version of its own. Chooses it."""
    measure = chosen_measure()
    counter = measure.counter
    made = version if counter is None else repaired(session.workspace(), version, counter, measure.limit)
    session.choose_version(made.id)
    return made


def training_tokens(work: Work, encoding: str, limit: int | None) -> int:
    """Billed tokens of one epoch in another encoding, cut at another limit. Raises EncodingUnavailable."""
    if encoding == work.desk.encoding:
        return work.desk.assessed.tokens(limit)
    return _counted(work.key, encoding, limit, work)


def nearest(places: Sequence[int] | Positions, wanted: int) -> int:
    """Where in `places` (ascending, not empty) the place is that comes nearest from above."""
    return min(bisect_left(places, wanted), len(places) - 1)


def open_example(place: int) -> None:
    """Show this example, on the view that shows one at a time."""
    st.session_state["place"] = int(place)
    st.session_state["data_view"] = VIEWS[0]
    st.session_state.pop("editing", None)


def choose_view(work: Work) -> str:
    """Which side of the data is looked at."""
    found = work.number_of("error") + work.number_of("warning") + work.number_of("info")
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
    parts = [number_of(work.examples, "example"), work.version.method]
    parts.append(f"{work.training:,} training, {work.held_out:,} validation" if work.held_out else "no validation")
    if work.tokens is not None:
        parts.append(f"{work.tokens:,} tokens an epoch for {plain(work.measure.model)}")
    shown: tuple[tuple[Severity, str], ...] = (("error", "red"), ("warning", "orange"))
    for severity, colour in shown:
        if number := work.number_of(severity):
            parts.append(f":{colour}[{number_of(number, severity)}]")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f":small[{' · '.join(parts)}]", width="content")
        if work.ok:
            frame.link("cost", "See what training costs", icon=":material/arrow_forward:")


def nothing_yet(line: str) -> None:
    """An empty page: one sentence, and the one action that fills it."""
    st.markdown(line)
    if st.button("Bring in examples", type="primary", icon=":material/upload_file:"):
        frame.go("data")


def nothing_to_train_on() -> None:
    """A version whose examples are all held out, or removed."""
    st.markdown("No example is left to train on. Bring some back on Data, or hold fewer out.")
    if st.button("Go to Data", type="primary", icon=":material/dataset:"):
        frame.go("data")


@st.cache_resource(max_entries=16, show_spinner=False)
def _said(key: str, _work: Work) -> Said:
    """Kept by the state it belongs to: a rerun works nothing out again."""
    assessed = _work.desk.assessed
    found = assessed.found(_work.measure.limit)
    whole = assessed.about_the_whole()
    size = int(assessed.columns.size.sum(where=assessed.present & ~assessed.held_out, dtype=np.int64))
    if size > _work.measure.file_bytes:
        whole.append(too_large(size, _work.measure.file_bytes))
    kinds = [(KINDS[code], len(places)) for code, places in found.items()]
    kinds.sort(key=lambda one: (ORDER.index(one[0].severity), -one[1]))
    return Said(
        found=found,
        about_the_whole=whole,
        kinds=kinds,
        examples=assessed.examples,
        training=assessed.training,
        held_out=assessed.validation,
        tokens=assessed.tokens(_work.measure.limit),
    )


def chosen_measure() -> Measure:
    """The encoding of the chosen service's first model: what is counted follows what is trained."""
    kind = session.service().kind
    offered = models(kind) or models("openai")
    model = offered[0]
    return Measure((*model.aliases, model.id)[0], model.encoding, model.tokens_per_example, limits(kind).file_bytes)


def _desk(version: Version, measure: Measure) -> Desk:
    """The desk of a version, opened once. A click while it opens ends that; what is known by then is not lost."""
    desks = _desks(str(session.workspace().home))
    key = f"{version.id}/{measure.encoding}"
    if key not in desks:
        bar = st.empty()

        def told(done: int) -> None:
            name = plain(shortened(version.dataset_name, 40))
            bar.progress(done / max(version.examples, 1), f"Checking {name}: {done:,} of {version.examples:,} examples")

        opened = Desk(session.workspace(), version, counter=measure.counter, progress=told)
        bar.empty()
        desks[key] = opened
        while len(desks) > MOST_DESKS:
            desks.pop(next(iter(desks)))
    return desks[key]


MOST_DESKS = 6


@st.cache_resource(max_entries=8, show_spinner=False)
def _desks(home: str) -> dict[str, Desk]:
    """The open desks of a workspace. What they know is worked out from it, the same for every session."""
    return {}


@st.cache_resource(max_entries=32, show_spinner="Counting the tokens …")
def _counted(key: str, encoding: str, limit: int | None, _work: Work) -> int:
    other = Desk(session.workspace(), _work.version, counter=batch_counter(encoding))
    return other.assessed.tokens(limit)
