from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.naming import file_name, title_of


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("folder/Tickets of May.jsonl", "Tickets of May"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\x.jsonl", "x"),
        ("tickets.jsonl.gz", "tickets"),
        ("Cases.XLSX", "Cases"),
        (".jsonl", ".jsonl"),
        ("", "Untitled"),
        ("a.b.json", "a.b"),
    ],
)
def test_a_dataset_is_called_as_its_file(name: str, title: str) -> None:
    assert title_of(name) == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Tickets of May", "Tickets of May v3 training.jsonl"),
        ("Fälle: 2026/05", "Fälle-2026-05 v3 training.jsonl"),
        ("../../.ssh/id", "ssh-id v3 training.jsonl"),
        ("…", "dataset v3 training.jsonl"),
    ],
)
def test_a_file_is_called_as_its_dataset(title: str, name: str) -> None:
    assert file_name(title, 3, "training", "jsonl") == name
    assert file_name(title, 3, "all", "csv") == name.replace(" training.jsonl", ".csv")


@given(st.text(max_size=300))
def test_no_name_leads_anywhere(title: str) -> None:
    name = file_name(title, 1, "validation", "parquet")
    assert not set(name) & set('/\\:*?"<>|\0\n\r')
    assert ".." not in name
    assert name[0] not in " .-"
    assert len(name) <= 110
