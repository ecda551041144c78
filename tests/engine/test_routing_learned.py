"""What the README says of the example: trained for real on this machine, the tickets reach their team."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from lib.dataset.example import encode
from lib.dataset.samples import routing
from lib.services import embedded
from lib.services.connection import connect
from lib.services.service import EMBEDDED, at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[OpenAI]:
    address = embedded.ensure(tmp_path)
    connection = connect(at(EMBEDDED, address.base_url), address.api_key)
    yield connection.client
    connection.close()
    embedded.stop(tmp_path)


def to_the_right_team(client: OpenAI, model: str, tickets: list[dict[str, Any]]) -> float:
    """The share of tickets whose answer is JSON that names the right team."""
    right = 0
    for ticket in tickets:
        *asked, expected = ticket["messages"]
        answer = client.chat.completions.create(model=model, messages=asked, temperature=0, max_tokens=60)
        try:
            said = json.loads(answer.choices[0].message.content or "")
        except ValueError:
            continue
        right += isinstance(said, dict) and said.get("team") == json.loads(expected["content"])["team"]
    return right / len(tickets)


def test_eight_of_ten_held_out_tickets_reach_their_team(client: OpenAI) -> None:
    training, held_out = routing.make()
    file = client.files.create(file=("tickets.jsonl", b"\n".join(map(encode, training))), purpose="fine-tune")
    begun = time.monotonic()
    job = client.fine_tuning.jobs.create(model="etude-tiny", training_file=file.id)
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.5)
        job = client.fine_tuning.jobs.retrieve(job.id)
    assert job.status == "succeeded", job.error
    seconds = time.monotonic() - begun
    assert job.fine_tuned_model is not None
    base = to_the_right_team(client, "etude-tiny", held_out)
    tuned = to_the_right_team(client, job.fine_tuned_model, held_out)
    other = to_the_right_team(client, job.fine_tuned_model, routing.in_other_words())
    print(f"\nTrained in {seconds:.0f} s. Right team: base {base:.0%}, tuned {tuned:.0%}, in other words {other:.0%}")
    assert base <= 0.05
    assert tuned >= 0.8
    assert other >= 0.7
