"""One protocol server for all tests that want a service, as new for each of them, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service
from tests.protocol_server import ProtocolServer


@pytest.fixture(scope="session")
def running() -> Iterator[ProtocolServer]:
    with ProtocolServer() as server:
        yield server


@pytest.fixture
def server(running: ProtocolServer) -> ProtocolServer:
    running.reset()
    return running


@pytest.fixture
def service(server: ProtocolServer) -> Service:
    return Service("svc_test", "other", "The test service", server.base_url, "session")


@pytest.fixture
def secret(server: ProtocolServer, service: Service) -> Secret:
    return Secret(server.api_key, service.origin)


@pytest.fixture
def connection(service: Service, secret: Secret) -> Iterator[Connection]:
    made = connect(service, secret)
    yield made
    made.close()
