"""Every failure that people are known to meet is recognised from a real-shaped answer, through the official client.

The table below goes through the 49 rows of what users of fine-tuning run into, by their numbers; those that are no
answer of a service (a silent truncation, a noisy curve) are listed with who deals with them.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import errors
from lib.errors import (
    BadCredentials,
    NotAllowed,
    NotThere,
    OutOfMoney,
    Rejected,
    ServiceBroken,
    ServiceError,
    Throttled,
    Unreachable,
)
from lib.services import diagnosis
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import OPENAI, Service
from tests.protocol_server import Cut, Html, ProtocolServer, Replaced, Truncated

AZURE = Service("svc_az", "azure", "Our Azure", "https://r.openai.azure.com/openai/v1", "session")
KEY = "sk-proj-CANARYCANARY0123456789"
Answer = httpx2.Response | Exception


def refusal(
    status: int, message: str | None, code: str | None = None, type: str | None = None, **headers: str
) -> httpx2.Response:
    body = {"error": {"message": message, "type": type or "invalid_request_error", "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=body, headers={"x-request-id": "req_42", **named})


def page(status: int, text: str) -> httpx2.Response:
    return httpx2.Response(status, html=f"<!DOCTYPE html><html><body>{text}</body></html>")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def meet(answer: Answer, service: Service = OPENAI, ask: str = "chat") -> ServiceError:
    """What Etude says when a service answers like this, through the real client."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    connection = connect(service, Secret(KEY, service.origin), transport=httpx2.MockTransport(handle))
    asks: dict[str, Callable[[], Any]] = {
        "chat": lambda: connection.once.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hello"}]
        ).choices[0],
        "list": lambda: connection.once.models.list().data[0].id,
        "job": lambda: connection.once.fine_tuning.jobs.create(model="m", training_file="file-1").id,
        "stream": lambda: list(connection.once.chat.completions.create(model="m", messages=[], stream=True)),
    }
    try:
        asks[ask]()
    except Exception as error:
        return diagnosis.explain(error, service, "talk to the model", now=1_000_000_000.0)
    raise AssertionError("the answer was taken for a good one")


MODEL = "ft:gpt-4.1-mini-2025-04-14:acme::AbCdEfGh"

