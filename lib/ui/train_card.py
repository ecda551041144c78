"""The card beside the form: what this training is, where the data goes, what it costs, the button, the very request.

Everything is worked out from the plan; nothing is sent and no service is asked before the button is pressed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import streamlit as st

from lib.catalog import models
from lib.catalog.models import Model
from lib.cost import Estimate, estimate
from lib.dataset.auto import auto_batch_size, auto_epochs
from lib.errors import UnknownModel
from lib.runs import plan as plans
from lib.runs.plan import Plan
from lib.services.credentials import find_key
from lib.services.service import Service
from lib.ui import data_work, session, train_launch, train_request
from lib.ui.data_work import Work
from lib.ui.figures import day, number_of, usd
from lib.ui.plain import plain


def show(service: Service, work: Work, plan: Plan | None) -> None:
    """What will happen, the button that makes it happen, and exactly what will be sent."""
    if plan is None:
        train_launch.button(None, "", "Launch", ["Choose a base model"])
        return
    today = date.fromtimestamp(session.workspace().clock())
    model = _known(plan, service)
    cost = _cost(work, plan, model)
    rows = {"Steps": _steps(work, plan), **_money(cost, model, service), "Data": _destination(service)}
    if model is not None and model.fine_tune_shutdown is not None:
        rows["Lives"] = _life(model.fine_tune_shutdown, today)
    st.table(rows, border="horizontal", hide_header=True)
    launch_id = train_launch.intent_id(plan)
    missing = [*_missing(service, work), *plans.problems(plan, work.version, model, kind=service.kind, today=today)]
    train_launch.button(plan, launch_id, _label(service, cost, model), missing)
    train_request.show(service, work.version, plan, launch_id)


def _known(plan: Plan, service: Service) -> Model | None:
    try:
        return models.find(plan.model, service.kind)
    except UnknownModel:
        return None


def _missing(service: Service, work: Work) -> Iterator[str]:
    if service.key_source != "none" and find_key(service, session.given_keys()) is None:
        yield f"Give a key for {service.name} first"
    errors = work.number_of("error")
    if errors:
        yield f"Repair {number_of(errors, 'error')} on Data first"


def _label(service: Service, cost: Estimate | None, model: Model | None) -> str:
    if service.kind == "embedded":
        return "Launch on this machine"
    price = f" for {_price(cost, model)}" if cost is not None and cost.usd is not None else ""
    return f"Launch at {plain(service.name)}{price}"


def _steps(work: Work, plan: Plan) -> str:
    epochs = plan.n_epochs or auto_epochs(work.training)
    batch = plan.batch_size or auto_batch_size(work.training)
    steps = math.ceil(work.training * epochs / batch)
    return f"**{steps:,}** = {number_of(work.training, 'example')} × {number_of(epochs, 'epoch')} ÷ batches of {batch}"


def _cost(work: Work, plan: Plan, model: Model | None) -> Estimate | None:
    if model is None:
        return None
    tokens = data_work.training_tokens(work, model.encoding, model.tokens_per_example)
    return estimate(model, work.training, tokens, plan.n_epochs)


def _money(cost: Estimate | None, model: Model | None, service: Service) -> dict[str, str]:
    if cost is None and service.kind == "embedded":
        return {"Tokens": "Counted by the model's own tokenizer once it trains", "Price": "**free**"}
    if cost is None:
        return {"Price": "Not known: the catalog has no such model"}
    checked = f" · prices of {day(cost.price_date)}" if model is not None and model.training_price else ""
    return {
        "Tokens": f"{cost.training_tokens:,} billed, {cost.tokens_per_epoch:,} an epoch",
        "Price": f"**{_price(cost, model)}**{checked}",
    }


def _price(cost: Estimate, model: Model | None) -> str:
    return usd(cost.usd, free=model is not None and not model.training_price)


def _destination(service: Service) -> str:
    if service.on_this_machine:
        return "Stays on this machine"
    return f":orange[Leaves this machine] for {plain(service.host)}"


def _life(shutdown: date, today: date) -> str:
    days = (shutdown - today).days
    if days <= 0:
        return f":red[The service stopped running fine-tunes of this model on {day(shutdown)}]"
    colour = "red" if days < 30 else "orange" if days < 120 else "gray"
    return f":{colour}[{number_of(days, 'day')}, until the service stops it on {day(shutdown)}]"
