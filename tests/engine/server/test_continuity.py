"""An engine that is killed, stopped, or started twice: nothing is lost, happens twice, or is left behind."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lib.engine.server import listen
from lib.engine.store import VERSION
from tests.engine.server.conftest import BASE, ROOT, Running, Start, command, eventually
from tests.engine.server.test_chat import children


def steps(engine: Running, job_id: str) -> list[int]:
    """The steps that a job's events tell, oldest first."""
    events = list(engine.strict.fine_tuning.jobs.list_events(job_id, limit=100))[::-1]
    return [event.data["step"] for event in events if event.type == "metrics"]  # type: ignore[index]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def test_a_killed_engine_goes_on_with_its_job(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job = engine.job(suffix="slow", hyperparameters={"n_epochs": 4})
    waiting = engine.job(hyperparameters={"n_epochs": 1})
    eventually(lambda: len(steps(engine, job.id)) >= 7)
    trainers = children(engine.pid)
    before = engine.messages(job.id)
    engine.kill()

    again = start_engine(tmp_path / "home")
    assert (again.api_key, again.pid) != (engine.api_key, engine.pid)
    assert again.messages(job.id)[: len(before)] == before
    done = again.wait(job.id)
    assert done.status == "succeeded"
    assert steps(again, job.id) == list(range(1, 21))
    messages = again.messages(job.id)
    assert len(messages) == len(set(messages))
    assert messages[-1] == "The job has successfully completed"
    assert again.wait(waiting.id).status == "succeeded"
    assert not any(alive(pid) for pid in trainers)
    made = sorted(file.filename for file in again.client.files.list(purpose="fine-tune-results").data)
    assert made == ["example_losses.csv"] * 2 + ["step_metrics.csv"] * 2
    assert again.close() == 0


def test_a_stopped_engine_leaves_no_child_and_goes_on_later(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job = engine.job(suffix="slow", hyperparameters={"n_epochs": 3})
    engine.client.chat.completions.create(model=BASE, messages=[{"role": "user", "content": "a"}])
    eventually(lambda: len(steps(engine, job.id)) >= 2)
    started = children(engine.pid)
    assert len(started) == 2
    assert engine.close() == 0
    assert not any(alive(pid) for pid in started)

    again = start_engine(tmp_path / "home")
    assert again.wait(job.id).status == "succeeded"
    assert steps(again, job.id) == list(range(1, 16))
    again.close()


def test_a_stream_does_not_keep_an_engine_from_stopping(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    pieces = engine.client.chat.completions.create(
        model=BASE, messages=[{"role": "user", "content": "for ever"}], stream=True
    )
    next(iter(pieces))
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(timeout=10) == 0


def test_a_second_engine_on_the_same_folder_refuses_and_harms_nothing(
    start_engine: Start, tmp_path: Path, base: Path
) -> None:
    engine = start_engine(tmp_path / "home")
    file = engine.upload()
    second = subprocess.run(command(tmp_path / "home", base), cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert second.returncode == 2
    assert second.stdout == ""
    assert f"Another engine (process {engine.pid}) is using the folder {tmp_path / 'home'}." in second.stderr
    assert "Traceback" not in second.stderr
    assert engine.client.files.retrieve(file)
    engine.close()


def test_a_stale_lock_is_no_obstacle(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    engine.kill()
    assert (tmp_path / "home" / "engine.lock").exists()
    again = start_engine(tmp_path / "home")
    assert again.client.models.list().data
    again.close()


def test_a_taken_port_is_told_in_a_sentence(engine: Running, tmp_path: Path) -> None:
    arguments = ["--home", str(tmp_path / "home"), "--port", str(engine.port)]
    told = subprocess.run(
        [sys.executable, "-m", "lib.engine", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert f"Port {engine.port} on 127.0.0.1 cannot be used" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_engine_that_cannot_take_up_its_folder_announces_nothing(tmp_path: Path, base: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with closing(sqlite3.connect(home / "engine.db")) as without_tables:
        without_tables.execute(f"PRAGMA user_version = {VERSION}")
    told = subprocess.run(command(home, base), cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.splitlines()[-1].startswith("The engine could not take up what lies in its folder.")


def test_small_answers_are_not_held_back() -> None:
    """asyncio turns Nagle's algorithm off only for sockets that say that they are TCP."""
    with listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_what_a_crash_left_half_made_is_removed(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    job, file = engine.job(hyperparameters={"n_epochs": 1}), engine.upload()
    engine.wait(job.id)
    engine.kill()
    (tmp_path / "home" / "jobs" / "ftjob-never-entered").mkdir()
    (tmp_path / "home" / "files" / "file-never-entered").write_bytes(b"{}")
    again = start_engine(tmp_path / "home")
    assert [path.name for path in (tmp_path / "home" / "jobs").iterdir()] == [job.id]
    assert not (tmp_path / "home" / "files" / "file-never-entered").exists()
    assert (tmp_path / "home" / "files" / file).exists()
    assert again.client.models.retrieve(again.client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model or "")
    again.close()


def test_what_is_not_the_engines_own_stays_where_it_is(start_engine: Start, tmp_path: Path) -> None:
    """A folder with files/ or jobs/ of its owner given as --home loses nothing, and a stray file stops no engine."""
    home = tmp_path / "home"
    theirs = [home / "files" / "thesis.txt", home / "jobs" / "1999" / "letter.txt", home / "jobs" / ".DS_Store"]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    engine = start_engine(home)
    assert engine.client.files.list().data == []
    assert engine.close() == 0
    assert [path.read_text() for path in theirs] == ["mine"] * 3


def test_an_idle_engine_ends_by_itself_but_not_while_a_job_is_unfinished(start_engine: Start, tmp_path: Path) -> None:
    # Long enough for a busy machine to make its first request in, and shorter than the job.
    engine = start_engine(tmp_path / "home", idle_exit=2.0)
    engine.job(suffix="slow", hyperparameters={"n_epochs": 4})
    with pytest.raises(subprocess.TimeoutExpired):
        engine.process.wait(timeout=3.0)
    assert engine.process.wait(timeout=30) == 0


def test_an_idle_engine_whose_folder_is_gone_ends_too(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home", idle_exit=0.5)
    database = tmp_path / "home" / "engine.db"
    for path in tmp_path.glob("home/engine.db*"):
        path.write_bytes(b"no database" * 1000)
    assert engine.process.wait(timeout=30) == 0
    assert database.read_bytes().startswith(b"no database")


def test_the_program_needs_neither_torch_nor_streamlit(tmp_path: Path) -> None:
    code = (
        "import sys, lib.engine.server, lib.engine.__main__\n"
        "heavy = {'torch', 'streamlit', 'openai', 'pandas', 'numpy', 'tiktoken'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_the_token_is_in_no_argument_and_no_file(engine: Running, start_engine: Start, tmp_path: Path) -> None:
    own = start_engine(tmp_path / "home")
    own.wait(own.job(hyperparameters={"n_epochs": 1}).id)
    own.client.chat.completions.create(model=BASE, messages=[{"role": "user", "content": "a"}])
    for pid in [own.pid, *children(own.pid)]:
        assert own.api_key.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert own.api_key.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    own.close()
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert [path for path in kept if own.api_key.encode() in path.read_bytes()] == []
    assert own.api_key != engine.api_key
