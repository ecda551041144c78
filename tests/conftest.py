"""What tests of several rooms share: a protocol server, as new for each of them, and the official Node client."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service
from tests.protocol_server import ProtocolServer

NODE = Path(__file__).parent / "engine" / "node"
# Beside the Python packages: kept between runs, and removed with them.
NODE_CLIENT = Path(sys.prefix) / "node-client"


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


@pytest.fixture(scope="session")
def node_client() -> Path:
    """The folder with the official Node client. Skips where there is no Node, or no way to fetch the client."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed (sh tests/engine/node/node.sh)")
    wanted = (NODE / "package.json").read_text()
    written = NODE_CLIENT / "package.json"
    if not (NODE_CLIENT / "node_modules" / "openai").is_dir() or written.read_text() != wanted:
        NODE_CLIENT.mkdir(exist_ok=True)
        written.write_text(wanted)
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
        fetched = subprocess.run(
            ["npm", "install", *quiet], cwd=NODE_CLIENT, capture_output=True, text=True, timeout=120
        )
        if fetched.returncode != 0:
            shutil.rmtree(NODE_CLIENT)
            pytest.skip(f"the official Node client cannot be fetched: {fetched.stderr.strip()[-200:]}")
    return NODE_CLIENT
