"""What tokens cost for the model that they are counted for, as the views of Data say it."""

from __future__ import annotations

from decimal import Decimal

from lib import cost
from lib.catalog.models import Model, find, models
from lib.ui import session
from lib.ui.data_work import Work
from lib.ui.figures import day, price, usd


def model_of(work: Work) -> Model:
    """The model whose tokens are counted: its price is the one that is shown."""
    kind = session.service().kind
    return find(work.measure.model, kind if models(kind) else "openai")


def of_an_epoch(work: Work, tokens: int) -> str | None:
    """What so many tokens cost for one epoch, to the cent; None where no price is known."""
    model = model_of(work)
    amount = cost.price(tokens, model.training_price)
    return None if amount is None else usd(amount, free=not model.training_price)


def of_an_example(work: Work, tokens: int) -> str | None:
    """What one example costs for one epoch, to the last digit, as a cent says too little; None without a price."""
    held = model_of(work).training_price
    if held is None:
        return None
    amount = (Decimal(tokens) * held / cost.PER_MILLION).normalize()
    return f"${amount:,f}" if amount else "free"


def source(work: Work) -> str:
    """Whose price it is, and of when."""
    model = model_of(work)
    quoted = price(model.training_price, unknown="no price known")
    if not model.training_price:
        return quoted
    return f"{quoted} for 1,000,000 tokens, checked on {day(model.checked)}"
