"""Tasks in which the assistant asks for a function to be called, and answers from what it gave."""

from __future__ import annotations

from dataclasses import dataclass

from lib.engine.base.corpus.phrases import Chance
from lib.engine.base.corpus.talk import Conversation, as_json


@dataclass(frozen=True, slots=True)
class Function:
    """A made-up function: its name, what it does, its arguments (name, template), requests, and its result."""

    name: str
    description: str
    arguments: tuple[tuple[str, str], ...]
    requests: tuple[str, ...]
    result: tuple[str, str]
    answer: str


FUNCTIONS = (
    Function(
        "get_weather",
        "The weather in a city.",
        (("city", "{city}"),),
        ("What is the weather like in {city}?", "Do I need an umbrella in {city}?", "weather in {city}"),
        ("weather", "{adjective}"),
        "In {city} it is {r}.",
    ),
    Function(
        "find_train",
        "The next train between two cities.",
        (("start", "{city}"), ("goal", "{other}")),
        (
            "When is the next train from {city} to {other}?",
            "I have to go from {city} to {other}.",
            "train {city} {other}",
        ),
        ("leaves", "{time}"),
        "The next train from {city} to {other} leaves at {r}.",
    ),
    Function(
        "look_up_order",
        "The state of an order.",
        (("order", "{code}"),),
        ("Where is my order {code}?", "What about {code}?", "Please look up {code}."),
        ("state", "[sent|packed|waiting|lost|delivered]"),
        "Order {code} is {r}.",
    ),
    Function(
        "send_message",
        "Send a short message to a person.",
        (("to", "{first}"), ("text", "see you at {time}")),
        ("Tell {first}: see you at {time}", "Write to {first}: see you at {time}"),
        ("sent", "[yes|no]"),
        "Sent to {first}: {r}.",
    ),
    Function(
        "turn_on",
        "Turn on a device in a room.",
        (("device", "{thing}"),),
        ("Turn on the {thing}.", "Please start the {thing}.", "{thing} on"),
        ("done", "[yes|no]"),
        "The {thing}: {r}.",
    ),
    Function(
        "find_price",
        "The price of a thing.",
        (("thing", "{thing}"),),
        ("What does the {thing} cost?", "How much is a {thing}?", "price of the {thing}?"),
        ("price", "{amount}"),
        "The {thing} costs {r}.",
    ),
    Function(
        "book_table",
        "Book a table.",
        (("day", "{weekday}"), ("time", "{time}"), ("guests", "{n}")),
        ("A table for {n} on {weekday} at {time}, please.", "Book {n} seats, {weekday}, {time}."),
        ("booked", "[yes|no]"),
        "Booked on {weekday}: {r}.",
    ),
    Function(
        "translate",
        "Translate a word.",
        (("word", "{noun}"), ("language", "{language}")),
        ("What is {noun} in {language}?", "Say {noun} in {language}."),
        ("word", "{code}"),
        "In {language} it is {r}.",
    ),
)
SLOTS = ("city", "code", "first", "time", "thing", "weekday", "n", "noun", "language", "amount", "adjective")


def called(chance: Chance) -> Conversation:
    """A request, the call it needs among the functions there are, and often the result with an answer."""
    offered = chance.some(FUNCTIONS, chance.number(1, 3))
    function = chance.pick(offered)
    values = {slot: chance.word(slot) for slot in SLOTS} | {"other": chance.word("city")}
    arguments = {name: chance.fill(template, **values) for name, template in function.arguments}
    call = {"id": "call_1", "type": "function", "function": {"name": function.name, "arguments": as_json(arguments)}}
    messages: list[dict[str, object]] = [
        {"role": "user", "content": chance.fill(chance.pick(function.requests), **values)},
        {"role": "assistant", "tool_calls": [call]},
    ]
    if chance.often(0.6):
        key, template = function.result
        result = chance.fill(template, **values)
        messages.append({"role": "tool", "tool_call_id": "call_1", "content": as_json({key: result})})
        messages.append({"role": "assistant", "content": chance.fill(function.answer, r=result, **values)})
    return {"messages": messages, "tools": [_described(one) for one in offered]}


def _described(function: Function) -> dict[str, object]:
    properties = {name: {"type": "string"} for name, _ in function.arguments}
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": function.name, "description": function.description, "parameters": parameters},
    }
