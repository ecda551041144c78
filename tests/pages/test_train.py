"""The Train page: what it says before a launch, that its button starts one job, and that a rerun starts none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import shelf
from lib.dataset.shelf import Version
from lib.errors import Rejected
from lib.runs import book, intents
from lib.runs.book import Run
from lib.runs.plan import Plan
from lib.services import embedded, service
from lib.services.credentials import Secret
from lib.services.service import Kind
from lib.ui import train_launch, train_request
from lib.workspace.database import Workspace
from tests.pages.conftest import ROOT, SECONDS, words


class Launches:
    """Stands where lib.runs.launch stands; remembers what it was asked to start."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.refusal: Rejected | None = None
        self.led_to: list[str] = []

    def __call__(self, ws: Workspace, connection: object, plan: Plan, *, launch_id: str) -> Run | None:
        self.ids.append(launch_id)
        intent = intents.prepare(ws, plan, launch_id)
        if intent.settled:
            return None
        if self.refusal is not None:
            intents.give_up(ws, launch_id, self.refusal)
            raise self.refusal
        job = {"id": "ftjob-1", "status": "queued", "model": plan.model, "created_at": int(ws.clock())}
        return book.run(ws, intents.link(ws, intent, job))


@pytest.fixture(autouse=True)
def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    """No service is asked; launching is remembered. The watcher, which may ask, stays out of it."""
    known = Launches()
    monkeypatch.setattr(train_launch, "launch", known)
    monkeypatch.setattr("lib.ui.session.connection", lambda service: object())
    monkeypatch.setattr("lib.ui.session.watcher", Mock())
    monkeypatch.setattr("lib.ui.frame.go", known.led_to.append)
    return known


@pytest.fixture
def version(workspace: Workspace) -> Version:
    """Forty examples, eight of them held out."""
    return shelf.bring_in(workspace, lines(40), "tickets.jsonl", validation=range(32, 40))


def lines(count: int) -> bytes:
    def example(number: int) -> Mapping[str, Any]:
        question = {"role": "user", "content": f"What is {number} and {number}?"}
        return {"messages": [question, {"role": "assistant", "content": f"{2 * number}"}]}

    return b"".join(json.dumps(example(number)).encode() + b"\n" for number in range(count))


def train() -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=SECONDS).run()
    assert not page.exception
    assert not page.error
    return page


def launched(page: AppTest) -> AppTest:
    """Press the button and look again until the launch has come to something."""
    page.button(key="launch").click().run()
    for _ in range(50):
        if not any(thread.is_alive() for thread in threads()):
            break
    return page.run()


def code_shown(page: AppTest, language: str) -> str:
    """The request as a program."""
    page.segmented_control(key="request_as").set_value(language).run()
    assert not page.exception
    return str(page.code[0].value)


def threads() -> Iterator[Any]:
    import threading

    for thread in threading.enumerate():
        if thread.name.startswith("launch_"):
            thread.join(SECONDS)
            yield thread


