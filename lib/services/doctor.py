"""A ladder of checks from cheap to dear: can this service be reached, with this key, and does it have this model?

Nothing is created and nothing is changed anywhere. Only the last rung, one token of chat, may cost anything, and it is
climbed on request alone. Works for the embedded service without a network and without a key. A rung that cannot be
climbed says what it waits for.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lib.catalog.models import base_of
from lib.errors import EtudeError, NotThere, ServiceError, Unreachable
from lib.services import address, embedded, model_id
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret, missing_key
from lib.services.diagnosis import explain
from lib.services.service import Service, at

if TYPE_CHECKING:
    from openai.types import Model

State = Literal["ok", "warning", "problem", "skipped"]

RUNGS = ("Versions", "Address", "Key", "Network", "Models", "Model id", "Model", "Dates", "Fine-tuning", "Chat")
PINNED = Path(__file__).parents[2] / "requirements.txt"
ANSWER_SECONDS = 15.0
WARN_DAYS = 60


@dataclass(frozen=True, slots=True)
class Check:
    """One rung: its name, how it stands, what that means, what to do, and the raw words of the service if it spoke."""

    name: str
    state: State
    sentence: str
    todo: str = ""
    raw: str | None = None


def examine(
    service: Service,
    secret: Secret | None,
    model: str = "",
    *,
    home: Path | None = None,
    chat: bool = False,
    today: date | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Check]:
    """Climb the ladder, one Check for each of RUNGS, each given as soon as it is known.

    `home` is the workspace's folder, needed for the embedded service, which is started if it does not run. An empty
    `model` leaves out the rungs about one; `chat` asks it for one token.
    """
    yield _versions()
    try:
        if service.kind == "embedded" and home is not None:
            running = embedded.ensure(home)
            service, secret = at(service, running.base_url), running.api_key
        address.checked(service.base_url)
    except EtudeError as error:
        yield Check("Address", "problem", error.what, error.todo, error.raw)
        yield from _skipped("Key", "There is no address to go to.")
        return
    yield _address(service, environment)
    key = _key(service, secret, environment)
    yield key
    if key.state == "problem":
        yield from _skipped("Network", "There is no key to ask with.")
        return
    connection = connect(service, secret)
    try:
        yield from _asked(connection, model.strip(), chat, today or date.today())
    finally:
        connection.close()


def _asked(connection: Connection, model: str, chat: bool, today: date) -> Iterator[Check]:
    """The rungs that need an answer."""
    service = connection.service
    began = time.monotonic()
    try:
        listed = _patient(connection).client.models.list().data or []
        models = [one for one in listed if isinstance(getattr(one, "id", None), str)]
    except Exception as error:
        told = explain(error, service, "list its models")
        if isinstance(told, Unreachable):
            yield _problem("Network", told)
            yield from _skipped("Models", f"{service.host} was not reached.")
            return
        yield Check("Network", "ok", f"{service.host} answers.")
        if not isinstance(told, NotThere):
            yield _problem("Models", told)
            yield from _skipped("Model id", "The service did not answer the simplest question.")
            return
        # Services that only chat may have no list of models; the rungs below ask in other ways.
        yield Check("Models", "warning", told.what, told.todo, told.raw)
        models = []
    else:
        yield Check("Network", "ok", f"{service.host} answered after {(time.monotonic() - began) * 1000:.0f} ms.")
        yield Check("Models", "ok", f"{service.subject} shows {len(models)} model{'' if len(models) == 1 else 's'}.")
    if model:
        yield from _model(connection, model, models, today)
    else:
        for name in ("Model id", "Model", "Dates"):
            yield Check(name, "skipped", "No model was named.")
    yield _fine_tuning(connection)
    yield _chat(connection, model, chat)


def _versions() -> Check:
    """Whether the packages that speak to services are the ones that requirements.txt names."""
    installed = {name: metadata.version(name) for name in ("openai", "httpx2", "streamlit", "tiktoken")}
    listed = ", ".join(f"{name} {version}" for name, version in installed.items())
    pinned: dict[str, str] = {}
    with suppress(OSError):
        pinned = dict(re.findall(r"(?m)^([\w-]+)==(\S+)$", PINNED.read_text(encoding="utf-8")))
    other = [f"{name} {pinned[name]}" for name in installed if pinned.get(name, installed[name]) != installed[name]]
    said = f"Python {platform.python_version()}, {listed}."
    if other:
        wanted = f"Etude was tested with {', '.join(other)}: make run installs exactly that."
        return Check("Versions", "warning", said, wanted)
    return Check("Versions", "ok", said)


def _address(service: Service, environment: Mapping[str, str]) -> Check:
    ignored = environment.get("OPENAI_BASE_URL")
    if ignored and not service.on_this_machine:
        return Check(
            "Address",
            "warning",
            f"Requests go to {service.origin}. The variable OPENAI_BASE_URL is set, and Etude does not use it.",
            "Add that address as a service of its own if you meant it.",
        )
    stays = " Nothing that is sent there leaves this machine." if service.on_this_machine else ""
    return Check("Address", "ok", f"Requests go to {service.origin}.{stays}")


def _key(service: Service, secret: Secret | None, environment: Mapping[str, str]) -> Check:
    if secret is None:
        if service.key_source == "none":
            return Check("Key", "ok", "This service asks for no key.")
        return Check("Key", "problem", missing_key(service), "Give the key above, or on Train.")
    if service.kind == "embedded":
        return Check("Key", "ok", f"{service.subject} made its own key when it started.")
    if secret.origin != service.origin:
        sentence = f"The key was given for {secret.origin} and is not sent to {service.origin}."
        return Check("Key", "problem", sentence, "Give the key for this address.")
    if service.kind == "openai" and secret.reveal().startswith("sk-admin-"):
        sentence = f"{secret.hint} is an admin key: it manages organisations and cannot train or talk to models."
        return Check("Key", "problem", sentence, "Make a key of a project.")
    if service.kind == "openai" and not secret.reveal().startswith("sk-"):
        sentence = f"{secret.hint} does not look like a key of OpenAI: those begin with sk-."
        return Check("Key", "warning", sentence, "Check that it is not another service's.")
    named = [name for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID") if environment.get(name)]
    also = f" {' and '.join(named)} from the environment go with it." if named and service.kind == "openai" else ""
    return Check("Key", "ok", f"{secret.hint} is sent to {service.host} and nowhere else.{also}")


def _model(connection: Connection, model: str, models: Sequence[Model], today: date) -> Iterator[Check]:
    """The rungs about one model: how its id is written, whether it is there, until when."""
    service = connection.service
    objection = model_id.objection(model)
    if objection is not None:
        yield Check("Model id", "problem", *objection)
    else:
        yield Check("Model id", "ok", model_id.reading(model))
    found = next((one for one in models if one.id == model), None)
    refusal: ServiceError | None = None
    if found is None:
        try:
            answered = _patient(connection).client.models.retrieve(model)
            found = answered if getattr(answered, "id", None) == model else None
        except Exception as error:
            refusal = explain(error, service, f"show {model}")
    if found is not None:
        yield Check("Model", "ok", f"{service.subject} has {model} for this key.")
    else:
        sentence, todo = model_id.missing(model, [one.id for one in models], service.subject)
        yield Check("Model", "problem", sentence, todo, refusal.raw if refusal else None)
    yield _dates(service, model, models, found, today)


def _dates(service: Service, model: str, models: Sequence[Model], found: Model | None, today: date) -> Check:
    """When the model goes: the service's own date, else the catalog's. A fine-tune goes with its base."""
    base = base_of(model)
    told = [found, next((one for one in models if one.id == base), None)]
    ends, source = next((one.shutdown_date for one in told if one and one.shutdown_date), None), "the service says so"
    with suppress(ValueError, TypeError):
        return _ending(model, date.fromisoformat(str(ends)), source, today)
    listed = model_id.listed_shutdown(model, service.kind)
    if listed is not None:
        ends_on, checked = listed
        return _ending(model, ends_on, f"as published, last checked {checked}", today)
    return Check("Dates", "ok", f"No shutdown date of {model} is known.")


def _ending(model: str, ends: date, source: str, today: date) -> Check:
    days = (ends - today).days
    save = "Save what you need, and train again elsewhere with the same version of the dataset."
    if days <= 0:
        return Check("Dates", "problem", f"{model} was shut down on {ends} ({source}).", save)
    if days <= WARN_DAYS:
        left = f"in {days} days" if days > 1 else "in 1 day"
        return Check("Dates", "warning", f"{model} will be shut down on {ends}, {left} ({source}).", save)
    return Check("Dates", "ok", f"{model} stays until {ends} ({source}).")


def _fine_tuning(connection: Connection) -> Check:
    """Whether the key may look at jobs. Whether it may start one is known only from starting one: that is not tried."""
    service = connection.service
    try:
        _patient(connection).client.fine_tuning.jobs.list(limit=1)
    except Exception as error:
        told = explain(error, service, "list fine-tuning jobs")
        if isinstance(told, NotThere):
            return Check(
                "Fine-tuning", "warning", f"{service.subject} has no fine-tuning at this address.", told.todo, told.raw
            )
        return _problem("Fine-tuning", told)
    if service.kind == "embedded":
        return Check("Fine-tuning", "ok", "Jobs can be listed and started.")
    sentence = "Jobs can be listed. Whether this organisation may start one shows only when one is started."
    return Check("Fine-tuning", "ok", sentence)


def _chat(connection: Connection, model: str, wanted: bool) -> Check:
    service = connection.service
    if not model or not wanted:
        return Check(
            "Chat", "skipped", "On request, a model is asked for one token: the only check that may cost money."
        )
    try:
        answered = _patient(connection).once.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello"}], extra_body={service.token_limit: 1}
        )
        if not answered.choices:
            return Check("Chat", "problem", f"{model} gave an empty answer.", "Try again.", str(answered))
    except Exception as error:
        return _problem("Chat", explain(error, service, f"answer with {model}"))
    return Check("Chat", "ok", f"{model} answers.")


def _patient(connection: Connection) -> Connection:
    """The same connection for a person who waits: one attempt, and not for long."""
    once = connection.once.with_options(timeout=ANSWER_SECONDS)
    return Connection(connection.service, once, once)


def _problem(name: str, error: ServiceError) -> Check:
    return Check(name, "problem", error.what, error.todo, error.raw)


def _skipped(first: str, why: str) -> Iterator[Check]:
    """Every rung from this one on."""
    for name in RUNGS[RUNGS.index(first) :]:
        yield Check(name, "skipped", why)
