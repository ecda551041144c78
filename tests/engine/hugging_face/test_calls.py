"""Tool calls that models write as text: what is a call, what stays text, and how one is spelled."""

from __future__ import annotations

import pytest

from lib.engine.hugging_face.calls import Calls
from lib.engine.template import CallForm, ToolCall

MARKED, BARE, NONE = Calls("marked"), Calls("bare"), Calls("none")
ARGUMENTS = '{"note": "first; then {\\"x\\"}"}'


def spelled(form: CallForm | None, *names: str) -> str:
    """Calls of functions as the form says they are spelled."""
    assert form is not None
    texts = [(*form.before, name, *form.between, ARGUMENTS, *form.after) for name in names]
    return str(form.separator[0]).join("".join(map(str, pieces)) for pieces in texts)


@pytest.mark.parametrize("calls", [MARKED, BARE])
def test_what_is_spelled_in_the_models_form_is_read_as_calls(calls: Calls) -> None:
    for names in (["look"], ["look", "find", "look"]):
        reply = calls.reply(spelled(calls.form, *names))
        assert reply.text == ""
        assert reply.tool_calls == tuple(ToolCall(name, ARGUMENTS) for name in names)


def test_words_before_a_marked_call_are_words() -> None:
    reply = MARKED.reply("I look.\n" + spelled(MARKED.form, "look"))
    assert (reply.text, [call.name for call in reply.tool_calls]) == ("I look.", ["look"])


@pytest.mark.parametrize("calls", [MARKED, BARE, NONE])
@pytest.mark.parametrize("text", ["", "Words; more words.", '{"a": 1}', "<tool_call>nothing", "{", '{"name": 3}; {}'])
def test_what_cannot_be_read_as_a_call_stays_text(calls: Calls, text: str) -> None:
    assert calls.reply(text) == type(calls.reply(""))(text, ())


def test_a_template_that_knows_no_calls_has_no_form() -> None:
    assert NONE.form is None
    assert not NONE.begun(spelled(MARKED.form, "look"))
