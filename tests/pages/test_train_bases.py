"""Base models of a person's own on the Train page: added, shown with their figures, fetched, gone, taken out."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import shelf
from lib.errors import EtudeError, Rejected
from lib.services import bases, service
from lib.services.bases import AddedBase
from lib.workspace.database import Workspace
from tests.pages.conftest import ROOT, SECONDS, words

LLAMA = AddedBase(
    name="llama",
    status="ready",
    folder="/models/llama",
    hub_id=None,
    parameters=1_200_000_000,
    weight_bytes=2_400_000_000,
    context=8192,
    lora_memory=5_100_000_000,
    full_memory=21_000_000_000,
    free_memory=20_000_000_000,
    received=None,
    total=None,
    error=None,
)
COMING = replace(
    LLAMA, name="coming", status="downloading", hub_id="org/coming", folder=None, received=240_000_000, total=10**9
)


class Held:
    """Stands where the service stands: what it holds, and what it was asked."""

    def __init__(self) -> None:
        self.bases: dict[str, AddedBase] = {}
        self.asked: list[tuple[str, Any]] = []
        self.refusal: EtudeError | None = None
        self.next = LLAMA

    def listed(self, connection: object) -> tuple[AddedBase, ...]:
        self.asked.append(("list", None))
        return tuple(self.bases.values())

    def add(self, connection: object, text: str, name: str | None = None) -> AddedBase:
        self.asked.append(("add", (text, name)))
        if self.refusal is not None:
            raise self.refusal
        self.bases[self.next.name] = self.next
        return self.next

    def remove(self, connection: object, name: str, *, with_files: bool = False) -> None:
        self.asked.append(("remove", (name, with_files)))
        del self.bases[name]


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    for name in ("listed", "add", "remove"):
        monkeypatch.setattr(bases, name, getattr(made, name))
    monkeypatch.setattr("lib.ui.session.connection", lambda service: object())
    monkeypatch.setattr("lib.ui.session.watcher", Mock())
    return made


@pytest.fixture(autouse=True)
def version(workspace: Workspace) -> None:
    line = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    shelf.bring_in(workspace, json.dumps(line).encode() + b"\n", "a.jsonl")


def keep(workspace: Workspace, *known: AddedBase) -> None:
    """What the workspace says was added."""
    workspace.set_setting(bases.KNOWN, [asdict(base) for base in known])


def train() -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=SECONDS).run()
    assert not page.exception
    return page


def choice(page: AppTest) -> Any:
    return page.selectbox(key="train_model_embedded")


def test_a_folder_is_added_and_becomes_the_chosen_base(held: Held, workspace: Workspace) -> None:
    page = train()
    assert page.button(key="add_base_0").disabled
    page.text_input(key="base_text_0").set_value("/models/llama").run()
    page.text_input(key="base_name_0").set_value(" llama ").run()
    page.button(key="add_base_0").click().run()
    assert not page.exception
    assert held.asked[0] == ("add", ("/models/llama", "llama"))
    assert choice(page).value == "llama"
    assert "1.2 B parameters, 2.4 GB on disk, 5.1 GB of memory to train an adapter" in words(page).replace("\\", "")
    assert json.loads(page.code[0].value)["model"] == "llama"
    assert "free" in page.table[0].value.to_string()
    # The fields are new and empty, and a rerun asks nobody.
    assert page.text_input(key="base_text_1").value == ""
    asked = len(held.asked)
    page.run()
    assert len(held.asked) == asked
    assert bases.known(workspace) == (LLAMA,)


def test_a_refusal_is_told_where_it_was_asked_for(held: Held) -> None:
    held.refusal = Rejected("The folder /models/x has no config.json.", "Name the folder that holds it.")
    page = train()
    page.text_input(key="base_text_0").set_value("/models/x").run()
    page.button(key="add_base_0").click().run()
    assert "has no config" in page.error[0].value.replace("\\", "")
    assert page.text_input(key="base_text_0").value == "/models/x"
    assert choice(page).value == "etude-tiny-2026-11-25"
    assert not page.run().error


def test_a_model_that_is_being_fetched_shows_how_far_it_is(held: Held, workspace: Workspace) -> None:
    held.next = COMING
    page = train()
    page.text_input(key="base_text_0").set_value("org/coming").run()
    page.button(key="add_base_0").click().run()
    assert not page.exception
    assert choice(page).value == "etude-tiny-2026-11-25"
    assert "coming" not in choice(page).options
    assert "0.2 GB of 1.0 GB (24 %)" in str(page.get("progress")[0].proto).replace("\\", "")
    held.bases = {"coming": replace(COMING, status="ready")}
    for thread in threading.enumerate():
        if thread.name.startswith("base models of"):
            thread.join(SECONDS)
    page.run()
    assert not page.get("progress")
    assert "coming" in choice(page).options


def test_one_whose_folder_went_away_is_there_and_says_so(workspace: Workspace) -> None:
    keep(workspace, replace(LLAMA, status="missing", error="The folder /models/llama is not there any more."))
    page = train()
    choice(page).select("llama").run()
    assert "is not there any more" in page.error[0].value.replace("\\", "")


def test_one_that_is_too_large_now_says_so_beside_its_figures(workspace: Workspace) -> None:
    keep(workspace, replace(LLAMA, free_memory=1_000_000_000))
    page = train()
    choice(page).select("llama").run()
    assert "It does not fit now" in words(page)


def test_a_failed_download_can_be_tried_again_and_one_taken_out(held: Held, workspace: Workspace) -> None:
    failed = replace(COMING, status="failed", error="The hub at a.b cannot be reached.")
    keep(workspace, failed)
    held.bases = {"coming": failed}
    held.next = LLAMA
    page = train()
    assert "was not fetched" in page.error[0].value.replace("\\", "")
    page.button(key="again_coming").click().run()
    assert ("add", ("org/coming", "coming")) in held.asked
    page.button(key="remove_base_coming").click().run()
    assert ("remove", ("coming", False)) in held.asked
    assert not page.error
    assert [base.name for base in bases.known(workspace)] == ["llama"]


def test_other_services_have_no_such_thing(workspace: Workspace) -> None:
    keep(workspace, LLAMA)
    other = service.add(workspace, kind="other", name="Elsewhere", base_url="http://127.0.0.1:9/v1", key_source="none")
    workspace.set_setting("chosen_service", other.id)
    page = train()
    assert not [one for one in page.text_input if str(one.key).startswith("base_text")]
    assert "llama" not in page.selectbox(key=f"train_model_{other.id}").options


def test_what_another_version_kept_is_passed_over(workspace: Workspace) -> None:
    workspace.set_setting(bases.KNOWN, [{"name": "llama", "colour": "red"}])
    assert choice(train()).value == "etude-tiny-2026-11-25"
