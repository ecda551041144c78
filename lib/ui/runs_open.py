"""One run on the screen: how it is going, its curves, what they mean, and what can be done with it.

Only reads the workspace, every two seconds while the run is live; the watcher is what hears from the service.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from lib.errors import WorkspaceError
from lib.runs import book
from lib.runs.book import Run
from lib.runs.metrics import Curves
from lib.runs.series import default_smoothing
from lib.ui import (
    charts,
    frame,
    palette,
    runs_details,
    runs_list,
    runs_orders,
    runs_reading,
    runs_words,
    session,
    trouble,
)
from lib.ui.plain import plain, shortened
from lib.ui.runs_reading import Reading

MEASURES: dict[str, charts.Measure] = {"Loss": "loss", "Token accuracy": "accuracy"}
# What only preference training reports.
MORE_MEASURES: dict[str, charts.Measure] = {"Pairs won": "preference", "Margin": "margin"}
MEANINGS = {
    "Pairs won": "The share of pairs in which the model has moved towards the preferred answer.",
    "Margin": "How much further it has moved towards the preferred answer than towards the other, times beta.",
}
CHART_HEIGHT = 340
SMOOTHING_STEP = 0.05
VERDICT_ICONS = {
    "running": ":material/hourglass_top:",
    "too_few": ":material/hourglass_top:",
    "learning": ":material/trending_down:",
    "converged": ":material/check_circle:",
    "overfitting": ":material/trending_up:",
    "nothing_learned": ":material/trending_flat:",
    "diverged": ":material/error:",
}


def show(run_id: str) -> None:
    """The run with this id; when the workspace has none, a sentence and the list of those that it has."""
    try:
        live = not book.run(session.workspace(), run_id).finished
    except WorkspaceError as error:
        st.title("Runs", anchor=False)
        trouble.show(error)
        runs_list.show()
        return
    st.fragment(_run, run_every=runs_list.LIVE_SECONDS if live else None)(run_id, live)


@trouble.told()
def _run(run_id: str, was_live: bool) -> None:
    reading = runs_reading.read(book.run(session.workspace(), run_id))
    if was_live and reading.run.finished:
        st.rerun()
    _head(reading)
    _state(reading)
    _chart(reading)
    runs_details.show(reading)


def _head(reading: Reading) -> None:
    run, status = reading.run, runs_words.status(reading.run.status)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(shortened(runs_words.name(run), 60)), anchor=False, width="content")
        st.badge(plain(status.word), icon=status.icon, color=status.colour, help=status.meaning)
        st.space("stretch")
        if st.button("All runs", type="tertiary", icon=":material/arrow_back:"):
            runs_list.leave()
        if reading.models:
            _talk(reading)


def _talk(reading: Reading) -> None:
    importance: Literal["primary", "secondary"] = "primary" if reading.run.finished else "secondary"
    if st.button("Talk to it", type=importance, icon=":material/forum:"):
        session.choose_run(reading.run.id)
        frame.go("playground")


def _state(reading: Reading) -> None:
    run, now = reading.run, session.workspace().clock()
    origin = runs_reading.origin(run)
    line = runs_words.how_far(reading.progress, run, now)
    if run.finished:
        st.caption(plain(f"{origin} · {line}"))
    else:
        with frame.row():
            st.caption(plain(f"{origin} · started {runs_words.clock(run.created_at, now)}"), width="content")
            runs_orders.show(run)
        st.progress(reading.progress.share or 0.0, text=line)
    if run.status == "failed":
        _failure(run)
    if run.problem is not None:
        last = runs_words.clock(run.heard_at, now)
        said = f"Last heard at {last}. {run.problem.what} {run.problem.todo}"
        st.markdown(f":orange[:material/cloud_off: {plain(said)}]")
        if run.problem.raw:
            trouble.raw(run.problem.raw)


def _failure(run: Run) -> None:
    """Why the job failed: our reading of it with what to do, and the service's own words below."""
    from lib.services.diagnosis import explain_job

    service = runs_reading.service_of(run)
    explained = explain_job(run.job["error"], service) if run.error and service is not None else None
    if explained is not None:
        trouble.show(explained)
    else:
        st.error(plain(run.error or "The service does not say why."), icon=":material/error:")


def _chart(reading: Reading) -> None:
    curves = reading.curves
    if not curves.last_step:
        _no_curve(reading)
        return
    view = _view(reading)
    best = reading.verdict.best_step
    kept = any(checkpoint.step == best for checkpoint in reading.checkpoints)
    figure = charts.run_figure(
        curves,
        view,
        palette.current(),
        name=reading.run.id,
        best_step=best,
        best_name="Best checkpoint" if kept else "Best validation",
        height=CHART_HEIGHT,
    )
    st.plotly_chart(
        figure,
        key=f"chart-{reading.run.id}",
        theme=None,
        config={"displayModeBar": False, "scrollZoom": False},
        alt=reading.verdict.sentence,
    )
    st.markdown(f"{VERDICT_ICONS[reading.verdict.kind]} {plain(reading.verdict.sentence)}")


def _no_curve(reading: Reading) -> None:
    """The place of the curve before there is one."""
    if reading.run.finished:
        st.caption("The service reported no step.")
        return
    st.caption("The curve begins with the first step.")
    if reading.run.status == "running":
        st.skeleton(height=CHART_HEIGHT)


def _view(reading: Reading) -> charts.View:
    axes, measures = _axes(reading), _measures(reading.curves)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        measure = st.segmented_control(
            "Measure", list(measures), default="Loss", required=True, key="measure", label_visibility="collapsed"
        )
        axis = st.segmented_control(
            "Axis", list(axes), default="Step", required=True, key="axis", label_visibility="collapsed"
        )
        log = st.toggle("Log scale", key="log", disabled=measure != "Loss")
        smoothing = _smoothing(reading)
    if measure in MEANINGS:
        st.caption(MEANINGS[measure])
    return charts.View(measures[measure or "Loss"], axes[axis or "Step"], log, smoothing)


def _smoothing(reading: Reading) -> float:
    key = f"smoothing-{reading.run.id}"
    begin = round(default_smoothing(len(reading.curves.train_loss)) / SMOOTHING_STEP) * SMOOTHING_STEP
    chosen = st.session_state.get(key, begin)
    with st.popover(
        f"Smoothing {chosen:.2f}" if chosen else "No smoothing", icon=":material/airwave:", type="tertiary"
    ):
        smoothing: float = st.slider("Smoothing of the training curve", 0.0, 0.95, begin, SMOOTHING_STEP, key=key)
        st.caption("The curve of each step stays visible. Validation is never smoothed.")
    return smoothing


def _measures(curves: Curves) -> dict[str, charts.Measure]:
    """What this run has numbers for; loss and accuracy may still come."""
    more = {name: measure for name, measure in MORE_MEASURES.items() if any(charts.measured(curves, measure))}
    return MEASURES | more


def _axes(reading: Reading) -> dict[str, charts.Axis]:
    """The axes that this run has numbers for."""
    curves: Curves = reading.curves
    axes = {"Step": charts.STEPS}
    if (epochs_per_step := curves.epoch(1)) is not None:
        axes["Epoch"] = charts.Axis("Epoch", epochs_per_step, 2)
    trained = reading.run.job.get("trained_tokens")
    if isinstance(trained, int) and curves.total_steps:
        axes["Tokens"] = charts.Axis("Tokens", trained / curves.total_steps)
    return axes
