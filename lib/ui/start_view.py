"""The first screen: the example that shows the whole road, and where things stand with the next step for each.

Trying the example is the road itself, with the choices made: nothing here is a shortcut around lib.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from lib.dataset.samples.samples import SAMPLES, Sample
from lib.errors import EngineError, EtudeError, OutcomeUnknown
from lib.ui import data_arrival, data_work, frame, service_choice, session, trouble
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened
from lib.workspace.database import new_id

if TYPE_CHECKING:
    from lib.runs.book import Run

BASE = "etude-tiny"
EPOCHS = 3


def offer_example() -> None:
    """What the example does, and the one button that does it."""
    first, *others = SAMPLES
    st.subheader("See the whole road in two minutes", anchor=False)
    st.markdown(
        f"{plain(first.description)} Brings the examples in, trains on them here, and lets you talk to the result."
    )
    wanted = None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Try the example", type="primary", icon=":material/play_arrow:"):
            wanted = first
        for sample in others:
            if st.button(f"Try “{sample.title}”", help=sample.description):
                wanted = sample
    if wanted is not None:
        _try(wanted)
    st.caption(
        f"{EPOCHS} epochs on this machine, without a key and without a network. The built-in model is tiny: good for "
        "rehearsing, for fixed formats and short answers; it knows nothing of the world."
    )


def offer_own_file() -> None:
    """The way in for a person's own file."""
    st.subheader("Or bring your own examples", anchor=False)
    if data_arrival.arrived("start"):
        frame.go("data")
    data_arrival.bring_in("start")


@trouble.told()
def _try(sample: Sample) -> None:
    """Launch a sample on this machine and go where the curve grows."""
    with st.status(f"Bringing in {plain(sample.title)} …", type="compact") as status:

        def tell(sentence: str) -> None:
            status.update(label=plain(sentence))

        run = _launched(sample, tell)
    session.watcher().wake()
    session.choose_run(run.id)
    frame.go("runs")


def _launched(sample: Sample, tell: Callable[[str], None]) -> Run:
    """Bring a sample in, plan, and launch once. Raises what bringing in, the engine and launching raise."""
    from lib.runs.launch import launch
    from lib.runs.plan import Plan
    from lib.services.service import EMBEDDED

    # A second click interrupts this run of the script; with the same id it goes on with the same launch.
    trying = f"trying_{sample.key}"
    launch_id = st.session_state.setdefault(trying, new_id("launch"))
    # Chosen first: what is too long, for one, depends on the service's model.
    session.choose_service(EMBEDDED.id)
    version = data_arrival.bring_in_sample(sample.key)
    tell("Repairing what the check finds in it …")
    version = data_work.repaired_sample(version)
    tell("Starting the service on this machine …")
    connection = session.connection(EMBEDDED)
    if connection is None:
        raise EngineError("The service on this machine asks for a key, which it never should.", "Restart Etude.")
    plan = Plan(EMBEDDED.id, BASE, version.id, method=version.method, n_epochs=EPOCHS)
    try:
        run = launch(session.workspace(), connection, plan, launch_id=launch_id, progress=tell)
    except OutcomeUnknown:
        raise
    except EtudeError:
        # Nothing came of it, which is certain: the next click begins anew.
        del st.session_state[trying]
        raise
    del st.session_state[trying]
    return run


def where_things_stand() -> None:
    """Data, last run and service: what there is, and the next step for each."""
    st.subheader("Where things stand", anchor=False)
    data, run, service = st.columns(3)
    for place, show in ((data, _data), (run, _run), (service, _service)):
        with place, st.container(gap="xsmall"):
            show()


def _data() -> None:
    st.caption("Data")
    version = session.version()
    if version is None:
        st.text("No dataset yet")
        frame.link("data", "Bring in examples", icon=":material/arrow_forward:")
        return
    st.text(shortened(version.dataset_name, 48))
    held_out = len(version.validation)
    st.caption(
        f"Version {version.number}: {number_of(version.examples - held_out, 'training example')}"
        + (f", {held_out:,} for validation" if held_out else ", none for validation")
    )
    frame.link("data", "Look at the examples", icon=":material/arrow_forward:")


def _run() -> None:
    from lib.runs import book
    from lib.ui import runs_words

    st.caption("Last run")
    every = book.runs(session.workspace())
    if not every:
        st.text("Nothing trained yet")
        frame.link("train", "Choose a base model", icon=":material/arrow_forward:")
        return
    last = every[0]
    if not last.finished:
        session.watcher()
    status = runs_words.status(last.status)
    st.text(shortened(runs_words.name(last), 48))
    st.caption(f"{plain(status.word)}. {plain(status.meaning)}")
    if last.fine_tuned_model:
        frame.link("playground", "Talk to it", icon=":material/arrow_forward:")
    else:
        label = "See how it went" if last.finished else "See how it goes"
        frame.link("runs", label, icon=":material/arrow_forward:")


def _service() -> None:
    st.caption("Service")
    service = service_choice.pick(label="collapsed")
    if service.kind == "embedded":
        st.caption("Starts by itself when it is needed. No key, no network, no cost.")
    else:
        st.caption(plain(f"Your data goes to {service.host} when you train."))
    frame.link("doctor", "Check that it can be reached", icon=":material/arrow_forward:")
