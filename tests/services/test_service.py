"""Services are remembered with where their key comes from, never with the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import BadCredentials, ServiceError, Unreachable
from lib.services import service
from lib.workspace.database import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "home")


def test_the_embedded_service_comes_first_and_openai_second(ws: Workspace) -> None:
    assert [one.id for one in service.known(ws)] == ["embedded", "openai"]
    embedded, openai = service.known(ws)
    assert embedded.on_this_machine
    assert not openai.on_this_machine
    assert openai.host == "api.openai.com"


def test_an_added_service_is_there_after_a_restart_and_gone_after_removal(ws: Workspace) -> None:
    added = service.add(
        ws, kind="azure", name=" Our Azure ", base_url="https://r.openai.azure.com/openai/v1/", key_source="env:AZ_KEY"
    )
    again = Workspace.open(ws.home)
    assert service.find(again, added.id) == added
    assert added.name == "Our Azure"
    assert added.base_url == "https://r.openai.azure.com/openai/v1"
    service.remove(again, added.id)
    assert service.find(ws, added.id) is None
    assert len(service.known(ws)) == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"base_url": "http://models.example/v1"}, Unreachable),
        ({"base_url": "https://169.254.169.254/v1"}, Unreachable),
        ({"kind": "openai"}, ServiceError),
        ({"kind": "embedded"}, ServiceError),
        ({"kind": "gopher"}, ServiceError),
        ({"name": "  "}, ServiceError),
        ({"key_source": "sk-a-whole-key"}, BadCredentials),
        ({"key_source": "env:NOT A NAME"}, BadCredentials),
        ({"key_source": "env:OPENAI_API_KEY"}, BadCredentials),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_kept(
    ws: Workspace, change: dict[str, str], error: type[ServiceError]
) -> None:
    usual = {"kind": "other", "name": "Mine", "base_url": "https://models.example/v1", "key_source": "session"}
    with pytest.raises(error):
        service.add(ws, **{**usual, **change})  # type: ignore[arg-type]
    assert len(service.known(ws)) == 2


def test_a_service_on_this_machine_may_be_given_openais_variable(ws: Workspace) -> None:
    here = service.add(
        ws, kind="other", name="Here", base_url="http://127.0.0.1:8010/v1", key_source="env:OPENAI_API_KEY"
    )
    assert service.find(ws, here.id) == here


def test_a_service_moves_to_a_new_address_without_being_another(ws: Workspace) -> None:
    moved = service.at(service.EMBEDDED, "http://127.0.0.1:4321/v1/")
    assert moved.id == "embedded"
    assert moved.origin == "http://127.0.0.1:4321"
    assert service.EMBEDDED.base_url == ""
    with pytest.raises(Unreachable):
        service.at(service.EMBEDDED, "http://models.example/v1")
