"""What a fine-tuning job costs: tokens times epochs times price, in Decimal, with the date of the price.

Knows the catalog's prices and dates. How many tokens an example has is for lib.tokens, what is wrong with it for
lib.dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lib.catalog.models import Model
from lib.dataset.auto import auto_epochs

CENT = Decimal("0.01")
PER_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The price of one job. `usd` is to the cent, None when no price is known; `price_date` is when it was checked."""

    model: str
    examples: int
    tokens_per_epoch: int
    epochs: int
    training_tokens: int
    usd: Decimal | None
    price_date: date
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The estimate as the command line prints it; money as text, so that no digit is lost."""
        return {
            "model": self.model,
            "examples": self.examples,
            "tokens_per_epoch": self.tokens_per_epoch,
            "epochs": self.epochs,
            "training_tokens": self.training_tokens,
            "usd": None if self.usd is None else str(self.usd),
            "price_date": self.price_date.isoformat(),
            "notes": list(self.notes),
        }


def estimate(
    model: Model, examples: int, tokens_per_epoch: int, epochs: int | None, *, today: date | None = None
) -> Estimate:
    """The price of training `model` on this many examples, whose billed tokens are already cut at the model's limit.

    `epochs` None follows the service's default rule as far as it is known (lib.dataset.auto). `today` tells whether the
    model's days are over; without it the notes leave that open.
    """
    times = auto_epochs(examples) if epochs is None else epochs
    tokens = tokens_per_epoch * times
    return Estimate(
        model=model.id,
        examples=examples,
        tokens_per_epoch=tokens_per_epoch,
        epochs=times,
        training_tokens=tokens,
        usd=price(tokens, model.training_price),
        price_date=model.checked,
        notes=tuple(_notes(model, examples, times, chosen=epochs is not None, today=today)),
    )


def price(tokens: int, usd_per_million: Decimal | None) -> Decimal | None:
    """What this many tokens cost, in USD to the cent, half a cent upwards; None without a price."""
    if usd_per_million is None:
        return None
    return (Decimal(tokens) * usd_per_million / PER_MILLION).quantize(CENT, rounding=ROUND_HALF_UP)


def _notes(model: Model, examples: int, epochs: int, *, chosen: bool, today: date | None) -> list[str]:
    notes: list[str] = []
    if not chosen:
        notes.append(
            f"{epochs} epochs for {examples:,} examples follow the rule of OpenAI's cookbook; the service decides."
        )
    if model.service == "embedded":
        notes.append("Training on this machine costs nothing but its time.")
    elif model.training_price is None:
        notes.append("No training price is known for this model, so no amount is shown.")
    else:
        notes.append(
            f"Training costs {model.training_price} USD for a million tokens; prices were checked on {model.checked}."
        )
    notes.extend(_dates(model, today))
    if model.tokens_per_example is not None:
        notes.append(f"Over-long examples are cut: at most {model.tokens_per_example:,} tokens of each are billed.")
    if model.service not in ("embedded", "nebius"):
        notes.append("Validation examples are not billed.")
    if model.note:
        notes.append(model.note)
    return notes


def _dates(model: Model, today: date | None) -> list[str]:
    gone, until = model.fine_tune_shutdown, model.trainable_until
    notes: list[str] = []
    if until is not None:
        over = today is not None and today > until
        notes.append(
            f"New jobs ended on {until}." if over else f"The last day on which a job can be created is {until}."
        )
    if gone is not None and gone == model.base_shutdown:
        notes.append(f"This base model and its fine-tunes {_ends(gone, today, 'are', 'were')}.")
    else:
        if model.base_shutdown is not None:
            notes.append(f"This base model {_ends(model.base_shutdown, today, 'is', 'was')}.")
        if gone is not None:
            notes.append(f"Its fine-tunes {_ends(gone, today, 'are', 'were')}.")
    if gone is not None and today is not None and today < gone:
        notes.append(f"A fine-tune made today would live {(gone - today).days} days.")
    return notes


def _ends(day: date, today: date | None, now: str, before: str) -> str:
    """The end of a model as the rest of a sentence."""
    return f"{before if today is not None and today >= day else now} shut down on {day}"
