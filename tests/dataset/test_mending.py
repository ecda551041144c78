from __future__ import annotations

from lib.dataset import drafts, shelf
from lib.dataset.check import check
from lib.dataset.mending import repairs
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many


def test_every_example_of_a_kind_is_repaired_at_once_beyond_what_a_report_keeps(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of([{**data, "id": 1} for data in many(300)]), "a.jsonl")
    entries = drafts.current(ws, made.id, 0, 300)
    drafts.change_all(ws, made.id, repairs(entries, made.method, "extra_key"))
    saved = drafts.save_version(ws, made.id, "Mended")
    assert saved.changes == {"added": 0, "removed": 0, "changed": 300}
    assert check(shelf.open_lines(ws, saved)).findings == ()


def test_of_equal_examples_the_first_stays(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of([chat(), *many(10), chat(), chat()]), "a.jsonl")
    found = list(repairs(drafts.current(ws, made.id, 0, 13), made.method, "duplicate"))
    assert found == [(11, None, 0), (12, None, 0)]


def test_what_has_no_repair_or_no_such_finding_is_left(ws: Workspace) -> None:
    made = shelf.bring_in(ws, lines_of([{"messages": [{"content": "x"}]}, *many(10)]), "a.jsonl")
    entries = drafts.current(ws, made.id, 0, 11)
    assert list(repairs(entries, made.method, "missing_role")) == []
    assert list(repairs(entries, made.method, "email")) == []


def test_a_converted_file_is_for_the_method_it_became(ws: Workspace) -> None:
    pairs = [{"prompt": f"Q{n}", "chosen": "a", "rejected": "b"} for n in range(12)]
    made = shelf.bring_in(ws, lines_of(pairs), "a.jsonl")
    drafts.change_all(ws, made.id, repairs(drafts.current(ws, made.id, 0, 12), made.method, "foreign_format"))
    assert drafts.save_version(ws, made.id, "Converted").method == "dpo"
    assert shelf.bring_in(ws, lines_of(pairs), "a.jsonl", convert=True).method == "dpo"