# pain, answer, error, words that must be said, service, kind of request
ROWS: list[tuple[int, Answer, type[ServiceError], str]] = [
    (
        1,
        refusal(
            403,
            "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new "
            "fine-tuning training jobs.",
            "training_not_available",
        ),
        NotAllowed,
        "no longer lets this organisation start",
    ),
    (
        2,
        refusal(404, f"The model '{MODEL}' does not exist or you do not have access to it.", "model_not_found"),
        NotThere,
        MODEL,
    ),
    (2, refusal(404, f"The model `{MODEL}` does not exist or you do not have access to it."), NotThere, MODEL),
    (
        3,
        refusal(403, "Project `proj_a1` does not have access to model `gpt-4o-mini`", "model_not_found"),
        NotAllowed,
        "proj_a1, may not use gpt-4o-mini",
    ),
    (3, refusal(403, "Blocked.", "model_permission_blocked_project", "permissions_error"), NotAllowed, "project"),
    (4, refusal(403, "You are not allowed to sample from this model"), NotAllowed, "The key itself is right"),
    (
        5,
        refusal(
            404,
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use "
            "v1/completions?",
        ),
        Rejected,
        "another endpoint",
    ),
    (6, refusal(400, f"Model {MODEL} is not available for fine-tuning or does not exist."), Rejected, MODEL),
    (
        7,
        refusal(401, "Incorrect API key provided: AZ-********WXYZ. You can find …", "invalid_api_key"),
        BadCredentials,
        "sent to api.openai.com",
    ),
    (
        8,
        refusal(
            401,
            "You have insufficient permissions for this operation. Missing scopes: model.request. Check that you have "
            "the correct role in your organization.",
        ),
        NotAllowed,
        "Missing: model.request.",
    ),
    (
        9,
        refusal(401, "OpenAI-Organization header should match organization for API key", "mismatched_organization"),
        BadCredentials,
        "OPENAI_ORG_ID",
    ),
    (10, refusal(401, "You must be a member of an organization to use the API"), BadCredentials, "not a member"),
    (10, refusal(401, "IP not authorized", "ip_not_authorized"), NotAllowed, "network addresses"),
    (
        11,
        refusal(
            403,
            "Country, region, or territory not supported",
            "unsupported_country_region_territory",
            "request_forbidden",
        ),
        NotAllowed,
        "country",
    ),
    (
        12,
        refusal(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        OutOfMoney,
        "want of money",
    ),
    (12, refusal(429, "No credit.", "credit_balance_exhausted"), OutOfMoney, "prepaid credit"),
    (12, refusal(429, "Limit.", "organization_spend_limit_exceeded"), OutOfMoney, "organisation's own spending limit"),
    (12, refusal(429, "Limit.", "project_spend_limit_exceeded"), OutOfMoney, "project"),
    (12, refusal(429, "Limit.", "organization_usage_limit_exceeded"), OutOfMoney, "monthly usage"),
    (
        13,
        refusal(429, "Rate limit reached for requests", "rate_limit_exceeded", retry_after="20"),
        Throttled,
        "wait 20 seconds",
    ),
    (13, refusal(429, "Slow down.", "slow_down", "rate_limit_error", retry_after="3600"), Throttled, "60 minutes"),
    (13, refusal(503, "The server is overloaded.", "server_is_overloaded"), Throttled, "does not say how long"),
    (
        14,
        refusal(
            403,
            "Fine-tuning jobs cannot be created on an Explore plan. You can upgrade to a paid plan on your billing "
            "page.",
        ),
        NotAllowed,
        "paid plans only",
    ),
    (26, refusal(400, "'fine-tuning' is not one of ['fine-tune', 'assistants'] - 'purpose'"), Rejected, "purpose"),
    (
        27,
        refusal(
            400,
            "File 'file-a1' is still being processed and is not ready to be used for fine-tuning. Please try again "
            "later.",
        ),
        Rejected,
        "still reading the file file-a1",
    ),
    (28, refusal(404, "No such File object: file-a1"), NotThere, "no file file-a1"),
    (29, refusal(400, "None is not of type 'string' - 'suffix'"), Rejected, "suffix"),
    (30, refusal(400, "51 is greater than the maximum of 50 - 'n_epochs'"), Rejected, "n_epochs"),
    (30, refusal(400, "Invalid 'method.dpo.hyperparameters.beta': must be at most 2"), Rejected, "value of"),
    (
        31,
        refusal(400, "Missing required parameter: 'training_file'.", "missing_required_parameter"),
        Rejected,
        "training_file",
    ),
    (
        34,
        refusal(404, f"The model `{MODEL}` does not exist", "model_not_found"),
        NotThere,
        "ten minutes after its job ends",
    ),
    (35, refusal(404, "Invalid URL (POST /v1/fine-tunes)"), NotThere, "gone since 2024"),
    (36, refusal(404, "Invalid URL (POST /chat/completions)"), NotThere, "usually ends in /v1"),
    (36, httpx2.Response(404, json={"detail": "Not Found"}), NotThere, "usually ends in /v1"),
    (36, httpx2.Response(404, text="404 page not found"), NotThere, "usually ends in /v1"),
    (36, page(404, "Nothing here"), ServiceBroken, "web page"),
    (36, page(200, "Please sign in to the network portal"), ServiceBroken, "web page"),
    (36, httpx2.Response(404, text=""), NotThere, "not be offered at this address"),
    (
        37,
        httpx2.RemoteProtocolError(
            "peer closed connection without sending complete message body (incomplete chunked read)"
        ),
        Unreachable,
        "broke off",
    ),
    (38, TypeError("Client.__init__() got an unexpected keyword argument 'proxies'"), ServiceBroken, "packages"),
]

# The rows that come back as the `error` of a failed job, and sometimes as a 400 to the request.
JOB_ROWS = [
    (
        15,
        "Expected file to have JSONL format, where every line is a JSON dictionary. Line 1 is not a dictionary (HINT: "
        'line starts with: "{...").',
        "invalid_training_file",
        "one JSON object on each line",
    ),
    (
        16,
        "Invalid file format. Example 1273 cannot be parsed. Error: line contains invalid json: Expecting ',' "
        "delimiter: line 1 column 79 (char 78) (line 1273)",
        "invalid_training_file",
        "example 1273",
    ),
    (
        17,
        "The job failed due to an invalid training file. Unexpected file format, expected either prompt/completion "
        "pairs or chat messages.",
        "invalid_training_file",
        "shape of the examples",
    ),
    (18, "Invalid file format. Example 1 is missing key 'messages'", "invalid_training_file", "messages in example 1"),
    (
        19,
        "Invalid file format. Example 100, message 2 Discriminator 'role' is missing in value",
        "invalid_training_file",
        "example 100, message 2",
    ),
    (20, 'Invalid file format. Example 1 contains an extra "weight".', "invalid_file_format", "extra field weight"),
    (
        21,
        "Input file file-1 is in the fine-tune-chat format, but the specified fine-tuning job is not using "
        "'supervised' as the training method (provided method=dpo).",
        None,
        "do not belong together",
    ),
    (22, "Finetuning with o4-mini-2025-04-16 requires the reinforcement method", None, "do not belong together"),
    (22, "System messages are not supported in 'reinforcement' examples", None, "does not allow that role"),
    (23, "Example 3: the last message must be from the assistant", None, "nothing can be learnt"),
    (
        24,
        "Training file has 9 example(s), but must have at least 10 examples",
        "invalid_n_examples",
        "at least ten examples",
    ),
    (
        32,
        "This training file was blocked because too many examples were flagged by our moderation API for containing "
        "content in the following categories: hate. Flagged lines: 4, 13, 14.",
        "unsafe_file",
        "4, 13, 14",
    ),
]

# What is no answer of a service, and who deals with it.
ELSEWHERE = {
    25: "dataset.check counts tokens",
    33: "runs shows a job's age",
    39: "runs decodes result files",
    40: "tokens carries its encodings",
    41: "engine checks that something is trained",
    42: "runs.verdict",
    43: "runs.verdict",
    44: "runs.metrics",
    45: "runs lists checkpoints",
    46: "cost",
    49: "engine",
}


@pytest.mark.parametrize(("pain", "answer", "error", "words"), ROWS, ids=lambda value: str(value)[:40])
def test_what_services_answer_is_recognised(pain: int, answer: Answer, error: type[ServiceError], words: str) -> None:
    told = meet(answer)
    assert type(told) is error
    assert words in str(told)
    assert told.what.endswith(".")
    assert told.todo.endswith(".")
    assert "{" not in str(told)
    assert KEY not in repr(vars(told))
    if isinstance(answer, httpx2.Response):
        assert told.status == (answer.status_code if answer.status_code != 200 else None)
        for word in re.findall(r"[\w.]{4,}", answer.text)[:8]:
            assert word in (told.raw or "") or told.status is None
    else:
        assert str(answer) in (told.raw or "")


@pytest.mark.parametrize(("pain", "message", "code", "words"), JOB_ROWS)
def test_why_jobs_fail_is_recognised(pain: int, message: str, code: str | None, words: str) -> None:
    told = diagnosis.explain_job({"message": message, "code": code, "param": "training_file"}, OPENAI)
    assert type(told) is Rejected
    assert words in told.what
    assert message in (told.raw or "")
    assert told.param == "training_file"
    refused = meet(refusal(400, message, code), ask="job")
    assert (type(refused), refused.what) == (type(told), told.what)


def test_every_one_of_the_49_is_recognised_or_somebody_else_s() -> None:
    covered = {row[0] for row in ROWS} | {row[0] for row in JOB_ROWS} | set(ELSEWHERE)
    assert covered | {47, 48} == set(range(1, 50))


@pytest.mark.parametrize("healthy", [None, {}, {"code": None, "message": None, "param": None}, {"code": ""}])
def test_47_a_healthy_job_has_no_reason_to_fail(healthy: dict[str, Any] | None) -> None:
    assert diagnosis.explain_job(healthy, OPENAI) is None


def test_48_an_unknown_failure_is_said_to_be_unknown_with_everything_it_said() -> None:
    told = meet(refusal(418, "I am a teapot, short and stout.", "teapot", tip="over"))
    assert type(told) is ServiceBroken
    assert "status 418" in told.what
    assert "Etude does not know why" in told.what
    assert "short and stout" in (told.raw or "")
    assert (told.code, told.request_id) == ("teapot", "req_42")
    told = diagnosis.explain(ZeroDivisionError("division by zero"), OPENAI, "count")
    assert "does not know" in told.what
    assert "ZeroDivisionError: division by zero" in (told.raw or "")
    failed = diagnosis.explain_job({"code": "novel", "message": "The moon was full."}, OPENAI)
    assert failed is not None
    assert "The moon was full." in failed.what


NETWORK: list[tuple[Exception, type[ServiceError], str]] = [
    (
        caused(httpx2.ConnectError("[Errno -2] Name or service not known"), socket.gaierror(-2, "x")),
        Unreachable,
        "name",
    ),
    (httpx2.ConnectError("[Errno 111] Connection refused"), Unreachable, "Nothing listens at api.openai.com"),
    (
        httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
        Unreachable,
        "certificate",
    ),
    (caused(httpx2.ConnectError("x"), ssl.SSLError(1, "WRONG_VERSION_NUMBER")), Unreachable, "secure connection"),
    (httpx2.ConnectTimeout("timed out"), Unreachable, "No connection"),
    (httpx2.ReadTimeout("timed out"), Unreachable, "in time"),
    (httpx2.ProxyError("403 Forbidden"), Unreachable, "proxy"),
    (httpx2.ReadError("Connection reset by peer"), Unreachable, "broke off"),
]


@pytest.mark.parametrize(("error", "kind", "words"), NETWORK, ids=lambda value: str(value)[:40])
def test_the_network_s_failures_are_told_apart(error: Exception, kind: type[ServiceError], words: str) -> None:
    told = meet(error)
    assert type(told) is kind
    assert words in told.what
    assert told.status is None


MORE: list[tuple[httpx2.Response, type[ServiceError], str]] = [
    (httpx2.Response(407), Unreachable, "proxy"),
    (httpx2.Response(302, headers={"location": "https://elsewhere.example"}), ServiceBroken, "not followed"),
    (httpx2.Response(422, json={"detail": [{"loc": ["body", "x"], "msg": "field required"}]}), Rejected, "not accept"),
    (page(403, "Please sign in to the network portal"), ServiceBroken, "asks to sign in"),
    (page(502, "Bad gateway. Log in to see more."), ServiceBroken, "error page (status 502)"),
    (refusal(500, "The server had an error", "server_error"), ServiceBroken, "error of its own"),
    (refusal(413, "Too big"), Rejected, "too large"),
    (refusal(409, "Busy"), Rejected, "conflicts"),
    (refusal(421, "Wrong", "wrong_host"), Rejected, "does not answer under that name"),
    (
        refusal(400, "This model's maximum context length is 4096 tokens.", "context_length_exceeded"),
        Rejected,
        "longer",
    ),
    (
        refusal(400, "Unsupported parameter: 'max_tokens' is not supported with this model.", "unsupported_parameter"),
        Rejected,
        "max_tokens",
    ),
    (httpx2.Response(404, json={"error": 'model "llama" not found, try pulling it first'}), NotThere, "llama"),
    (httpx2.Response(401, json={"detail": "Unauthorized"}), BadCredentials, "wants a key"),
    (httpx2.Response(401, json={"error": {}}), BadCredentials, "did not accept the key"),
    (httpx2.Response(403, json=["no"]), NotAllowed, "does not allow this key to talk to the model"),
    (httpx2.Response(429, text="slow"), Throttled, "too many requests"),
    (refusal(429, "Daily.", "daily_rate_limit_exceeded"), Throttled, "a day"),
    (httpx2.Response(402, json={"error": "Payment required"}), OutOfMoney, "money"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), MORE)
def test_other_shapes_of_refusal_are_read_as_well(
    answer: httpx2.Response, kind: type[ServiceError], words: str
) -> None:
    told = meet(answer)
    assert type(told) is kind
    assert words in told.what


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal(404, "The model does not exist", "model_not_found"), "{} does not have that model for this key."),
        (refusal(400, "This cannot be fine-tuned."), "{} cannot fine-tune that model, or not for this organisation."),
    ],
)
def test_a_sentence_reads_well_where_the_service_names_nothing(answer: httpx2.Response, told: str) -> None:
    assert meet(answer).what == told.format(OPENAI.name)


