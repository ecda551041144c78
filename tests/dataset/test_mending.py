"""A repair of one kind for all that have it: all of it, nothing else, and as one step."""

from __future__ import annotations

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.check import check
from lib.dataset.desk import Desk
from lib.dataset.example import encode
from lib.dataset.finding import Finding
from lib.dataset.mending import preview, repair_of, repairs, touched
from lib.dataset.shelf import Version
from lib.errors import EditConflict
from lib.tokens.batch import batch_counter
from lib.workspace.database import Workspace
from tests.dataset.conversations import Data, chat, lines_of, many

LONG = "Please tell me at which counter of the great hall the train to the north of the island leaves this evening"


def brought(ws: Workspace, examples: list[Data], validation: list[int] | None = None) -> tuple[Version, Desk]:
    made = shelf.bring_in(ws, lines_of(examples), "a.jsonl", validation=validation or [])
    return made, Desk(ws, made, counter=batch_counter("o200k_base"))


def finding_of(desk: Desk, position: int, code: str) -> Finding:
    return next(one for one in desk.findings([position])[0] if one.code == code)


def test_every_example_of_a_kind_is_repaired_at_once_as_one_step(ws: Workspace) -> None:
    made, desk = brought(ws, [*({**data, "id": 1} for data in many(450)), chat("mail me", "a@b.de")])
    told: list[int] = []
    assert drafts.change_all(ws, made.id, repairs(desk, "extra_key", progress=told.append), label="Mended") == 450
    assert told == [200, 400, 450]
    assert drafts.history(ws, made.id).steps == 1
    desk.follow()
    assert desk.assessed.found().keys() == {"email"}
    saved = drafts.save_version(ws, made.id, "Mended")
    assert saved.changes == {"added": 0, "removed": 0, "changed": 450}
    assert {one.code for one in check(shelf.open_lines(ws, saved)).findings} == {"email"}


def test_looking_at_repairs_saves_nothing(ws: Workspace) -> None:
    made, desk = brought(ws, [{**data, "id": 1} for data in many(12)])
    shown = preview(desk, "extra_key", number=3)
    assert [(one.position, one.before.data["id"]) for one in shown] == [(0, 1), (1, 1), (2, 1)]
    assert all(one.after is not None and "id" not in one.after.data for one in shown)
    assert len(list(repairs(desk, "extra_key"))) == 12
    assert drafts.last_revision(ws, made.id) == 0


def test_an_edit_made_meanwhile_is_not_overwritten(ws: Workspace) -> None:
    made, desk = brought(ws, [{**data, "id": 1} for data in many(12)])
    waiting = list(repairs(desk, "extra_key"))
    drafts.change(ws, made.id, 5, chat("Mine", "own"), 0)
    with pytest.raises(EditConflict):
        drafts.change_all(ws, made.id, waiting)
    [entry] = drafts.edits(ws, made.id).values()
    assert entry.position == 5


def test_what_is_repaired_is_what_was_edited_last(ws: Workspace) -> None:
    made, desk = brought(ws, [{**data, "id": 1} for data in many(12)])
    drafts.change(ws, made.id, 3, {**chat("Mine", "own"), "id": 2}, 0)
    desk.follow()
    drafts.change_all(ws, made.id, repairs(desk, "extra_key"))
    [entry] = desk.entries([3])
    assert entry.example is not None
    assert entry.example.data == chat("Mine", "own")


def test_of_equal_examples_the_first_stays(ws: Workspace) -> None:
    _, desk = brought(ws, [chat(), *many(10), chat(), chat()])
    assert list(repairs(desk, "duplicate")) == [(11, None, 0), (12, None, 0)]
    assert [(one.position, one.after) for one in preview(desk, "duplicate")] == [(11, None), (12, None)]


def test_of_a_leak_the_examples_in_training_go(ws: Workspace) -> None:
    # The prompt stands at 0 and 11 (training), 12 (held out); at 13 and 14 the held-out one comes first.
    examples = [
        chat("Same?", "a"),
        *many(10),
        chat("Same?", "b"),
        chat("Same?", "c"),
        chat("Two?", "d"),
        chat("Two?", "e"),
    ]
    made, desk = brought(ws, examples, validation=[12, 13])
    assert desk.assessed.found()["leak"].tolist() == [12, 14]
    assert touched(desk, "leak").tolist() == [0, 11, 14]
    assert list(repairs(desk, "leak")) == [(0, None, 0), (11, None, 0), (14, None, 0)]
    [entry] = desk.entries([12])
    assert [one.position for one in repair_of(desk, entry, finding_of(desk, 12, "leak"))] == [0, 11]
    drafts.change_all(ws, made.id, repairs(desk, "leak"))
    desk.follow()
    assert "leak" not in desk.assessed.found()
    assert desk.assessed.validation == 2


