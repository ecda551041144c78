"""What can be seen of a failure is read from any exception, with bounds, and without the key."""

from __future__ import annotations

from json import JSONDecodeError

import httpx2
import openai
import pytest

from lib.services import symptom


def refused(
    body: object, status: int = 400, key: str = "sk-secret-0123456789", **headers: str
) -> openai.APIStatusError:
    request = httpx2.Request("POST", "https://a.example/v1/x", headers={"authorization": f"Bearer {key}"})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(status, json=body, request=request, headers=named)
    return openai.APIStatusError("Error code", response=response, body=body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "plain"}, "plain"),
        ({"error": "as a text"}, "as a text"),
        ({"error": {"message": "nested"}}, "nested"),
        ({"detail": "as FastAPI has it"}, "as FastAPI has it"),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, "one; two"),
        (["a", "b"], "a; b"),
        ("text", "text"),
        ({"message": None}, "Error code"),
        ({}, "Error code"),
        (None, "Error code"),
        (7, "Error code"),
    ],
)
def test_the_sentence_is_found_in_every_shape(body: object, message: str) -> None:
    assert symptom.of(refused(body), 0.0).message == message


def test_headers_that_help_are_kept_and_others_are_not() -> None:
    error = refused(
        {}, x_request_id="req_1", x_ratelimit_remaining_tokens="0", set_cookie="session=CANARY", retry_after="7"
    )
    seen = symptom.of(error, 0.0)
    assert (seen.request_id, seen.retry_after, seen.status) == ("req_1", 7.0, 400)
    for told in ("x-request-id: req_1", "x-ratelimit-remaining-tokens: 0", "retry-after: 7"):
        assert told in seen.raw
    assert "CANARY" not in seen.raw


def test_the_raw_text_is_bounded_and_without_keys() -> None:
    key = "an-unusual-key-9876"
    seen = symptom.of(refused({"message": f"{key} {key} sk-another-0123456789 " + "x" * 10_000}, key=key), 0.0)
    assert len(seen.raw) == symptom.RAW_CHARACTERS
    assert key not in seen.raw
    assert "another" not in seen.raw


def test_words_that_begin_like_keys_are_left_alone() -> None:
    seen = symptom.of(refused({"message": "a task-specific, risk-free pk and sk- of hf_x"}), 0.0)
    assert "a task-specific, risk-free pk and sk- of hf_x" in seen.raw


def test_a_decoder_s_document_is_all_that_is_left_of_an_answer() -> None:
    seen = symptom.of(JSONDecodeError("Expecting value", "<html>Sign in", 0), 0.0)
    assert seen.shape == "page"
    assert "<html>Sign in" in seen.raw
    assert symptom.of(JSONDecodeError("Expecting value", "{", 0), 0.0).shape == "silence"


def test_a_chain_that_loops_is_read_once() -> None:
    first, second = ValueError("first"), TypeError("second")
    first.__cause__, second.__cause__ = second, first
    seen = symptom.of(first, 0.0)
    assert seen.raw.count("second") == 1
    assert {"ValueError", "TypeError", "Exception"} <= seen.causes
