"""The official client, held to one origin and one key: whatever the environment, a redirect or a wrong address says."""

from __future__ import annotations

import contextlib
import pickle
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import Unreachable
from lib.services import address
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import OPENAI, Service
from tests.protocol_server import ProtocolServer, Refused

CANARY = "sk-CANARY-0123456789"
OTHER = Service("svc_o", "other", "Other", "https://models.example/v1", "session")


class Seen(httpx2.BaseTransport):
    """Answers everything with an empty list, or as told, and keeps what came."""

    def __init__(self, answer: httpx2.Response | None = None) -> None:
        self.requests: list[httpx2.Request] = []
        self.answer = answer

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self.answer or httpx2.Response(200, json={"object": "list", "data": []})


def test_the_key_arrives_and_the_client_does_not_hold_it() -> None:
    seen = Seen()
    connection = connect(OPENAI, Secret(CANARY, OPENAI.origin), transport=seen)
    connection.client.models.list()
    assert seen.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    for one in (connection.client, connection.once):
        assert CANARY not in repr(vars(one))
    assert CANARY not in repr(connection)


def test_retries_belong_to_client_and_not_to_once(server: ProtocolServer, connection: Connection) -> None:
    server.next("GET", "/models", Refused(500, headers={"retry-after-ms": "1"}), times=None)
    with pytest.raises(openai.InternalServerError):
        connection.once.models.list()
    assert server.count("GET", "/models") == 1
    with pytest.raises(openai.InternalServerError):
        connection.client.models.list()
    assert server.count("GET", "/models") == 4


def test_the_environment_s_openai_settings_stay_with_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_API_KEY": CANARY,
        "OPENAI_ADMIN_KEY": CANARY,
        "OPENAI_ORG_ID": "org-CANARY",
        "OPENAI_PROJECT_ID": "proj_CANARY",
        "OPENAI_BASE_URL": "https://evil.example/v1",
        "OPENAI_CUSTOM_HEADERS": f"X-Gateway: CANARY\nAuthorization: Bearer {CANARY}-2",
    }.items():
        monkeypatch.setenv(name, value)
    seen = Seen()
    connect(OTHER, Secret("other-key", OTHER.origin), transport=seen).client.models.list()
    connect(OTHER, None, transport=seen).client.models.list()
    for request in seen.requests:
        assert request.url.host == "models.example"
        assert "CANARY" not in repr(list(request.headers.multi_items()))
    assert seen.requests[0].headers["authorization"] == "Bearer other-key"
    assert "authorization" not in seen.requests[1].headers
    seen = Seen()
    connect(OPENAI, Secret("sk-mine", OPENAI.origin), transport=seen).client.models.list()
    assert seen.requests[0].url.host == "api.openai.com"
    assert seen.requests[0].headers["authorization"] == "Bearer sk-mine"
    assert seen.requests[0].headers["openai-organization"] == "org-CANARY"


def test_a_key_of_another_origin_is_not_sent() -> None:
    seen = Seen()
    with pytest.raises(Unreachable, match=r"not sent to https://models\.example"):
        connect(OTHER, Secret(CANARY, OPENAI.origin), transport=seen)
    assert seen.requests == []


def test_a_redirect_is_not_followed() -> None:
    seen = Seen(httpx2.Response(307, headers={"location": "https://evil.example/v1/models"}))
    with pytest.raises(openai.APIStatusError) as refused:
        connect(OTHER, Secret(CANARY, OTHER.origin), transport=seen).once.models.list()
    assert refused.value.status_code == 307
    assert [request.url.host for request in seen.requests] == ["models.example"]


def test_an_international_name_in_its_ascii_form_is_spoken_to() -> None:
    seen = Seen()
    named = Service("svc_i", "other", "Other", "https://xn--bcher-kva.example/v1", "session")
    connect(named, Secret(CANARY, named.origin), transport=seen).once.models.list()
    assert seen.requests[0].headers["host"] == "xn--bcher-kva.example"


def test_a_request_to_elsewhere_is_stopped_before_the_wire() -> None:
    seen = Seen()
    connection = connect(OTHER, Secret(CANARY, OTHER.origin), transport=seen)
    with pytest.raises(openai.APIConnectionError):
        connection.once.get("https://evil.example/v1/models", cast_to=object)
    assert seen.requests == []


def test_this_machine_is_spoken_to_past_every_proxy(
    server: ProtocolServer, service: Service, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    connection = connect(service, secret)
    assert connection.once.models.list().data
    connection.close()


def test_only_exceptions_of_the_client_carry_the_key_so_they_are_never_kept(
    server: ProtocolServer, connection: Connection
) -> None:
    """Why `explain` makes new errors: what the client raises holds the request, and the request holds the key."""
    server.next("GET", "/models", Refused(401))
    with pytest.raises(openai.AuthenticationError) as refused:
        connection.once.models.list()
    assert server.api_key in str(dict(refused.value.request.headers))
    assert server.api_key not in repr(refused.value) + str(refused.value)
    assert pickle.dumps(str(refused.value))


HOSTS = st.sampled_from(
    [
        "api.openai.com",
        "evil.example",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "2130706433",
        "169.254.169.254",
        "xn--pi-7kc.x",
    ]
)
URLS = st.builds(
    lambda scheme, user, host, dot, port, path: f"{scheme}://{user}{host}{dot}{port}{path}",
    st.sampled_from(["https", "http", "HTTPS", "ftp"]),
    st.sampled_from(["", "", "", "api.openai.com@", "a:b@", "api.openai.com%40", "api.openai.com\\@"]),
    HOSTS,
    st.sampled_from(["", "", "", ".", ".evil.example", "%2eevil.example", "\\.evil.example"]),
    st.sampled_from(["", "", ":443", ":80", ":8443"]),
    st.sampled_from(["/v1", "/v1/", "", "/v1?x=1", "/v1#y", "//evil.example/v1", "/../v1", "/@evil.example"]),
)


@given(URLS)
def test_the_key_reaches_the_bound_origin_only(url: str) -> None:
    """A key bound to OpenAI, and any address whatever: either nothing is sent, or it goes to OpenAI."""
    seen = Seen()
    service = Service("openai", "openai", "OpenAI", url, "session")
    with contextlib.suppress(Unreachable, openai.OpenAIError):
        connect(service, Secret(CANARY, OPENAI.origin), transport=seen).once.models.list()
    for request in seen.requests:
        assert (request.url.scheme, request.url.host, request.url.port) == ("https", "api.openai.com", None)


@given(URLS)
def test_the_transport_understands_an_address_as_we_do(url: str) -> None:
    try:
        normal = address.checked(url)
    except Unreachable:
        return
    theirs = httpx2.URL(normal)
    port: Any = f":{theirs.port}" if theirs.port else ""
    raw = theirs.raw_host.decode()
    host = f"[{raw}]" if ":" in raw else raw
    assert address.origin_of(normal) == f"{theirs.scheme}://{host}{port}"
