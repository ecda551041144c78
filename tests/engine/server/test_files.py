"""Files: upload, list, retrieve, delete, content; what may be said about them, and where they lie."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.engine.server.conftest import Running, Start

BOUNDARY = "frontier"


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body from raw Content-Disposition values and contents."""
    body = b"".join(
        b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: " + name.encode() + b"\r\n\r\n" + content + b"\r\n"
        for name, content in parts
    )
    return body + b"--" + BOUNDARY.encode() + b"--\r\n"


FILE = ('form-data; name="file"; filename="a.jsonl"', b"{}\n")
PURPOSE = ('form-data; name="purpose"', b"fine-tune")


def post(engine: Running, body: bytes | Iterator[bytes]) -> Any:
    return engine.http.post(
        "files", content=body, headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    )


def test_a_file_comes_back_byte_for_byte(engine: Running) -> None:
    content = bytes(range(256)) * 5000
    made = engine.strict.files.create(file=("mine.jsonl", content), purpose="fine-tune")
    assert (made.filename, made.bytes, made.purpose, made.status) == (
        "mine.jsonl",
        len(content),
        "fine-tune",
        "processed",
    )
    assert engine.strict.files.retrieve(made.id) == made
    assert engine.strict.files.content(made.id).content == content
    assert engine.strict.files.delete(made.id).deleted
    for ask in (engine.strict.files.retrieve, engine.strict.files.content, engine.strict.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No such File object: {made.id}") as missing:
            ask(made.id)
        assert missing.value.param == "id"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "a\rSet-Cookie: x=1\r\n.jsonl",
        "\u202egnp.jsonl",
        "日本語.jsonl",
        "x" * 900,
        "nul\0.jsonl",
    ],
    ids=lambda name: repr(name[:20]),
)
def test_the_senders_name_reaches_no_path_and_no_header(start_engine: Start, tmp_path: Path, name: str) -> None:
    engine = start_engine(tmp_path / "home")
    disposition = 'form-data; name="file"; filename="' + name.replace("\r", "%0D").replace("\n", "%0A") + '"'
    made = post(engine, form((disposition, b"{}"), PURPOSE)).json()
    assert (tmp_path / "home" / "files" / made["id"]).read_bytes() == b"{}"
    assert [path.name for path in (tmp_path / "home" / "files").iterdir()] == [made["id"]]
    answer = engine.http.get(f"files/{made['id']}/content")
    assert answer.headers["content-disposition"] == f'attachment; filename="{made["id"]}"'
    assert "set-cookie" not in answer.headers
    engine.close()


def test_everything_under_the_home_belongs_to_its_owner_alone(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    engine.wait(engine.job(hyperparameters={"n_epochs": 1}).id)
    engine.client.chat.completions.create(model="base-one", messages=[{"role": "user", "content": "a"}])
    places = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    assert len(places) > 15
    assert [place for place in places if place.stat().st_mode & 0o077] == []
    assert engine.close() == 0


def test_lists_are_paged_ordered_and_filtered(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    made = [
        engine.strict.files.create(file=(f"{n}.jsonl", b"{}"), purpose="fine-tune" if n % 2 else "batch").id
        for n in range(5)
    ]
    files = engine.strict.files
    assert [file.id for file in files.list(limit=2)] == made[::-1]
    assert [file.id for file in files.list(limit=2, order="asc")] == made
    assert [file.id for file in files.list(purpose="batch", limit=1)] == [made[4], made[2], made[0]]
    page = engine.http.get("files", params={"limit": 2, "after": made[4]}).json()
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[3], made[2], True)
    empty = engine.http.get("files", params={"purpose": "vision"}).json()
    assert empty == {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
    for wrong in ({"limit": 0}, {"limit": 10001}, {"limit": "x"}, {"order": "up"}):
        assert engine.http.get("files", params=wrong).status_code == 400
    assert engine.http.get("files", params={"after": "file-unknown"}).status_code == 404


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ([PURPOSE], "file"),
        ([FILE], "purpose"),
        ([FILE, ('form-data; name="purpose"', b"fine-tuning")], "purpose"),
        ([FILE, FILE, PURPOSE], "file"),
        ([FILE, PURPOSE, PURPOSE], "purpose"),
        ([FILE, PURPOSE, ('form-data; name="owner"', b"me")], "owner"),
        ([FILE, PURPOSE, ('form-data; name="expires_after[seconds]"', b"3600")], "expires_after.anchor"),
        (
            [FILE, PURPOSE, ('form-data; name="expires_after"', b'{"anchor": "created_at", "seconds": 1}')],
            "expires_after.seconds",
        ),
        ([FILE, ('form-data; name="purpose"', b"x" * 70_000)], "purpose"),
    ],
)
def test_a_form_that_is_not_as_documented_is_refused_and_leaves_nothing(
    engine: Running, parts: list[tuple[str, bytes]], param: str
) -> None:
    before = engine.http.get("files").json()
    answer = post(engine, form(*parts))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert engine.http.get("files").json() == before