def test_of_nearly_equal_examples_the_first_stays_and_of_a_near_leak_the_one_held_out(ws: Workspace) -> None:
    examples = [chat(f"{LONG}.", "Nine."), *many(10), chat(f"{LONG}!", "Nine."), chat(f"{LONG}?", "NINE.")]
    _, desk = brought(ws, examples)
    assert list(repairs(desk, "near_duplicate")) == [(11, None, 0), (12, None, 0)]
    other = shelf.bring_in(ws, lines_of(examples), "b.jsonl", validation=[11])
    split = Desk(ws, other)
    assert list(repairs(split, "near_leak")) == [(0, None, 0)]
    [entry] = split.entries([11])
    assert [one.position for one in repair_of(split, entry, finding_of(split, 11, "near_leak"))] == [0]


def test_a_misspelt_label_becomes_the_common_one_and_no_other_answer_changes(ws: Workspace) -> None:
    answers = ["shipping", "returns"] * 12
    examples = [chat(f"Case {n}", answer) for n, answer in enumerate(answers)]
    made, desk = brought(ws, [*examples, chat("Case 24", "shiping")])
    assert drafts.change_all(ws, made.id, repairs(desk, "rare_label")) == 1
    [entry] = drafts.edits(ws, made.id).values()
    assert entry.position == 24
    assert entry.example is not None
    assert entry.example.data == chat("Case 24", "shipping")


def test_a_system_message_that_varies_becomes_the_common_one(ws: Workspace) -> None:
    examples = [chat(f"Case {n}", "Yes.", system="Answer briefly and politely, please.") for n in range(12)]
    _, desk = brought(ws, [*examples, chat("Case 12", "Yes.", system="Answer briefly and politely, pleas.")])
    [(position, data, _)] = repairs(desk, "system_prompt_varies")
    assert position == 12
    assert data == chat("Case 12", "Yes.", system="Answer briefly and politely, please.")


def test_of_a_key_that_stands_twice_the_last_value_stays_and_what_goes_is_told(ws: Workspace) -> None:
    twice = (
        b'{"messages": [{"role": "tool", "role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}]}'
    )
    made = shelf.bring_in(ws, lines_of(many(10)) + twice + b"\n" + twice + b"\n", "a.jsonl")
    desk = Desk(ws, made)
    finding = finding_of(desk, 10, "repeated_key")
    assert finding.text == 'Line 11 has the key “role” twice in one object: first "tool", then "user".'
    [entry] = desk.entries([10])
    [one] = repair_of(desk, entry, finding)
    assert one.unread == (("role", '"tool"', '"user"'),)
    assert drafts.change_all(ws, made.id, [one.edit]) == 1
    desk.follow()
    assert desk.assessed.found()["repeated_key"].tolist() == [11]
    [entry] = desk.entries([10])
    assert entry.example is not None
    assert (entry.edited, entry.example.data) == (True, chat("Who?", "I."))
    assert drafts.change_all(ws, made.id, repairs(desk, "repeated_key")) == 1
    desk.follow()
    assert "repeated_key" not in desk.assessed.found()
    saved = drafts.save_version(ws, made.id, "Once")
    assert list(shelf.open_lines(ws, saved).raws())[10:] == [encode(chat("Who?", "I."))] * 2
    # The line as it came is in the version before.
    assert shelf.open_lines(ws, made).raw(10) == twice


def test_what_was_edited_since_has_its_keys_once_and_stays_as_it_is(ws: Workspace) -> None:
    line = encode(chat())[:-1] + b', "id": 1, "id": 2}'
    made = shelf.bring_in(ws, lines_of(many(10)) + line, "a.jsonl")
    desk = Desk(ws, made)
    finding = finding_of(desk, 10, "repeated_key")
    drafts.change(ws, made.id, 10, {**chat("Mine", "own"), "id": 3}, 0)
    desk.follow()
    [entry] = desk.entries([10])
    assert drafts.change_all(ws, made.id, [one.edit for one in repair_of(desk, entry, finding)]) == 0
    assert desk.entries([10])[0] == entry


def test_what_has_no_repair_or_no_such_finding_is_left(ws: Workspace) -> None:
    _, desk = brought(ws, [{"messages": [{"content": "x"}]}, *many(10)])
    assert list(repairs(desk, "missing_role")) == []
    assert preview(desk, "missing_role") == ()
    assert list(repairs(desk, "email")) == []
    [entry] = desk.entries([0])
    assert repair_of(desk, entry, finding_of(desk, 0, "missing_role")) == ()


def test_what_a_repair_raises_in_its_progress_saves_nothing(ws: Workspace) -> None:
    made, desk = brought(ws, [{**data, "id": 1} for data in many(12)])

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drafts.change_all(ws, made.id, repairs(desk, "extra_key", progress=stop))
    assert drafts.last_revision(ws, made.id) == 0


def test_a_converted_file_is_for_the_method_it_became(ws: Workspace) -> None:
    made, desk = brought(ws, [{"prompt": f"Q{n}", "chosen": "a", "rejected": "b"} for n in range(12)])
    drafts.change_all(ws, made.id, repairs(desk, "foreign_format"))
    assert drafts.save_version(ws, made.id, "Converted").method == "dpo"
