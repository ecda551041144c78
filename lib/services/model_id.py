"""How model ids are written and mistaken: fine-tunes, checkpoints, near misses. Asks no service."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import date

from lib.catalog.models import base_of
from lib.catalog.models import find as find_in_catalog
from lib.errors import UnknownModel

_FINE_TUNE = re.compile(r"ft:[^:\s]+:[^:\s]*:[^:\s]*:[^:\s]+(:ckpt-step-\d+)?")
_OTHER_IDS = {
    "ftjob-": ("a job", "Its fine-tuned model has an id of its own, shown on Runs once the job has succeeded."),
    "file-": ("a file", "Name the model that was trained from it."),
    "ftckpt_": ("a checkpoint", "The checkpoint's model has an id of its own, which ends in :ckpt-step- and a number."),
    "run_": ("a run in Etude", "Runs shows the id of its model."),
}


def objection(model: str) -> tuple[str, str] | None:
    """What is wrong with the way an id is written, and what to do; None when nothing is."""
    for beginning, (thing, todo) in _OTHER_IDS.items():
        if model.startswith(beginning):
            return f"{model} is the id of {thing}, not of a model.", todo
    if re.search(r"\s", model):
        return f"The id {model!r} has a blank in it.", "Copy the id again, and nothing else."
    if model.startswith("ft-"):
        return f"{model} is not how a fine-tuned model is written.", "They begin with ft: and not with ft-."
    if model.startswith("ft:") and not _FINE_TUNE.fullmatch(model):
        return (
            f"{model} is not complete.",
            "A fine-tuned model is written ft:base:organisation:suffix:id, with two colons in a row where there is no "
            "suffix. A checkpoint ends in :ckpt-step- and a number.",
        )
    return None


def reading(model: str) -> str:
    """What an id says by its form."""
    base = base_of(model)
    if base == model:
        return f"{model} is written like a base model."
    if re.search(r":ckpt-step-\d+$", model):
        return f"{model} is written like a checkpoint of a fine-tune of {base}."
    return f"{model} is written like a fine-tune of {base}."


def missing(model: str, visible: Sequence[str], service: str) -> tuple[str, str]:
    """What to say about a model that is not among those that a key sees: the nearest one, or why it may be missing."""
    sentence = f"{service} shows no model {model} to this key."
    near = difflib.get_close_matches(model.lower(), [one.lower() for one in visible], n=1, cutoff=0.75)
    if near:
        return sentence, f"Did you mean {next(one for one in visible if one.lower() == near[0])}?"
    base = base_of(model)
    if base != model and base in visible:
        return (
            sentence,
            f"Its base {base} is there. The fine-tune was deleted, belongs to another project or organisation, or its "
            "job ended only minutes ago.",
        )
    if base != model:
        return sentence, f"Its base {base} is not there either: it may be shut down, or the key be of another service."
    return sentence, "Choose one of the models that it shows."


def listed_shutdown(model: str, kind: str) -> tuple[date, date] | None:
    """The catalog's shutdown date for a model on a kind of service, and when that was last checked, if it has one."""
    try:
        known = find_in_catalog(model, kind)
    except UnknownModel:
        return None
    ends = known.base_shutdown if base_of(model) == model else known.fine_tune_shutdown or known.base_shutdown
    return (ends, known.checked) if ends is not None else None