@pytest.mark.parametrize("body", [b"", b"no form", form(FILE, PURPOSE)[:-9], b"--frontier\r\n\r\n"])
def test_a_form_that_cannot_be_read_is_refused(engine: Running, body: bytes) -> None:
    answer = post(engine, body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "expiry",
    [
        [
            ('form-data; name="expires_after[anchor]"', b"created_at"),
            ('form-data; name="expires_after[seconds]"', b"3600"),
        ],
        [('form-data; name="expires_after"', b'{"anchor": "created_at", "seconds": 3600}')],
    ],
)
def test_an_expiry_is_told(engine: Running, expiry: list[tuple[str, bytes]]) -> None:
    made = post(engine, form(FILE, PURPOSE, *expiry)).json()
    assert made["expires_at"] == made["created_at"] + 3600


def test_a_batch_file_lives_for_a_month_and_any_other_until_it_is_deleted(engine: Running) -> None:
    batch = post(engine, form(FILE, ('form-data; name="purpose"', b"batch"))).json()
    assert batch["expires_at"] == batch["created_at"] + 30 * 24 * 3600
    assert post(engine, form(FILE, PURPOSE)).json()["expires_at"] is None


def test_an_upload_needs_no_length(engine: Running) -> None:
    def blocks() -> Iterator[bytes]:
        body = form(FILE, PURPOSE)
        yield from (body[place : place + 7] for place in range(0, len(body), 7))

    assert post(engine, blocks()).json()["bytes"] == 3


def test_an_upload_that_breaks_off_leaves_nothing(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    with socket.create_connection(("127.0.0.1", engine.port)) as connection:
        head = (
            f"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\nAuthorization: Bearer {engine.api_key}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 100000\r\n\r\n"
        )
        connection.sendall(head.encode() + form(FILE, PURPOSE)[:-9])
    assert engine.http.get("files").json()["data"] == []
    engine.close()
    assert list((tmp_path / "home" / "files").iterdir()) == []


def test_memory_does_not_grow_with_the_file(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    megabyte = b"x" * (1 << 20)

    def blocks() -> Iterator[bytes]:
        whole = form(PURPOSE, (FILE[0], b"\1"))
        before, after = whole.split(b"\1")
        yield before
        for _ in range(100):
            yield megabyte
        yield after

    before = _peak(engine.pid)
    made = post(engine, blocks()).json()
    assert made["bytes"] == 100 << 20
    with engine.http.stream("GET", f"files/{made['id']}/content") as answer:
        assert sum(len(block) for block in answer.iter_bytes()) == 100 << 20
    assert _peak(engine.pid) - before < 20 << 20
    engine.close()


def _peak(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("needs /proc to see another process's memory")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    assert resource.getpagesize() > 0
    return int(line.split()[1]) * 1024