def test_a_limit_for_a_day_does_not_speak_of_a_minute() -> None:
    told = meet(refusal(429, "Daily.", "daily_rate_limit_exceeded"))
    assert "minute" not in str(told)
    assert "tomorrow" in told.todo


def test_azure_has_rows_of_its_own() -> None:
    wrong = refusal(401, "Access denied due to invalid subscription key or wrong API endpoint.", "401")
    assert "same resource" in meet(wrong, AZURE).todo
    assert "training type" in meet(refusal(400, "The fineTuningJob field is required."), AZURE, "job").todo
    gone = refusal(404, "The API deployment for this resource does not exist.", "DeploymentNotFound")
    assert "deploy it" in meet(gone, AZURE).todo
    assert "same resource" not in meet(wrong).todo


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("0.5", 0.5), ("Sun, 09 Sep 2001 01:47:10 GMT", 30.0), ("Sun, 09 Sep 2001 01:46:00 GMT", 0.0)],
)
def test_how_long_to_wait_is_read_in_every_form(value: str, seconds: float) -> None:
    told = meet(refusal(429, "Slow.", retry_after=value))
    assert isinstance(told, Throttled)
    assert told.retry_after == seconds


def test_a_wait_that_cannot_be_read_is_not_invented() -> None:
    assert meet(refusal(429, "Slow.", retry_after="soon")).retry_after is None
    assert meet(refusal(429, "Slow.", retry_after="-5")).retry_after is None
    assert meet(refusal(429, "Slow.", retry_after_ms="1500")).retry_after == 1.5


