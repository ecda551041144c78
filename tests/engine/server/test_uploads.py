"""Uploads in parts: byte for byte, in the order asked for, once; what ends them, and what then lies on the disk."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from lib.engine import upload_parts
from lib.engine.file_shelf import FileShelf
from lib.engine.store import Store
from lib.engine.upload_parts import UploadShelf
from lib.errors import EtudeError, NotAllowed, NotThere, Rejected
from tests.engine.server.conftest import EXAMPLES, Running, Start

CONTENT = random.Random(1).randbytes(300_000)


def begin(engine: Running, size: int, **more: Any) -> str:
    return engine.strict.uploads.create(
        filename="train.jsonl", purpose="fine-tune", bytes=size, mime_type="application/jsonl", **more
    ).id


def part(engine: Running, upload_id: str, content: bytes) -> str:
    return engine.strict.uploads.parts.create(upload_id, data=content).id


def test_the_clients_own_upload_in_chunks_arrives_byte_for_byte(engine: Running, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(CONTENT)
    upload = engine.strict.uploads.upload_file_chunked(
        file=path,
        mime_type="application/jsonl",
        purpose="fine-tune",
        part_size=70_001,
        md5=hashlib.md5(CONTENT).hexdigest(),
    )
    assert (upload.status, upload.bytes, upload.filename) == ("completed", len(CONTENT), "mine.jsonl")
    assert upload.file is not None
    assert engine.strict.files.retrieve(upload.file.id) == upload.file
    assert (upload.file.bytes, upload.file.purpose, upload.file.expires_at) == (len(CONTENT), "fine-tune", None)
    assert engine.strict.files.content(upload.file.id).content == CONTENT


def test_a_file_that_came_in_parts_is_trained_on(engine: Running) -> None:
    upload = engine.strict.uploads.upload_file_chunked(
        file=EXAMPLES,
        filename="train.jsonl",
        bytes=len(EXAMPLES),
        mime_type="application/jsonl",
        purpose="fine-tune",
        part_size=1000,
    )
    assert upload.file is not None
    job = engine.job(training_file=upload.file.id, hyperparameters={"n_epochs": 1})
    assert engine.wait(job.id).status == "succeeded"


def test_a_pending_upload_is_told_without_a_file(engine: Running) -> None:
    answer = engine.http.post(
        "uploads", json={"filename": "a", "purpose": "fine-tune", "bytes": 2147483648, "mime_type": "text/jsonl"}
    ).json()
    assert answer["id"].startswith("upload_")
    assert {name: answer[name] for name in ("object", "bytes", "filename", "purpose", "status")} == {
        "object": "upload",
        "bytes": 2147483648,
        "filename": "a",
        "purpose": "fine-tune",
        "status": "pending",
    }
    assert answer["expires_at"] == answer["created_at"] + 3600
    assert "file" not in answer


def test_parts_sent_at_once_come_in_the_order_named_at_the_end(engine: Running) -> None:
    pieces = [bytes([number]) * (1000 + number) for number in range(12)]
    upload_id = begin(engine, sum(map(len, pieces)))
    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda piece: part(engine, upload_id, piece), pieces))
    completed = engine.strict.uploads.complete(upload_id, part_ids=ids[::-1])
    assert completed.file is not None
    assert engine.strict.files.content(completed.file.id).content == b"".join(pieces[::-1])


def test_parts_that_are_not_named_are_dropped(engine: Running) -> None:
    upload_id = begin(engine, 3)
    _, wanted = part(engine, upload_id, b"twice sent"), part(engine, upload_id, b"abc")
    completed = engine.strict.uploads.complete(upload_id, part_ids=[wanted])
    assert completed.file is not None
    assert engine.strict.files.content(completed.file.id).content == b"abc"


def test_a_part_may_come_with_or_without_a_name(engine: Running) -> None:
    upload_id = begin(engine, 6)
    named = engine.http.post(f"uploads/{upload_id}/parts", files={"data": ("x", b"abc")}).json()
    bare = engine.http.post(
        f"uploads/{upload_id}/parts",
        content=b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\ndef\r\n--b--\r\n',
        headers={"content-type": "multipart/form-data; boundary=b"},
    ).json()
    assert set(named) == {"id", "object", "created_at", "upload_id"}
    assert (bare["object"], bare["upload_id"]) == ("upload.part", upload_id)
    completed = engine.strict.uploads.complete(upload_id, part_ids=[named["id"], bare["id"]])
    assert completed.file is not None
    assert engine.strict.files.content(completed.file.id).content == b"abcdef"


def test_an_expiry_is_the_files_and_counts_from_its_own_birth(engine: Running) -> None:
    upload_id = begin(engine, 1, expires_after={"anchor": "created_at", "seconds": 7200})
    completed = engine.strict.uploads.complete(upload_id, part_ids=[part(engine, upload_id, b"x")])
    assert completed.file is not None
    assert completed.file.expires_at == completed.file.created_at + 7200


def test_an_upload_ends_once(engine: Running) -> None:
    done, gone = begin(engine, 1), begin(engine, 1)
    ids = {one: part(engine, one, b"x") for one in (done, gone)}
    engine.strict.uploads.complete(done, part_ids=[ids[done]])
    cancelled = engine.strict.uploads.cancel(gone)
    assert (cancelled.status, cancelled.file) == ("cancelled", None)
    before = engine.http.get("files").json()
    for one, status in ((done, "completed"), (gone, "cancelled")):
        for again in (
            lambda one=one: part(engine, one, b"y"),
            lambda one=one: engine.strict.uploads.complete(one, part_ids=[ids[one]]),
            lambda one=one: engine.strict.uploads.cancel(one),
        ):
            with pytest.raises(openai.BadRequestError, match=f"is {status}, not pending") as refused:
                again()
            assert (refused.value.code, refused.value.param) == ("upload_not_pending", "upload_id")
    assert engine.http.get("files").json() == before


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"part_ids": ["part_unknown"]}, "part_ids[0]"),
        ({"part_ids": ["OTHER"]}, "part_ids[0]"),
        ({"part_ids": []}, "part_ids"),
        ({"part_ids": "PART"}, "part_ids"),
        ({}, "part_ids"),
        ({"part_ids": ["PART", "PART"]}, "part_ids"),
        ({"part_ids": ["PART"], "md5": "0" * 32}, "md5"),
        ({"part_ids": ["PART"], "md5": 4}, "md5"),
        ({"part_ids": ["PART"], "order": 1}, "order"),
    ],
)
def test_what_does_not_fit_makes_no_file_and_can_be_put_right(
    engine: Running, given: dict[str, Any], param: str | None
) -> None:
    upload_id, other = begin(engine, 3), begin(engine, 3)
    names = {"PART": part(engine, upload_id, b"abc"), "OTHER": part(engine, other, b"abc")}
    if isinstance(given.get("part_ids"), list):
        given = given | {"part_ids": [names.get(name, name) for name in given["part_ids"]]}
    before = engine.http.get("files").json()
    answer = engine.http.post(f"uploads/{upload_id}/complete", json=given)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert engine.http.get("files").json() == before
    assert engine.strict.uploads.complete(upload_id, part_ids=[names["PART"]]).status == "completed"


def test_other_bytes_than_announced_make_no_file(engine: Running) -> None:
    upload_id = begin(engine, 10)
    short = part(engine, upload_id, b"123456789")
    with pytest.raises(openai.BadRequestError, match=r"9 bytes together.*announced with 10 bytes"):
        engine.strict.uploads.complete(upload_id, part_ids=[short])
    assert engine.strict.uploads.complete(upload_id, part_ids=[short, part(engine, upload_id, b"0")]).file is not None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"bytes": 0}, "bytes"),
        ({"bytes": "3"}, "bytes"),
        ({"bytes": 1.5}, "bytes"),
        ({"purpose": "training"}, "purpose"),
        ({"purpose": "fine-tune-results"}, "purpose"),
        ({"filename": None}, "filename"),
        ({"mime_type": 3}, "mime_type"),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 3600}}, "expires_after.anchor"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_what_may_not_be_announced_is_refused_with_its_name(
    engine: Running, fields: dict[str, Any], param: str | None
) -> None:
    body = {"filename": "a.jsonl", "purpose": "fine-tune", "bytes": 3, "mime_type": "text/jsonl"} | fields
    answer = engine.http.post("uploads", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("size", [8 * 1024**3 + 1, 2**63, 10**40])
def test_more_than_the_most_is_refused_before_anything_is_sent(engine: Running, size: int) -> None:
    body = f'{{"filename": "a", "purpose": "fine-tune", "bytes": {size}, "mime_type": "text/jsonl"}}'
    answer = engine.http.post("uploads", content=body.encode(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "upload_too_large")


def test_a_part_that_is_no_such_form_leaves_nothing(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    upload_id = begin(engine, 3)
    for files in ({"file": b"x"}, {"data": b"x", "purpose": (None, b"batch")}):
        assert engine.http.post(f"uploads/{upload_id}/parts", files=files).status_code == 400
    assert engine.http.post(f"uploads/{upload_id}/parts", json={"data": "x"}).status_code == 400
    assert list((tmp_path / "home" / "uploads").iterdir()) == []
    for call in ("parts", "complete", "cancel"):
        body = {"files": {"data": b"x"}} if call == "parts" else {"json": {"part_ids": ["part_1"]}}
        answer = engine.http.post(f"uploads/upload_unknown/{call}", **body)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "No such Upload object: upload_unknown"
    engine.close()


def test_a_part_of_more_than_64_megabytes_is_refused_and_memory_does_not_grow(
    start_engine: Start, tmp_path: Path
) -> None:
    engine = start_engine(tmp_path / "home")
    block = bytes(1 << 20)

    def form(blocks: int) -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n'
        for _ in range(blocks):
            yield block
        yield b"\r\n--b--\r\n"

    def send(upload_id: str, blocks: int) -> Any:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        return engine.http.post(f"uploads/{upload_id}/parts", content=form(blocks), headers=headers)

    status = Path(f"/proc/{engine.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc to see another process's memory")

    def peak() -> int:
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    before = peak()
    upload_id = begin(engine, 64 << 20)
    whole = send(upload_id, 64).json()
    assert engine.strict.uploads.complete(upload_id, part_ids=[whole["id"]]).status == "completed"
    second = begin(engine, 65 << 20)
    refused = send(second, 65)
    assert (refused.status_code, refused.json()["error"]["param"]) == (413, "data")
    assert peak() - before < 20 << 20
    assert list((tmp_path / "home" / "uploads").iterdir()) == []
    engine.close()


def test_an_upload_goes_on_after_the_engine_was_killed(start_engine: Start, tmp_path: Path) -> None:
    home = tmp_path / "home"
    engine = start_engine(home)
    upload_id = begin(engine, 6)
    first = part(engine, upload_id, b"abc")
    engine.kill()
    (home / "uploads" / "part_halfway").write_bytes(b"cut off")
    engine = start_engine(home)
    assert [path.name for path in (home / "uploads").iterdir()] == [first]
    completed = engine.strict.uploads.complete(upload_id, part_ids=[first, part(engine, upload_id, b"def")])
    assert completed.file is not None
    assert engine.strict.files.content(completed.file.id).content == b"abcdef"
    assert list((home / "uploads").iterdir()) == []
    assert [path.name for path in (home / "files").iterdir()] == [completed.file.id]
    engine.close()


class Shelf:
    """An upload shelf of its own, whose clock the test turns."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000_000.0
        self.files, self.uploads = folder / "files", folder / "uploads"
        for made in (self.files, self.uploads):
            made.mkdir(exist_ok=True)
        self.store = Store(folder / "engine.db")
        files = FileShelf(self.store, self.files, lambda: self.now)
        self.shelf = UploadShelf(self.store, files, self.uploads, lambda: self.now)

    def begin(self, size: int) -> str:
        begun = self.shelf.begin(filename="a.jsonl", purpose="fine-tune", size=size, lives=None)
        return str(begun["id"])

    def part(self, upload_id: str, content: bytes) -> str:
        path = self.shelf.new_path(upload_id)
        path.write_bytes(content)
        return str(self.shelf.add(upload_id, path)["id"])


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.store.close()


