"""What can be seen of a failure: status, code, words, headers and causes, whatever the exception or the answer.

Reads exceptions of the official client, of its transport and of Python; trusts no shape. Knows not what they mean.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from json import JSONDecodeError
from typing import Any

RAW_CHARACTERS = 4000

# Headers worth showing; everything else of an answer may hold what is nobody's business.
_TELLING = ("x-request-id", "apim-request-id", "retry-after", "retry-after-ms", "content-type", "location")
_KEY = re.compile(r"\b(?:sk|pk|rk|sess|gsk|hf|nvapi)[-_][A-Za-z0-9_*.-]{8,}|(?<=Bearer )\S+")


@dataclass(frozen=True, slots=True)
class Symptom:
    """A failure as seen. `message` is the service's own sentence, `text` the whole answer or exception text.

    `causes` are the class names of the exception, its bases and everything that it came from; `retry_after` is in
    seconds. `shape` is "page" for a web page, "silence" for an exception without an HTTP status, "" otherwise.
    """

    message: str
    text: str
    raw: str
    status: int | None = None
    code: str | None = None
    type: str | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    shape: str = ""
    causes: frozenset[str] = field(default_factory=frozenset)


def of(error: BaseException, now: float) -> Symptom:
    """The symptom of an exception. `now` (seconds since 1970) is what a retry date is counted from."""
    chain = list(_chain(error))
    causes = frozenset(kind.__name__ for one in chain for kind in type(one).__mro__)
    response = next((one.response for one in chain if hasattr(one, "response")), None)
    headers = {str(name).lower(): str(value) for name, value in dict(getattr(response, "headers", {})).items()}
    said = _text(response)
    # A JSON decoder's exception carries the document that it could not read: the only place where it is left.
    document = next((one.doc for one in chain if isinstance(one, JSONDecodeError)), "")
    words = "\n".join(f"{type(one).__name__}: {one}" for one in chain)
    body = getattr(error, "body", None)
    status = getattr(response, "status_code", None) or getattr(error, "status_code", None)
    telling = [f"{name}: {headers[name]}" for name in headers if name in _TELLING or name.startswith("x-ratelimit-")]
    if status is not None:
        raw = "\n".join([f"HTTP {status}", *telling, "", said or words])
    else:
        raw = "\n\n".join(filter(None, [words, document, "" if body is None else str(body)]))
    content = said or document
    page = "text/html" in headers.get("content-type", "") or re.match(r"\s*<(!doctype|html)", content, re.IGNORECASE)
    return Symptom(
        message=_message(body) or str(error),
        text=f"{content or _message(body)}\n{'' if content else words}",
        raw=_without_keys(raw, error)[:RAW_CHARACTERS],
        status=status if isinstance(status, int) else None,
        code=_word(body, "code") or _word(error, "code"),
        type=_word(body, "type") or _word(error, "type"),
        param=_word(body, "param") or _word(error, "param"),
        request_id=headers.get("x-request-id") or headers.get("apim-request-id"),
        retry_after=_retry_after(headers, now),
        shape="page" if page else "silence" if status is None else "",
        causes=causes,
    )


def of_job(error: Mapping[str, Any]) -> Symptom:
    """The symptom of a failed job, from its `error` object."""
    message = str(error.get("message") or "")
    return Symptom(
        message=message,
        text=message,
        raw=_KEY.sub("…", "\n".join(f"{name}: {value}" for name, value in error.items() if value is not None)),
        code=_word(error, "code"),
        param=_word(error, "param"),
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from, each once."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _message(body: object) -> str:
    """The sentence in an error body of any shape: the protocol's, FastAPI's, a plain text, or none."""
    if isinstance(body, str):
        return body
    if isinstance(body, Mapping):
        for name in ("message", "error", "detail", "error_description", "msg"):
            if body.get(name):
                return _message(body[name])
    if isinstance(body, list):
        return "; ".join(filter(None, map(_message, body)))
    return ""


def _word(holder: object, name: str) -> str | None:
    value = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _text(response: Any) -> str:
    try:
        return str(response.text) if response is not None else ""
    except Exception:
        # A stream that was not read, or bytes that are no text: then there is nothing to show.
        return ""


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from the forms that services use: milliseconds, seconds, a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value) * unit
    try:
        moment = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)


def _without_keys(text: str, error: BaseException) -> str:
    """The text without the key that was sent, and without anything else that looks like one."""
    headers = getattr(getattr(error, "request", None), "headers", {})
    key = str(headers.get("authorization", "")).removeprefix("Bearer ")
    return _KEY.sub("…", text.replace(key, "…") if len(key) > 3 else text)
