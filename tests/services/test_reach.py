"""A service is reached with the key at hand: this session's, the environment's, or none where none is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.errors import Unreachable
from lib.services import embedded
from lib.services import service as services
from lib.services.credentials import Secret
from lib.services.reach import reach
from lib.services.service import EMBEDDED, OPENAI, Service
from lib.workspace.database import Workspace
from tests.protocol_server import ProtocolServer


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace.open(tmp_path / "home")
    yield made
    embedded.stop(made.home)


def test_a_missing_key_is_no_connection_and_no_request(
    ws: Workspace, server: ProtocolServer, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert reach(ws, service, {}) is None
    assert reach(ws, OPENAI, {}) is None
    assert reach(ws, service, {"openai": Secret(server.api_key, service.origin)}) is None
    assert server.requests == []


def test_the_key_of_this_session_or_of_the_environment_is_used(
    ws: Workspace, server: ProtocolServer, service: Service, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = reach(ws, service, {service.id: secret})
    assert held is not None
    named = services.add(ws, kind="other", name="Named", base_url=server.base_url, key_source="env:THEIR_KEY")
    monkeypatch.setenv("THEIR_KEY", server.api_key)
    found = reach(ws, named, {})
    assert found is not None
    with closing(held), closing(found):
        assert held.once.models.list().data
        assert found.once.models.list().data


def test_a_service_without_keys_is_reached_without_one(ws: Workspace, server: ProtocolServer) -> None:
    keyless = services.add(ws, kind="other", name="Keyless", base_url=server.base_url, key_source="none")
    connection = reach(ws, keyless, {})
    assert connection is not None
    with closing(connection), pytest.raises(Exception, match="401"):
        connection.once.models.list()
    assert "authorization" not in server.requests[0].headers


def test_the_embedded_service_is_started_and_needs_no_key(ws: Workspace) -> None:
    connection = reach(ws, EMBEDDED, {})
    assert connection is not None
    with closing(connection):
        assert connection.service.id == "embedded"
        assert connection.service.on_this_machine
        assert connection.once.models.list().object == "list"
        found = embedded.address(ws.home)
        assert found is not None
        assert connection.service.base_url == found.base_url


def test_an_address_that_may_not_be_used_is_refused(ws: Workspace) -> None:
    with pytest.raises(Unreachable):
        reach(ws, Service("svc_e", "other", "Evil", "https://169.254.169.254/v1", "none"), {})
