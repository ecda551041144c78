"""Starts a job exactly once: intent, upload, one POST without retries, and a look at the list when no answer came.

The official client would send the POST up to three times and has no idempotency key, so that one click could make
three jobs. Here the intent's id travels in the job's metadata and is what the list is searched for. Knows files, jobs
and the states of a launch; it follows no job afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from lib.dataset import export, shelf
from lib.errors import EtudeError, OutcomeUnknown, ServiceError
from lib.runs import book, intents
from lib.runs.heard import clean, number
from lib.runs.intents import Launch
from lib.runs.locks import held, held_if_free
from lib.runs.plan import LAUNCH_KEY, Plan, create_arguments, request
from lib.runs.upload import bring
from lib.runs.wire import Sleep, ask_for_one, pages, refused
from lib.services.connection import Connection
from lib.workspace.database import Workspace, new_id

Tell = Callable[[str], None]

# A service may still be reading the file when it says that it is there.
NOT_READY = ("not ready", "still being processed")
NOT_READY_DELAYS = (2.0, 3.0, 5.0, *(10.0,) * 9)
# When no answer came, the list is looked at after these many seconds: the request may take effect later than that.
LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
LATEST_EFFECT = 30.0
# Before anything is sent, whoever began may go on for this long: a page that is reloaded calls `launch` again.
ABANDONED_SECONDS = 60.0
PAGES_LOOKED_AT = 20
# How far from the time of sending a job without our metadata may have been created to be ours.
EARLIER, EARLIER_WITHOUT_CLOCK, LATER = 5.0, 120.0, 900.0


def launch(
    ws: Workspace,
    connection: Connection,
    plan: Plan,
    *,
    launch_id: str | None = None,
    progress: Tell | None = None,
    sleep: Sleep = time.sleep,
) -> book.Run:
    """Start the job of a plan and return it as a run. Calling again with the same `launch_id` never starts a second.

    A second caller waits for the first and gets the same run. `progress` is told a sentence at each stage. Raises the
    service's refusal when no job came of it; OutcomeUnknown when the service could not say: `settle` finds out later.
    """
    launch_id = launch_id or new_id("launch")
    with held(ws.home, launch_id):
        intent = intents.prepare(ws, plan, launch_id)
        tell = progress or _silent
        if intent.state in ("prepared", "uploading"):
            _start(ws, connection, intent, sleep, tell)
        elif not intent.settled:
            _reconcile(ws, connection, intent, sleep)
        intent = intents.launch(ws, launch_id)
    if intent.run_id is not None:
        return book.run(ws, intent.run_id)
    problem = intent.problem
    if intent.state == "not_created" and problem is not None:
        raise ServiceError(problem.what, problem.todo, raw=problem.raw)
    raise OutcomeUnknown(
        f"{connection.service.name} gave no clear answer to the job, and its list of jobs cannot be read.",
        "Do not launch again yet: Etude keeps looking and shows the job, or that there is none, as soon as it knows.",
    )


def settle(ws: Workspace, connection: Connection, launch_id: str, *, sleep: Sleep = time.sleep) -> Launch:
    """Find out what became of a launch that was interrupted; one that is under way elsewhere is left alone."""
    with held_if_free(ws.home, launch_id) as free:
        intent = intents.launch(ws, launch_id)
        age = abs(ws.clock() - intent.updated_at)
        if free and intent.state in ("prepared", "uploading") and age > ABANDONED_SECONDS:
            stopped = EtudeError("Etude was stopped before the job was sent.", "No job was started. Launch again.")
            intents.give_up(ws, launch_id, stopped)
        elif free and intent.state in ("sending", "unknown"):
            _reconcile(ws, connection, intent, sleep)
    return intents.launch(ws, launch_id)


def _start(ws: Workspace, connection: Connection, intent: Launch, sleep: Sleep, tell: Tell) -> None:
    """From the intent to an outcome: linked, not created (raises the reason), or unknown."""
    intents.move(ws, intent.id, ("prepared", "uploading"), "uploading")
    try:
        body, told_at = _uploaded(ws, connection, intent, sleep, tell)
    except EtudeError as error:
        intents.give_up(ws, intent.id, error)
        raise
    _send(ws, connection, intent, body, told_at, sleep, tell)


def _uploaded(
    ws: Workspace, connection: Connection, intent: Launch, sleep: Sleep, tell: Tell
) -> tuple[dict[str, Any], float | None]:
    """The request of a launch once its files are at the service, and the service's clock then."""
    plan = intent.plan
    version = shelf.version(ws, plan.version_id)
    name, bom = version.dataset_name, connection.service.kind == "azure"
    training = bring(ws, connection, export.training_bytes(ws, version, bom=bom), name, sleep=sleep, tell=tell)
    validation = None
    if plan.use_validation and version.validation:
        path = export.validation_bytes(ws, version, bom=bom)
        validation = bring(ws, connection, path, f"{name} held out", sleep=sleep, tell=tell).file_id
    return request(plan, training.file_id, validation, intent.id, kind=connection.service.kind), training.told_at


