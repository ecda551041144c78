"""Doctor: one sentence for each check, and keys that are held, sent to one address and shown to nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.services import service
from lib.services.doctor import RUNGS
from lib.services.service import Service
from lib.workspace.database import Workspace
from tests.pages.conftest import OpenPage, words
from tests.protocol_server.server import ProtocolServer

KEY = "sk-protocol-test-0123456789"


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with ProtocolServer(KEY) as running:
        yield running


@pytest.fixture
def other(workspace: Workspace, server: ProtocolServer) -> Service:
    """A service that somebody added and chose."""
    made = service.add(workspace, kind="other", name="Elsewhere", base_url=server.base_url)
    workspace.set_setting("chosen_service", made.id)
    return made


def examine(page: AppTest) -> AppTest:
    next(button for button in page.button if button.label == "Examine").click().run()
    assert not page.exception
    return page


def give_key(page: AppTest, chosen: Service, key: str) -> AppTest:
    page.text_input(key=f"key_{chosen.id}").set_value(key).run()
    assert not page.exception
    return page


def test_the_embedded_service_is_the_first_choice_and_needs_no_key(open_page: OpenPage) -> None:
    page = open_page("doctor")
    assert page.selectbox[0].value == "embedded"
    assert "It needs no key" in words(page)
    assert not [field for field in page.text_input if field.label == "Key"]


def test_opening_the_page_asks_nobody_anything(open_page: OpenPage, other: Service, server: ProtocolServer) -> None:
    open_page("doctor")
    assert not server.count("GET", "/models")


def test_a_healthy_service_passes_every_check(open_page: OpenPage, other: Service, server: ProtocolServer) -> None:
    page = examine(give_key(open_page("doctor"), other, KEY))
    said = words(page)
    for rung in RUNGS[:4]:
        assert rung in said
    assert "found a problem" not in said
    assert server.count("GET", "/models")
    assert not server.count("POST", "*")


def test_a_key_is_never_shown_nor_written(
    open_page: OpenPage, other: Service, server: ProtocolServer, home: Path
) -> None:
    page = examine(give_key(open_page("doctor"), other, f"  {KEY}\n"))
    assert page.session_state[f"key_{other.id}"] == "" if f"key_{other.id}" in page.session_state else True
    assert KEY not in words(page)
    assert "sk-…6789" in words(page)
    for path in home.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_a_wrong_key_is_told_with_the_service_s_own_words(open_page: OpenPage, other: Service) -> None:
    page = examine(give_key(open_page("doctor"), other, "sk-quite-another-key-9999"))
    assert "found a problem" in words(page)
    assert "found a problem" not in words(open_page("doctor"))


def test_an_address_where_nobody_is_gets_a_sentence(open_page: OpenPage, workspace: Workspace) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = service.add(
        workspace, kind="other", name="Nobody", base_url=f"http://127.0.0.1:{port}/v1", key_source="none"
    )
    workspace.set_setting("chosen_service", made.id)
    page = examine(open_page("doctor"))
    assert "found a problem" in words(page)
    assert "Traceback" not in words(page)


def test_a_service_can_be_added_and_a_bad_address_is_refused(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page("doctor")
    page.text_input(key="add_address_other_2").set_value("http://example.com/v1").run()
    page.button(key="add_service_2").click().run()
    assert "only for this machine" in page.error[0].value
    page.text_input(key="add_address_other_2").set_value("http://127.0.0.1:9/v1").run()
    page.button(key="add_service_2").click().run()
    assert not page.error
    assert [one.base_url for one in service.known(workspace)][2:] == ["http://127.0.0.1:9/v1"]
    # The form is a new one: nothing of it can be added a second time by mistake.
    assert page.text_input(key="add_address_other_3").value == ""
    assert not [button for button in page.button if button.key == "add_service_2"]