def request_shown(page: AppTest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(page.code[0].value)
    return body


def test_without_data_there_is_one_action(workspace: Workspace) -> None:
    page = train()
    assert [button.label for button in page.button] == ["Bring in examples"]


def test_the_card_says_steps_price_and_where_the_data_goes(version: Version) -> None:
    page = train()
    card = page.table[0].value.to_string()
    assert "32 examples × 3 epochs" in card
    assert "free" in card
    assert "Stays on this machine" in card
    assert page.button(key="launch").label == "Launch on this machine"


def test_auto_is_explained_by_what_it_becomes(version: Version) -> None:
    page = train()
    assert page.number_input(key="train_n_epochs").placeholder == "auto (3)"
    assert page.number_input(key="train_batch_size").placeholder == "auto (1)"


def test_the_request_shown_is_the_one_that_would_be_sent(version: Version) -> None:
    page = train()
    page.number_input(key="train_n_epochs").set_value(5).run()
    page.text_input(key="train_suffix").set_value("routing").run()
    body = request_shown(page)
    assert body["method"]["supervised"]["hyperparameters"] == {"n_epochs": 5}
    assert body["suffix"] == "routing"
    assert "validation_file" in body
    assert body["metadata"]["etude_launch"].startswith("launch_")


def test_without_validation_no_validation_file_is_sent(version: Version) -> None:
    page = train()
    page.toggle(key="train_validation").set_value(False).run()
    assert "validation_file" not in request_shown(page)


@pytest.mark.parametrize(("language", "word"), [("Python", "OpenAI("), ("Node", "new OpenAI("), ("curl", "curl ")])
def test_the_request_can_be_had_as_code(version: Version, language: str, word: str) -> None:
    code = code_shown(train(), language)
    assert word in code
    assert f"python -m lib engine --port {train_request.PORT}" in code
    assert f"http://127.0.0.1:{train_request.PORT}/v1" in code
    assert "OPENAI_API_KEY" not in code


def test_code_for_this_machine_goes_to_the_service_that_runs(
    version: Version, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = "http://127.0.0.1:43210"
    found = embedded.Address(f"{origin}/v1", Secret("a-token-of-this-start", origin), 1)
    monkeypatch.setattr(embedded, "running", lambda home: found)
    code = code_shown(train(), "Python")
    compile(code, "pasted", "exec")
    assert f"base_url='{origin}/v1', api_key=os.environ[\"ETUDE_API_KEY\"]" in code
    assert str(workspace.home / "engine" / "address.json") in code
    assert "a-token-of-this-start" not in code


@pytest.mark.parametrize(
    ("kind", "key_source", "words_in", "words_not_in"),
    [
        ("nebius", "session", "NEBIUS_API_KEY", "OPENAI_API_KEY"),
        ("azure", "env:LAB_KEY", "LAB_KEY", "OPENAI_API_KEY"),
        ("nebius", "none", 'api_key="none"', "environ"),
    ],
)
def test_code_names_the_variable_of_the_chosen_service(
    version: Version, workspace: Workspace, kind: Kind, key_source: str, words_in: str, words_not_in: str
) -> None:
    lab = service.add(workspace, kind=kind, name="Lab", base_url="https://lab.example/v1", key_source=key_source)
    workspace.set_setting("chosen_service", lab.id)
    code = code_shown(train(), "Python")
    compile(code, "pasted", "exec")
    assert "https://lab.example/v1" in code
    assert words_in in code
    assert words_not_in not in code


def test_what_costs_less_than_a_cent_is_not_called_free(workspace: Workspace) -> None:
    workspace.set_setting("chosen_service", "openai")
    shelf.bring_in(workspace, lines(12), "few.jsonl")
    page = train()
    page.number_input(key="train_n_epochs").set_value(1).run()
    card = page.table[0].value.to_string()
    assert "under $0.01" in card
    assert "prices of" in card
    assert "free" not in card


def test_the_button_starts_one_job_and_leads_to_it(version: Version, workspace: Workspace, launches: Launches) -> None:
    page = launched(train())
    assert not page.exception
    assert len(launches.ids) == 1
    run = book.runs(workspace)[0]
    assert workspace.setting("chosen_run") == run.id
    assert launches.led_to == ["runs"]


def test_two_tabs_with_the_same_plan_carry_the_same_intent(
    version: Version, workspace: Workspace, launches: Launches
) -> None:
    one, other = train(), train()
    launched(one)
    launched(other)
    assert len(set(launches.ids)) == 1
    assert len(book.runs(workspace)) == 1


def test_after_a_launch_the_same_plan_is_another_job_and_the_page_says_so(
    version: Version, workspace: Workspace, launches: Launches
) -> None:
    launched(train())
    page = train()
    assert "This very training was launched" in words(page)
    launched(page)
    assert len(set(launches.ids)) == 2


def test_a_rerun_launches_nothing(version: Version, workspace: Workspace, launches: Launches) -> None:
    page = train()
    for _ in range(3):
        page.run()
    assert launches.ids == []
    assert intents.launches(workspace) == ()


def test_a_refusal_is_told_and_the_button_comes_back(version: Version, launches: Launches) -> None:
    launches.refusal = Rejected("The service does not take this file.", "Repair it.", raw='{"error": 1}')
    page = train()
    page.button(key="launch").click().run()
    list(threads())
    page.run()
    assert "The service does not take this file" in page.error[0].value
    assert not page.button(key="launch").disabled


def test_a_launch_without_an_answer_shows_that_it_is_being_checked(
    version: Version, workspace: Workspace, launches: Launches
) -> None:
    page = train()
    launch_id = request_shown(page)["metadata"]["etude_launch"]
    plan = Plan("embedded", request_shown(page)["model"], version.id)
    intents.prepare(workspace, plan, launch_id)
    with workspace.write() as db:
        db.execute("UPDATE launches SET state = 'unknown'")
    page.run()
    assert "nothing is sent twice" in page.status[0].label
    assert "launch" not in [button.key for button in page.button]


def preferences(count: int) -> bytes:
    def pair(number: int) -> Mapping[str, Any]:
        return {
            "input": {"messages": [{"role": "user", "content": f"Which team takes mail {number}?"}]},
            "preferred_output": [{"role": "assistant", "content": "billing"}],
            "non_preferred_output": [{"role": "assistant", "content": "Hello! Let me think about that."}],
        }

    return b"".join(json.dumps(pair(number)).encode() + b"\n" for number in range(count))


def test_preferences_are_trained_on_this_machine_with_a_beta_of_choice(
    workspace: Workspace, launches: Launches
) -> None:
    shelf.bring_in(workspace, preferences(20), "pairs.jsonl")
    page = train()
    assert page.number_input(key="train_beta").placeholder == "auto (0.1)"
    assert request_shown(page)["method"] == {"type": "dpo", "dpo": {"hyperparameters": {}}}
    page.number_input(key="train_beta").set_value(0.3).run()
    assert request_shown(page)["method"]["dpo"]["hyperparameters"] == {"beta": 0.3}
    assert page.button(key="launch").label == "Launch on this machine"
    assert not page.button(key="launch").disabled
    launched(page)
    assert len(launches.ids) == 1


def test_beta_is_asked_for_preferences_alone(version: Version) -> None:
    page = train()
    assert "train_beta" not in [field.key for field in page.number_input]
    assert "beta" not in page.code[0].value


def test_too_few_examples_are_named_on_the_button(workspace: Workspace) -> None:
    shelf.bring_in(workspace, lines(5), "few.jsonl")
    button = train().button(key="launch")
    assert button.disabled
    assert "Launch" not in button.label


def test_a_hosted_service_needs_a_key_and_shows_where_data_goes(version: Version, workspace: Workspace) -> None:
    workspace.set_setting("chosen_service", "openai")
    page = train()
    assert page.button(key="launch").disabled
    assert page.button(key="launch").label == "Give a key for OpenAI first"
    card = page.table[0].value.to_string()
    assert "Leaves this machine" in card
    assert "until the service stops it" in card
