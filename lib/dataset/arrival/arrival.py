"""Files on their way in, in a thread of their own: read, asked about where there is something to ask, checked, kept.

Can be stopped at any time, and then leaves nothing behind. Knows no screen: whoever shows an arrival looks at `now`,
answers its question, or waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib.dataset.arrival import keeping
from lib.dataset.arrival.gathered import Gathered, Plan, cost, gathered
from lib.dataset.arrival.given import Given, copied, folder
from lib.dataset.arrival.opened import Opened, try_out
from lib.dataset.arrival.pace import CHECK, COPY, KEEP, READ, Pace, Progress
from lib.dataset.arrival.question import Answer, HowToBringIn, Question, WithoutTheRest
from lib.dataset.finding import Finding, Findings
from lib.dataset.shelf import Version
from lib.dataset.source.intake import shown_name
from lib.dataset.source.source import open_source
from lib.dataset.survey.second_reader import SecondReader, second_reader
from lib.errors import ArrivalStopped, DataError, EtudeError, UnreadableFile, WorkspaceError
from lib.tokens.batch import BatchCounter
from lib.workspace.database import Workspace, new_id

log = logging.getLogger(__name__)

WAITING = Progress("Waiting")

Phase = Literal["reading", "asking", "keeping", "done", "failed", "stopped"]
LIVE: frozenset[Phase] = frozenset({"reading", "keeping"})
OVER: frozenset[Phase] = frozenset({"done", "failed", "stopped"})


@dataclass(frozen=True, slots=True)
class State:
    """How things stand. `question` is there while something is asked, `error` when it failed.

    `versions` are the ids of what came in; with `again`, nothing new did, because it was on the shelf already.
    """

    phase: Phase = "reading"
    progress: Progress = WAITING
    question: Question | None = None
    versions: tuple[str, ...] = ()
    again: bool = False
    error: EtudeError | None = None


class Arrival:
    """Files that come in together. Safe to use from any thread."""

    def __init__(
        self,
        ws: Workspace,
        given: Sequence[Given],
        *,
        counter: Callable[[], BatchCounter | None] = lambda: None,
        again: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`counter` is asked for in the thread, as it may have to be loaded. `again` makes a second copy."""
        self.id = new_id("arrival")
        self.name = shown_name(given[0].name) if len(given) == 1 else f"{len(given)} files"
        self.began = monotonic()
        self._ws = ws
        self._given = list(given)
        self._counter = counter
        self._again = again
        self._changed = threading.Condition()
        self._now = State()
        self._answer: Answer | None = None
        self._stopping = threading.Event()
        self._pace = Pace(self._progressed, monotonic)
        self._thread = threading.Thread(target=self._run, name=self.id, daemon=True)

    def start(self) -> Arrival:
        """Begin."""
        self._thread.start()
        return self

    @property
    def now(self) -> State:
        """How things stand now."""
        return self._now

    def wait(self, seconds: float) -> State:
        """How things stand once somebody is needed or it is over, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._now.phase not in LIVE, seconds)
        return self._now

    def answer(self, answer: Answer) -> None:
        """Answer the question. Nothing happens when none is asked (any more): another window may have been faster."""
        with self._changed:
            if self._now.phase == "asking":
                self._answer = answer
                self._now = State("reading", self._now.progress)
                self._changed.notify_all()

    def stop(self) -> None:
        """Stop as soon as possible; nothing of it is kept. Does nothing once it is over."""
        with self._changed:
            self._stopping.set()
            if self._now.phase == "asking":
                # The question is over at once, so that nobody is shown it again before the thread has ended.
                self._now = State("reading", self._now.progress)
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            with folder(self._ws.home) as place:
                versions, again = self._bring_in(place)
            self._become(State("done", self._now.progress, versions=tuple(one.id for one in versions), again=again))
        except ArrivalStopped:
            self._become(State("stopped"))
        except EtudeError as error:
            self._become(State("failed", error=error))
        except OSError as error:
            self._become(State("failed", error=_no_room(self._ws, error)))
        except Exception as error:
            log.exception("An error that Etude did not foresee")
            self._become(State("failed", error=_unforeseen(self.name, error)))
        finally:
            self._given.clear()
            self._ws.close()

    def _bring_in(self, place: Path) -> tuple[list[Version], bool]:
        files, refused = self._opened(place)
        if not self._again and len(self._given) == 1 and (there := keeping.on_the_shelf(self._ws, files[0].sha256)):
            return [there], True
        plans, shown = self._plans(files, refused)
        self._pace.expect(sum(cost(plan) for plan in plans))
        counter = self._counter()
        size = sum(opened.path.stat().st_size for opened in files)
        with second_reader(size, counter.name if counter else None) as second:
            made, empty = self._gathered(plans, place, counter, second)
        if empty or not shown:
            self._ask_about_the_rest(made, empty)
        self._become(State("keeping", self._now.progress))
        known = {row["id"] for row in self._ws.read("SELECT id FROM versions")}
        versions = []
        for one in made:
            self._pace.begin(f"Keeping {one.name}", one.path.stat().st_size * KEEP)
            versions.append(keeping.keep(self._ws, one, self._pace.at, again=self._again))
        return versions, all(version.id in known for version in versions)

    def _opened(self, place: Path) -> tuple[list[Opened], list[Finding]]:
        """The files that can be read, and what is wrong with the others. Raises what is wrong with a single one."""
        files, refused = [], []
        sizes = [given.size for given in self._given]
        self._pace.expect(sum(sizes) * (COPY + READ + CHECK + KEEP))
        for number, size in enumerate(sizes):
            try:
                files.append(self._open(number, size, place))
            except UnreadableFile as error:
                if len(sizes) == 1:
                    raise
                refused.append(Finding("error", "unreadable_file", None, None, error.what, error.todo))
        if not files:
            raise UnreadableFile(f"None of the {len(refused)} files can be read. {refused[0].text}", refused[0].why)
        return files, refused

    def _open(self, number: int, size: int, place: Path) -> Opened:
        path, name = place / f"given-{number}", shown_name(self._given[number].name)
        self._pace.begin(f"Copying {name}", size * COPY)
        sha256 = copied(self._given[number], path, self._pace.at)
        # An upload is in memory, and may be large.
        self._given[number] = Given(name, b"")
        self._pace.begin(f"Reading {name}", size * READ)
        source = open_source(path, name, place, progress=self._pace.at, stopped=self._stopping.is_set)
        return Opened.of(name, path, sha256, source)

    def _plans(self, files: list[Opened], refused: list[Finding]) -> tuple[list[Plan], bool]:
        """What becomes one dataset each, and whether all that stays out was shown with the question."""
        if len(files) + len(refused) == 1 and files[0].conversion is None:
            return [[(files[0], None)]], False
        # A file that cannot be read need not be asked about again once it was.
        answer = self._ask(HowToBringIn(tuple(files), tuple(refused)))
        how = list(zip(files, answer.conversions, strict=True))
        shown = all(try_out(opened, conversion).whole for opened, conversion in how)
        return ([how] if answer.together else [[one] for one in how]), shown

    def _gathered(
        self, plans: list[Plan], place: Path, counter: BatchCounter | None, second: SecondReader | None
    ) -> tuple[list[Gathered], list[Finding]]:
        """The datasets to be, and what is wrong with those that would be empty. Raises that when all would be."""
        made, empty = [], []
        for number, plan in enumerate(plans):
            try:
                made.append(gathered(plan, place / f"examples-{number}", counter, self._pace, second))
            except ArrivalStopped:
                raise
            except DataError as error:
                if len(made) + len(plans) - number == 1:
                    raise
                text = f"There is no example in {plan[0][0].name}. {error.what}"
                empty.append(Finding("error", "unreadable_file", None, None, text, error.todo))
        return made, empty

    def _ask_about_the_rest(self, made: list[Gathered], empty: list[Finding]) -> None:
        found = Findings()
        for finding in empty:
            found.add(finding)
        for one in made:
            found.include(one.left, one.totals)
        if found.totals():
            lines = sum(one.lines_left for one in made)
            examples = sum(one.examples for one in made)
            self._ask(WithoutTheRest(self.name, examples, lines, found.kept(), found.totals()))

    def _ask(self, question: Question) -> Answer:
        with self._changed:
            self._answer = None
            self._now = State("asking", self._now.progress, question)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._answered() is not None or self._stopping.is_set())
        self._look()
        answer = self._answered()
        assert answer is not None
        return answer

    def _answered(self) -> Answer | None:
        return self._answer

    def _progressed(self, progress: Progress) -> None:
        self._look()
        self._now = State("keeping" if self._now.phase == "keeping" else "reading", progress)

    def _look(self) -> None:
        if self._stopping.is_set():
            raise ArrivalStopped(f"{self.name} was stopped on its way in.", "Nothing of it was kept.")

    def _become(self, state: State) -> None:
        with self._changed:
            self._now = state
            self._changed.notify_all()


def _no_room(ws: Workspace, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The file could not come in: {error.strerror or error}.",
        f"Nothing was changed. Make room in {ws.home} and try again.",
        raw=str(error),
    )


def _unforeseen(name: str, error: Exception) -> EtudeError:
    return EtudeError(
        f"Etude made a mistake while {name} came in. Nothing of it was kept, and nothing else was changed.",
        "The terminal has the details.",
        raw=f"{type(error).__name__}: {error}",
    )