def test_exceptions_outside_of_the_client_s_family_are_read(server: ProtocolServer, connection: Connection) -> None:
    """200 with a web page raises AttributeError, a truncated answer JSONDecodeError, a cut one the transport's own."""
    faults: list[tuple[Any, str]] = [
        (Html(), "not the protocol"),
        (Truncated(20), "broke off or is not JSON"),
        (Cut(20), "broke off"),
        (Replaced(lambda body: b"\xff\xfe{"), "broke off or is not JSON"),
    ]
    for fault, words in faults:
        server.next("GET", "/models", fault)
        with pytest.raises(Exception) as met:  # noqa: PT011
            assert connection.once.models.list().data is None
        told = diagnosis.explain(met.value, connection.service, "list the models")
        assert words in told.what
        assert told.raw


def test_an_error_in_the_middle_of_a_stream_is_read() -> None:
    event = 'data: {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded", "type": "x"}}\n\n'
    told = meet(httpx2.Response(200, text=event, headers={"content-type": "text/event-stream"}), ask="stream")
    assert "message of its own" in told.what
    assert "Rate limit reached" in (told.raw or "")


def test_no_key_is_ever_repeated() -> None:
    echo = refusal(401, f"Wrong: {KEY}, also sk-other0123456789 and Bearer abcdefgh12345678", "invalid_api_key")
    told = meet(echo)
    for part in ("CANARY", "sk-other", "abcdefgh"):
        assert part not in repr(vars(told)) + str(told)


