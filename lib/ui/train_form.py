"""What a person chooses before a training: service, base model, data, hyperparameters. Its outcome is a Plan.

Only what the chosen model and service allow can be entered, and what "auto" becomes is said where it is chosen. Nothing
here asks a service.
"""

from __future__ import annotations

from datetime import date

import streamlit as st

from lib.catalog import models
from lib.catalog.limits import Limits, limits
from lib.dataset import shelf
from lib.dataset.auto import auto_batch_size, auto_epochs
from lib.dataset.shelf import Version
from lib.runs import book
from lib.runs.plan import Plan
from lib.services.service import Service
from lib.ui import service_choice, session, train_bases
from lib.ui.figures import number_of
from lib.ui.plain import shortened


def choose_service() -> Service:
    """Where to train, and its key when it needs one."""
    service = service_choice.choose()
    service_choice.credential(service)
    return service


def choose(service: Service, version: Version) -> Plan | None:
    """What to train, on what, and how. None while there is no model to make a plan of."""
    bounds = limits(service.kind)
    model = _model(service)
    _data(version)
    use_validation = _validation(version)
    left, right = st.columns(2)
    with left:
        n_epochs = _whole("Epochs", "n_epochs", bounds.epochs, auto_epochs(version.training), "Times through the data.")
        multiplier = _multiplier(service)
        beta = _beta(service, bounds) if version.method == "dpo" else None
    with right:
        automatic = auto_batch_size(version.training)
        batch_size = _whole("Batch size", "batch_size", bounds.batch_size, automatic, "Examples that make one step.")
        seed = _seed(bounds)
    suffix = _suffix(bounds)
    if model is None:
        return None
    return Plan(
        service_id=service.id,
        model=model,
        version_id=version.id,
        method=version.method,
        n_epochs=n_epochs,
        batch_size=batch_size,
        learning_rate_multiplier=multiplier,
        beta=beta,
        suffix=suffix,
        seed=seed,
        use_validation=use_validation,
    )


def _model(service: Service) -> str | None:
    today = date.fromtimestamp(session.workspace().clock())
    offered = [
        model.id
        for model in models.models(service.kind)
        if (model.trainable_until is None or today <= model.trainable_until)
        and (model.base_shutdown is None or today < model.base_shutdown)
    ]
    tuned = [
        run.fine_tuned_model
        for run in book.runs(session.workspace(), service_id=service.id)
        if run.fine_tuned_model is not None
    ]
    offered += train_bases.names(service)
    key = f"train_model_{service.id}"
    train_bases.choose_added(key)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Base model",
            [*offered, *tuned],
            index=0 if offered or tuned else None,
            format_func=lambda model: f"{shortened(model, 60)} (continue)" if model in tuned else model,
            placeholder="Type the id of a model",
            accept_new_options=service.kind != "embedded",
            key=key,
            persist_state="session",
            help="A base model, or an earlier fine-tune to go on from.",
        )
        train_bases.add(service)
    train_bases.tell(service, chosen)
    return chosen.strip() or None if chosen else None


def _data(chosen: Version) -> None:
    ws = session.workspace()
    every = {one.id: one for dataset in shelf.datasets(ws) for one in shelf.versions(ws, dataset.id)}
    st.selectbox(
        "Data",
        list(every),
        index=list(every).index(chosen.id),
        format_func=lambda version_id: _version_title(every[version_id]),
        key="train_version",
        on_change=_version_chosen,
        help="The version of a dataset that is sent as the training file.",
    )


def _version_title(version: Version) -> str:
    size = number_of(version.examples, "example")
    return f"{shortened(version.dataset_name, 40)} · version {version.number} · {size}"


def _version_chosen() -> None:
    session.choose_version(st.session_state["train_version"])


def _whole(label: str, key: str, bounds: tuple[int, int], auto: int, help_text: str) -> int | None:
    return st.number_input(
        label,
        *bounds,
        value=None,
        step=1,
        placeholder=f"auto ({auto})",
        key=f"train_{key}",
        persist_state="session",
        help=f"{help_text} Empty: the service chooses, {auto} for this data by the published rule.",
    )


def _multiplier(service: Service) -> float | None:
    embedded = service.kind == "embedded"
    return st.number_input(
        "Learning rate multiplier",
        min_value=0.001,
        value=None,
        step=0.1,
        placeholder="auto (1)" if embedded else "auto",
        key="train_multiplier",
        persist_state="session",
        help="Multiplies the rate that suits the model. Empty: the service chooses"
        + (", 1 on this machine." if embedded else "; which value is known once the job has started."),
    )


def _beta(service: Service, bounds: Limits) -> float | None:
    most = bounds.beta[1]
    return st.number_input(
        "Beta",
        min_value=0.01,
        max_value=float(most),
        value=None,
        step=0.05,
        placeholder="auto (0.1)" if service.kind == "embedded" else "auto",
        key="train_beta",
        persist_state="session",
        help="How strongly preference training (DPO) holds the model to what it was: larger stays nearer, up to "
        f"{most}. Empty: the service chooses{', 0.1 on this machine' if service.kind == 'embedded' else ''}.",
    )


def _seed(bounds: Limits) -> int | None:
    return st.number_input(
        "Seed",
        *bounds.seed,
        value=None,
        step=1,
        placeholder="auto (drawn)",
        key="train_seed",
        persist_state="session",
        help="The same seed with the same data and choices gives the same training. Empty: the service draws one.",
    )


def _suffix(bounds: Limits) -> str | None:
    longest = bounds.suffix_length[1]
    suffix = st.text_input(
        "Suffix",
        max_chars=longest,
        placeholder="none",
        key="train_suffix",
        persist_state="session",
        help=f"Becomes part of the fine-tuned model's name. Up to {longest} characters on this service.",
    )
    return suffix.strip() or None


def _validation(version: Version) -> bool:
    held_out = len(version.validation)
    if not held_out:
        st.caption("No example is held out for validation. A split on Data shows how well the model generalises.")
        return False
    return st.toggle(
        f"Validate on the {number_of(held_out, 'held-out example')}",
        value=True,
        key="train_validation",
        persist_state="session",
        help="The model never learns from them. They are sent as the validation file and drawn as the second curve.",
    )
