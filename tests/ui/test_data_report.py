"""What the check says with edits in place is what it would say about the version they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.check import check
from lib.dataset.example import encode
from lib.dataset.finding import Finding
from lib.ui.data_report import more_tokens, with_edits
from lib.workspace.database import Workspace

LIMIT = 12


def count(text: str) -> int:
    return len(text.split())


def chat(question: str, answer: str, **extra: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], **extra}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path)


@pytest.fixture
def version(workspace: Workspace) -> shelf.Version:
    examples = [chat(f"Question {number}", "Yes.") for number in range(12)]
    examples[4]["extra"] = 1
    source = b"".join(encode(example) + b"\n" for example in examples)
    return shelf.bring_in(workspace, source, "some.jsonl", validation=[11])


def said(findings: tuple[Finding, ...]) -> list[str]:
    """The kinds in order. A removed example keeps its place until it is saved, so lines may differ."""
    return [finding.code for finding in findings]


def change(workspace: Workspace, version: shelf.Version) -> None:
    """A repair, a new flaw, an example that is too long, one in validation, one removed, one added."""
    ids = workspace, version.id
    drafts.change(*ids, 4, chat("Question 4", "Yes."), 0)
    drafts.change(*ids, 5, chat("Question 5", "Yes.", other=2), 0)
    drafts.change(*ids, 6, chat("A question with so many words that it is too long", "Yes, it is."), 0)
    drafts.change(*ids, 11, chat("A longer question in validation", "No."), 0)
    drafts.add(*ids, chat("One more", "Yes."))
    drafts.remove(*ids, 12, drafts.current(*ids, 12, 13)[0].revision)
    drafts.add(*ids, chat("And another one", "Yes."))


def test_edits_in_place_are_as_good_as_a_check_of_the_new_version(workspace: Workspace, version: shelf.Version) -> None:
    before = check(shelf.open_lines(workspace, version), limit=LIMIT, count=count, validation=version.validation)
    change(workspace, version)
    edits = drafts.edits(workspace, version.id)
    edited = with_edits(before, version, edits, count, LIMIT)
    saved = drafts.save_version(workspace, version.id, "saved")
    after = check(shelf.open_lines(workspace, saved), limit=LIMIT, count=count, validation=saved.validation)
    assert said(edited.findings) == said(after.findings)
    assert edited.totals == after.totals
    assert (edited.ok, edited.examples) == (after.ok, after.examples)
    assert edited.tokens_per_epoch == after.tokens_per_epoch
    assert before.tokens_per_epoch is not None
    assert before.tokens_per_epoch + more_tokens(version, edits, count, LIMIT) == after.tokens_per_epoch


def test_without_edits_the_report_is_the_version_s_own(workspace: Workspace, version: shelf.Version) -> None:
    report = check(shelf.open_lines(workspace, version), count=count)
    assert with_edits(report, version, {}, count, LIMIT) is report


def test_removing_too_many_examples_is_noticed_and_bringing_them_back_too(
    workspace: Workspace, version: shelf.Version
) -> None:
    report = check(shelf.open_lines(workspace, version), count=count, validation=version.validation)
    revisions = {place: drafts.remove(workspace, version.id, place, 0) for place in range(3)}
    few = with_edits(report, version, drafts.edits(workspace, version.id), count, None)
    assert "invalid_n_examples" in few.totals
    for place, revision in revisions.items():
        drafts.revert(workspace, version.id, place, revision)
    again = with_edits(report, version, drafts.edits(workspace, version.id), count, None)
    assert "invalid_n_examples" not in again.totals
    assert again.totals == report.totals
