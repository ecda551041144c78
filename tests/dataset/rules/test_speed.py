"""No text makes a rule or a repair slow: ten times the text takes about ten times as long, never a hundred times."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lib.dataset.examine import examine
from lib.dataset.example import Example
from lib.dataset.finding import Finding
from lib.dataset.fixes import repair
from lib.dataset.rules.case import Case
from tests.dataset.conversations import call

SHORT, LONG = 6_000, 60_000
# A search that grows with the square takes a hundred times as long for ten times the text.
MOST_TIMES = 40
# What a clock cannot tell from nothing.
NOTHING = 0.005

PIECES = [
    *(
        "a",
        "a.",
        "a@",
        "@a.",
        "a@b.",
        "ann@acme.io ",
        "4111 ",
        "4",
        "1-",
        "+1 2",
        "+1",
        "eyJ",
        "eyJa.",
        "AB12 ",
        "DE89",
    ),
    *(
        "DE89",
        "sk-",
        "sk-a1",
        "://",
        "a://b:",
        "a://b:c@",
        "-----BEGIN PRIVATE " + "KEY-----",
        "PRIVATE KEY-----BEGIN -",
    ),
    *("key=", "key=aA1", 'secret": "', "(212) ", "212-", "ssn 123-45-", "<|", "<|a", "<|endoftext|>", "[Your ", "{{a"),
    *("<your ", "lorem ipsum ", "As an AI", "Ã", "Ã¤", "â€", "Ð", "Ð°", "ï¼", "Р°", "РµС‚", "ä¸", "\ufffd", "\x00"),
    *(
        "\x1b[",
        "\x1b[1;",
        "\u200b",
        "I am unable to ",
        " ",
        "\n",
        "12345678:AA",
        "MD",
        "MD.a.",
        "SG.a.",
        "{",
        '"',
        "\\",
    ),
    "hooks.slack.com/services/",
]
REPAIRS = ("mask_secrets", "break_special_tokens", "repair_encoding", "remove_control_characters", "mend_arguments")


def seconds(data: dict[str, Any]) -> float:
    """The time that all rules and the repairs of texts take."""
    begun = time.process_time()
    list(examine(Case.of(data, "supervised", 0, 1)))
    for fix in REPAIRS:
        repair(Example(data), Finding("warning", "x", 1, None, "x", "y", fix))
    return time.process_time() - begun


def conversation(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}]}


def calling(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "tool_calls": [call(arguments=text)]}]}


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    short, long = (conversation(piece * (length // len(piece))) for length in (SHORT, LONG))
    assert seconds(long) < MOST_TIMES * max(seconds(short), NOTHING)


@pytest.mark.parametrize("piece", ["{", "[", '"', '\\"', '{"a":', "[,", ",", "'", "{'a':"])
def test_arguments_that_go_on_forever_are_read_in_bounded_time(piece: str) -> None:
    short, long = (calling(piece * (length // len(piece))) for length in (9_000, 90_000))
    assert seconds(long) < MOST_TIMES * max(seconds(short), NOTHING)


@pytest.mark.parametrize("piece", ["a.", "".join(PIECES)])
def test_a_million_characters_are_no_different(piece: str) -> None:
    short, long = (conversation(piece * (length // len(piece))) for length in (100_000, 1_000_000))
    assert seconds(long) < MOST_TIMES * max(seconds(short), NOTHING)
