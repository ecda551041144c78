"""What training would cost: exact tokens, the price of every base model that can still be trained, and what to know.

Money comes from lib.cost and prices from the catalog; here they are only laid out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from lib.catalog.limits import limits
from lib.catalog.models import Model, models
from lib.cost import Estimate, estimate
from lib.dataset.auto import auto_epochs
from lib.ui import data_work, session
from lib.ui.data_work import Work
from lib.ui.figures import day, number_of, price, usd
from lib.ui.plain import plain

UNKNOWN = "–"
SERVICES = {"embedded": "On this machine", "openai": "OpenAI", "azure": "Azure", "nebius": "Nebius"}


@dataclass(frozen=True, slots=True)
class Offer:
    """One base model with what one epoch and all epochs would cost there."""

    model: Model
    epoch: Estimate
    training: Estimate


def choose_epochs(examples: int) -> int:
    """How many epochs to reckon with; the rule for the default is named beside it."""
    default = auto_epochs(examples)
    least, most = limits("openai").epochs
    number, rule = st.columns([1, 5], vertical_alignment="bottom")
    epochs = number.number_input("Epochs", least, most, default, key=f"epochs_{examples}")
    rule.caption(
        f"The default for {number_of(examples, 'training example')} is {default}: three passes, more where that would "
        "be under 100 examples in all, fewer where it would be over 25,000 (the rule of OpenAI's cookbook)."
    )
    return epochs


def offers(work: Work, epochs: int) -> list[Offer]:
    """Every base model that can still be trained on and knows this method, the embedded one first."""
    today = datetime.fromtimestamp(session.workspace().clock()).date()
    return [
        Offer(model, _estimate(work, model, 1), _estimate(work, model, epochs))
        for model in models()
        if _trainable(model, today) and work.version.method in model.methods
    ]


def show_tokens(work: Work, offers: Sequence[Offer], epochs: int) -> None:
    """The one sum that everything else follows from, for the models of the chosen service."""
    kind = session.service().kind
    offer = next((one for one in offers if one.model.service == kind), offers[0])
    st.markdown(
        f"**{offer.epoch.training_tokens:,} tokens** an epoch × {epochs} = "
        f"**{offer.training.training_tokens:,} billed tokens** from {number_of(work.training, 'training example')}"
    )
    held_out = len(work.version.validation)
    st.caption(
        f"Counted exactly with {offer.model.encoding}, the encoding of {plain(offer.model.id)}. "
        + (f"The {number_of(held_out, 'validation example')} are not trained on and not billed." if held_out else "")
    )


def show_table(offers: Sequence[Offer], epochs: int) -> None:
    """One row a model."""

    def money(width: int, hint: str) -> ColumnConfig:
        return st.column_config.TextColumn(width=width, alignment="right", help=hint)

    st.dataframe(
        [_row(offer) for offer in offers],
        hide_index=True,
        height="content",
        column_config={
            "Service": st.column_config.TextColumn(width=104),
            "Base model": st.column_config.TextColumn(width=132),
            "Tokens": st.column_config.NumberColumn(width=78, format="localized", help="Billed tokens of all epochs"),
            "One epoch": money(80, "What one epoch costs"),
            "In all": money(80, f"What training for {number_of(epochs, 'epoch')} costs"),
            "Training": money(64, "USD for 1,000,000 tokens of training"),
            "Input": money(54, "Using the result: USD for 1,000,000 input tokens"),
            "Output": money(60, "Using the result: USD for 1,000,000 output tokens"),
            "Train until": st.column_config.TextColumn(width=88, help="The last day on which a job can be created"),
            "Stops on": st.column_config.TextColumn(width=88, help="The first day without your fine-tuned model"),
        },
        alt="Cost of training for each base model",
    )


def show_notes(offers: Sequence[Offer]) -> None:
    """Where the prices come from, and what a person should know before paying."""
    checked = max(offer.model.checked for offer in offers)
    st.caption(
        f"Prices in USD for 1,000,000 tokens, last compared with the services' own pages on {day(checked)}. "
        f"“{UNKNOWN}” is what no page says or no date bounds; what a service bills is what it says itself."
    )
    notes: dict[str, list[str]] = {}
    for offer in offers:
        for note in (*([offer.model.note] if offer.model.note else []), *offer.training.notes):
            notes.setdefault(note, []).append(offer.model.id)
    with st.expander("What to know before paying", type="compact"):
        for note, names in notes.items():
            st.markdown(f"{plain(note)}  \n:gray[{plain(', '.join(dict.fromkeys(names)))}]")
    with st.expander("Sources", type="compact"):
        for source in dict.fromkeys(source for offer in offers for source in offer.model.source.split()):
            st.text(source)


def _estimate(work: Work, model: Model, epochs: int) -> Estimate:
    tokens = data_work.training_tokens(work, model.encoding, model.tokens_per_example)
    return estimate(model, work.training, tokens, epochs)


def _trainable(model: Model, today: date) -> bool:
    gone = model.base_shutdown is not None and model.base_shutdown <= today
    return not gone and (model.trainable_until is None or model.trainable_until >= today)


def _row(offer: Offer) -> dict[str, object]:
    model = offer.model
    free = not model.training_price
    return {
        "Service": SERVICES.get(model.service, model.service),
        "Base model": (*model.aliases, model.id)[0],
        "Tokens": offer.training.training_tokens,
        "One epoch": usd(offer.epoch.usd, free=free, unknown=UNKNOWN),
        "In all": usd(offer.training.usd, free=free),
        "Training": price(model.training_price, unknown=UNKNOWN),
        "Input": price(model.input_price, unknown=UNKNOWN),
        "Output": price(model.output_price, unknown=UNKNOWN),
        "Train until": day(model.trainable_until, unknown=UNKNOWN),
        "Stops on": day(model.fine_tune_shutdown, unknown=UNKNOWN),
    }
