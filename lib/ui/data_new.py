"""A new example, written by hand: turn by turn, or a question with two answers.

What is typed waits in the session until it is saved or cancelled. `written` says what it makes; it knows no screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import streamlit as st

from lib.dataset import drafts
from lib.dataset.editing import typed
from lib.dataset.editing.typed import Mistake
from lib.dataset.example import Method
from lib.ui import as_typed, data_message, data_work, session, trouble
from lib.ui.data_measure import tokens
from lib.ui.data_work import Work
from lib.ui.figures import number_of

MOST_TURNS = 20
HEIGHT = 80
Typed = dict[str, Any]


def show(work: Work) -> None:
    """The form, and the button that adds the example. What was typed in it before is still there."""
    if "writing" not in st.session_state:
        st.session_state["writing"] = {"turns": 1, "typed": {}}
    method, turns = work.version.method, cast(int, st.session_state["writing"]["turns"])
    held = _typed()
    with st.container(border=True, gap="small"):
        st.markdown("**A new example**")
        used = work.desk.assessed.used_systems()
        if used and "system" not in held:
            held["system"] = used[0][0]
        _text("system", "System prompt (may stay empty)")
        if method == "dpo":
            _text("user_0", "Question")
            _pair()
        else:
            for turn in range(turns):
                _text(f"user_{turn}", "User" if turns == 1 else f"User, turn {turn + 1}")
                if method == "supervised" or turn < turns - 1:
                    _text(f"assistant_{turn}", "Assistant" if turns == 1 else f"Assistant, turn {turn + 1}")
            if turns < MOST_TURNS:
                st.button("Add a turn", icon=":material/add:", type="tertiary", on_click=_add_turn)
        if method == "reinforcement":
            _text("fields", "Fields for the grader, as a JSON object")
        _finish(work, method, turns)
    as_typed.read()


def written(method: Method, held: Mapping[str, Any], turns: int) -> dict[str, Any]:
    """The example that these texts make. Fields for a grader that are no JSON object are left out."""
    messages = [{"role": "system", "content": held["system"]}] if held.get("system", "").strip() else []
    if method == "dpo":
        messages.append({"role": "user", "content": held.get("user_0", "")})
        return {
            "input": {"messages": messages, "tools": [], "parallel_tool_calls": True},
            "preferred_output": [{"role": "assistant", "content": held.get("preferred", "")}],
            "non_preferred_output": [{"role": "assistant", "content": held.get("other", "")}],
        }
    if messages and method == "reinforcement":
        messages[0]["role"] = "developer"
    for turn in range(turns):
        messages.append({"role": "user", "content": held.get(f"user_{turn}", "")})
        if method == "supervised" or turn < turns - 1:
            messages.append({"role": "assistant", "content": held.get(f"assistant_{turn}", "")})
    graded = typed.read_object(held.get("fields", "") or "{}") if method == "reinforcement" else {}
    return {"messages": messages, **({} if isinstance(graded, Mistake) else graded)}


def missing(method: Method, held: Mapping[str, Any], turns: int) -> str | None:
    """What must still be written, as a sentence; None when the example is whole."""
    names = {"user_0": "the question", "preferred": "the preferred answer", "other": "the other answer"}
    if method != "dpo":
        names = {}
        for turn in range(turns):
            names[f"user_{turn}"] = f"what the user says in turn {turn + 1}" if turns > 1 else "what the user says"
            if method == "supervised" or turn < turns - 1:
                said = f"what the assistant answers in turn {turn + 1}"
                names[f"assistant_{turn}"] = said if turns > 1 else "what the assistant answers"
    for name, what in names.items():
        if not held.get(name, "").strip():
            return f"Write {what} first."
    if method == "reinforcement" and isinstance(typed.read_object(held.get("fields", "") or "{}"), Mistake):
        return "Correct the fields first."
    return None


def _pair() -> None:
    for column, (name, label) in zip(
        st.columns(2), (("preferred", "Preferred answer"), ("other", "Other answer")), strict=True
    ):
        with column:
            _text(name, label)


def _text(name: str, label: str) -> None:
    key = f"{as_typed.PREFIX}new_{name}"
    st.text_area(label, _typed().get(name, ""), key=key, height=HEIGHT, on_change=_keep, args=(name, key))
    if name == "fields" and (text := _typed().get(name)) and isinstance(mistake := typed.read_object(text), Mistake):
        data_message.wrong(mistake)


def _finish(work: Work, method: Method, turns: int) -> None:
    lacks = missing(method, _typed(), turns)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Add the example", type="primary", disabled=bool(lacks), help=lacks, on_click=_save, args=(work, turns)
        )
        st.button("Cancel", on_click=_leave)
        number = None if lacks else tokens(work, written(method, _typed(), turns))
        if number is not None:
            st.caption(f"Not saved yet · {number_of(number, 'token')}")


def _typed() -> Typed:
    return cast(Typed, st.session_state["writing"]["typed"])


def _keep(name: str, key: str) -> None:
    _typed()[name] = st.session_state[key]


def _add_turn() -> None:
    st.session_state["writing"]["turns"] += 1


def _leave() -> None:
    st.session_state.pop("writing", None)
    st.session_state.pop("whole", None)


@trouble.told()
def _save(work: Work, turns: int) -> None:
    data = written(work.version.method, _typed(), turns)
    place = drafts.add(session.workspace(), work.version.id, data, label="Wrote a new example")
    _leave()
    data_work.open_example(place)
