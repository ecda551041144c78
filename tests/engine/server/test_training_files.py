"""What a job's error says of a file, held against errors of real jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.engine.training_files import GivenFile, Unusable, Usable, examine

GOOD: dict[str, Any] = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
TEXT = {"type": "text", "text": "image_url"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
FAILED = "The job failed due to an invalid training file. "


PAIR: dict[str, Any] = {
    "input": {"messages": [{"role": "user", "content": "a"}], "tools": [], "parallel_tool_calls": True},
    "preferred_output": [{"role": "assistant", "content": "b"}],
    "non_preferred_output": [{"role": "assistant", "content": "c"}],
}


def written(path: Path, *examples: Any) -> GivenFile:
    lines = [example if isinstance(example, bytes) else json.dumps(example).encode() for example in examples]
    path.write_bytes(b"\n".join(lines))
    return GivenFile(path, f"file-{path.name}")


@pytest.mark.parametrize(
    ("examples", "code", "message"),
    [
        ([GOOD] * 7, "invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples"),
        (
            [*[GOOD] * 99, {"messages": [GOOD["messages"][0], {"content": "x"}, GOOD["messages"][1]]}],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 100, message 2 Discriminator 'role' is missing in value",
        ),
        (
            [*[GOOD] * 99, {"messages": [GOOD["messages"][0], {"content": "x"}]}],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 100, message 2 Discriminator 'role' is missing in value",
        ),
        (
            [*[GOOD] * 11, {"messages": [GOOD["messages"][0], {"role": "bot", "content": "x"}]}],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 12, message 2 No match for discriminator 'role' and value 'bot' "
            "(allowed values: 'system', 'user', 'assistant', 'tool', 'function')",
        ),
        (
            [*[GOOD] * 11, {"messages": [GOOD["messages"][0]]}],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 12 has no assistant message.",
        ),
        (
            [*[GOOD] * 11, {"messages": [{"role": "user", "content": [TEXT, IMAGE]}, GOOD["messages"][1]]}],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 12, message 1 contains an image, but the models of this server read "
            "text only.",
        ),
        (
            [*[GOOD] * 12, GOOD | {"weight": 1}],
            "invalid_training_file",
            FAILED + 'Invalid file format. Example 13 contains an extra "weight".',
        ),
        (
            [{"text": "x"}] * 10,
            "invalid_training_file",
            FAILED + "Invalid file format. Example 1 is missing key 'messages'.",
        ),
        (
            [{"prompt": "x", "completion": "y"}] * 10,
            "invalid_training_file",
            FAILED + "Unexpected file format, expected either prompt/completion pairs or chat messages.",
        ),
        (
            [*[GOOD] * 3, b'{"messages": [} ', *[GOOD] * 9],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 4 cannot be parsed. Error: line contains invalid json: "
            "Expecting value: line 1 column 15 (char 14) (line 4)",
        ),
        (
            [*[GOOD] * 10, b'["a list, not an object"]'],
            "invalid_training_file",
            FAILED + "Invalid file format. Expected file to have JSONL format, where every line is a JSON dictionary. "
            'Line 11 is not a dictionary (HINT: line starts with: "["a list, not an obj...").',
        ),
        ([b"\0\1\2" * 100], "invalid_training_file", FAILED + "Training file is a binary file, not text."),
        ([b""], "invalid_training_file", FAILED + "Training file is empty."),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, examples: list[Any], code: str, message: str) -> None:
    found = examine("supervised", written(tmp_path / "a", *examples), None)
    assert found == Unusable(code, message, "training_file")


@pytest.mark.parametrize(
    ("examples", "code", "message"),
    [
        (
            [GOOD] * 10,
            "invalid_training_file",
            FAILED + "Invalid file format. Input file file-a is in the fine-tune-chat format, but the specified "
            "fine-tuning job is not using 'supervised' as the training method (provided method=dpo).",
        ),
        (
            [*[PAIR] * 10, GOOD],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 11 is missing key 'input'.",
        ),
        (
            [{"text": "x"}] * 10,
            "invalid_training_file",
            FAILED + "Invalid file format. Example 1 is missing key 'input'.",
        ),
        (
            [*[PAIR] * 11, {name: value for name, value in PAIR.items() if name != "non_preferred_output"}],
            "invalid_training_file",
            FAILED + "Invalid file format. Example 12 is missing key 'non_preferred_output'.",
        ),
        ([PAIR] * 7, "invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples"),
    ],
)
def test_a_file_that_is_no_file_of_pairs(tmp_path: Path, examples: list[Any], code: str, message: str) -> None:
    found = examine("dpo", written(tmp_path / "a", *examples), None)
    assert found == Unusable(code, message, "training_file")


def test_words_about_images_are_no_images(tmp_path: Path) -> None:
    told = {"messages": [{"role": "user", "content": [TEXT]}, {"role": "assistant", "content": "image_url"}]}
    assert examine("supervised", written(tmp_path / "a", *[told] * 10), None) == Usable(10)


def test_a_file_of_pairs_is_for_preference_training_alone(tmp_path: Path) -> None:
    pairs = written(tmp_path / "a", *[PAIR] * 10)
    assert examine("dpo", pairs, pairs) == Usable(10)
    found = examine("supervised", pairs, None)
    assert isinstance(found, Unusable)
    assert found.message.endswith(
        "Input file file-a is in the fine-tune-preference format, but the specified fine-tuning job is not using "
        "'dpo' as the training method (provided method=supervised)."
    )


def test_a_pair_among_conversations_is_named(tmp_path: Path) -> None:
    found = examine("supervised", written(tmp_path / "a", *[GOOD] * 10, PAIR), None)
    assert isinstance(found, Unusable)
    assert found.message == FAILED + "Invalid file format. Example 11 is missing key 'messages'."


def test_a_good_file_and_a_short_validation_file(tmp_path: Path) -> None:
    training = written(tmp_path / "a", *[GOOD] * 10)
    assert examine("supervised", training, None) == Usable(10)
    assert examine("supervised", training, written(tmp_path / "b", GOOD)) == Usable(10)


def test_the_validation_file_is_named_when_it_is_at_fault(tmp_path: Path) -> None:
    found = examine("supervised", written(tmp_path / "a", *[GOOD] * 10), written(tmp_path / "b", GOOD, {"text": "x"}))
    assert found == Unusable(
        "invalid_validation_file",
        "The job failed due to an invalid validation file. Invalid file format. Example 2 is missing key 'messages'.",
        "validation_file",
    )
