"""A job is started exactly once, whatever the wire does, however often the button is pressed."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lib.catalog.limits import limits
from lib.dataset.shelf import Version
from lib.errors import (
    BadCredentials,
    NotAllowed,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Throttled,
    Unreachable,
    WorkspaceError,
)
from lib.runs import book, intents, upload
from lib.runs.launch import launch, settle
from lib.runs.plan import request
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service
from lib.workspace.database import Workspace
from tests.protocol_server import (
    Cut,
    Dropped,
    Fault,
    Held,
    Html,
    Lost,
    Plain,
    ProtocolServer,
    Refused,
    Replaced,
    Truncated,
)
from tests.runs.conftest import Clock, Naps, connection_to, plan_for

JOBS = "/fine_tuning/jobs"


def test_a_launch_makes_one_job_and_one_run(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    told: list[str] = []
    run = launch(ws, connection, plan_for(version, n_epochs=2), progress=told.append, sleep=naps)
    assert run.job_id in server.world.jobs
    assert (run.status, run.model, run.version_id) == ("validating_files", "gpt-4.1-mini-2025-04-14", version.id)
    assert server.count("POST", JOBS) == 1
    assert server.count("POST", "/files") == 2
    [intent] = intents.launches(ws)
    assert (intent.state, intent.run_id) == ("linked", run.id)
    assert told
    assert all(sentence.endswith(".") for sentence in told)


def test_what_is_sent_is_the_very_request_that_was_shown(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    plan = plan_for(version, n_epochs=2, seed=5, suffix="mails", metadata={"team": "support"})
    launch(ws, connection, plan, launch_id="launch_1", sleep=naps)
    sent = server.seen("POST", JOBS)[0].json
    assert sent == request(plan, sent["training_file"], sent["validation_file"], "launch_1")
    assert sent["metadata"] == {"team": "support", "etude_launch": "launch_1"}
    assert sent == intents.launch(ws, "launch_1").request


def test_the_files_hold_the_examples_of_the_version(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    launch(ws, connection, plan_for(version), sleep=naps)
    training, held_out = server.world.contents.values()
    assert (training.count(b"\n"), held_out.count(b"\n")) == (10, 2)
    assert all("support-mails" in file["filename"] for file in server.world.files.values())


def test_azure_gets_its_byte_order_mark_and_training_type(
    ws: Workspace, server: ProtocolServer, version: Version, naps: Naps
) -> None:
    connection = connection_to(server, "azure")
    launch(ws, connection, plan_for(version), sleep=naps)
    assert all(content.startswith(b"\xef\xbb\xbf{") for content in server.world.contents.values())
    assert server.seen("POST", JOBS)[0].json["trainingType"] == "GlobalStandard"
    connection.close()


def test_the_same_launch_id_never_sends_twice(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    first = launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    second = launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert first.id == second.id
    assert server.count("POST", JOBS) == 1
    assert server.count("POST", "/files") == 2


def test_a_double_click_gets_the_same_run_twice(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    held = Held()
    server.next("POST", JOBS, held)
    got: list[str] = []

    def click() -> None:
        got.append(launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps).id)

    clicks = [threading.Thread(target=click) for _ in range(3)]
    for thread in clicks:
        thread.start()
    assert held.reached.wait(10)
    held.go_on.set()
    for thread in clicks:
        thread.join()
    assert len(got) == 3
    assert len(set(got)) == 1
    assert server.count("POST", JOBS) == 1
    assert len(server.world.jobs) == 1


def test_two_launches_of_the_same_data_use_the_same_file(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    one = launch(ws, connection, plan_for(version), sleep=naps)
    two = launch(ws, connection, plan_for(version), sleep=naps)
    assert one.job_id != two.job_id
    assert server.count("POST", "/files") == 2


@pytest.mark.parametrize("fault", [Lost(), Truncated(), Cut(5), Cut(0, clean=True), Replaced(lambda _: b"{}")])
def test_a_job_whose_answer_got_lost_is_found(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, fault: Fault
) -> None:
    server.next("POST", JOBS, fault)
    run = launch(ws, connection, plan_for(version), sleep=naps)
    assert run.job_id in server.world.jobs
    assert server.count("POST", JOBS) == len(server.world.jobs) == 1


@pytest.mark.parametrize("fault", [Lost(), Truncated()], ids=repr)
def test_a_service_that_forgets_metadata_is_asked_by_file_model_and_time(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, fault: Fault
) -> None:
    server.world.ignores_metadata = True
    earlier = launch(ws, connection, plan_for(version), sleep=naps)
    server.next("POST", JOBS, fault)
    run = launch(ws, connection, plan_for(version), sleep=naps)
    assert run.job_id != earlier.job_id
    assert server.count("POST", JOBS) == len(server.world.jobs) == 2


@pytest.mark.parametrize("fault", [Dropped(), Html(), Html(502), Refused(500), Refused(408), Plain(b"{}")], ids=repr)
def test_a_request_that_surely_made_nothing_says_so(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, fault: Fault
) -> None:
    server.next("POST", JOBS, fault)
    with pytest.raises(ServiceError, match="shows that there is none") as caught:
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert caught.value.raw, "what came instead of an answer says why"
    assert intents.launch(ws, "launch_1").state == "not_created"
    assert sum(naps.taken) >= 15, "the job may appear later than its answer is lost"
    assert (server.count("POST", JOBS), len(server.world.jobs)) == (1, 0)
    assert book.runs(ws) == ()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Refused(400, "Invalid value", param="suffix"), Rejected),
        (Refused(401, "Incorrect API key provided", code="invalid_api_key"), BadCredentials),
        (Refused(403, "OpenAI is winding down the fine-tuning platform", code="training_not_available"), NotAllowed),
        (Refused(404, "No such model", code="model_not_found"), ServiceError),
        (Refused(429, "Slow down", code="rate_limit_exceeded", headers={"retry-after": "3"}), Throttled),
        (Refused(429, "You exceeded your current quota", code="insufficient_quota"), ServiceError),
    ],
    ids=lambda one: repr(one)[:40],
)
def test_a_clear_refusal_is_told_and_is_not_tried_again(
    ws: Workspace,
    server: ProtocolServer,
    connection: Connection,
    version: Version,
    naps: Naps,
    fault: Fault,
    error: type[ServiceError],
) -> None:
    server.next("POST", JOBS, fault, times=None)
    with pytest.raises(error) as caught:
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    intent = intents.launch(ws, "launch_1")
    assert intent.state == "not_created"
    assert intent.problem is not None
    assert intent.problem.what == caught.value.what
    assert server.count("POST", JOBS) == 1
    assert server.count("GET", JOBS) == 0
    with pytest.raises(ServiceError) as again:
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert again.value.what == caught.value.what
    assert server.count("POST", JOBS) == 1


def test_a_file_that_is_not_ready_is_waited_for(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    text = "File 'file-1' is still being processed and is not ready to be used for fine-tuning. Please try again later."
    server.next("POST", JOBS, Refused(400, text), times=5)
    run = launch(ws, connection, plan_for(version), sleep=naps)
    assert run.job_id in server.world.jobs
    assert (server.count("POST", JOBS), len(server.world.jobs)) == (6, 1)
    assert sum(naps.taken) <= 60


def test_nothing_is_known_while_the_list_cannot_be_read_and_is_settled_afterwards(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    server.next("POST", JOBS, Lost())
    server.next("GET", JOBS, Refused(503), times=6)
    with pytest.raises(OutcomeUnknown):
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert sum(naps.taken) <= 30
    assert intents.launch(ws, "launch_1").state == "unknown"
    settled = settle(ws, connection, "launch_1", sleep=naps)
    assert settled.state == "linked"
    assert (server.count("POST", JOBS), len(server.world.jobs)) == (1, 1)


def test_a_connection_that_was_never_made_made_no_job(
    ws: Workspace, server: ProtocolServer, version: Version, naps: Naps
) -> None:
    import httpx2

    connection = _dying(server, httpx2.ConnectError("refused"))
    with pytest.raises(Unreachable):
        launch(ws, connection, plan_for(version), launch_id="one", sleep=naps)
    connection.close()
    assert intents.launch(ws, "one").state == "not_created"
    assert server.count("GET", JOBS) == 0


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_launch_that_was_killed_while_sending_is_settled_from_the_list(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, state: intents.State
) -> None:
    dying = _dying(server, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        launch(ws, dying, plan_for(version), launch_id="launch_1", sleep=naps)
    dying.close()
    assert intents.launch(ws, "launch_1").state == "sending"
    intents.move(ws, "launch_1", ("sending",), state)
    assert settle(ws, connection, "launch_1", sleep=naps).state == "linked"
    assert len(server.world.jobs) == 1


def test_a_launch_that_was_killed_before_sending_made_nothing(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, clock: Clock
) -> None:
    intents.prepare(ws, plan_for(version), "launch_1")
    assert settle(ws, connection, "launch_1", sleep=naps).state == "prepared", "its page may be about to go on"
    clock.now += 61
    settled = settle(ws, connection, "launch_1", sleep=naps)
    assert settled.state == "not_created"
    assert settled.problem is not None
    assert server.requests == []


def test_a_launch_that_is_under_way_is_not_settled_by_others(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    held = Held()
    server.next("POST", JOBS, held)
    click = threading.Thread(target=lambda: launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps))
    click.start()
    assert held.reached.wait(10)
    assert settle(ws, connection, "launch_1", sleep=naps).state == "sending"
    held.go_on.set()
    click.join()
    assert intents.launch(ws, "launch_1").state == "linked"


def test_a_lost_upload_is_found_and_not_repeated(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    server.next("POST", "/files", Lost(), times=2)
    launch(ws, connection, plan_for(version), sleep=naps)
    assert (server.count("POST", "/files"), len(server.world.files)) == (2, 2)


def test_an_upload_that_did_not_arrive_is_sent_again(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    server.next("POST", "/files", Dropped(), times=2)
    launch(ws, connection, plan_for(version), sleep=naps)
    assert (server.count("POST", "/files"), len(server.world.files)) == (4, 2)


def test_a_file_that_is_gone_at_the_service_is_sent_again(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    launch(ws, connection, plan_for(version), sleep=naps)
    server.world.files.clear()
    launch(ws, connection, plan_for(version), sleep=naps)
    assert server.count("POST", "/files") == 4


@pytest.mark.parametrize("status", [None, "processed", "something new"])
def test_a_status_that_services_invent_is_not_waited_for(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, status: str | None
) -> None:
    server.next("GET", "/files/*", Plain(json.dumps({"id": "file-1", "status": status}).encode()), times=None)
    launch(ws, connection, plan_for(version), sleep=naps)
    assert naps.taken == []


def test_a_file_the_service_cannot_use_ends_the_launch(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    details = "Invalid file format. Example 3 cannot be parsed."
    said = {"id": "file-1", "status": "error", "status_details": details}
    server.next("GET", "/files/*", Plain(json.dumps(said).encode()), times=None)
    with pytest.raises(Rejected, match="Example 3"):
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert intents.launch(ws, "launch_1").state == "not_created"
    assert server.count("POST", JOBS) == 0


def test_a_file_larger_than_the_service_takes_is_not_sent(
    ws: Workspace,
    server: ProtocolServer,
    connection: Connection,
    version: Version,
    naps: Naps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload, "limits", lambda kind: replace(limits(kind), file_bytes=100))
    with pytest.raises(Rejected, match="takes at most 100"):
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert intents.launch(ws, "launch_1").state == "not_created"
    assert server.requests == []


def test_a_workspace_that_fails_after_the_job_was_made_does_not_say_that_there_is_none(
    ws: Workspace,
    server: ProtocolServer,
    connection: Connection,
    version: Version,
    naps: Naps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise WorkspaceError("The disk is full.", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(intents, "link", full)
        with pytest.raises(WorkspaceError):
            launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    assert intents.launch(ws, "launch_1").state == "sending"
    assert settle(ws, connection, "launch_1", sleep=naps).state == "linked"
    assert len(server.world.jobs) == 1


def test_no_lock_is_left_behind(ws: Workspace, connection: Connection, version: Version, naps: Naps) -> None:
    launch(ws, connection, plan_for(version), sleep=naps)
    assert list(Path(ws.home, "locks").iterdir()) == []


def _dying(server: ProtocolServer, cause: BaseException) -> Connection:
    """A connection that ends with `cause` when a job is created; unless nothing was sent, the job is there then."""
    import httpx2

    class Dies(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and request.url.path.endswith(JOBS):
                if not isinstance(cause, httpx2.ConnectError):
                    super().handle_request(request).close()
                raise cause
            return super().handle_request(request)

    service = Service("svc_test", "other", "Test service", server.base_url, "session")
    return connect(service, Secret(server.api_key, service.origin), transport=Dies())
