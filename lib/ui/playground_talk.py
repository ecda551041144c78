"""The conversation: one question to every chosen model, the answers arriving side by side.

The workspace keeps every question and answer. What a model or a data set says is shown as text and never read as
markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.errors import BadCredentials, EtudeError
from lib.playground import conversations
from lib.playground.conversations import Conversation, Turn
from lib.playground.held_out import compare
from lib.services.credentials import missing_key
from lib.services.service import Service
from lib.ui import frame, playground_settings, session, trouble
from lib.ui.conversation import text as untrusted
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened
from lib.ui.playground_models import Offered
from lib.ui.playground_stream import Answers, Side

WAITING = ":shimmer[Waiting for the first word]"
MODEL_LENGTH = 70


def show(chosen: Sequence[Offered], expected: Mapping[str, str]) -> None:
    """What was said so far, and the place to say more. `expected` holds the data's own answers, by question."""
    said = playground_settings.opened()
    turns = conversations.turns(session.workspace(), said.id) if said is not None else ()
    if not turns:
        _nothing_said(chosen)
    for turn in turns:
        if turn.column is None:
            _question(turn.content, expected.get(turn.content))
            answers = [one for one in turns if one.column is not None and one.position == turn.position + 1]
            _answers(answers, expected.get(turn.content))
    missing = None if chosen else "Choose a model above first"
    asked = st.chat_input(
        missing or ("Ask both models" if len(chosen) > 1 else "Ask the model"),
        key="question",
        disabled=missing is not None,
        submit_mode="stop",
    )
    if asked:
        _ask(chosen, said, asked, expected.get(asked))


def _nothing_said(chosen: Sequence[Offered]) -> None:
    st.caption("Ask something, or take a held-out example: a question that the model never saw in training.")
    if all(one.version_id is None for one in chosen):
        frame.link("train", "Train a model to compare with the base", icon=":material/model_training:")


def _question(text: str, expected: str | None) -> None:
    said = {"Asked": text} if expected is None else {"Asked": text, "Expected": expected}
    with st.container(border=True):
        for place, (label, words) in zip(st.columns(len(said)), said.items(), strict=True):
            with place.container(gap=None):
                st.caption(label)
                untrusted(words)


def _answers(answers: Sequence[Turn], expected: str | None) -> None:
    if not answers:
        return
    places = st.columns(max(2, *(1 + (answer.column or 0) for answer in answers)))
    for answer in answers:
        with places[answer.column or 0].container(gap="xsmall"):
            _answer(answer, expected)


def _answer(answer: Turn, expected: str | None) -> None:
    st.caption(plain(shortened(answer.model or "", MODEL_LENGTH)))
    if answer.content:
        untrusted(answer.content)
    problem = answer.facts.get("problem")
    if problem:
        trouble.show(EtudeError(problem["what"], problem["todo"], raw=problem["raw"]))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _mark(answer, expected)
        st.caption(_facts(answer.facts), width="content")


def _mark(answer: Turn, expected: str | None) -> None:
    """Whether an answer is whole, and whether it is the expected one."""
    if answer.state == "failed":
        st.badge("No answer", icon=":material/error:", color="red")
    elif answer.state != "complete":
        why = "stopped" if answer.facts.get("stopped") else "it did not arrive whole"
        st.badge(f"Incomplete: {why}", icon=":material/warning:", color="orange")
    elif expected is not None and compare(expected, answer.content)[0]:
        st.badge("As expected", icon=":material/check:", color="green")
    elif expected is not None:
        st.badge("Not as expected", icon=":material/close:", color="gray")


def _facts(facts: Mapping[str, Any]) -> str:
    """One line under an answer: its tokens and its times."""
    said = []
    if facts.get("tokens_out") is not None:
        said.append(number_of(facts["tokens_out"], "token"))
    if facts.get("first_token_seconds") is not None:
        said.append(f"first after {facts['first_token_seconds']:.1f} s")
    if facts.get("seconds") is not None:
        said.append(f"{facts['seconds']:.1f} s in all")
    return " · ".join(said)


def _ask(chosen: Sequence[Offered], said: Conversation | None, text: str, expected: str | None) -> None:
    ws = session.workspace()
    said = playground_settings.keep(said, [one.column for one in chosen])
    conversations.question(ws, said.id, text)
    _question(text, expected)
    drawn: list[tuple[Side, Any]] = []
    for column, place in enumerate(st.columns(max(2, len(chosen)))[: len(chosen)]):
        with place.container(gap="xsmall"):
            st.caption(plain(shortened(said.columns[column].model, MODEL_LENGTH)))
            slot = st.empty()
            # Stays when the person stops the answers, because a stopped script draws nothing more.
            st.caption("Not finished")
        slot.markdown(WAITING)
        side = _side(said, column)
        if side is not None:
            drawn.append((side, slot))
    answers = Answers(ws, said, [side for side, _ in drawn])
    try:
        for number, so_far in answers:
            slot = drawn[number][1]
            slot.text(so_far) if so_far else slot.markdown(WAITING)
    finally:
        answers.stop()
    st.rerun()


def _side(said: Conversation, column: int) -> Side | None:
    """Who answers in a column; None, and the reason kept as the answer, when that model cannot be reached."""
    ws = session.workspace()
    wanted = said.columns[column]
    messages = conversations.messages_for(ws, said.id, column)
    turn = conversations.begin_answer(ws, said.id, column)
    try:
        service = _service(wanted.service_id)
        connection = session.connection(service)
        if connection is None:
            raise BadCredentials(f"{service.name} needs a key.", missing_key(service))
        return Side(connection, wanted.model, messages, turn.id)
    except EtudeError as error:
        conversations.failed(ws, turn.id, error)
        return None


def _service(service_id: str) -> Service:
    found = next((one for one in session.services() if one.id == service_id), None)
    if found is None:
        raise EtudeError("This model's service is no longer in the list.", "Choose another model.")
    return found
