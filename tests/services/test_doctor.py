"""The doctor's ladder against every kind of trouble: it names the rung, says what to do, and creates nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lib.services import doctor
from lib.services.credentials import Secret
from lib.services.doctor import RUNGS, Check, examine
from lib.services.service import OPENAI, Service
from tests.protocol_server import Dropped, Html, ProtocolServer, Refused, refused_by_code

BASE = "gpt-4.1-mini-2025-04-14"
TUNED = f"ft:{BASE}:acme:tone:AbCdEfGh"
TODAY = date(2026, 11, 21)

Climb = Callable[..., dict[str, Check]]


@pytest.fixture
def climb(server: ProtocolServer, service: Service, secret: Secret) -> Climb:
    def all_of(model: str = "", **more: Any) -> dict[str, Check]:
        checks = list(examine(service, secret, model, **{"today": TODAY, "environment": {}, **more}))
        assert tuple(check.name for check in checks) == RUNGS
        for check in checks:
            assert check.sentence.endswith(".")
            assert check.state in ("ok", "warning", "skipped") or check.todo.endswith((".", "?"))
        assert {one.method for one in server.requests} <= ({"GET", "POST"} if more.get("chat") else {"GET"})
        assert not server.world.jobs
        assert not server.world.files
        return {check.name: check for check in checks}

    return all_of


def states(checks: dict[str, Check]) -> dict[str, str]:
    return {name: check.state for name, check in checks.items()}


def test_all_is_well(climb: Climb, server: ProtocolServer) -> None:
    checks = climb("open-base-8b", chat=True)
    assert set(states(checks).values()) == {"ok"}
    assert checks["Models"].sentence == "The test service shows 4 models."
    assert server.count("POST", "/chat/completions") == 1
    assert server.seen("POST", "/chat/completions")[0].json["max_tokens"] == 1


def test_chat_is_not_asked_without_a_word(climb: Climb, server: ProtocolServer) -> None:
    checks = climb("open-base-8b")
    assert checks["Chat"].state == "skipped"
    assert server.count("POST", "*") == 0


def test_without_a_model_its_rungs_are_left_out(climb: Climb) -> None:
    checks = climb()
    assert [name for name, check in checks.items() if check.state == "skipped"] == [
        "Model id",
        "Model",
        "Dates",
        "Chat",
    ]
    assert checks["Fine-tuning"].state == "ok"


def test_nobody_listens(climb: Climb, server: ProtocolServer) -> None:
    server.next("GET", "/models", Dropped(), times=None)
    checks = climb(TUNED)
    assert checks["Network"].state == "problem"
    assert {checks[name].state for name in RUNGS[4:]} == {"skipped"}


def test_a_wrong_key_is_a_matter_of_the_key_and_not_of_the_network(climb: Climb, server: ProtocolServer) -> None:
    server.next("GET", "/models", refused_by_code(401, "invalid_api_key", "Incorrect API key provided: sk-x"))
    checks = climb(TUNED)
    assert checks["Network"].state == "ok"
    assert checks["Models"].state == "problem"
    assert "does not know this key" in checks["Models"].sentence
    assert "invalid_api_key" in (checks["Models"].raw or "")
    assert checks["Chat"].state == "skipped"


def test_a_web_page_is_named(climb: Climb, server: ProtocolServer) -> None:
    server.next("GET", "/models", Html())
    checks = climb()
    assert "web page" in checks["Models"].sentence
    assert "/v1" in checks["Models"].todo


def test_a_service_that_only_chats_is_examined_as_far_as_it_goes(climb: Climb, server: ProtocolServer) -> None:
    server.next("GET", "/models*", Refused(404, body={"detail": "Not Found"}), times=None)
    server.next("GET", "/fine_tuning/*", Refused(404, body={"detail": "Not Found"}))
    checks = climb("open-base-8b", chat=True)
    assert checks["Models"].state == "warning"
    assert checks["Fine-tuning"].state == "warning"
    assert "no fine-tuning" in checks["Fine-tuning"].sentence
    assert checks["Chat"].state == "ok"


@pytest.mark.parametrize(
    ("model", "rung", "words"),
    [
        ("ftjob-abc123", "Model id", "a job"),
        ("file-abc123", "Model id", "a file"),
        ("ft-gpt-4.1", "Model id", "begin with ft:"),
        ("ft:gpt-4.1-mini", "Model id", "ft:base:organisation:suffix:id"),
        ("ft:", "Model id", "ft:base:organisation:suffix:id"),
        (f"{BASE} ", "Model", "has"),
        ("two words", "Model id", "blank"),
        ("GPT-4.1-mini-2025-04-14", "Model", f"Did you mean {BASE}?"),
        ("gpt-4.1-mini-2025-04-41", "Model", f"Did you mean {BASE}?"),
        (TUNED, "Model", "Its base gpt-4.1-mini-2025-04-14 is there"),
        ("ft:gpt-3.5-turbo-0125:acme::AbCdEfGh", "Model", "not there either"),
        ("wholly-other", "Model", "Choose one of the models"),
    ],
)
def test_model_ids_are_read_and_mistakes_named(climb: Climb, model: str, rung: str, words: str) -> None:
    check = climb(model)[rung]
    assert words in f"{check.sentence} {check.todo}"


def test_a_fine_tune_and_its_checkpoint_are_found_and_dated_by_their_base(climb: Climb, server: ProtocolServer) -> None:
    for model, word in ((TUNED, "fine-tune of"), (f"{TUNED}:ckpt-step-40", "checkpoint of a fine-tune of")):
        server.world.add_model(model)
        checks = climb(model)
        assert word in checks["Model id"].sentence
        assert checks["Model"].state == "ok"
        assert checks["Dates"].state == "warning"
        assert "2027-01-14, in 54 days (the service says so)" in checks["Dates"].sentence


@pytest.mark.parametrize(
    ("today", "state", "words"),
    [
        (date(2026, 6, 1), "ok", "stays until 2027-01-14"),
        (date(2027, 1, 13), "warning", "in 1 day ("),
        (date(2027, 1, 14), "problem", "was shut down on 2027-01-14"),
    ],
)
def test_dates_are_counted_from_today(climb: Climb, today: date, state: str, words: str) -> None:
    check = climb(BASE, today=today)["Dates"]
    assert check.state == state
    assert words in check.sentence


def test_a_date_that_is_none_is_not_read_as_one(climb: Climb, server: ProtocolServer) -> None:
    server.world.add_model("strange", shutdown_date="soon")
    assert climb("strange")["Dates"].state == "ok"


def test_the_catalog_s_date_stands_in_where_the_service_has_none(
    server: ProtocolServer, secret: Secret, service: Service
) -> None:
    azure = Service("svc_az", "azure", "Azure", service.base_url, "session")
    server.world.add_model("gpt-4.1-2025-04-14")
    check = {one.name: one for one in examine(azure, secret, "gpt-4.1-2025-04-14", today=TODAY)}["Dates"]
    assert "as published, last checked" in check.sentence


@pytest.mark.parametrize(
    ("key", "state", "words"),
    [
        ("sk-admin-0123456789abcdef", "problem", "admin key"),
        ("AIzaSyA-0123456789abcdef", "warning", "does not look like"),
        ("sk-proj-0123456789abcdef", "ok", "sk-…cdef is sent to api.openai.com and nowhere else"),
    ],
)
def test_the_key_is_looked_at_before_it_is_sent(key: str, state: str, words: str) -> None:
    environment = {"OPENAI_ORG_ID": "org-x", "OPENAI_BASE_URL": "https://elsewhere.example/v1"}
    checks = []
    for check in examine(OPENAI, Secret(key, OPENAI.origin), environment=environment):
        checks.append(check)
        if check.name == "Key":
            break
    assert checks[1].state == "warning"
    assert "OPENAI_BASE_URL" in checks[1].sentence
    assert checks[2].state == state
    assert words in checks[2].sentence
    assert ("OPENAI_ORG_ID" in checks[2].sentence) == (state == "ok")
    assert all(key not in f"{one}" for one in checks)


def test_a_missing_key_ends_the_ladder_without_a_request(server: ProtocolServer, service: Service) -> None:
    checks = list(examine(service, None))
    assert [check.state for check in checks[3:]] == ["skipped"] * 7
    assert checks[2].state == "problem"
    assert server.requests == []


def test_a_key_of_another_address_is_not_sent(server: ProtocolServer, service: Service) -> None:
    checks = list(examine(service, Secret("sk-other-0123456789", "https://api.openai.com")))
    assert checks[2].state == "problem"
    assert server.requests == []


def test_a_service_without_keys_is_asked_without_one(server: ProtocolServer, service: Service) -> None:
    open_one = Service("svc_k", "other", "Keyless", service.base_url, "none")
    checks = {check.name: check for check in examine(open_one, None)}
    assert checks["Key"].state == "ok"
    assert all("authorization" not in one.headers for one in server.requests)
    assert server.requests


def test_an_address_that_may_not_be_used_ends_the_ladder() -> None:
    evil = Service("svc_e", "other", "Evil", "https://169.254.169.254/v1", "none")
    checks = list(examine(evil, None))
    assert checks[1].state == "problem"
    assert [check.state for check in checks[2:]] == ["skipped"] * 8


def test_other_versions_than_the_tested_ones_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    evil = Service("svc_e", "other", "Evil", "", "none")
    assert next(iter(examine(evil, None))).state == "ok"
    pinned = tmp_path / "requirements.txt"
    pinned.write_text("openai==1.0.0\n")
    monkeypatch.setattr(doctor, "PINNED", pinned)
    check = next(iter(examine(evil, None)))
    assert check.state == "warning"
    assert "openai 1.0.0" in check.todo
