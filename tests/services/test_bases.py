"""Base models by way of the service on this machine: what a person writes, what comes back, what is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from lib.__main__ import main
from lib.errors import EtudeError, NotThere, Rejected, ServiceBroken, ServiceError
from lib.services import bases, embedded
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.reach import reach
from lib.services.service import EMBEDDED, Service, at
from lib.workspace.database import Workspace
from tests.engine.hugging_face.model_folders import make
from tests.protocol_server import ProtocolServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("home")
    yield place
    embedded.stop(place)


@pytest.fixture
def ws(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("ETUDE_HOME", str(home))
    made = Workspace.open(home)
    yield made
    made.close()


@pytest.fixture
def connection(ws: Workspace) -> Iterator[Connection]:
    made = reach(ws, EMBEDDED, {})
    assert made is not None
    yield made
    made.close()


def test_a_folder_is_added_listed_kept_and_taken_out(ws: Workspace, connection: Connection, tmp_path: Path) -> None:
    folder = make(tmp_path / "My Model")
    base = bases.add(connection, f" {folder} ")
    assert (base.name, base.status, base.folder) == ("my-model", "ready", str(folder))
    assert bases.known(ws) == ()
    heard = bases.heard(ws, connection)
    assert [one.name for one in heard] == ["my-model"]
    assert bases.known(ws) == heard
    assert "264 parameters, 0.0 MB on disk, 0.6 GB of memory to train an adapter" in bases.figures(base)
    bases.remove(connection, "my-model")
    assert bases.listed(connection) == ()
    assert (folder / "config.json").exists()


def test_the_services_own_sentence_is_told(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Rejected, match=r"has no config\.json") as told:
        bases.add(connection, str(tmp_path / "empty"))
    assert told.value.code == "invalid_base_model"
    with pytest.raises(NotThere, match="No base model 'never'"):
        bases.remove(connection, "never")
    with pytest.raises(NotThere):
        bases.remove(connection, "../../files")


@pytest.mark.parametrize("text", ["", "  ", "/there/is/none", "./none", "~/there-is-none", "a/b/c"])
def test_what_is_neither_a_folder_nor_a_hub_id_is_told_before_anything_is_asked(text: str) -> None:
    with pytest.raises(EtudeError, match=r"There is no folder|Nothing was named"):
        bases.meant(text)


def test_a_folder_comes_before_a_hub_id_that_reads_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert bases.meant("org/name") == {"hub_id": "org/name"}
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert bases.meant("org/name") == {"folder": str(tmp_path / "org" / "name")}
    monkeypatch.setenv("HOME", str(tmp_path))
    assert bases.meant("~/org") == {"folder": str(tmp_path / "org")}


@pytest.mark.parametrize("body", [b'{"data": [{"id": 7}]}', b'{"data": 3}', b"[]", b"{}", b'"text"', b"<html></html>"])
def test_an_answer_of_another_shape_is_told(body: bytes) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/etude/bases"
        kind = "text/html" if body.startswith(b"<") else "application/json"
        return httpx2.Response(200, content=body, headers={"content-type": kind})

    there = connect(at(EMBEDDED, "http://127.0.0.1:9/v1"), None, transport=httpx2.MockTransport(answer))
    with pytest.raises(ServiceBroken):
        bases.listed(there)
    there.close()


def test_a_service_without_such_a_route_says_no(server: ProtocolServer, service: Service, secret: Secret) -> None:
    there = connect(service, secret)
    with pytest.raises(ServiceError):
        bases.listed(there)
    there.close()


def test_the_command_line_adds_lists_and_removes(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path / "llama")
    assert main(["models", "add", str(folder), "--name", "Little", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["status"], said["parameters"]) == ("little", "ready", 264)
    assert main(["models", "list"]) == 0
    assert "little: 264 parameters" in (out := capsys.readouterr().out)
    assert str(folder) in out
    assert [base.name for base in bases.known(ws)] == ["little"]
    folder.rename(tmp_path / "elsewhere")
    assert main(["models", "list"]) == 0
    assert "is not there any more" in capsys.readouterr().out
    assert main(["models", "remove", "little"]) == 0
    assert main(["models", "remove", "little"]) == 1
    assert "No base model 'little'" in capsys.readouterr().err
    assert main(["models", "add", str(tmp_path / "never")]) == 2
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"models": []}


def test_programs_find_the_service_by_what_is_printed_for_a_shell(
    ws: Workspace, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engine", "--env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = embedded.address(ws.home)
    assert found is not None
    assert lines == [
        f"export OPENAI_BASE_URL={found.base_url}",
        f"export OPENAI_API_KEY={found.api_key.reveal()}",
    ]
    assert os.environ.get("OPENAI_BASE_URL") != found.base_url