def test_a_service_error_stays_as_it_is() -> None:
    told = NotThere("It is gone.", "Look elsewhere.")
    assert diagnosis.explain(told, OPENAI) is told


def test_the_table_is_sound() -> None:
    rows = diagnosis.rows()
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert issubclass(row.error, ServiceError)
        assert row.error.__name__ in vars(errors)
        assert row.what.endswith((".", "}"))
        assert row.todo.endswith(".")
        assert row.status or row.code or row.type or row.words or row.cause or row.shape


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "detail", "param", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from([200, 204, 301, 400, 401, 403, 404, 418, 422, 429, 500, 503, 599]), JSON)
def test_no_shape_of_an_answer_gets_past_the_diagnosis(status: int, body: Any) -> None:
    answer = httpx2.Response(status, content=json.dumps(body).encode(), headers={"content-type": "application/json"})
    for ask in ("chat", "list"):
        try:
            told = meet(answer, ask=ask)
        except AssertionError:
            continue
        assert isinstance(told, ServiceError)
        assert told.raw
        assert "{" not in told.what


def test_the_service_on_this_machine_is_quoted_where_it_refuses() -> None:
    said = (
        "An adapter for the base model 'x' cannot be trained on this machine: that needs about 9.0 GB of memory, and "
        "4.0 GB are free. Choose a smaller model."
    )
    own = Service("embedded", "embedded", "On this machine", "http://127.0.0.1:9/v1", "none")
    found = meet(refusal(400, said, "model_too_large"), own, ask="job")
    assert (type(found), found.what, found.code) == (Rejected, said, "model_too_large")
    # Nobody else's words become ours, and without any there is an explanation still.
    assert meet(refusal(400, said, "model_too_large"), ask="job").what != said
    assert meet(refusal(400, None), own, ask="job").what.startswith("The service on this machine did not accept")
