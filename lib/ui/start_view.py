"""The first screen: the example that shows the whole road, and where things stand with the next step for each.

Trying the example is the road itself, with the choices made: nothing here is a shortcut around lib.
"""

from __future__ import annotations

import streamlit as st

from lib.dataset.samples import Sample, samples
from lib.ui import data_arrival, frame, service_choice, session, trouble
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

BASE = "etude-tiny"
EPOCHS = 3


def offer_example() -> None:
    """What the example does, and the one button that does it."""
    first, *others = samples()
    st.markdown(f"**{plain(first.title)}**  \n{plain(first.description)}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Try the example", type="primary", icon=":material/play_arrow:"):
            _try(first)
        for sample in others:
            if st.button(f"Try “{sample.title}”", help=sample.description):
                _try(sample)
    st.caption(
        f"{EPOCHS} epochs on this machine, without a key and without a network, in well under two minutes. The "
        "built-in model is tiny: good for rehearsing, for fixed formats and short answers; it knows nothing of the world."
    )


def offer_own_file() -> None:
    """The way in for a person's own file."""
    data_arrival.bring_in("start")


@trouble.told()
def _try(sample: Sample) -> None:
    """Bring the sample in, plan, launch on this machine, and go where the curve grows."""
    from lib.runs.launch import launch
    from lib.runs.plan import Plan

    with st.status(f"Bringing in {plain(sample.title.lower())} …", type="compact") as status:
        version = data_arrival.bring_in_sample(sample.key)
        status.update(label="Starting the service on this machine …")
        embedded = session.services()[0]
        session.choose_service(embedded.id)
        connection = session.connection(embedded)
        status.update(label="Sending the examples and starting the job …")
        plan = Plan(embedded.id, BASE, version.method, version.id, n_epochs=EPOCHS, use_validation=True)
        run = launch(session.workspace(), connection, plan)
    session.watcher()
    session.choose_run(run.id)
    frame.go("runs")


def where_things_stand() -> None:
    """Data, last run and service: what there is, and the next step for each."""
    st.subheader("Where things stand", anchor=False)
    data, run, service = st.columns(3)
    with data:
        _data()
    with run:
        _run()
    with service:
        _service()


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
    status = runs_words.status(last)
    st.text(shortened(runs_words.name(last), 48))
    st.caption(f"{plain(status.word)}. {plain(status.meaning)}")
    if last.fine_tuned_model:
        frame.link("playground", "Talk to it", icon=":material/arrow_forward:")
    else:
        frame.link("runs", "See how it goes", icon=":material/arrow_forward:")


def _service() -> None:
    st.caption("Service")
    service = service_choice.pick(label="collapsed")
    if service.kind == "embedded":
        st.caption("Starts by itself when it is needed. No key, no network, no cost.")
    else:
        st.caption(plain(f"Your data goes to {service.host} when you train."))
    frame.link("doctor", "Check that it can be reached", icon=":material/arrow_forward:")
