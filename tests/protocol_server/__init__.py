"""A small server that speaks OpenAI's fine-tuning protocol and misbehaves on request.

It is written from the published protocol alone and knows nothing of Etude: no module of `lib` is imported here, nothing
is trained, and answers are whatever a test scripts. What works against it and against the embedded service works
against any service. Use:

    with ProtocolServer() as server:
        client = OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0)
        server.next("POST", "/fine_tuning/jobs", Lost())        # the next such request takes effect, its answer is lost
        ...
        assert server.count("POST", "/fine_tuning/jobs") == 1

`server.world` holds files, jobs, events, checkpoints and models, and the switches for how lists and polls behave.
"""

from __future__ import annotations

from tests.protocol_server.faults import (
    Cut,
    Dropped,
    Fault,
    Held,
    Html,
    Lost,
    Plain,
    Refused,
    Replaced,
    Truncated,
    refused_by_code,
)
from tests.protocol_server.server import ProtocolServer, SeenRequest
from tests.protocol_server.world import Job, World

__all__ = [
    "Cut",
    "Dropped",
    "Fault",
    "Held",
    "Html",
    "Job",
    "Lost",
    "Plain",
    "ProtocolServer",
    "Refused",
    "Replaced",
    "SeenRequest",
    "Truncated",
    "World",
    "refused_by_code",
]
