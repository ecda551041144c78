from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset import shelf
from lib.dataset.tables import Roles, examples, guess, incomplete, read_table
from lib.errors import DataError, EtudeError, UnreadableFile
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_whatever_separates_it_and_however_it_is_encoded(delimiter: str, encoding: str) -> None:
    text = 'question|answer\r\n"Größe|\r\nund ""Maß""?"|Groß.\r\n\r\nNoch?|Ja.\r\n'.replace("|", delimiter)
    table = read_table(text.encode(encoding), "a.csv")
    assert table.columns == ("question", "answer")
    assert table.rows[0] == {"question": f'Größe{delimiter}\r\nund "Maß"?', "answer": "Groß."}
    assert table.numbers == (2, 5)


@pytest.mark.parametrize(
    ("head", "roles"),
    [
        ("question,answer", Roles(("question",), ("answer",))),
        ("Prompt,Completion,system", Roles(("Prompt",), ("Completion",), "system")),
        ("id,text,label", Roles(("text",), ("label",))),
        ("subject,body,team,priority", Roles(("subject", "body"), ("team", "priority"))),
        ("left,right", Roles(("left",), ("right",))),
        ("subject,body", Roles(("subject",), ("body",))),
    ],
)
def test_the_roles_are_guessed_from_the_names(head: str, roles: Roles) -> None:
    row = ",".join(["some longer words"] * len(head.split(",")))
    assert guess(read_table(f"{head}\n{row}\n".encode(), "a.csv")) == roles


def test_without_a_name_the_longest_text_asks_and_the_last_column_answers() -> None:
    table = read_table(b"a,b,c\n1,a very long story about something,yes\n", "a.csv")
    assert guess(table) == Roles(("b",), ("c",))


def test_rows_become_conversations_and_several_answers_one_object() -> None:
    table = read_table("subject,body,team,priority\nHi,It broke,Repairs,höch\n,,,\nno answer,x,,\n".encode(), "a.csv")
    roles = guess(table)
    assert list(examples(table, roles)) == [
        chat("subject: Hi\nbody: It broke", '{"team": "Repairs", "priority": "höch"}')
    ]
    assert incomplete(table, roles) == (4,)


def test_a_column_with_a_system_message_becomes_one() -> None:
    table = read_table(b"question,answer,system\na,b,Be kind\nc,d,\n", "a.csv")
    assert list(examples(table, guess(table))) == [chat("a", "b", system="Be kind"), chat("c", "d")]


def test_names_of_columns_are_made_different() -> None:
    assert read_table(b"a,a,,b,\n1,2,3,4\n", "a.csv").columns == ("a", "a (2)", "column 3", "b")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", UnreadableFile, "is empty"),
        (b"one\ntwo\n", UnreadableFile, "one column"),
        (b"a,b\n", UnreadableFile, "no rows"),
        (b"PK\x03\x04xl/", UnreadableFile, "Excel"),
        (b"a,b\n1,2,3\n", DataError, "Line 2 of a.csv has 3 cells"),
        (b'a,b\n1,"' + b"x" * 200_000, DataError, "near line"),
    ],
)
def test_what_is_no_table_is_told(content: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_table(content, "a.csv")


def test_a_table_becomes_a_dataset_and_its_source_is_kept(ws: Workspace) -> None:
    source = b"question,answer\na,b\nc,\n"
    made = shelf.bring_in_table(ws, source, "cases.csv")
    assert (made.dataset_name, made.examples, made.changes["unread"]) == ("cases", 1, 1)
    assert ws.kept(made.changes["source"]).read_bytes() == source
    assert shelf.open_lines(ws, made)[0].data == chat("a", "b")


def test_a_table_without_answers_leaves_nothing_behind(ws: Workspace) -> None:
    with pytest.raises(DataError, match="No row of"):
        shelf.bring_in_table(ws, b"question,answer\na,\n", "cases.csv")
    assert shelf.datasets(ws) == ()


@given(st.binary(max_size=200) | st.text("ab,;\t\"'\n\r|é", max_size=80).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_fail_otherwise_than_with_a_sentence(content: bytes) -> None:
    with suppress(EtudeError):
        table = read_table(content, "noise")
        assert len(list(examples(table, guess(table)))) + len(incomplete(table, guess(table))) == len(table.rows)
