"""Keys show themselves to nothing but `reveal`, and go to the one origin that they were given for."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from lib.errors import BadCredentials
from lib.services.credentials import Secret, find_key, given, missing_key
from lib.services.service import OPENAI, Service

CANARY = "sk-proj-CANARY0123456789abcdefWXYZ"
OTHER = Service("svc_o", "other", "Other", "https://models.example/v1", "session")


def secret(origin: str = OPENAI.origin) -> Secret:
    return Secret(CANARY, origin)


def test_nothing_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    held = secret()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("%s %r %s", held, held, {"key": held})
    shown = [repr(held), str(held), f"{held}", f"{held:>40}", repr([held]), caplog.text, held.hint]
    for text in shown:
        assert "CANARY" not in text
    assert held.hint == "sk-…WXYZ"
    assert not hasattr(held, "__dict__")
    for write in (json.dumps, pickle.dumps, lambda one: pickle.dumps({"deep": [one]}, protocol=2)):
        with pytest.raises(TypeError) as refused:
            write(held)
        assert "CANARY" not in "".join(traceback.format_exception(refused.value))
    assert copy.copy(held) is held
    assert copy.deepcopy({"a": held})["a"] is held
    assert held.reveal() == CANARY


def test_a_short_key_shows_nothing_of_itself() -> None:
    assert Secret("hunter2", OPENAI.origin).hint == "…"


def test_a_typed_key_is_trimmed_and_bound() -> None:
    typed = given(f"  Bearer {CANARY}\n", OPENAI)
    assert typed.reveal() == CANARY
    assert typed.origin == "https://api.openai.com"


@pytest.mark.parametrize("text", ["", "  \n", "two words", "sk-ключ", "sk-\x00a"])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadCredentials) as refused:
        given(text, OPENAI)
    assert not text.strip() or text.strip() not in str(refused.value)


def test_this_session_comes_before_the_environment() -> None:
    environment = {"OPENAI_API_KEY": "sk-from-environment"}
    found = find_key(OPENAI, {}, environment)
    assert found is not None
    assert found.reveal() == "sk-from-environment"
    found = find_key(OPENAI, {"openai": secret()}, environment)
    assert found is not None
    assert found.reveal() == CANARY
    assert find_key(OPENAI, {}, {"OPENAI_API_KEY": "  "}) is None


def test_a_key_goes_to_its_own_origin_only() -> None:
    """The same service at another address, or another service under the same id, does not get the key."""
    moved = Service("openai", "openai", "OpenAI", "https://evil.example/v1", "env:OPENAI_API_KEY")
    assert find_key(moved, {"openai": secret()}, {"OPENAI_API_KEY": CANARY}) is None
    port = Service("openai", "openai", "OpenAI", "https://api.openai.com:8443/v1", "env:OPENAI_API_KEY")
    assert find_key(port, {"openai": secret()}, {"OPENAI_API_KEY": CANARY}) is None
    assert find_key(OTHER, {"openai": secret()}, {"OPENAI_API_KEY": CANARY}) is None


def test_openais_variable_may_be_named_for_this_machine_and_no_other() -> None:
    here = Service("svc_h", "other", "Here", "http://127.0.0.1:8010/v1", "env:OPENAI_API_KEY")
    found = find_key(here, {}, {"OPENAI_API_KEY": CANARY})
    assert found is not None
    assert found.origin == "http://127.0.0.1:8010"
    there = Service("svc_t", "other", "There", "https://127.0.0.1.evil.example/v1", "env:OPENAI_API_KEY")
    assert find_key(there, {}, {"OPENAI_API_KEY": CANARY}) is None


def test_another_service_reads_the_variable_it_names() -> None:
    named = Service("svc_n", "nebius", "Nebius", "https://api.tokenfactory.nebius.com/v1", "env:NEBIUS_KEY")
    found = find_key(named, {}, {"NEBIUS_KEY": "nb-key", "OPENAI_API_KEY": CANARY})
    assert found is not None
    assert found.reveal() == "nb-key"
    assert found.origin == "https://api.tokenfactory.nebius.com"
    assert find_key(named, {}, {"OPENAI_API_KEY": CANARY}) is None


def test_what_is_missing_is_said() -> None:
    assert "OPENAI_API_KEY" in missing_key(OPENAI)
    assert missing_key(OTHER).startswith("Other needs a key")