def _send(
    ws: Workspace,
    connection: Connection,
    intent: Launch,
    body: Mapping[str, Any],
    told_at: float | None,
    sleep: Sleep,
    tell: Tell,
) -> None:
    """One POST that can take effect. Only a refusal because the file is not ready is followed by another."""
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    tell("Sending the job.")
    for delay in (*NOT_READY_DELAYS, None):
        if not intents.begin_sending(ws, intent.id, body, told_at):
            return
        try:
            answer = ask_for_one(connection, "create the job", lambda: jobs.create(**create_arguments(body)))
        except ServiceError as error:
            if not refused(error):
                intents.move(ws, intent.id, ("sending",), "unknown")
                tell("No clear answer came; looking whether the job was created.")
                _reconcile(ws, connection, intents.launch(ws, intent.id), sleep, answered=error)
                return
            if delay is None or not _not_ready(error):
                intents.give_up(ws, intent.id, error)
                raise
            intents.move(ws, intent.id, ("sending",), "uploading")
            tell("The service is still reading the file.")
            sleep(delay)
        else:
            intents.link(ws, intent, answer.body)
            return


def _reconcile(
    ws: Workspace, connection: Connection, intent: Launch, sleep: Sleep, *, answered: ServiceError | None = None
) -> None:
    """Look for the job of a launch until it is found, or surely absent, or the service cannot be asked.

    `answered` is what came instead of a clear answer; its words are kept where there is no job.
    """
    intents.move(ws, intent.id, ("sending",), "unknown")
    age = ws.clock() - intent.updated_at
    trouble: ServiceError | None = None
    # One at a time for a service: two launches of the same file must not claim the same job.
    with held(ws.home, f"jobs-{connection.service.id}"):
        for delay in LOOKS if 0 <= age < LATEST_EFFECT else LOOKS[:1]:
            sleep(delay)
            try:
                job = _find(ws, connection, intent)
            except ServiceError as error:
                trouble = error
                continue
            trouble = None
            if job is not None:
                intents.link(ws, intent, job)
                return
    if trouble is None:
        absent = ServiceError(
            f"{connection.service.name} gave no clear answer to the job, and its list shows that there is none.",
            "Launch again.",
            raw=answered.raw if answered is not None else None,
        )
        intents.give_up(ws, intent.id, absent)


def _find(ws: Workspace, connection: Connection, intent: Launch) -> dict[str, Any] | None:
    """The job that carries this launch's id; at a service that keeps no metadata, the one that can only be it."""
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    taken = intents.taken_jobs(ws, intent.service_id)
    alike, keeps_metadata = [], False
    for page in islice(pages(connection, "list the jobs", lambda query: jobs.list(**query)), PAGES_LOOKED_AT):
        for job in page:
            metadata = job.get("metadata")
            mark = metadata.get(LAUNCH_KEY) if isinstance(metadata, Mapping) else None
            if mark == intent.id and isinstance(job.get("id"), str):
                return job
            keeps_metadata = keeps_metadata or mark is not None
            if isinstance(job.get("id"), str) and clean(job["id"]) not in taken and _alike(job, intent):
                alike.append(job)
    if keeps_metadata or not alike:
        return None
    return min(alike, key=lambda job: number(job["created_at"]) or 0.0)


def _alike(job: Mapping[str, Any], intent: Launch) -> bool:
    """Whether file, model and time of a job are those of a launch."""
    created, sent = number(job.get("created_at")), intent.sent_at
    if created is None or intent.request is None or job.get("training_file") != intent.request["training_file"]:
        return False
    wanted, got = intent.plan.model, str(job.get("model"))
    # The service resolves an alias to a dated snapshot.
    if wanted != got and not got.startswith(f"{wanted}-"):
        return False
    if sent is None:
        return intent.updated_at - EARLIER_WITHOUT_CLOCK <= created <= intent.updated_at + LATER
    return sent - EARLIER <= created <= sent + LATER


def _not_ready(error: ServiceError) -> bool:
    said = f"{error.raw} {error.what}".lower()
    return error.status == 400 and any(words in said for words in NOT_READY)


def _silent(sentence: str) -> None:
    """Tells nobody."""
