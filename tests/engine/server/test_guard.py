"""No web page, no rebound name and no stranger reaches any route; and nothing changes when they try."""

from __future__ import annotations

import gzip
import json
import re
import socket

import pytest
from starlette.routing import Route

from lib.engine.server import ROUTES
from tests.engine.server.conftest import Running

REQUESTS = sorted(
    {(method, re.sub(r"{\w+}", "some-id", route.path)) for route in ROUTES for method in route.methods or ()}
    | {("GET", "/"), ("POST", "/v1/unknown"), ("OPTIONS", "/v1/files"), ("GET", "/docs")}
)


def test_the_route_table_is_the_protocols() -> None:
    assert all(isinstance(route, Route) for route in ROUTES)
    assert {route.path for route in ROUTES} == {
        "/v1/files",
        "/v1/files/{file_id}",
        "/v1/files/{file_id}/content",
        "/v1/uploads",
        "/v1/uploads/{upload_id}/parts",
        "/v1/uploads/{upload_id}/complete",
        "/v1/uploads/{upload_id}/cancel",
        "/v1/fine_tuning/jobs",
        "/v1/fine_tuning/jobs/{job_id}",
        "/v1/fine_tuning/jobs/{job_id}/cancel",
        "/v1/fine_tuning/jobs/{job_id}/pause",
        "/v1/fine_tuning/jobs/{job_id}/resume",
        "/v1/fine_tuning/jobs/{job_id}/events",
        "/v1/fine_tuning/jobs/{job_id}/checkpoints",
        "/v1/models",
        "/v1/models/{model}",
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/responses/{response_id}",
        "/v1/responses/{response_id}/cancel",
        "/v1/responses/{response_id}/input_items",
        "/etude/bases",
        "/etude/bases/{name}",
    }


def raw(engine: Running, method: str, path: str, *headers: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """One request, byte for byte as written here; status, headers and body of the answer."""
    lines = [f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", engine.port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1") + body)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    pairs = (field.partition(": ")[::2] for field in fields)
    return int(status.split()[1]), {name.lower(): value for name, value in pairs}, content


def attempts(engine: Running) -> dict[str, tuple[int, list[str]]]:
    host = f"Host: 127.0.0.1:{engine.port}"
    key = f"Authorization: Bearer {engine.api_key}"
    return {
        "no token": (401, [host]),
        "empty token": (401, [host, "Authorization: Bearer "]),
        "wrong token": (401, [host, key[:-1]]),
        "longer token": (401, [host, key + "x"]),
        "token of another scheme": (401, [host, key.replace("Bearer", "Basic")]),
        "two tokens": (401, [host, key, "Authorization: Bearer x"]),
        "token that is no ASCII": (401, [host, "Authorization: Bearer \xe4"]),
        "rebound name": (421, [f"Host: evil.example:{engine.port}", key]),
        "bare address": (421, ["Host: 127.0.0.1", key]),
        "other port": (421, ["Host: 127.0.0.1:1", key]),
        "trailing dot": (421, [f"Host: localhost.:{engine.port}", key]),
        "foreign origin": (403, [host, key, "Origin: https://evil.example"]),
        "null origin": (403, [host, key, "Origin: null"]),
        "own origin": (403, [host, key, f"Origin: http://127.0.0.1:{engine.port}"]),
        "cross-site fetch": (403, [host, key, "Sec-Fetch-Site: cross-site"]),
        "same-site fetch": (403, [host, key, "Sec-Fetch-Site: same-site"]),
        "same-origin fetch": (403, [host, key, "Sec-Fetch-Site: same-origin"]),
        "two fetch sites": (403, [host, key, "Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"]),
    }


def test_who_has_no_key_is_told_apart_from_who_has_a_wrong_one(engine: Running) -> None:
    tried = attempts(engine)
    for who, begins, code in (
        ("no token", "You didn't provide an API key.", None),
        ("wrong token", "Incorrect API key provided.", "invalid_api_key"),
    ):
        error = json.loads(raw(engine, "GET", "/v1/models", *tried[who][1])[2])["error"]
        assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, code)
        assert error["message"].startswith(begins)


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_every_route_refuses_everybody_else(engine: Running, method: str, path: str) -> None:
    for who, (expected, headers) in attempts(engine).items():
        status, given, body = raw(engine, method, path, *headers)
        assert status == expected, who
        assert given["x-request-id"].startswith("req_"), who
        assert (given["openai-version"], given["openai-processing-ms"].isdigit()) == ("2020-10-01", True), who
        assert given.get("www-authenticate") == ("Bearer" if status == 401 else None), who
        assert not any(name.startswith("access-control") for name in given), who
        if method != "HEAD":
            error = json.loads(body)["error"]
            assert set(error) == {"message", "type", "param", "code"}, who
            assert engine.api_key not in json.dumps(error), who


