"""Examples in the formats of other tools, and what each becomes here.

An example is recognised by its keys, and where these say too little by what they hold, and converted by itself; keys
that have no place in the result are named, never lost in silence. Knows no file and no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.dataset.convert.exported import ALWAYS, EXPORTED, exported
from lib.dataset.convert.fields import Data, Fields, Unfit, is_empty, looks_nested, nested, text_of
from lib.dataset.convert.marked import conversation, is_marked
from lib.dataset.convert.names import CONTEXTS, SYSTEMS
from lib.dataset.convert.pairs import SIDES, pair, scored
from lib.dataset.convert.turns import SPEAKERS, messages_of, tools_of, with_system

CONVERSATIONS = ("conversations", "conversation", "dialog", "dialogue", "turns", "chat")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One foreign format. `keys` must all be there; `becomes` says in a sentence what becomes what.

    `fits` is whether an example with these keys is one. `flat` is whether it is a question and an answer and nothing
    more, so that a table of them is a matter of which column is what.
    """

    name: str
    keys: frozenset[str]
    becomes: str
    convert: Callable[[Fields], Data]
    fits: Callable[[Fields], bool] = lambda fields: True
    flat: bool = False


def is_native(data: Mapping[str, Any]) -> bool:
    """Whether an example has the services' own format, well or badly."""
    held = data.get("messages")
    if "messages" in data:
        return not (looks_nested(held) or _are_foreign(held))
    return isinstance(data.get("input"), dict) and "preferred_output" in data


def recognise(data: Mapping[str, Any]) -> Dialect | None:
    """The dialect an example is written in; None for the format of the services and for what nobody knows."""
    if is_native(data):
        return None
    return dialect_of(Fields(data))


def dialect_of(fields: Fields, first: str = "") -> Dialect | None:
    """The dialect of an example that has not the services' format; the one named `first` is looked at first."""
    order = sorted(DIALECTS, key=lambda dialect: dialect.name != first) if first else DIALECTS
    return next((one for one in order if all(map(fields.has, one.keys)) and one.fits(fields)), None)


def converted(data: Mapping[str, Any]) -> Data | None:
    """The example in the format of the services; None when its dialect is not known or it holds something else."""
    dialect = recognise(data)
    try:
        return dialect.convert(Fields(data)) if dialect else None
    except (Unfit, RecursionError):
        return None


def _chat(question: Any, answer: Any, system: Any = None) -> list[Data]:
    asked = {"role": "user", "content": text_of(question)}
    return with_system(system, [asked, {"role": "assistant", "content": text_of(answer).strip()}])


def _two(question: str, answer: str) -> Callable[[Fields], Data]:
    def convert(fields: Fields) -> Data:
        asked, answered = fields.must(question), fields.must(answer)
        instructs = question == "instruction"
        context = fields.take(*sorted(CONTEXTS), *(("input",) if instructs else ()))
        if context is not None:
            # A passage stands before a question about it, and behind an instruction.
            first, second = (asked, context) if instructs else (context, asked)
            asked = f"{text_of(first)}\n\n{text_of(second)}"
        return {"messages": _chat(asked, answered, fields.take(*SYSTEMS))}

    return convert


def _prompt_completion(fields: Fields) -> Data:
    """Texts, as the legacy format has them, or lists of messages, as TRL has them."""
    asked = messages_of(fields.must("prompt"), fields, "prompt", text_is="user")
    answered = messages_of(fields.must("completion"), fields, "completion")
    if answered[-1]["role"] == "assistant" and isinstance(answered[-1].get("content"), str):
        answered[-1] = answered[-1] | {"content": answered[-1]["content"].strip()}
    made: Data = {"messages": with_system(fields.take(*SYSTEMS), [*asked, *answered])}
    return made | _with_tools(fields)


def _rated(fields: Fields) -> Data:
    if str(fields.take("label")).lower() not in ("true", "1"):
        raise Unfit("is marked as a bad answer, which supervised training would teach")
    return _prompt_completion(fields)


def _alpaca(fields: Fields) -> Data:
    asked, more = text_of(fields.must("instruction")), fields.take("input")
    made = _chat(f"{asked}\n\n{text_of(more)}" if more is not None else asked, fields.must("output"))
    earlier = fields.take("history")
    before = messages_of(earlier, fields, "history") if earlier is not None else []
    return {"messages": with_system(fields.take(*SYSTEMS), [*before, *made])}


