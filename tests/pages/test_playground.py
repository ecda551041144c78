"""The Playground against a service under the test's control: both answer, all is kept, nothing is asked unasked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import shelf
from lib.dataset.shelf import Version
from lib.playground import conversations
from lib.runs import book
from lib.services.connection import Connection
from lib.services.reach import reach
from lib.services.service import Service, add
from lib.ui import playground_measure, playground_models
from lib.workspace.database import Workspace
from tests.pages.conftest import ROOT, SECONDS, words
from tests.pages.run_stories import BASE, TUNED, tell
from tests.protocol_server import ProtocolServer
from tests.protocol_server.faults import Cut

SYSTEM = "Answer with the sum."


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with ProtocolServer() as running:
        running.world.add_model(TUNED)
        yield running


@pytest.fixture(autouse=True)
def nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watcher would ask about runs, and its requests be mistaken for those of the page."""
    monkeypatch.setattr("lib.ui.session.watcher", Mock())


@pytest.fixture(autouse=True)
def connections(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections as the session makes them, closed when the test is over."""
    made: list[Connection] = []

    def connection(service: Service) -> Connection | None:
        found = reach(workspace, service, {})
        made.extend([found] if found is not None else [])
        return found

    monkeypatch.setattr("lib.ui.session.connection", connection)
    yield
    for one in made:
        one.close()


@pytest.fixture
def service(server: ProtocolServer, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("LAB_KEY", server.api_key)
    return add(workspace, kind="other", name="Lab", base_url=server.base_url, key_source="env:LAB_KEY")


@pytest.fixture
def version(workspace: Workspace) -> Version:
    """Twenty sums, five of them held out."""

    def example(number: int) -> dict[str, Any]:
        asked = {"role": "user", "content": f"{number} and {number}"}
        answer = {"role": "assistant", "content": f"{2 * number}"}
        return {"messages": [{"role": "system", "content": SYSTEM}, asked, answer]}

    source = b"".join(json.dumps(example(number)).encode() + b"\n" for number in range(20))
    return shelf.bring_in(workspace, source, "sums.jsonl", validation=range(15, 20))


@pytest.fixture
def trained(workspace: Workspace, service: Service, version: Version) -> str:
    """A finished run whose models can be talked to."""
    return tell(workspace, "succeeded", service_id=service.id, version_id=version.id)


def playground(conversation: str | None = None) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "playground.py"), default_timeout=SECONDS)
    if conversation is not None:
        page.query_params["conversation"] = conversation
    page.run()
    assert not page.exception
    return page


def ask(page: AppTest, text: str) -> AppTest:
    page.chat_input(key="question").set_value(text).run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def measured(page: AppTest) -> AppTest:
    """Wait for the measurement to end and look again."""
    bench = playground_measure.bench()
    deadline = time.monotonic() + SECONDS
    while bench.under_way is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    page.run()
    assert not page.exception
    return page


def test_it_opens_on_an_empty_workspace_and_asks_nobody(workspace: Workspace) -> None:
    page = playground()
    assert not page.error
    assert "Ask something" in words(page)
    assert page.button[0].disabled


def test_base_and_fine_tuned_model_stand_side_by_side(trained: str, service: Service, server: ProtocolServer) -> None:
    page = playground()
    chosen = [page.selectbox(key="left_model").value, page.selectbox(key="right_model").value]
    assert chosen == [f"{service.id} {BASE}", f"{service.id} {TUNED}"]
    assert server.requests == []


def test_one_question_goes_to_both_and_is_kept(trained: str, server: ProtocolServer, workspace: Workspace) -> None:
    server.world.answer = lambda body: f"I am {body['model']}"
    page = ask(playground(), "Who are you?")
    assert f"I am {BASE}" in words(page)
    assert f"I am {TUNED}" in words(page)
    assert server.count("POST", "/chat/completions") == 2
    said = conversations.conversations(workspace)[0]
    assert [turn.state for turn in conversations.turns(workspace, said.id)] == ["complete"] * 3


def test_a_reload_shows_the_same_and_asks_nothing(trained: str, server: ProtocolServer, workspace: Workspace) -> None:
    first = ask(playground(), "Remember this")
    asked = len(server.requests)
    again = playground(first.query_params["conversation"])
    assert "You said: Remember this" in words(again)
    again.run()
    assert len(server.requests) == asked


def test_what_models_and_people_say_stays_text(trained: str, server: ProtocolServer) -> None:
    server.world.answer = lambda body: "![x](http://evil/p.png) <b>bold</b> $a$"
    page = ask(playground(), "**stars**")
    assert "![x](http://evil/p.png) <b>bold</b> $a$" in [text.value for text in page.text]
    assert "**stars**" in [text.value for text in page.text]
    assert not any("evil" in one.value for one in page.markdown)


def test_a_cut_answer_is_kept_and_marked_and_the_other_is_whole(
    trained: str, server: ProtocolServer, workspace: Workspace
) -> None:
    server.world.answer = lambda body: "one two three four five six"
    server.next("POST", "/chat/completions", Cut(900))
    page = ask(playground(), "Count")
    said = conversations.conversations(workspace)[0]
    states = sorted(turn.state for turn in conversations.turns(workspace, said.id) if turn.column is not None)
    assert states == ["complete", "incomplete"]
    assert "Incomplete" in words(page)


def test_a_refusal_of_one_model_is_told_in_its_column(trained: str, server: ProtocolServer) -> None:
    del server.world.models[TUNED]
    page = ask(playground(), "Hello")
    assert "You said: Hello" in words(page)
    assert len(page.error) == 1
    assert "No answer" in words(page)


def test_a_held_out_example_fills_the_question_and_shows_what_is_expected(
    trained: str, server: ProtocolServer, workspace: Workspace
) -> None:
    server.world.answer = lambda body: "30" if body["model"] == TUNED else "no idea"
    page = press(playground(), "Take a held-out example")
    assert page.chat_input(key="question").value == "15 and 15"
    assert server.requests == []
    ask(page, "15 and 15")
    assert "30" in [text.value for text in page.text]
    assert "As expected" in words(page)
    assert "Not as expected" in words(page)
    sent = server.seen("POST", "/chat/completions")[0].json
    assert sent["messages"][0] == {"role": "system", "content": SYSTEM}


def test_settings_are_sent_and_come_back_with_the_conversation(trained: str, server: ProtocolServer) -> None:
    page = playground()
    page.text_area(key="system").set_value("Be brief.").run()
    page.number_input(key="temperature").set_value(0.0).run()
    ask(page, "Hello")
    sent = server.seen("POST", "/chat/completions")[0].json
    assert sent["messages"][0]["content"] == "Be brief."
    assert sent["temperature"] == 0.0
    again = playground(page.query_params["conversation"])
    assert again.text_area(key="system").value == "Be brief."


def test_a_new_conversation_begins_empty_and_the_old_one_can_be_opened(trained: str, server: ProtocolServer) -> None:
    page = ask(playground(), "First")
    press(page, "New conversation")
    assert "You said: First" not in words(page)
    press(page, "First")
    assert "You said: First" in words(page)


def test_measuring_tells_shares_with_intervals_and_keeps_them(
    trained: str, server: ProtocolServer, version: Version
) -> None:
    def answer(body: dict[str, Any]) -> str:
        number = int(body["messages"][-1]["content"].split()[0])
        return str(2 * number) if body["model"] == TUNED else "no idea"

    server.world.answer = answer
    page = playground()
    page.segmented_control(key="playground_view").set_value("Measure").run()
    assert server.requests == []
    measured(press(page, "Measure both models"))
    assert "5 of 5 right" in words(page)
    table = page.table[0].value.to_string()
    assert "**100%** (57–100%)" in table
    assert "**0%** (0–43%)" in table
    asked = len(server.requests)
    again = playground()
    again.segmented_control(key="playground_view").set_value("Measure").run()
    assert "5 of 5 right" in words(again)
    assert len(server.requests) == asked == 10


def test_how_many_examples_were_measured_is_still_there_afterwards(
    trained: str, server: ProtocolServer, version: Version
) -> None:
    page = playground()
    page.segmented_control(key="playground_view").set_value("Measure").run()
    page.number_input(key=f"measure_count_{version.id}").set_value(3).run()
    measured(press(page, "Measure both models"))
    assert page.number_input(key=f"measure_count_{version.id}").value == 3
    assert len(server.requests) == 6


def test_measuring_without_held_out_examples_leads_to_data(workspace: Workspace) -> None:
    page = playground()
    page.segmented_control(key="playground_view").set_value("Measure").run()
    assert [button.label for button in page.button] == ["Split the data"]


def test_a_service_without_its_key_answers_with_a_sentence(
    trained: str, server: ProtocolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_KEY")
    page = ask(playground(), "Hello")
    assert all("needs a key" in error.value for error in page.error)
    assert server.requests == []


def test_the_last_checkpoint_that_is_the_model_itself_is_offered_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.ui.session.workspace", lambda: workspace)
    run_id = tell(workspace, "succeeded")
    last = max(book.checkpoints(workspace, run_id), key=lambda checkpoint: checkpoint.step)
    book.record_checkpoints(workspace, run_id, [replace(last, model=TUNED)])
    offered = list(playground_models._of_run(book.run(workspace, run_id)))
    assert [each.column.model for each in offered].count(TUNED) == 1
    assert offered[0].title.endswith("fine-tuned")
    assert len(offered) > 1