def test_what_a_page_can_send_without_being_asked_changes_nothing(engine: Running) -> None:
    before = engine.http.get("files").json(), engine.http.get("fine_tuning/jobs").json()
    host = f"Host: 127.0.0.1:{engine.port}"
    form = b"--x\r\nContent-Disposition: form-data; name=purpose\r\n\r\nfine-tune\r\n--x--\r\n"
    job = b'{"model": "base-one", "training_file": "file-1"}'
    for path in [path for method, path in REQUESTS if method == "POST"]:
        for kind, body in (
            ("text/plain", job),
            ("application/x-www-form-urlencoded", b"a=1"),
            ("multipart/form-data; boundary=x", form),
            ("application/json", job),
        ):
            for site in ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"):
                status, *_ = raw(engine, "POST", path, host, site, f"Content-Type: {kind}", body=body)
                assert status in (401, 403)
    assert (engine.http.get("files").json(), engine.http.get("fine_tuning/jobs").json()) == before


def test_what_a_page_may_send_by_itself_is_taken_by_no_route_even_with_the_token(engine: Running) -> None:
    """The kinds of body that a browser sends to another site without asking it first, by way of some other mistake."""
    known = [f"Host: 127.0.0.1:{engine.port}", f"Authorization: Bearer {engine.api_key}"]
    body = b'{"model": "base-one-2026-01-02", "input": "x", "messages": [{"role": "user", "content": "x"}]}'
    for path in [path for method, path in REQUESTS if method == "POST"]:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            status, *_ = raw(engine, "POST", path, *known, f"Content-Type: {kind}", body=body)
            assert 400 <= status < 500, (path, kind)


def test_a_websocket_is_refused(engine: Running) -> None:
    status, *_ = raw(
        engine,
        "GET",
        "/v1/models",
        f"Host: 127.0.0.1:{engine.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    assert status == 401


def test_who_has_the_token_is_answered_by_either_name(engine: Running) -> None:
    for name in ("127.0.0.1", "localhost"):
        status, given, _ = raw(
            engine,
            "GET",
            "/v1/models",
            f"Host: {name}:{engine.port}",
            f"Authorization: Bearer {engine.api_key}",
            "Sec-Fetch-Site: none",
        )
        assert status == 200
        assert given["x-request-id"].startswith("req_")
        assert given["cache-control"] == "no-store"


def test_unknown_routes_and_methods_answer_in_the_protocols_shape(engine: Running) -> None:
    unknown = engine.http.get("nothing/here")
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "invalid_request_error")
    wrong = engine.http.put("files")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, None)
    assert wrong.json()["error"]["message"] == "Invalid method for URL (PUT /v1/files)"
    assert "GET" in wrong.headers["allow"]
    assert engine.http.get("models/").status_code == 404


def test_a_body_of_another_type_is_refused(engine: Running) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = engine.http.post("fine_tuning/jobs", content=b"{}", headers={"content-type": kind})
        assert answer.status_code == 415
    for path, kind in (("chat/completions", "application/json"), ("files", "multipart/form-data; boundary=b")):
        packed = {"content-type": kind, "content-encoding": "gzip"}
        answer = engine.http.post(path, content=gzip.compress(b"{}"), headers=packed)
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_encoding")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"model": "base-one"}',
        b'{"model": 4, "training_file": "file-1"}',
        b'{"model": "\xff", "training_file": "file-1"}',
        b'{"model": "\\ud800", "training_file": "file-1"}',
        b'{"model": "base-one", "training_file": "f", "seed": NaN}',
        b'{"model": "base-one", "training_file": "f", "seed": ' + b"9" * 5000 + b"}",
        b'{"model": "base-one", "training_file": "f", "metadata": ' + b"[" * 200_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_cannot_be_read_is_400_and_never_422_or_500(engine: Running, body: bytes) -> None:
    answer = engine.http.post("fine_tuning/jobs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["message"]


def test_a_body_beyond_the_limit_is_refused(engine: Running) -> None:
    body = b'{"model": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    answer = engine.http.post("chat/completions", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
