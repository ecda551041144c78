"""The request is what the service wants and nothing else; what it would refuse is said before."""

from __future__ import annotations

import json
import shlex
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from lib.catalog.models import find
from lib.dataset.shelf import Version
from lib.runs.plan import Plan, as_curl, as_node, as_python, create_arguments, problems, request
from tests.protocol_server import ProtocolServer
from tests.runs.conftest import plan_for

MINI = find("gpt-4.1-mini")


def plan(**choices: Any) -> Plan:
    return Plan("openai", "gpt-4.1-mini-2025-04-14", "ver_1", **choices)


def test_what_is_left_to_the_service_is_left_out() -> None:
    assert request(plan(), "file-t", None, "launch_1") == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-t",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {}}},
        "metadata": {"etude_launch": "launch_1"},
    }


def test_every_choice_is_in_its_place() -> None:
    chosen = plan(
        method="dpo", n_epochs=3, batch_size=4, learning_rate_multiplier=0.5, beta=0.2, suffix="mails", seed=0
    )
    assert request(chosen, "file-t", "file-v", "launch_1") == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-t",
        "validation_file": "file-v",
        "method": {
            "type": "dpo",
            "dpo": {"hyperparameters": {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 0.5, "beta": 0.2}},
        },
        "suffix": "mails",
        "seed": 0,
        "metadata": {"etude_launch": "launch_1"},
    }


def test_beta_is_sent_to_the_method_that_has_it_alone() -> None:
    assert "beta" not in json.dumps(request(plan(beta=0.2), "f", None, "l"))


def test_nebius_reads_hyperparameters_at_the_top_alone() -> None:
    body = request(plan(n_epochs=2), "f", None, "l", kind="nebius")
    assert body["hyperparameters"] == {"n_epochs": 2}
    assert "method" not in body


def test_azure_is_told_where_it_may_train_by_way_of_the_clients_extra_body() -> None:
    body = request(plan(), "f", None, "l", kind="azure")
    assert create_arguments(body)["extra_body"] == {"trainingType": "GlobalStandard"}
    assert "trainingType" not in create_arguments(body)


@pytest.mark.parametrize("kind", ["embedded", "openai", "other"])
def test_nobody_else_gets_what_one_service_wants(kind: str) -> None:
    assert request(plan(), "f", None, "l", kind=kind) == request(plan(), "f", None, "l")


def test_a_plan_survives_being_kept() -> None:
    kept = plan(n_epochs=3, metadata={"team": "support"}, use_validation=False)
    assert Plan.from_json(json.loads(json.dumps(kept.to_json()))) == kept


def test_a_sound_plan_has_no_problems(version: Version) -> None:
    assert problems(plan(), version, MINI, today=date(2026, 11, 21)) == []


@pytest.mark.parametrize(
    ("choices", "kind", "words"),
    [
        ({"n_epochs": 0}, "openai", "number of epochs is 0"),
        ({"n_epochs": 51}, "openai", "from 1 to 50"),
        ({"batch_size": 257}, "openai", "batch size is 257"),
        ({"learning_rate_multiplier": 0.0}, "openai", "more than 0"),
        ({"learning_rate_multiplier": float("nan")}, "openai", "more than 0"),
        ({"beta": 2.5}, "openai", "Beta is 2.5"),
        ({"seed": -1}, "openai", "seed is -1"),
        ({"seed": 2**31}, "openai", "2,147,483,647"),
        ({"suffix": "x" * 65}, "openai", "takes 64"),
        ({"suffix": "x" * 19}, "azure", "takes 18"),
        ({"metadata": {f"k{n}": "v" for n in range(16)}}, "openai", "at most 15"),
        ({"metadata": {"etude_launch": "x"}}, "openai", "Etude's own"),
        ({"metadata": {"k" * 65: "v"}}, "openai", "1 to 64"),
        ({"metadata": {"k": "v" * 513}}, "openai", "512"),
        ({"method": "dpo"}, "openai", "written for the method supervised"),
        ({"method": "reinforcement"}, "openai", "cannot be trained with the method reinforcement"),
        ({"method": "dpo"}, "nebius", "supervised examples only"),
    ],
)
def test_what_a_service_would_refuse_is_said(version: Version, choices: dict[str, Any], kind: str, words: str) -> None:
    found = problems(plan(**choices), version, MINI, kind=kind, today=date(2026, 11, 21))
    assert [sentence for sentence in found if words in sentence], found


def test_a_seed_at_its_bounds_is_fine(version: Version) -> None:
    assert problems(plan(seed=0), version, MINI) == problems(plan(seed=2**31 - 1), version, MINI) == []


def test_too_few_examples_are_counted_without_those_held_out(version: Version) -> None:
    held = SimpleNamespace(examples=12, validation=frozenset({0, 1, 2}), method="supervised")
    [sentence] = problems(plan(), held, MINI)  # type: ignore[arg-type]
    assert "9 training examples" in sentence


def test_a_base_model_whose_days_are_over_is_named_with_its_date(version: Version) -> None:
    [sentence] = problems(plan(), version, MINI, today=date(2027, 1, 6))
    assert "until 2027-01-05" in sentence


def test_a_model_that_the_catalog_does_not_know_is_left_to_the_service(version: Version) -> None:
    assert problems(plan(), version, None, kind="other") == []


def pasted(body: dict[str, Any]) -> dict[str, Any]:
    """What pasted code sends: all but the launch's own id, so that its job is not taken for the launch."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "etude_launch"}
    rest = {name: value for name, value in body.items() if name != "metadata"}
    return rest | ({"metadata": metadata} if metadata else {})


def test_the_python_program_sends_the_very_request(
    server: ProtocolServer, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.world.add_file("t.jsonl", b'{"messages": []}', "fine-tune")
    file_id = next(iter(server.world.files))
    chosen = plan_for(version, n_epochs=2, suffix="it's", metadata={"a": 'b"c\n', "d": "e" * 200})
    body = request(chosen, file_id, None, "launch_1", kind="azure")
    monkeypatch.setenv("LAB_KEY", server.api_key)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    exec(compile(as_python(body, server.base_url, "LAB_KEY") + "client.close()\n", "pasted", "exec"), {})
    assert server.seen("POST", "/fine_tuning/jobs")[0].json == pasted(body)


def test_the_curl_command_holds_the_very_request() -> None:
    body = request(plan(metadata={"a": 'it\'s "quoted" $HOME `x`'}), "f", None, "l")
    words = shlex.split(as_curl(body, "https://api.openai.com/v1/", "OPENAI_API_KEY").replace("\\\n", ""))
    assert words[1] == "https://api.openai.com/v1/fine_tuning/jobs"
    assert json.loads(words[words.index("-d") + 1]) == pasted(body)
    assert "Authorization: Bearer $OPENAI_API_KEY" in words


def test_the_node_program_holds_the_very_request() -> None:
    body = request(plan(n_epochs=2), "f", None, "l")
    program = as_node(body, "https://api.openai.com/v1", "OPENAI_API_KEY")
    inside = program[program.index("create(") + len("create(") : program.index(");\nconsole")]
    assert json.loads(inside) == pasted(body)
    assert 'baseURL: "https://api.openai.com/v1"' in program
    assert "apiKey: process.env.OPENAI_API_KEY" in program


def test_where_no_key_is_asked_for_no_variable_is_read() -> None:
    body = request(plan(), "f", None, "l")
    for program in (written(body, "http://127.0.0.1:8010/v1", None) for written in (as_python, as_node, as_curl)):
        assert "environ" not in program
        assert "process.env" not in program
        assert "$" not in program