def test_an_hour_later_an_upload_is_expired_and_its_parts_are_gone(shelf: Shelf) -> None:
    old = shelf.begin(3)
    kept = shelf.part(old, b"abc")
    shelf.now += 3599
    shelf.begin(1)
    assert [path.name for path in shelf.uploads.iterdir()] == [kept]
    shelf.now += 1
    with pytest.raises(Rejected, match="is expired, not pending"):
        shelf.shelf.cancel(old)
    shelf.begin(1)
    assert list(shelf.uploads.iterdir()) == []
    with pytest.raises(Rejected, match="is expired, not pending"):
        shelf.part(old, b"abc")
    shelf.now += 25 * 3600
    shelf.begin(1)
    with pytest.raises(NotThere):
        shelf.shelf.cancel(old)


async def _completed(shelf: Shelf, upload_id: str, parts: list[str]) -> None:
    await shelf.shelf.complete(upload_id, parts, None)


def test_a_disk_that_takes_nothing_leaves_the_upload_as_it_was(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id = shelf.begin(3)
    kept = shelf.part(upload_id, b"abc")

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(upload_parts, "_join", full)
        with pytest.raises(EtudeError, match="No space left on device"):
            asyncio.run(_completed(shelf, upload_id, [kept]))
    assert list(shelf.files.iterdir()) == []
    asyncio.run(_completed(shelf, upload_id, [kept]))
    (made,) = shelf.files.iterdir()
    assert made.read_bytes() == b"abc"


def test_while_it_is_put_together_nothing_else_can_be_done_with_an_upload(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = shelf.begin(3)
    kept = shelf.part(upload_id, b"abc")
    late = shelf.shelf.new_path(upload_id)
    late.write_bytes(b"late")
    original = upload_parts._join
    refusals: list[str] = []

    async def meddle() -> None:
        loop = asyncio.get_running_loop()

        def try_all() -> None:
            for attempt in (
                lambda: shelf.shelf.cancel(upload_id),
                lambda: shelf.shelf.new_path(upload_id),
                lambda: shelf.shelf.add(upload_id, late),
            ):
                with pytest.raises(Rejected, match="being completed") as refused:
                    attempt()
                refusals.append(str(refused.value.code))

        def slowly(*arguments: Any) -> str:
            async def on_loop() -> None:
                try_all()

            asyncio.run_coroutine_threadsafe(on_loop(), loop).result()
            return original(*arguments)

        monkeypatch.setattr(upload_parts, "_join", slowly)
        await shelf.shelf.complete(upload_id, [kept], None)

    asyncio.run(meddle())
    assert refusals == ["upload_not_pending"] * 3
    assert not late.exists()
    (made,) = shelf.files.iterdir()
    assert made.read_bytes() == b"abc"


def test_parts_together_are_bounded(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_parts, "UPLOAD_LIMIT", 10)
    monkeypatch.setattr(upload_parts, "MOST_PARTS", 3)
    upload_id = shelf.begin(10)
    shelf.part(upload_id, b"x" * 8)
    with pytest.raises(Rejected) as refused:
        shelf.part(upload_id, b"xxx")
    assert refused.value.status == 413
    shelf.part(upload_id, b"x")
    shelf.part(upload_id, b"x")
    with pytest.raises(Rejected, match="3 parts already"):
        shelf.part(upload_id, b"")
    assert len(list(shelf.uploads.iterdir())) == 3
    with pytest.raises(NotAllowed):
        shelf.begin(11)
