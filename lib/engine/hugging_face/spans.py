"""Where in a rendered conversation the assistant speaks, so that nothing else is trained.

A template says it with `{% generation %}`. Otherwise what stands before an answer is rendered alone, and must be the
beginning of the whole; where it is not, the example is refused rather than trained on the wrong words. It knows texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.engine.hugging_face.rendering import Renderer, Rendering
from lib.errors import DataError

Span = tuple[int, int]
Messages = Sequence[Mapping[str, Any]]


def of_assistant(
    renderer: Renderer, messages: Messages, tools: Sequence[Any], trained: Sequence[bool]
) -> tuple[str, list[Span]]:
    """The whole text, and where in it those messages are said that are `trained`.

    Raises DataError when the template does not take the conversation, or does not let the places be found.
    """
    whole = renderer.render(messages, tools)
    if not any(trained):
        return whole.text, []
    if renderer.tells_what_is_said:
        return whole.text, _told(whole, messages, trained)
    return whole.text, [
        _found(renderer, whole.text, messages, tools, number) for number, wanted in enumerate(trained) if wanted
    ]


def _told(whole: Rendering, messages: Messages, trained: Sequence[bool]) -> list[Span]:
    """The places that the template tells, each of which must be one message of the assistant."""
    speaking = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
    if all(trained[number] for number in speaking):
        return list(whole.said)
    if len(whole.said) != len(speaking):
        raise DataError(
            f"The chat template marks {len(whole.said)} answers where the example has {len(speaking)}, so it is not "
            "clear which of them the weights are for.",
            "Leave out the weights of 0, or shorten the example to the answers that count.",
        )
    return [place for place, number in zip(whole.said, speaking, strict=True) if trained[number]]


def _found(renderer: Renderer, whole: str, messages: Messages, tools: Sequence[Any], number: int) -> Span:
    """The place of one answer, from the conversation before it and the conversation that ends with it."""
    # Templates of models that think open an answer in two ways: the one for no thoughts is what a prompt ends with.
    openings = [
        renderer.render(messages[:number], tools, opening=True, thinking=thinking).text for thinking in (False, True)
    ]
    until = renderer.render(messages[: number + 1], tools).text
    start = next((len(opening) for opening in openings if whole.startswith(opening)), None)
    said = next((until.removeprefix(opening) for opening in openings if until.startswith(opening)), None)
    if start is not None and said is not None:
        for body in (said, said.rstrip()):
            if whole.startswith(body, start):
                return start, start + len(body)
    raise DataError(
        f"The chat template changes what stands before message {number + 1} when more follows, so what the assistant "
        "says there cannot be told apart.",
        "Make an example of each answer, or use a model whose template marks answers with {% generation %}.",
    )
