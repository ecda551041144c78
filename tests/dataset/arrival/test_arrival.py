"""Arrivals: a clean file just comes in, anything else is asked about, and a stop leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.dataset import export_csv, export_parquet, shelf
from lib.dataset.arrival.arrival import Arrival, State
from lib.dataset.arrival.given import FOLDER, Given
from lib.dataset.arrival.opened import try_out
from lib.dataset.arrival.pace import Pace
from lib.dataset.arrival.question import Answer, HowToBringIn, WithoutTheRest
from lib.dataset.convert.conversion import Conversion
from lib.dataset.convert.roles import Roles
from lib.dataset.desk import Desk
from lib.dataset.example import encode
from lib.dataset.export_row import Row
from lib.dataset.survey import kept
from lib.tokens.batch import BatchCounter
from lib.workspace.database import Workspace
from tests.dataset.conversations import call, chat, lines_of, many, pair, tool

SECONDS = 30

ALPACA = [{"instruction": f"Say {n}", "input": "", "output": f"{n}.", "source": "x"} for n in range(12)]


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    held = Workspace.open(tmp_path / "home")
    yield held
    held.close()


def begin(ws: Workspace, *given: tuple[str, Any], **said: Any) -> Arrival:
    return Arrival(ws, [Given(name, content) for name, content in given], **said).start()


def settled(arrival: Arrival) -> State:
    state = arrival.wait(SECONDS)
    assert state.phase not in ("reading", "keeping")
    return state


def asked(arrival: Arrival) -> HowToBringIn:
    question = settled(arrival).question
    assert isinstance(question, HowToBringIn)
    return question


def arrived(ws: Workspace, arrival: Arrival) -> list[shelf.Version]:
    state = settled(arrival)
    assert state.phase == "done", state
    return [shelf.version(ws, one) for one in state.versions]


def raws(ws: Workspace, version: shelf.Version) -> list[bytes]:
    return list(shelf.open_lines(ws, version).raws())


def leftovers(ws: Workspace) -> list[Path]:
    places = [ws.home / name for name in (FOLDER, "files", "surveys")]
    return [path for place in places if place.exists() for path in place.rglob("*")]


def test_a_clean_file_comes_in_without_a_question_byte_for_byte(ws: Workspace) -> None:
    content = lines_of(many(12))
    [version] = arrived(ws, begin(ws, ("some/Tickets.jsonl", content)))
    assert ws.kept(version.sha256).read_bytes() == content
    assert (version.dataset_name, version.examples, version.method) == ("Tickets", 12, "supervised")
    assert not version.changes["unread"]
    assert "source" not in version.changes
    assert [path for path in leftovers(ws) if path.is_file() and path.parent.parent.name == FOLDER] == []


def test_what_comes_in_is_surveyed_once_and_the_desk_opens_with_that(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = BatchCounter("o200k_base")
    content = b"\r\n" + lines_of([chat("A long one", "x " * 50), {**chat(), "extra": 1}, *many(10)])
    arrival = begin(ws, ("a.jsonl", content.replace(b"\n", b"\r\n")), counter=lambda: counter)
    [version] = arrived(ws, arrival)

    def never(*args: Any, **said: Any) -> Any:
        raise AssertionError("surveyed again")

    fresh = kept.load(ws, version.sha256, "o200k_base", "supervised", shelf.open_lines(ws, version))
    assert fresh is not None
    monkeypatch.setattr("lib.dataset.desk.survey", never)
    desk = Desk(ws, version, counter=counter)
    assert version.changes["tokens"] == {"o200k_base": desk.assessed.tokens(None)}
    assert desk.assessed.found(None)["extra_key"].tolist() == [1]


@pytest.mark.parametrize("packed", [False, True])
def test_extra_keys_stay_in_the_examples(ws: Workspace, packed: bool) -> None:
    content = lines_of([{**chat(), "id": number} for number in range(10)])
    name = "a.jsonl.gz" if packed else "a.jsonl"
    [version] = arrived(ws, begin(ws, (name, gzip.compress(content) if packed else content)))
    assert ws.kept(version.sha256).read_bytes() == content


def test_a_stream_and_a_path_come_in_like_bytes(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(lines_of(many(11)))
    [first] = arrived(ws, begin(ws, ("a.jsonl", io.BytesIO(lines_of(many(10))))))
    [second] = arrived(ws, begin(ws, ("b.jsonl", path)))
    assert (first.examples, second.examples) == (10, 11)
    assert path.read_bytes() == lines_of(many(11))


def test_lines_that_cannot_be_understood_are_named_and_the_rest_comes_in_if_wanted(ws: Workspace) -> None:
    content = lines_of(many(7)) + b'{"messages": [oops]}\n[1, 2]\n' + lines_of(many(10)[7:])
    arrival = begin(ws, ("a.jsonl", content))
    question = settled(arrival).question
    assert isinstance(question, WithoutTheRest)
    assert (question.examples, question.lines) == (10, 2)
    assert "Line 8, column 15" in question.left[0].text
    assert "oops" in question.left[0].text
    assert "Line 9" in question.left[1].text
    assert not shelf.datasets(ws)
    arrival.answer(Answer())
    [version] = arrived(ws, arrival)
    assert raws(ws, version) == lines_of(many(10)).splitlines()
    assert version.changes["unread"] == 2
    assert "Line 8" in version.changes["told"][0]
    assert ws.kept(version.changes["source"]).read_bytes() == content


def test_a_person_who_does_not_want_the_rest_has_nothing(ws: Workspace) -> None:
    arrival = begin(ws, ("a.jsonl", lines_of(many(10)) + b"{broken\n"))
    settled(arrival)
    arrival.stop()
    arrival._thread.join(SECONDS)
    assert arrival.now.phase == "stopped"
    assert not shelf.datasets(ws)
    assert not leftovers(ws)


def test_only_so_many_problems_are_told_and_all_are_counted(ws: Workspace) -> None:
    arrival = begin(ws, ("a.jsonl", lines_of(many(10)) + b"{broken\n" * 1000))
    question = settled(arrival).question
    assert isinstance(question, WithoutTheRest)
    assert (len(question.left), question.lines) == (200, 1000)
    arrival.answer(Answer())
    [version] = arrived(ws, arrival)
    assert (len(version.changes["told"]), version.changes["unread"]) == (50, 1000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsonl", b""),
        ("blank.jsonl", b"\n \n"),
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(200)),
        ("words.txt", b"These are words and no data.\nNot one line of it.\n"),
        ("one.csv", b"one column\nonly\n"),
        ("null.jsonl", b"null\n1\n[]\n"),
        ("deep.jsonl", b"[" * 100_000),
        ("broken.jsonl", b'{"messages": [\n' * 3),
        ("cut.gz", gzip.compress(lines_of(many(100)))[:30]),
        ("no.zip", b"PK\x03\x04" + b"nothing" * 10),
        ("table.parquet", b"PAR1" + b"x" * 100 + b"PAR1"),
    ],
)
def test_a_file_that_is_none_is_one_sentence_and_leaves_nothing(ws: Workspace, name: str, content: bytes) -> None:
    state = settled(begin(ws, (name, content)))
    assert state.phase == "failed"
    assert state.error is not None
    assert state.error.what.endswith((".", "”", "…"))
    assert "Traceback" not in str(state.error)
    assert "mistake" not in state.error.what
    assert not shelf.datasets(ws)
    assert not leftovers(ws)


def test_a_foreign_dialect_is_asked_about_and_keys_without_a_place_are_named(ws: Workspace) -> None:
    content = lines_of([*ALPACA, {"instruction": "And?", "output": ""}])
    arrival = begin(ws, ("alpaca.json", content))
    [opened] = asked(arrival).files
    assert opened.conversion is not None
    trial = try_out(opened, opened.conversion)
    assert (trial.tried, trial.good, trial.whole) == (13, 12, True)
    assert trial.keys == {"source": 12}
    assert trial.shown[0].after == chat("Say 0", "0.")
    assert [one.line for one in trial.left] == [13]
    arrival.answer(Answer((opened.conversion,)))
    [version] = arrived(ws, arrival)
    assert raws(ws, version)[0] == encode(chat("Say 0", "0."))
    assert (version.examples, version.changes["unread"], version.changes["keys"]) == (12, 1, {"source": 12})
    assert version.changes["conversion"] == {"dialect": "Alpaca"}
    assert ws.kept(version.changes["source"]).read_bytes() == content


def test_a_foreign_dialect_may_stay_as_it_is(ws: Workspace) -> None:
    content = lines_of(ALPACA)
    arrival = begin(ws, ("alpaca.jsonl", content))
    asked(arrival)
    arrival.answer(Answer((None,)))
    [version] = arrived(ws, arrival)
    assert ws.kept(version.sha256).read_bytes() == content
    assert "conversion" not in version.changes


def test_a_table_comes_in_by_the_roles_that_are_chosen(ws: Workspace) -> None:
    rows = "".join(f"{n},Where is {n}?,shipping,high\n" for n in range(12))
    arrival = begin(ws, ("cases.csv", f"id,text,team,prio\n{rows},,nobody,low\n".encode()))
    [opened] = asked(arrival).files
    assert opened.columns == ("id", "text", "team", "prio")
    roles = Conversion(roles=Roles((("id", "ignored"), ("text", "question"), ("team", "answer"), ("prio", "ignored"))))
    assert try_out(opened, roles).good == 12
    arrival.answer(Answer((roles,)))
    [version] = arrived(ws, arrival)
    assert json.loads(raws(ws, version)[3]) == chat("Where is 3?", "shipping")
    assert version.changes["unread"] == 1
    assert "Row 14" in version.changes["told"][0]


def test_rows_beyond_those_tried_out_are_asked_about_when_they_do_not_fit(ws: Workspace) -> None:
    rows = "".join(f"Where is {n}?,shipping\n" for n in range(1200))
    arrival = begin(ws, ("cases.csv", f"question,answer\n{rows}no answer,\n".encode()))
    [opened] = asked(arrival).files
    trial = try_out(opened, opened.conversion)
    assert (trial.whole, trial.totals) == (False, {})
    arrival.answer(Answer((opened.conversion,)))
    question = settled(arrival).question
    assert isinstance(question, WithoutTheRest)
    assert (question.examples, question.lines) == (1200, 1)
    arrival.answer(Answer())
    assert arrived(ws, arrival)[0].examples == 1200


def test_several_files_come_in_as_one_with_what_is_wrong_named_by_file(ws: Workspace) -> None:
    arrival = begin(
        ws,
        ("a.jsonl", lines_of(many(6))),
        ("b.jsonl", b"{oops\n" + lines_of(many(12)[6:])),
        ("c.pdf", b"%PDF-1.7 and so on"),
        ("d.json", lines_of(ALPACA[:2])),
    )
    question = asked(arrival)
    assert [one.name for one in question.files] == ["a.jsonl", "b.jsonl", "d.json"]
    assert "c.pdf" in question.refused[0].text
    arrival.answer(Answer(tuple(one.conversion for one in question.files)))
    [version] = arrived(ws, arrival)
    assert (version.examples, version.dataset_name) == (14, "a and 2 more")
    assert raws(ws, version)[:12] == lines_of(many(12)).splitlines()
    assert version.changes["told"][0].startswith("b.jsonl: Line 1, column 2")
    assert [name for name, _ in version.changes["sources"]] == ["a.jsonl", "b.jsonl", "d.json"]


def test_several_files_may_each_be_a_dataset(ws: Workspace) -> None:
    arrival = begin(ws, ("a.jsonl", lines_of(many(10))), ("pairs.jsonl", lines_of([pair()] * 11)))
    methods = [try_out(one, None).method for one in asked(arrival).files]
    assert methods == ["supervised", "dpo"]
    arrival.answer(Answer((None, None), together=False))
    first, second = arrived(ws, arrival)
    assert (first.examples, first.method, first.dataset_name) == (10, "supervised", "a")
    assert (second.examples, second.method, second.dataset_name) == (11, "dpo", "pairs")
    assert ws.kept(first.sha256).read_bytes() == lines_of(many(10))


def test_one_of_several_without_an_example_does_not_take_the_others_along(ws: Workspace) -> None:
    arrival = begin(ws, ("a.jsonl", lines_of(many(10))), ("b.jsonl", b"{oops\n{oops\n"))
    asked(arrival)
    arrival.answer(Answer((None, None), together=False))
    question = settled(arrival).question
    assert isinstance(question, WithoutTheRest)
    assert "There is no example in b.jsonl" in question.left[0].text
    arrival.answer(Answer())
    assert [version.dataset_name for version in arrived(ws, arrival)] == ["a"]


def test_several_files_of_which_none_can_be_read_are_one_sentence(ws: Workspace) -> None:
    state = settled(begin(ws, ("a.pdf", b"%PDF-1.7"), ("b.jsonl", b"")))
    assert state.phase == "failed"
    assert "None of the 2 files" in str(state.error)
    assert not leftovers(ws)


@pytest.mark.parametrize("content", [lines_of(many(10)), lines_of(many(10)).replace(b"\n", b"\r\n\r\n")])
def test_a_file_that_is_there_already_is_chosen_again_and_comes_in_twice_only_when_wanted(
    ws: Workspace, content: bytes
) -> None:
    [first] = arrived(ws, begin(ws, ("a.jsonl", content)))
    arrival = begin(ws, ("copy.jsonl", content))
    assert arrived(ws, arrival) == [first]
    assert arrival.now.again
    assert len(shelf.datasets(ws)) == 1
    again = begin(ws, ("copy.jsonl", content), again=True)
    assert arrived(ws, again)[0].id != first.id
    assert not again.now.again
    assert len(shelf.datasets(ws)) == 2


def test_a_converted_file_that_is_there_already_is_not_asked_about_again(ws: Workspace) -> None:
    content = lines_of(ALPACA)
    arrival = begin(ws, ("alpaca.jsonl", content))
    arrival.answer(Answer((asked(arrival).files[0].conversion,)))
    [first] = arrived(ws, arrival)
    assert arrived(ws, begin(ws, ("alpaca.jsonl", content))) == [first]


def test_a_removed_dataset_is_not_there_already(ws: Workspace) -> None:
    [first] = arrived(ws, begin(ws, ("a.jsonl", lines_of(many(10)))))
    shelf.remove(ws, first.dataset_id)
    [second] = arrived(ws, begin(ws, ("a.jsonl", lines_of(many(10)))))
    assert second.id != first.id


UNUSUAL = [
    *many(9),
    chat("=SUM(A1)", "+1\n"),
    {**chat(), "tools": [tool()], "id": 7},
    {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call()], "weight": 0}]},
]


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("examples", [UNUSUAL, [pair(f"Which {n}?") for n in range(12)]])
def test_our_own_export_comes_back_as_it_was_with_its_split(
    ws: Workspace, tmp_path: Path, form: str, examples: list[dict[str, Any]]
) -> None:
    path = tmp_path / f"out.{form}"
    rows = [Row(number, encode(data), number % 4 == 0) for number, data in enumerate(examples, start=1)]
    if form == "csv":
        export_csv.write_csv(rows, path, "dpo" if "input" in examples[0] else "supervised")
    else:
        export_parquet.write_parquet(rows, path)
    [version] = arrived(ws, begin(ws, (path.name, path)))
    assert [json.loads(raw) for raw in raws(ws, version)] == examples
    assert sorted(version.validation) == [3, 7, 11]
    assert "conversion" not in version.changes


def test_a_row_of_our_own_export_that_was_damaged_is_named(ws: Workspace, tmp_path: Path) -> None:
    rows = [Row(number, encode({**data, "id": 1}), False) for number, data in enumerate(many(10), start=1)]
    export_csv.write_csv(rows, tmp_path / "out.csv", "supervised")
    content = (
        (tmp_path / "out.csv")
        .read_bytes()
        .replace(b"""{""messages"": [{""role"": ""user"", ""content"": ""What is 3""", b"{")
    )
    arrival = begin(ws, ("out.csv", content))
    question = settled(arrival).question
    assert isinstance(question, WithoutTheRest)
    assert (question.examples, question.lines) == (9, 1)
    assert question.left[0].text.startswith("Row 5 has JSON in “example” that cannot be read: ")


@pytest.mark.parametrize("stage", ["Copying", "Reading", "Checking", "Keeping"])
def test_a_stop_at_any_stage_leaves_nothing(ws: Workspace, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    began = Pace.begin
    arrivals: list[Arrival] = []

    def begun(self: Pace, name: str, cost: float, unit: str = "bytes") -> None:
        if name.startswith(stage):
            arrivals[0].stop()
        began(self, name, cost, unit)

    monkeypatch.setattr(Pace, "begin", begun)
    arrivals.append(Arrival(ws, [Given("a.jsonl.gz", gzip.compress(lines_of(many(10)) + b"{oops\n"))]))
    arrivals[0].start()
    if stage == "Keeping":
        assert settled(arrivals[0]).question is not None
        arrivals[0].answer(Answer())
    assert settled(arrivals[0]).phase == "stopped"
    assert not shelf.datasets(ws)
    assert not leftovers(ws)


def test_a_stop_while_the_source_is_kept_leaves_nothing(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    source = lines_of(many(10)) + b"{oops\n"
    arrivals: list[Arrival] = []
    at = Pace.at

    def told(self: Pace, done: int, total: int) -> None:
        if arrivals and arrivals[0].now.phase == "keeping" and done > len(lines_of(many(10))):
            arrivals[0].stop()
        at(self, done, total)

    monkeypatch.setattr(Pace, "at", told)
    arrivals.append(Arrival(ws, [Given("a.jsonl", source)]))
    arrivals[0].start()
    settled(arrivals[0])
    arrivals[0].answer(Answer())
    assert settled(arrivals[0]).phase == "stopped"
    assert not leftovers(ws)


def test_two_at_once_do_not_meet(ws: Workspace) -> None:
    first = begin(ws, ("a.jsonl", lines_of(many(10)) + b"{oops\n"))
    second = begin(ws, ("b.jsonl", lines_of(many(20))))
    [made] = arrived(ws, second)
    assert made.examples == 20
    assert settled(first).question is not None
    first.answer(Answer())
    assert arrived(ws, first)[0].examples == 10
    assert len(shelf.datasets(ws)) == 2


def test_an_answer_that_comes_twice_or_too_late_changes_nothing(ws: Workspace) -> None:
    arrival = begin(ws, ("alpaca.jsonl", lines_of(ALPACA)))
    how = Answer((asked(arrival).files[0].conversion,))
    arrival.answer(how)
    arrival.answer(Answer((None,)))
    [version] = arrived(ws, arrival)
    arrival.answer(how)
    arrival.stop()
    assert version.changes["conversion"]
    assert arrival.now.phase == "done"
    assert len(shelf.datasets(ws)) == 1


def test_whoever_stops_is_not_asked_once_more(ws: Workspace) -> None:
    arrival = begin(ws, ("half.jsonl", lines_of(many(10)) + b"{oops\n"))
    assert settled(arrival).question is not None
    arrival.stop()
    assert arrival.now.question is None
    assert settled(arrival).phase == "stopped"


def test_what_a_conversion_loses_of_a_line_is_told_and_takes_no_line_out(ws: Workspace) -> None:
    content = lines_of(ALPACA) + b'{"instruction": "a", "instruction": "b", "output": "c"}\n'
    arrival = begin(ws, ("alpaca.jsonl", content))
    [opened] = asked(arrival).files
    trial = try_out(opened, opened.conversion)
    assert (trial.good, trial.tried) == (13, 13)
    assert [(one.code, one.line) for one in trial.left] == [("repeated_key", 13)]
    arrival.answer(Answer((opened.conversion,)))
    [version] = arrived(ws, arrival)
    assert (version.examples, version.changes["unread"]) == (13, 0)
    assert version.changes["told"][0].startswith("Line 13 has the key “instruction” twice")


def test_a_full_disk_is_a_sentence(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lib.dataset.arrival.arrival.copied", full)
    state = settled(begin(ws, ("a.jsonl", lines_of(many(10)))))
    assert "No space left on device" in str(state.error)
    assert "Make room" in str(state.error)
    assert not leftovers(ws)


def test_what_nobody_foresaw_is_a_sentence_as_well(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **said: Any) -> Any:
        raise ZeroDivisionError("so")

    monkeypatch.setattr("lib.dataset.arrival.arrival.open_source", broken)
    state = settled(begin(ws, ("a.jsonl", lines_of(many(10)))))
    assert state.error is not None
    assert state.error.raw == "ZeroDivisionError: so"
    assert "Nothing of it was kept" in state.error.what
    assert caplog.records
    assert not leftovers(ws)