def _sharegpt(key: str) -> Callable[[Fields], Data]:
    def convert(fields: Fields) -> Data:
        messages = messages_of(fields.must(key), fields, key)
        return {"messages": with_system(fields.take(*SYSTEMS), messages)} | _with_tools(fields)

    return convert


def _with_tools(fields: Fields) -> Data:
    made: Data = {}
    if (tools := fields.take("tools")) is not None:
        made["tools"] = tools_of(tools)
    parallel = fields.take("parallel_tool_calls")
    if str(parallel).lower() in ("true", "false"):
        made["parallel_tool_calls"] = str(parallel).lower() == "true"
    return made


def _answers_about(fields: Fields) -> Data:
    """A question about a passage with a list of answers (SQuAD): the first of them."""
    held = nested(fields.must("answers"), "answers")
    texts = held.get("text") if isinstance(held, dict) else held
    texts = texts if isinstance(texts, list) else [texts]
    if not texts or is_empty(texts[0]):
        raise Unfit("has no answer")
    first = texts[0].get("text", "") if isinstance(texts[0], dict) else texts[0]
    if len(set(map(text_of, texts))) > 1:
        fields.leave_out(["answers but the first"], "of answers")
    asked, context = text_of(fields.must("question")), fields.take("context")
    return {"messages": _chat(f"{text_of(context)}\n\n{asked}" if context else asked, first, fields.take(*SYSTEMS))}


def _marked(fields: Fields) -> Data:
    return {"messages": with_system(fields.take(*SYSTEMS), conversation(fields.must("text")))}


def _are_foreign(held: Any) -> bool:
    """Whether these are turns that another tool's names tell who speaks in."""
    first = held[0] if isinstance(held, list) and held else None
    return isinstance(first, dict) and "role" not in first and any(isinstance(first.get(key), str) for key in SPEAKERS)


def _known(
    name: str,
    keys: str,
    becomes: str,
    convert: Callable[[Fields], Data],
    fits: Callable[[Fields], bool] = lambda fields: True,
    *,
    flat: bool = False,
) -> Dialect:
    return Dialect(name, frozenset(keys.split()), becomes, convert, fits, flat)


# The more particular stand first: an example is in the first dialect whose keys it has.
DIALECTS: tuple[Dialect, ...] = (
    _known(EXPORTED, ALWAYS, "Each row becomes the example that it was.", exported),
    *(
        _known(
            "chosen and rejected",
            f"{better} {worse}",
            f"{better} becomes the preferred answer, {worse} the other; what comes before them is the input.",
            pair(better, worse),
        )
        for better, worse in SIDES
    ),
    _known(
        "answers with scores",
        "completions",
        "The best answer becomes the preferred one, the worst the other.",
        scored,
        lambda fields: isinstance(fields.look("completions"), list),
    ),
    _known(
        "messages in other words",
        "messages",
        "Each turn becomes a message.",
        _sharegpt("messages"),
        lambda fields: looks_nested(fields.look("messages")) or _are_foreign(fields.look("messages")),
    ),
    *(
        _known(
            "ShareGPT",
            key,
            "Each turn becomes a message: human is the user, gpt the assistant, function_call a call of a tool.",
            _sharegpt(key),
        )
        for key in CONVERSATIONS
    ),
    _known(
        "prompt, completion and a judgement",
        "prompt completion label",
        "prompt becomes the question, completion the answer, where label is true; the others stay out.",
        _rated,
        lambda fields: str(fields.look("label")).lower() in ("true", "false"),
    ),
    _known(
        "Alpaca",
        "instruction output",
        "instruction and input become the question, output the answer.",
        _alpaca,
    ),
    _known(
        "prompt and completion",
        "prompt completion",
        "prompt becomes the question, completion the answer.",
        _prompt_completion,
        flat=True,
    ),
    _known(
        "question with several answers",
        "question answers",
        "context and question become the question, the first of the answers the answer.",
        _answers_about,
    ),
    *(
        _known(
            name,
            f"{question} {answer}",
            f"{question} becomes the question, {answer} the answer.",
            _two(question, answer),
            flat=True,
        )
        for name, question, answer in (
            ("prompt and response", "prompt", "response"),
            ("instruction and response", "instruction", "response"),
            ("question and answer", "question", "answer"),
            ("query and response", "query", "response"),
            ("text and label", "text", "label"),
            ("input and output", "input", "output"),
        )
    ),
    _known(
        "one text with marks",
        "text",
        "What stands behind ### Instruction becomes the question, what stands behind ### Response the answer.",
        _marked,
        lambda fields: isinstance(fields.look("text"), str) and is_marked(fields.look("text")),
    ),
)
