"""A hub with one model, on this machine: the few routes of a hub that a download needs, and their faults."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote, urlsplit

REVISION = "0" * 39 + "1"
BLOCK = 4096


class FakeHub:
    """Serves `files` as the model `hub_id`. `seen` are requests as (path, Range, Authorization).

    With `gated` only the token `token` gets in. `pause` is how long each block of weights takes, in seconds; `spoiled`
    sends other bytes than were announced.
    """

    def __init__(self, hub_id: str, files: dict[str, bytes]) -> None:
        self.hub_id = hub_id
        self.files = files
        self.token: str | None = None
        self.gated = False
        self.pause = 0.0
        self.spoiled = False
        self.status: int | None = None
        self.seen: list[tuple[str, str | None, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeHub:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fetched(self) -> list[str]:
        """The files that were asked for, in order."""
        return [path.rpartition("/")[2] for path, _, _ in self.seen if "/resolve/" in path]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        wanted, given = request.headers.get("range"), request.headers.get("authorization")
        self.seen.append((path, wanted, given))
        if self.status is not None:
            return _refuse(request, self.status, "")
        if f"/{self.hub_id}" not in path:
            return _refuse(request, 404, "RepoNotFound")
        if path.startswith("/api/models/"):
            return _send(request, 200, json.dumps(self._info()).encode())
        if self.gated and given != f"Bearer {self.token}":
            return _refuse(request, 403 if given else 401, "GatedRepo")
        return self._file(request, path.rpartition("/")[2], wanted)

    def _info(self) -> dict[str, object]:
        siblings = []
        for name, content in self.files.items():
            sibling: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
            if name.endswith((".safetensors", ".bin")):
                digest = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(sibling)
        return {"id": self.hub_id, "sha": REVISION, "siblings": siblings, "private": False, "tags": []}

    def _file(self, request: BaseHTTPRequestHandler, name: str, wanted: str | None) -> None:
        content = self.files[name]
        if self.spoiled and name.endswith(".safetensors"):
            content = bytes(len(content))
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        begin = int(found[1]) if found else 0
        request.send_response(206 if found else 200)
        request.send_header("content-length", str(len(content) - begin))
        if found:
            request.send_header("content-range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        for place in range(begin, len(content), BLOCK):
            try:
                request.wfile.write(content[place : place + BLOCK])
            except ConnectionError:
                return
            if name.endswith(".safetensors") and self.pause:
                time.sleep(self.pause)


def _refuse(request: BaseHTTPRequestHandler, status: int, code: str) -> None:
    request.send_response(status)
    if code:
        request.send_header("x-error-code", code)
    request.send_header("content-length", "0")
    request.end_headers()


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
