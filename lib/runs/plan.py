"""What a person wants trained: the plan, what is wrong with it, the very request it becomes, and that as code to paste.

Knows the protocol's request and the few services that want it otherwise. It sends nothing.
"""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from lib.catalog.limits import Limits, limits
from lib.catalog.models import Model

if TYPE_CHECKING:
    from lib.dataset.shelf import Version

LAUNCH_KEY = "etude_launch"
# The arguments of the official client's jobs.create; what else a service wants goes into `extra_body`.
KNOWN_ARGUMENTS = frozenset(
    {
        "hyperparameters",
        "integrations",
        "metadata",
        "method",
        "model",
        "seed",
        "suffix",
        "training_file",
        "validation_file",
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A training to be. None leaves the choice to the service ("auto")."""

    service_id: str
    model: str
    version_id: str
    method: str = "supervised"
    n_epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    beta: float | None = None
    suffix: str | None = None
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    use_validation: bool = True

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` gave."""
        return cls(**said)


def request(
    plan: Plan, training_file: str, validation_file: str | None, launch_id: str, *, kind: str = "openai"
) -> dict[str, Any]:
    """The body of POST /fine_tuning/jobs, exactly as it is sent. What is left to the service is left out.

    `kind` is the service's: Nebius reads hyperparameters only where OpenAI had them before there were methods, and
    Azure must be told where it may train, or the job fails in regions that lack its default.
    """
    chosen = {
        "n_epochs": plan.n_epochs,
        "batch_size": plan.batch_size,
        "learning_rate_multiplier": plan.learning_rate_multiplier,
        "beta": plan.beta if plan.method == "dpo" else None,
    }
    hyperparameters = {name: value for name, value in chosen.items() if value is not None}
    body: dict[str, Any] = {"model": plan.model, "training_file": training_file}
    if validation_file is not None:
        body["validation_file"] = validation_file
    if kind == "nebius":
        body["hyperparameters"] = hyperparameters
    else:
        body["method"] = {"type": plan.method, plan.method: {"hyperparameters": hyperparameters}}
    if plan.suffix:
        body["suffix"] = plan.suffix
    if plan.seed is not None:
        body["seed"] = plan.seed
    if kind == "azure":
        body["trainingType"] = "GlobalStandard"
    body["metadata"] = {**plan.metadata, LAUNCH_KEY: launch_id}
    return body


def create_arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request's body as keyword arguments of the official client's `fine_tuning.jobs.create`."""
    arguments = {name: value for name, value in body.items() if name in KNOWN_ARGUMENTS}
    extra = {name: value for name, value in body.items() if name not in KNOWN_ARGUMENTS}
    return {**arguments, "extra_body": extra} if extra else arguments


def problems(
    plan: Plan, version: Version, model: Model | None, *, kind: str = "openai", today: date | None = None
) -> list[str]:
    """What stands in the way of launching, a sentence each; empty when nothing does.

    `model` is the catalog's row, None for a model that it does not know. `today` tells whether it can still be trained.
    """
    bounds = limits(kind)
    found = [*_data_problems(plan, version, bounds, kind), *_model_problems(plan, model, today)]
    for name, value, (least, most) in (
        ("The number of epochs", plan.n_epochs, bounds.epochs),
        ("The batch size", plan.batch_size, bounds.batch_size),
        ("The seed", plan.seed, bounds.seed),
    ):
        if value is not None and not least <= value <= most:
            found.append(f"{name} is {value:,}; it must be from {least:,} to {most:,}.")
    if plan.learning_rate_multiplier is not None and not plan.learning_rate_multiplier > 0:
        found.append(f"The learning rate multiplier is {plan.learning_rate_multiplier:g}; it must be more than 0.")
    if plan.beta is not None and not bounds.beta[0] < plan.beta <= bounds.beta[1]:
        found.append(f"Beta is {plan.beta:g}; it must be more than {bounds.beta[0]} and at most {bounds.beta[1]}.")
    if plan.suffix and not len(plan.suffix) <= bounds.suffix_length[1]:
        found.append(f"The suffix has {len(plan.suffix)} characters; this service takes {bounds.suffix_length[1]}.")
    return [*found, *_metadata_problems(plan.metadata, bounds)]


def as_python(body: Mapping[str, Any], base_url: str, variable: str | None) -> str:
    """The request as a Python program; `variable` of the environment holds the key, None where none is asked for."""
    arguments = "".join(f"    {name}={_python(value)},\n" for name, value in create_arguments(_unmarked(body)).items())
    key = f'os.environ["{variable}"]' if variable else '"none"'
    return (
        ("import os\n\n" if variable else "") + "from openai import OpenAI\n\n"
        f"client = OpenAI(base_url={base_url!r}, api_key={key}, max_retries=0)\n"
        f"job = client.fine_tuning.jobs.create(\n{arguments})\n"
        "print(job.id)\n"
    )


def as_node(body: Mapping[str, Any], base_url: str, variable: str | None) -> str:
    """The request as a program for Node; `variable` of the environment holds the key, None where none is asked for."""
    key = f"process.env.{variable}" if variable else '"none"'
    return (
        'import OpenAI from "openai";\n\n'
        f"const client = new OpenAI({{ baseURL: {json.dumps(base_url)}, apiKey: {key}, maxRetries: 0 }});\n"
        f"const job = await client.fineTuning.jobs.create({json.dumps(_unmarked(body), indent=2)});\n"
        "console.log(job.id);\n"
    )


def as_curl(body: Mapping[str, Any], base_url: str, variable: str | None) -> str:
    """The request as a curl command; `variable` of the environment holds the key, None where none is asked for."""
    key = f'  -H "Authorization: Bearer ${variable}" \\\n' if variable else ""
    return (
        f"curl {shlex.quote(base_url.rstrip('/') + '/fine_tuning/jobs')} \\\n"
        f"{key}"
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(_unmarked(body), indent=2))}\n"
    )


def _unmarked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request without this launch's id: a job of pasted code must not be taken for the launch."""
    metadata = {name: value for name, value in body.get("metadata", {}).items() if name != LAUNCH_KEY}
    rest = {name: value for name, value in body.items() if name != "metadata"}
    return {**rest, "metadata": metadata} if metadata else rest


def _python(value: Any) -> str:
    """A value as Python source, indented to stand as an argument."""
    return pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n    ")


def _data_problems(plan: Plan, version: Version, bounds: Limits, kind: str) -> Iterator[str]:
    training = version.examples - len(version.validation)
    if training < bounds.least_examples:
        yield f"There are {training:,} training examples; at least {bounds.least_examples} are needed."
    if plan.method != version.method:
        yield f"The examples are written for the method {version.method}, and the plan says {plan.method}."
    if plan.method == "reinforcement" and not (plan.use_validation and version.validation):
        yield "Reinforcement needs validation examples; hold some out first."
    if kind == "nebius" and plan.method != "supervised":
        # Its requests have no place for a method: it would train as if none had been chosen.
        yield f"Nebius trains supervised examples only, and the plan says {plan.method}."


def _model_problems(plan: Plan, model: Model | None, today: date | None) -> Iterator[str]:
    if model is None:
        return
    if plan.method not in model.methods:
        yield f"{model.id} cannot be trained with the method {plan.method}; it takes {' or '.join(model.methods)}."
    if today is not None and model.trainable_until is not None and today > model.trainable_until:
        yield f"{model.id} could be trained until {model.trainable_until.isoformat()}; choose another base model."


def _metadata_problems(metadata: Mapping[str, str], bounds: Limits) -> Iterator[str]:
    # One pair is the launch's own id.
    if len(metadata) > bounds.metadata_pairs - 1:
        yield f"There are {len(metadata)} metadata pairs; at most {bounds.metadata_pairs - 1} can be sent."
    if LAUNCH_KEY in metadata:
        yield f"The metadata key {LAUNCH_KEY} is Etude's own; choose another."
    for key, value in metadata.items():
        if not 1 <= len(key) <= bounds.metadata_key_length:
            yield f"A metadata key has {len(key)} characters; 1 to {bounds.metadata_key_length} are allowed."
        if len(value) > bounds.metadata_value_length:
            yield f"The metadata value of “{key}” is {len(value)} long; {bounds.metadata_value_length} are allowed."
