from __future__ import annotations

from lib.dataset.finding import KEPT_PER_CODE, Finding, Findings


def finding(code: str, line: int | None) -> Finding:
    return Finding("warning", code, line, None, "text", "why")


def test_all_are_counted_few_are_kept_and_those_of_the_file_stand_first() -> None:
    found = Findings()
    for line in range(KEPT_PER_CODE + 50, 0, -1):
        found.add(finding("a", line))
    found.add(finding("b", None))
    kept = found.kept()
    assert len(kept) == KEPT_PER_CODE + 1
    assert kept[0].code == "b"
    assert [one.line for one in kept[1:3]] == [51, 52]
    assert found.totals() == {"a": KEPT_PER_CODE + 50, "b": 1}


def test_what_was_collected_elsewhere_keeps_its_count() -> None:
    found = Findings()
    found.include([finding("a", 1)], {"a": 900})
    found.add(finding("a", 2))
    assert found.totals() == {"a": 901}


def test_as_json_it_has_the_fields_of_the_command_line() -> None:
    assert list(finding("a", 1).as_json()) == ["severity", "code", "line", "message_index", "text", "fix"]
