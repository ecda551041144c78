"""Who is talked to: the models of every service that this workspace knows of, and the two that stand side by side.

Reads the catalog and the runs of the workspace; asks no service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import streamlit as st

from lib.catalog import models
from lib.playground.conversations import Column
from lib.runs import book
from lib.runs.book import Run
from lib.services import bases as added
from lib.services.service import EMBEDDED
from lib.ui import session
from lib.ui.plain import shortened

KEYS = ("left_model", "right_model")
LABELS = ("Left", "Right")


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that can be chosen, with what it is to the person and the data that it was trained on."""

    column: Column
    title: str
    version_id: str | None = None


def offered() -> dict[str, Offered]:
    """Every model that can be chosen, by the key of its choice: those of runs from the newest on, then base models."""
    ws = session.workspace()
    known = {service.id for service in session.services()}
    runs = [run for run in book.runs(ws) if run.service_id in known]
    today = date.fromtimestamp(ws.clock())
    bases = [
        Column(service.id, model.id)
        for service in session.services()
        for model in models.models(service.kind)
        if model.base_shutdown is None or today < model.base_shutdown
    ]
    bases += [Column(EMBEDDED.id, base.name) for base in added.known(ws) if base.status == "ready"]
    bases += [_base(run) for run in runs]
    every = [*(one for run in runs for one in _of_run(run)), *(Offered(one, _base_title(one)) for one in bases)]
    return {key_of(one.column): one for one in every}


def choose() -> tuple[Offered, ...]:
    """Two lists to choose from. A model that is in neither list can be typed."""
    every = offered()
    _begin_with(every)
    chosen = []
    for place, key, label in zip(st.columns(2), KEYS, LABELS, strict=True):
        with place:
            picked = st.selectbox(
                label,
                list(every),
                index=None,
                format_func=lambda choice: _title(every, choice),
                placeholder="Choose a model, or type its id",
                accept_new_options=True,
                label_visibility="collapsed",
                key=key,
                persist_state="session",
            )
        if picked:
            chosen.append(every.get(picked) or _typed(picked))
    return tuple(chosen)


def set_columns(columns: tuple[Column, ...]) -> None:
    """Put these models side by side; for callbacks."""
    for place, key in enumerate(KEYS):
        st.session_state[key] = key_of(columns[place]) if place < len(columns) else None


def key_of(column: Column) -> str:
    """A model of a service as one text, the same as long as both exist."""
    return f"{column.service_id} {column.model}"


def _begin_with(every: dict[str, Offered]) -> None:
    """The base and the fine-tuned model of the run chosen last, or of the newest that has one; else a base alone."""
    if KEYS[0] in st.session_state or not every:
        return
    runs = [run for run in book.runs(session.workspace()) if any(_of_run(run))]
    chosen = next((run for run in runs if run.id == session.run_id()), runs[0] if runs else None)
    if chosen is None:
        st.session_state[KEYS[0]] = next(iter(every))
        return
    tuned = next(_of_run(chosen))
    st.session_state[KEYS[0]] = key_of(_base(chosen))
    st.session_state[KEYS[1]] = key_of(tuned.column)


def _of_run(run: Run) -> Iterator[Offered]:
    name = _short(models.base_of(run.model), run.service_id)
    if run.fine_tuned_model:
        mark = _mark(run, run.fine_tuned_model)
        yield Offered(Column(run.service_id, run.fine_tuned_model), f"{name} · {mark} · fine-tuned", run.version_id)
    for checkpoint in reversed(book.checkpoints(session.workspace(), run.id)):
        # A service may call the last checkpoint by the name of the model itself.
        if checkpoint.model and checkpoint.model != run.fine_tuned_model:
            title = f"{name} · {_mark(run, checkpoint.model)} · step {checkpoint.step:,}"
            yield Offered(Column(run.service_id, checkpoint.model), title, run.version_id)


def _base(run: Run) -> Column:
    return Column(run.service_id, models.base_of(run.model))


def _base_title(column: Column) -> str:
    return f"{_short(column.model, column.service_id)} · base"


def _mark(run: Run, model: str) -> str:
    """What tells this run's models from those of other runs: the suffix, else the id that the service drew."""
    suffix = run.job.get("suffix") or run.job.get("user_provided_suffix")
    return str(suffix) if suffix else models.CHECKPOINT.sub("", model).rpartition(":")[2]


def _short(model: str, service_id: str) -> str:
    """The name without a date, where the catalog has one."""
    kind = next(service.kind for service in session.services() if service.id == service_id)
    found = next((one for one in models.models(kind) if one.id == model and one.aliases), None)
    return found.aliases[0] if found is not None else model


def _title(every: dict[str, Offered], choice: str) -> str:
    if choice not in every:
        return shortened(choice, 60)
    one = every[choice]
    service = next(service.name for service in session.services() if service.id == one.column.service_id)
    return f"{shortened(one.title, 60)} · {service}"


def _typed(model: str) -> Offered:
    """An id that nobody offered belongs to the chosen service."""
    service_id, _, rest = model.partition(" ")
    if rest and any(service.id == service_id for service in session.services()):
        return Offered(Column(service_id, rest), rest)
    return Offered(Column(session.service().id, model), model)
