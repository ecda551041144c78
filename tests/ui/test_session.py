"""What a session chooses lasts beyond it; what it is given as a key does not, and no other session sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.dataset import shelf
from lib.playground import conversations
from lib.playground.conversations import Column
from lib.workspace.database import Workspace

EXAMPLE = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ETUDE_HOME", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def run(script: Callable[[], None]) -> AppTest:
    page = AppTest.from_function(script, default_timeout=20).run()
    assert not page.exception
    return page


def shows_what_is_chosen() -> None:
    import streamlit as st

    from lib.ui import session

    version = session.version()
    st.text(session.service().id)
    st.text(version.id if version else "none")
    st.text(len(session.given_keys()))


def test_nothing_is_chosen_at_first() -> None:
    assert [text.value for text in run(shows_what_is_chosen).text] == ["embedded", "none", "0"]


def test_a_choice_is_there_for_the_next_session(home: Path) -> None:
    ws = Workspace.open(home)
    first = shelf.bring_in(ws, EXAMPLE, "first.jsonl")
    newest = shelf.bring_in(ws, EXAMPLE, "newest.jsonl")
    assert run(shows_what_is_chosen).text[1].value == newest.id

    def chooses() -> None:
        from lib.dataset import shelf
        from lib.ui import session

        session.choose_service("openai")
        session.choose_version(shelf.datasets(session.workspace())[-1].latest)

    run(chooses)
    assert [text.value for text in run(shows_what_is_chosen).text] == ["openai", first.id, "0"]


def test_a_choice_that_is_gone_is_no_trouble(home: Path) -> None:
    ws = Workspace.open(home)
    ws.set_setting("chosen_version", "ver_gone")
    ws.set_setting("chosen_service", "svc_gone")
    assert [text.value for text in run(shows_what_is_chosen).text][:2] == ["embedded", "none"]


def test_a_key_is_for_the_session_that_gave_it(home: Path) -> None:
    def gives() -> None:
        import streamlit as st

        from lib.services.service import OPENAI
        from lib.ui import session

        session.give_key(OPENAI, "sk-a-key-of-somebody-0000")
        connection = session.connection(OPENAI)
        st.text(connection is not None)
        session.forget_key(OPENAI.id)
        st.text(session.connection(OPENAI) is None)
        session.give_key(OPENAI, "sk-a-key-of-somebody-0000")
        if connection is not None:
            connection.close()

    assert [text.value for text in run(gives).text] == ["True", "True"]
    assert run(shows_what_is_chosen).text[2].value == "0"
    for path in home.rglob("*"):
        assert not path.is_file() or b"sk-a-key-of-somebody" not in path.read_bytes()


def test_an_answer_that_nobody_writes_any_more_is_marked_when_the_workspace_is_opened(home: Path) -> None:
    now = time.time()
    before = Workspace.open(home, clock=lambda: now - 601)
    said = conversations.create(before, [Column("embedded", "etude-tiny")])
    conversations.question(before, said.id, "Anybody there?")
    conversations.begin_answer(before, said.id, 0)
    still = Workspace.open(home)
    other = conversations.create(still, [Column("embedded", "etude-tiny")])
    conversations.question(still, other.id, "And here?")
    conversations.begin_answer(still, other.id, 0)
    run(shows_what_is_chosen)
    assert conversations.turns(still, said.id)[-1].state == "incomplete"
    assert conversations.turns(still, other.id)[-1].state == "streaming"
