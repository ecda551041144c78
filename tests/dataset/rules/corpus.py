"""Examples with something wrong, one for every way a rule knows: what is wrong, how grave, in which message."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from lib.dataset.examine import examine
from lib.dataset.example import Method
from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case
from lib.dataset.rules.quality import ANSWER_RULES
from tests.dataset.conversations import call, chat, pair, tool

Data = dict[str, Any]

USER = {"role": "user", "content": "What is it?"}
ANSWER = {"role": "assistant", "content": "It is a bird."}
CALLING = {"role": "assistant", "tool_calls": [call()]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
FUNCTION = {"name": "look_up", "parameters": {"type": "object", "properties": {"what": {"type": "string"}}}}
FUNCTION_CALL = {"role": "assistant", "content": None, "function_call": {"name": "look_up", "arguments": "{}"}}
FUNCTION_RESULT = {"role": "function", "name": "look_up", "content": "sunny"}


@dataclass(frozen=True, slots=True)
class Bad:
    """An example and the finding it must have. `method` is that of the file it is in."""

    data: Data
    severity: str
    code: str
    message: int | None = None
    method: Method = "supervised"

    def __str__(self) -> str:
        return self.code


def findings(data: Data, method: Method = "supervised") -> list[Finding]:
    """All findings about one example by itself."""
    case = Case.of(data, method, 0, 1)
    found = [*examine(case), *(finding for rule in ANSWER_RULES for finding in rule(case))]
    return list(dict.fromkeys(found))


def codes(data: Data, method: Method = "supervised") -> set[str]:
    """The codes of these findings."""
    return {finding.code for finding in findings(data, method)}


def said(*messages: Any, **more: Any) -> Data:
    """An example of these messages."""
    return {"messages": list(messages), **more}


def answered(content: Any) -> Data:
    """A conversation with this answer."""
    return said(USER, {"role": "assistant", "content": content})


def asked(content: Any) -> Data:
    """A conversation with this question."""
    return said({"role": "user", "content": content}, ANSWER)


def called(*calls: Any, **more: Any) -> Data:
    """A conversation that ends with these calls of declared tools."""
    return said(USER, {"role": "assistant", "tool_calls": list(calls)}, **{"tools": [tool()], **more})


def picture(url: Any, **more: Any) -> Data:
    """A question with an image."""
    return asked([{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": url, **more}}])


def inline(first: bytes, kind: str = "png") -> str:
    """An image in the text that begins with these bytes."""
    return f"data:image/{kind};base64," + base64.b64encode(first.ljust(60, b"\0")).decode()


def png(colours: int) -> bytes:
    """The first bytes of a PNG whose colours are of this type."""
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\0\1\0\0\0\1\x08" + bytes([colours])


def declaring(**changed: Any) -> Data:
    """A plain conversation that declares one tool, changed like this."""
    return said(USER, ANSWER, tools=[{"type": "function", "function": {**FUNCTION, **changed}}])


def other_pair(**changed: Any) -> Data:
    """A preference pair, changed like this."""
    return {**pair(), **changed}


def without(data: Data, key: str) -> Data:
    """The example without a key."""
    return {name: value for name, value in data.items() if name != key}


STRUCTURE = [
    Bad({}, "error", "missing_messages"),
    Bad({"messages": "x"}, "error", "messages_not_a_list"),
    Bad({"messages": []}, "error", "no_messages"),
    Bad({"prompt": "a", "completion": "b"}, "error", "prompt_completion"),
    Bad({"conversations": []}, "error", "foreign_format"),
    Bad({"instruction": "a", "output": "b"}, "error", "foreign_format"),
    Bad(said(USER, ANSWER, weight=1), "error", "extra_key"),
    Bad(said(USER, ANSWER, response_format={}), "error", "extra_key"),
    Bad(said(USER, ANSWER, tool_choice="auto"), "error", "extra_key"),
    Bad(said(USER), "error", "no_assistant_message"),
    Bad(said(USER, ANSWER, USER), "warning", "last_not_assistant", 2),
    Bad(said(USER, {**ANSWER, "weight": 0}), "error", "nothing_to_train_on"),
    Bad(pair(), "error", "wrong_method"),
    Bad(said(USER, ANSWER, tools=None), "warning", "null_field"),
    Bad(said(USER, ANSWER, parallel_tool_calls=None), "warning", "null_field"),
]
MESSAGES = [
    Bad(said(USER, "hello", ANSWER), "error", "message_not_an_object", 1),
    Bad(said({"content": "x"}, ANSWER), "error", "missing_role", 0),
    Bad(said({"role": "human", "content": "x"}, ANSWER), "error", "unknown_role", 0),
    Bad(said({"role": ["user"], "content": "x"}, ANSWER), "error", "unknown_role", 0),
    Bad(said({"role": None, "content": "x"}, ANSWER), "error", "unknown_role", 0),
    Bad(said({"role": "developer", "content": "x"}, ANSWER), "warning", "developer_role", 0),
    Bad(said({**USER, "id": 3}, ANSWER), "error", "extra_message_key", 0),
    Bad(said({**USER, "tool_call_id": "x"}, ANSWER), "warning", "misplaced_key", 0),
    Bad(said({**USER, "weight": 1}, ANSWER), "warning", "misplaced_weight", 0),
    Bad(said({**USER, "name": None}, ANSWER), "warning", "null_field", 0),
    Bad(said(USER, {**ANSWER, "weight": None, "tool_calls": None}), "warning", "null_field", 1),
    Bad(said({"role": "user"}, ANSWER), "error", "missing_content", 0),
    Bad(said(USER, {"role": "assistant", "content": None}), "error", "missing_content", 1),
    Bad(answered(" \n"), "warning", "empty_content", 1),
    Bad(said({"role": "system", "content": ""}, USER, ANSWER), "warning", "empty_content", 0),
    Bad(asked([{"type": "text", "text": " "}]), "warning", "empty_content", 0),
    Bad(asked(7), "error", "content_type", 0),
    Bad(asked([]), "error", "no_parts", 0),
    Bad(asked(["x"]), "error", "unknown_part", 0),
    Bad(asked([{"type": "video", "video": "x"}]), "error", "unknown_part", 0),
    Bad(asked([{"type": "text"}]), "error", "broken_part", 0),
    Bad(asked([{"type": "image_url", "image_url": "https://a.test/b.png"}]), "error", "broken_part", 0),
    Bad(asked([{"type": "refusal", "refusal": "x"}]), "error", "misplaced_part", 0),
    Bad(asked([{"type": "text", "text": "a", "id": 1}]), "warning", "extra_part_key", 0),
    Bad(said(USER, {**ANSWER, "weight": 0.5}), "error", "bad_weight", 1),
    Bad(said(USER, {**ANSWER, "weight": True}), "error", "bad_weight", 1),
    Bad(said(USER, {**ANSWER, "weight": "0"}, ANSWER), "error", "bad_weight", 1),
    Bad(said({**USER, "name": "a b"}, ANSWER), "warning", "bad_name", 0),
]
IMAGES = [
    Bad(
        said({"role": "user", "content": 11 * picture("https://a.test/b.png")["messages"][0]["content"][1:]}, ANSWER),
        "warning",
        "many_images",
    ),
    Bad(picture("photo.png"), "warning", "image_address", 0),
    Bad(picture("file:///photo.png"), "warning", "image_address", 0),
    Bad(picture("https://a.test/b.png", detail="fine"), "error", "image_detail", 0),
    Bad(picture("data:image/png;base64," + "iVBORw0KGgoA" * 1_200_000), "warning", "image_too_large", 0),
    Bad(picture(inline(b"GIF89a")), "warning", "image_format", 0),
    Bad(picture("data:image/png;base64,***"), "warning", "image_format", 0),
    Bad(picture("data:image/png,abc"), "warning", "image_format", 0),
    Bad(picture(inline(png(0))), "warning", "image_colours", 0),
    Bad(answered([{"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}]), "error", "misplaced_part", 1),
]
TOOLS = [
    Bad(said(USER, CALLING, tools="x"), "error", "tools_not_a_list"),
    Bad(said(USER, CALLING, tools=[tool(), 3]), "error", "bad_tool"),
    Bad(said(USER, ANSWER, tools=[FUNCTION]), "error", "bad_tool"),
    Bad(said(USER, ANSWER, tools=[{"function": FUNCTION}]), "error", "tool_without_type"),
    Bad(said(USER, CALLING, tools=[tool(), tool("a b")]), "error", "bad_tool_name"),
    Bad(said(USER, CALLING, tools=[tool(), tool()]), "warning", "repeated_tool"),
    Bad(said(USER, CALLING, tools=[tool(f"t{n}") for n in range(129)] + [tool()]), "error", "many_tools"),
    Bad(declaring(parameters="x"), "error", "bad_tool_parameters"),
    Bad(declaring(parameters={"properties": {}}), "warning", "tool_schema"),
    Bad(declaring(parameters={"type": "object", "properties": {"a": None}}), "warning", "tool_schema"),
    Bad(declaring(parameters={"type": "object", "required": ["a"]}), "warning", "tool_schema"),
    Bad(said(USER, ANSWER, functions={}), "error", "functions_not_a_list"),
    Bad(said(USER, ANSWER, functions=[]), "error", "functions_count"),
    Bad(said(USER, ANSWER, functions=[{"parameters": {}}]), "error", "bad_function"),
    Bad(said(USER, ANSWER, functions=[FUNCTION], tools=[tool()]), "warning", "tools_and_functions"),
    Bad(said(USER, ANSWER, functions=[FUNCTION]), "info", "legacy_functions"),
    Bad(said(USER, FUNCTION_CALL, FUNCTION_RESULT, ANSWER, functions=[FUNCTION]), "info", "legacy_functions"),
    Bad(said(USER, ANSWER, tools=[tool()], parallel_tool_calls="false"), "error", "parallel_not_boolean"),
    Bad(said(USER, ANSWER, parallel_tool_calls=True), "info", "parallel_without_tools"),
]
CALLS = [
    Bad(said(USER, {"role": "assistant", "tool_calls": {}}), "error", "bad_tool_calls", 1),
    Bad(said(USER, {**ANSWER, "tool_calls": []}), "error", "bad_tool_calls", 1),
    Bad(called(1), "error", "bad_tool_call", 1),
    Bad(said(USER, {"role": "assistant", "function_call": "look_up"}), "error", "bad_function_call", 1),
    Bad(called(call(call_id=None)), "error", "call_without_id", 1),
    Bad(called(without(call(), "type")), "error", "call_without_type", 1),
    Bad(called(call(), call()), "warning", "repeated_call_id", 1),
    Bad(called(call("a b")), "error", "bad_tool_name", 1),
    Bad(called(call("other")), "warning", "undeclared_tool", 1),
    Bad(said(USER, CALLING), "warning", "undeclared_tool", 1),
    Bad(said(USER, FUNCTION_CALL), "warning", "undeclared_tool", 1),
    Bad(called(call(arguments={"what": "ü"})), "error", "arguments_not_text", 1),
    Bad(called(call(arguments="{a}")), "error", "arguments_not_json", 1),
    Bad(called(call(arguments="{'what': True,}")), "error", "arguments_not_json", 1),
    Bad(called(call(arguments='{"what": ["a", ]')), "error", "arguments_not_json", 1),
    Bad(called(call(arguments="3")), "warning", "arguments_no_object", 1),
    Bad(called(call(arguments="{}")), "warning", "arguments_unlike_schema", 1),
    Bad(called(call(arguments='{"what": "a", "when": "b"}')), "warning", "arguments_unlike_schema", 1),
    Bad(said(USER, RESULT, ANSWER), "warning", "answer_without_call", 1),
    Bad(said(USER, FUNCTION_RESULT, ANSWER, functions=[FUNCTION]), "warning", "answer_without_call", 1),
    Bad(said(USER, {"role": "tool", "content": "x"}, ANSWER), "error", "answer_without_call_id", 1),
    Bad(said(USER, FUNCTION_CALL, {"role": "function", "content": "x"}, ANSWER), "error", "function_without_name", 2),
    Bad(said(USER, CALLING, USER, ANSWER, tools=[tool()]), "warning", "unanswered_call", 1),
    Bad(
        said(USER, {"role": "assistant", "tool_calls": [call(), call(call_id="b")]}, RESULT, ANSWER, tools=[tool()]),
        "warning",
        "unanswered_call",
        1,
    ),
]
PAIRS = [
    Bad(other_pair(input={}), "error", "bad_input", method="dpo"),
    Bad(without(pair(), "input"), "error", "missing_input", method="dpo"),
    Bad(without(pair(), "preferred_output"), "error", "missing_answer", method="dpo"),
    Bad(
        {**without(pair(), "preferred_output"), "preferred_completion": [ANSWER]}, "warning", "other_name", method="dpo"
    ),
    Bad(other_pair(score=1), "error", "extra_key", method="dpo"),
    Bad(other_pair(input={"messages": [USER], "weight": 1}), "error", "extra_key", method="dpo"),
    Bad(other_pair(preferred_output="This."), "error", "bad_answer", method="dpo"),
    Bad(other_pair(preferred_output=[ANSWER, ANSWER]), "error", "bad_answer", method="dpo"),
    Bad(other_pair(preferred_output=[USER]), "error", "bad_answer", method="dpo"),
    Bad(other_pair(preferred_output=[{"role": "assistant"}]), "error", "missing_content", method="dpo"),
    Bad(other_pair(preferred_output=[{**ANSWER, "content": 3}]), "error", "content_type", method="dpo"),
    Bad(other_pair(non_preferred_output=[{**ANSWER, "score": 3}]), "error", "extra_message_key", method="dpo"),
    Bad(other_pair(non_preferred_output=[{**ANSWER, "content": ""}]), "warning", "empty_content", method="dpo"),
    Bad(other_pair(preferred_output=[CALLING]), "warning", "undeclared_tool", method="dpo"),
    Bad(pair("Q", "same", "same"), "warning", "equal_answers", method="dpo"),
    Bad(other_pair(input={"messages": [USER, ANSWER]}), "warning", "input_ends_with_assistant", 1, "dpo"),
    Bad(
        other_pair(input={"messages": picture("https://a.test/b.png")["messages"][:1]}),
        "error",
        "image_in_preference",
        0,
        "dpo",
    ),
    Bad(chat(), "error", "wrong_method", method="dpo"),
    Bad(pair("Q", "I'm sorry, but I can't help with that.", "No."), "info", "refusal", method="dpo"),
    Bad(pair("Q", "Dear [Your Name],", "No."), "warning", "placeholder", method="dpo"),
    Bad(pair("Q", "...", "No."), "warning", "says_nothing", method="dpo"),
    Bad(pair("Q", "ann@acme.io", "No."), "warning", "email", method="dpo"),
]
GRADED = [
    Bad({"answer": 3}, "error", "missing_messages", method="reinforcement"),
    Bad(said(USER, ANSWER, answer=3), "warning", "ends_with_assistant", 1, "reinforcement"),
    Bad(said({"role": "system", "content": "x"}, USER, answer=3), "error", "system_role", 0, "reinforcement"),
    Bad(said(USER, answer=3, response_format={}), "warning", "response_format_in_line", method="reinforcement"),
    Bad(said(USER), "info", "no_grader_fields", method="reinforcement"),
    Bad(said({**USER, "id": 1}, answer=3), "error", "extra_message_key", 0, "reinforcement"),
]
LONG = "The parcel was handed over at the depot on Monday and is expected to arrive on Friday."
QUALITY = [
    Bad(answered("a <|fim_suffix|> b"), "error", "special_token", 1),
    Bad(answered("<|im_start|>"), "warning", "like_special_token", 1),
    Bad(answered("I'm sorry, but I can't help."), "info", "refusal", 1),
    Bad(answered("Unfortunately, I am unable to provide legal advice."), "info", "refusal", 1),
    Bad(answered("..."), "warning", "says_nothing", 1),
    Bad(answered("?!"), "warning", "says_nothing", 1),
    Bad(
        said({"role": "user", "content": f"Say it again: {LONG}"}, {**ANSWER, "content": LONG}),
        "info",
        "answer_in_prompt",
        1,
    ),
    Bad(answered("Dear [Your Name], thank you."), "warning", "placeholder", 1),
    Bad(answered("Lorem ipsum dolor sit amet"), "warning", "placeholder", 1),
    Bad(answered("Ring <INSERT NUMBER> at once"), "warning", "placeholder", 1),
    Bad(asked("Dear {{ first_name }}, what now?"), "warning", "placeholder", 0),
    Bad(answered("TO" + "DO: write this"), "warning", "placeholder", 1),
    Bad(answered("As an AI language model, I have no feelings."), "warning", "boilerplate", 1),
    Bad(answered("schÃ¶n"), "warning", "broken_encoding", 1),
    Bad(asked("It\x92s here"), "warning", "broken_encoding", 0),
    Bad(answered("sch\ufffdn"), "warning", "lost_characters", 1),
    Bad(asked("a\x00b\x1b[31mc"), "warning", "control_characters", 0),
    Bad(answered("\ufeffHello\u200b there"), "warning", "control_characters", 1),
]
SECRETS = [
    Bad(asked("Mail ann@acme.io or bob@acme.io"), "warning", "email", 0),
    Bad(answered("sk-" + "proj-" + "abcDEF0123456789abcDEF01"), "warning", "api_key", 1),
    Bad(
        asked("eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".abcDEF012345_-x"),
        "warning",
        "access_token",
        0,
    ),
    Bad(
        asked("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA " + "PRIVATE KEY-----"),
        "warning",
        "private_key",
        0,
    ),
    Bad(asked("client_secret" + "=a1B2c3D4e5F6g7H8i9J0k1"), "warning", "assigned_secret", 0),
    Bad(asked("postgres://ann:" + "s3cret@db.acme.io/x"), "warning", "password_in_address", 0),
    Bad(asked("Card 4111 1111 1111 1111"), "warning", "card_number", 0),
    Bad(asked("DE89 3704 0044 0532 0130 00 please"), "warning", "iban", 0),
    Bad(asked("Ring +49 30 1234567"), "warning", "phone", 0),
    Bad(asked("My SSN is 536-22-8726"), "warning", "social_security_number", 0),
    Bad(called(call(arguments='{"what": "ann@acme.io"}')), "warning", "email", 1),
]
BAD = STRUCTURE + MESSAGES + IMAGES + TOOLS + CALLS + PAIRS + GRADED + QUALITY + SECRETS

# What services accept, and what is good: no rule has anything to say.
GOOD: list[tuple[Data, Method]] = [
    *(
        (data, "supervised")
        for data in (
            said(USER, ANSWER),
            said({"role": "system", "content": "Be kind"}, ANSWER),
            said(USER, ANSWER, USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}),
            said(USER, CALLING, tools=[tool()], parallel_tool_calls=False),
            said(USER, CALLING, RESULT, ANSWER, tools=[tool()]),
            said(USER, {**CALLING, "content": None}, RESULT, ANSWER, tools=[tool()]),
            said(USER, {**CALLING, "content": ""}, tools=[tool()]),
            said(USER, CALLING, {**RESULT, "content": ""}, ANSWER, tools=[tool()]),
            asked([{"type": "text", "text": "See"}]),
            picture("https://a.test/b.png"),
            picture(inline(png(2)), detail="low"),
            picture(inline(b"\xff\xd8\xff\xe0", "jpeg")),
            picture(inline(b"RIFF\0\0\0\0WEBPVP8 ", "webp")),
            said(USER, {**ANSWER, "refusal": None, "function_call": None, "name": "helper"}),
            said(USER, {"role": "assistant", "content": None, "refusal": "No."}),
            said({**USER, "name": "ann_1"}, ANSWER),
            said(USER, ANSWER, tools=[], parallel_tool_calls=True),
            declaring(parameters={"type": "object", "properties": {}}),
            declaring(parameters={}),
            said(USER, ANSWER, tools=[{"type": "function", "function": {"name": "f", "description": "x"}}]),
            *(answered(text) for text in ("yes", "A", "+", "👍", "1", "是", "{}=", "I can't wait to see it!")),
            answered("My order number is 4111111111111112, placed on 2026-11-21 for $1,299.00."),
            answered("L'été à Zürich: „Ä“ and “É”, naïve, NÃO, 100 × 3, ŁÓDŹ; Привет, Рим и Сочи!"),
            answered("```python\n# TO" + "DO: later\nprint('{{name}}')\n```"),
            asked("Fill in [Your Name] and <your address> for me."),
        )
    ),
    (pair("Which bird?"), "dpo"),
    (other_pair(input={"messages": [USER], "tools": [], "parallel_tool_calls": True}), "dpo"),
    (said(USER, answer=3), "reinforcement"),
    (said({"role": "developer", "content": "Add."}, USER, answer=3), "reinforcement"),
]
