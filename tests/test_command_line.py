"""The command line, as other programs call it: shapes, exit codes, and nothing but the result on standard output."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.__main__ import main
from lib.cli import launch as launching
from lib.dataset import shelf
from lib.runs import book
from lib.services import embedded
from lib.services.credentials import Secret
from lib.services.embedded import Address
from lib.workspace.database import Workspace
from tests.protocol_server import Cut, Plain, ProtocolServer, Refused

ROOT = Path(__file__).parents[1]
MODEL = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def server(running: ProtocolServer, monkeypatch: pytest.MonkeyPatch) -> ProtocolServer:
    running.reset()
    running.world.add_model("etude-tiny", owned_by="system")
    monkeypatch.setenv("TEST_KEY", running.api_key)
    return running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ETUDE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def at_server(server: ProtocolServer) -> list[str]:
    return ["--base-url", server.base_url, "--api-key-env", "TEST_KEY"]


@pytest.fixture
def embedded_at_server(server: ProtocolServer, monkeypatch: pytest.MonkeyPatch) -> ProtocolServer:
    """The embedded service is the test's server: whoever wants to start it finds it running there."""
    origin = server.base_url.removesuffix("/v1")
    monkeypatch.setattr(embedded, "ensure", lambda home: Address(server.base_url, Secret(server.api_key, origin), 1))
    return server


def written(path: Path, examples: int, *, broken: bool = False) -> Path:
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"Question {number}?"},
                    {"role": "assistant", "content": f"Answer {number}."},
                ]
            }
        )
        for number in range(examples)
    ]
    if broken:
        lines[1] = json.dumps({"messages": [{"role": "user", "content": "Nobody answers."}]})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "mails.jsonl", 12)


class Out:
    """What a command printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def json(self) -> Any:
        said = self._capsys.readouterr()
        self.err = said.err
        assert said.out.count("\n") == 1, said.out
        return json.loads(said.out)

    def text(self) -> str:
        said = self._capsys.readouterr()
        self.err = said.err
        return said.out


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Out:
    return Out(capsys)


def test_check_has_exactly_its_shape(file: Path, out: Out) -> None:
    assert main(["check", str(file), "--json"]) == 0
    said = out.json()
    assert list(said) == ["ok", "method", "examples", "tokens_per_epoch", "findings", "totals"]
    assert (said["ok"], said["examples"]) == (True, 12)
    assert isinstance(said["tokens_per_epoch"], int)


def test_check_names_errors_with_line_and_message_and_exits_1(tmp_path: Path, out: Out) -> None:
    file = written(tmp_path / "broken.jsonl", 12, broken=True)
    assert main(["check", str(file), "--json"]) == 1
    said = out.json()
    [error] = [finding for finding in said["findings"] if finding["severity"] == "error"]
    assert sorted(error) == ["code", "fix", "line", "message_index", "severity", "text"]
    assert error["line"] == 2
    assert main(["check", str(file)]) == 1
    assert "broken.jsonl:2: error: " in out.text()


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x00\x01\x02\x00"])
def test_what_cannot_be_read_is_told_in_sentences_and_exits_2(tmp_path: Path, out: Out, content: bytes) -> None:
    file = tmp_path / "odd.jsonl"
    file.write_bytes(content)
    assert main(["check", str(file), "--json"]) == 2
    assert out.text() == ""
    assert "Traceback" not in out.err
    assert out.err.strip().endswith(".")
    assert file.read_bytes() == content


def test_a_file_that_is_not_there_exits_2(tmp_path: Path, out: Out) -> None:
    assert main(["check", str(tmp_path / "none.jsonl")]) == 2
    assert (out.text(), "none.jsonl" in out.err) == ("", True)


@pytest.mark.parametrize("arguments", [[], ["sing"], ["check"], ["cost", "x.jsonl"], ["check", "x", "--method", "y"]])
def test_a_wrong_option_exits_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_cost_has_exactly_its_shape(file: Path, out: Out) -> None:
    assert main(["cost", str(file), "--model", "gpt-4.1-mini", "--epochs", "3", "--json"]) == 0
    said = out.json()
    shape = ["model", "examples", "tokens_per_epoch", "epochs", "training_tokens", "usd", "price_date", "notes"]
    assert list(said) == shape
    assert said["training_tokens"] == 3 * said["tokens_per_epoch"]
    assert (said["model"], said["epochs"], said["examples"]) == (MODEL, 3, 12)
    assert isinstance(said["usd"], str)


def test_cost_on_this_machine_is_nothing(file: Path, out: Out) -> None:
    assert main(["cost", str(file), "--model", "etude-tiny", "--json"]) == 0
    assert out.json()["usd"] == "0.00"


def test_cost_of_an_unknown_model_exits_2_with_the_nearest_name(file: Path, out: Out) -> None:
    assert main(["cost", str(file), "--model", "gpt-4.1-mino", "--json"]) == 2
    assert out.text() == ""
    assert "Did you mean gpt-4.1-mini?" in out.err


@pytest.mark.parametrize("epochs", ["0", "51"])
def test_cost_of_epochs_that_nobody_takes_exits_2(file: Path, out: Out, epochs: str) -> None:
    assert main(["cost", str(file), "--model", MODEL, "--epochs", epochs]) == 2
    assert "from 1 to 50" in (out.text() or out.err)


def test_launch_starts_one_job_and_runs_lists_it(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str], tmp_path: Path
) -> None:
    held_out = written(tmp_path / "held_out.jsonl", 3)
    options = ["--validation", str(held_out), "--epochs", "2", "--seed", "7", "--suffix", "mails"]
    assert main(["launch", str(file), "--model", MODEL, *options, *at_server, "--json"]) == 0
    launched = out.json()
    [job] = server.world.jobs
    assert (launched["job_id"], launched["status"], launched["model"]) == (job, "validating_files", MODEL)
    sent = server.seen("POST", "/fine_tuning/jobs")[0].json
    assert (sent["seed"], sent["suffix"]) == (7, "mails")
    assert sent["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2}
    assert [content.count(b"\n") for content in server.world.contents.values()] == [12, 3]

    assert main(["runs", "--json"]) == 0
    [listed] = out.json()["runs"]
    assert listed["id"] == launched["id"]
    assert main(["runs"]) == 0
    assert launched["id"] in out.text()


def test_launch_waits_for_the_end_and_runs_shows_everything(file: Path, out: Out, at_server: list[str]) -> None:
    assert main(["launch", str(file), "--model", MODEL, "--epochs", "1", "--wait", *at_server, "--json"]) == 0
    ended = out.json()
    assert ended["status"] == "succeeded"
    assert ended["fine_tuned_model"]
    for name in (ended["id"], ended["job_id"]):
        assert main(["runs", name, "--json"]) == 0
        said = out.json()
        assert said["id"] == ended["id"]
        assert [step for step, _ in said["curves"]["train_loss"]] == list(range(1, 13))
        assert said["verdict"]["sentence"]
        assert said["progress"]["share"] == 1.0
        assert said["checkpoints"]
        assert said["events"]
    assert main(["runs", ended["id"]]) == 0
    assert "succeeded" in out.text()


def test_the_same_file_twice_is_one_dataset_and_one_upload(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str], home: Path
) -> None:
    for _ in range(2):
        assert main(["launch", str(file), "--model", MODEL, *at_server, "--json"]) == 0
        out.json()
    assert (len(server.world.files), len(server.world.jobs)) == (1, 2)
    ws = Workspace.open(home)
    assert len({run.version_id for run in book.runs(ws)}) == 1
    ws.close()


def test_without_an_address_the_embedded_service_is_used(
    file: Path, out: Out, embedded_at_server: ProtocolServer
) -> None:
    assert main(["launch", str(file), "--model", "etude-tiny", "--json"]) == 0
    assert out.json()["service_id"] == "embedded"
    assert len(embedded_at_server.world.jobs) == 1
    assert main(["chat", "--model", "etude-tiny", "--message", "Hello there", "--json"]) == 0
    assert out.json()["text"] == "You said: Hello there"


def test_data_with_errors_is_not_sent(tmp_path: Path, out: Out, server: ProtocolServer, at_server: list[str]) -> None:
    file = written(tmp_path / "broken.jsonl", 12, broken=True)
    assert main(["launch", str(file), "--model", MODEL, *at_server, "--json"]) == 1
    assert out.text() == ""
    assert "broken.jsonl:2" in out.err
    assert server.requests == []


def test_a_plan_that_would_be_refused_is_not_sent(
    tmp_path: Path, out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    file = written(tmp_path / "few.jsonl", 9)
    assert main(["launch", str(file), "--model", MODEL, *at_server, "--json"]) == 1
    assert "at least 10" in (out.text() or out.err)
    assert server.requests == []


def test_a_refusal_exits_1_with_the_services_reason(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    server.next("POST", "/fine_tuning/jobs", Refused(403, "Winding down.", code="training_not_available"), times=None)
    assert main(["launch", str(file), "--model", MODEL, *at_server, "--json"]) == 1
    assert out.text() == ""
    assert "Traceback" not in out.err
    assert "Winding down." in out.err, "the service's own words stand under our reading of them"
    assert server.count("POST", "/fine_tuning/jobs") == 1


def test_a_job_that_fails_exits_1_with_what_the_service_says(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    server.world.manual = True
    assert main(["launch", str(file), "--model", MODEL, *at_server, "--json"]) == 0
    run_id = out.json()["id"]
    [job] = server.world.jobs.values()
    server.world.fail(job, "invalid_training_file", "The job failed due to an invalid training file.")
    assert main(["runs", run_id, "--json"]) == 0
    said = out.json()
    assert (said["status"], said["error"]) == ("failed", "The job failed due to an invalid training file.")


def test_a_missing_key_exits_1_and_names_the_variable(file: Path, out: Out, server: ProtocolServer) -> None:
    address = ["--base-url", server.base_url, "--api-key-env", "NO_SUCH_KEY"]
    assert main(["launch", str(file), "--model", MODEL, *address]) == 1
    assert out.text() == ""
    assert "NO_SUCH_KEY" in out.err
    assert server.requests == []


def test_a_key_is_in_no_output_and_in_no_file(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str], home: Path
) -> None:
    main(["launch", str(file), "--model", MODEL, *at_server, "--json"])
    server.next("POST", "/chat/completions", Refused(401, "Incorrect API key provided."), times=None)
    main(["chat", "--model", MODEL, "--message", "x", *at_server])
    said = out.text() + out.err
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert server.api_key not in said
    assert server.api_key.encode() not in kept


def test_an_answer_that_breaks_off_exits_1_and_is_marked(
    out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    server.next("POST", "/chat/completions", Cut(1500))
    code = main(["chat", "--model", MODEL, "--message", "Some longer words " * 20, *at_server, "--json"])
    said = out.json()
    assert (code, said["complete"]) == (1, False)
    assert said["text"].startswith("You said:")


def test_a_run_that_is_not_there_exits_2(out: Out) -> None:
    assert main(["runs", "run_none", "--json"]) == 2
    assert (out.text(), "no run run_none" in out.err) == ("", True)


def test_a_loss_that_is_no_number_is_null_and_the_output_is_still_json(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    server.world.manual = True
    main(["launch", str(file), "--model", MODEL, *at_server, "--json"])
    run_id = out.json()["id"]
    [job] = server.world.jobs.values()
    job.view |= {"status": "running", "trained_tokens": float("nan")}
    for step, loss in ((1, "2.5"), (2, "NaN")):
        server.world.say(job, "", type="metrics", data={"step": step, "total_steps": 36, "train_loss": loss})
    body = json.dumps(job.view).encode()
    server.next("GET", f"/fine_tuning/jobs/{job.view['id']}", Plain(body), times=None)
    assert main(["runs", run_id, "--json"]) == 0
    said = out.json()
    assert said["curves"]["train_loss"] == [[1, 2.5], [2, None]]
    assert said["trained_tokens"] is None
    assert said["verdict"]["kind"] == "diverged"


def test_runs_still_lists_when_the_service_is_away(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    main(["launch", str(file), "--model", MODEL, *at_server, "--json"])
    out.json()
    server.next("GET", "/*", Refused(503), times=None)
    assert main(["runs", "--json"]) == 0
    [listed] = out.json()["runs"]
    assert listed["status"] == "validating_files"
    assert listed["problem"]


def test_engine_becomes_the_service_and_stops_cleanly(tmp_path: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "lib", "engine", "--port", "0", "--home", str(tmp_path / "engine")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    said = json.loads(started.stdout.readline())
    assert sorted(said) == ["api_key", "base_url", "pid"]
    assert said["pid"] == started.pid
    os.kill(started.pid, signal.SIGTERM)
    rest, told = started.communicate(timeout=30)
    assert started.returncode == 0, told
    assert rest == ""


def test_whoever_stops_reading_gets_no_traceback(file: Path) -> None:
    command = f"'{sys.executable}' -m lib check '{file}' --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{", "")


def test_what_a_terminal_cannot_show_is_an_escape_and_steers_nothing(
    tmp_path: Path, out: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "odd.jsonl"
    example = r'{"messages":[{"role":"\u001b[2J\ud800\u009b","content":"x"},{"role":"assistant","content":"y"}]}'
    file.write_text("\n".join([example] * 10), encoding="ascii")
    assert main(["check", str(file)]) == 1
    said = out.text()
    assert r"\x1b[2J\ud800\x9b" in said
    assert not any(sign in said for sign in "\x1b\x9b\ud800")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert main(["check", str(file)]) == 1
    narrow.seek(0)
    assert r"unknown role \u201c" in narrow.read()


def test_a_time_that_no_calendar_has_spoils_no_list(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str]
) -> None:
    main(["launch", str(file), "--model", MODEL, *at_server, "--json"])
    run_id = out.json()["id"]
    ws = Workspace.open()
    with ws.write() as db:
        db.execute("UPDATE runs SET created_at = 1.8e15")
    ws.close()
    assert main(["runs"]) == 0
    assert run_id in out.text()


def test_a_model_left_empty_is_not_the_usual_one(file: Path, out: Out) -> None:
    assert main(["cost", str(file), "--model", "", "--json"]) == 2
    assert out.text() == ""
    assert "no model called" in out.err


def test_a_key_without_an_address_is_not_passed_over(file: Path, out: Out, embedded_at_server: ProtocolServer) -> None:
    for arguments in (["launch", str(file), "--model", "etude-tiny"], ["runs"]):
        assert main([*arguments, "--api-key-env", "SOME_KEY"]) == 2
        assert out.text() == ""
        assert "--base-url" in out.err
    assert embedded_at_server.requests == []


def test_runs_says_when_the_key_is_gone_and_takes_another(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["launch", str(file), "--model", MODEL, *at_server, "--json"])
    run_id = out.json()["id"]
    asked = len(server.requests)
    monkeypatch.delenv("TEST_KEY")
    assert main(["runs", run_id, "--json"]) == 0
    assert out.json()["status"] == "validating_files"
    assert "TEST_KEY" in out.err
    assert "start Etude again" not in out.err
    assert len(server.requests) == asked


def test_runs_asks_with_the_key_that_is_named(out: Out, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ws = Workspace.open(home)
    with ws.write() as db:
        book.record_job(db, "openai", {"id": "ftjob-1", "model": MODEL, "status": "running"}, heard_at=ws.clock())
    ws.close()
    named = ["--base-url", "https://api.openai.com/v1", "--api-key-env", "MY_OWN"]
    assert main(["runs", *named, "--json"]) == 0
    assert len(out.json()["runs"]) == 1
    assert "MY_OWN" in out.err
    assert "OPENAI_API_KEY" not in out.err


def test_cost_says_what_it_did_not_count(tmp_path: Path, out: Out) -> None:
    foreign = json.dumps({"conversations": [{"from": "human", "value": "a question"}]})
    file = written(tmp_path / "mixed.jsonl", 10)
    whole = ["cost", str(file), "--model", MODEL, "--json"]
    assert main(whole) == 0
    before = out.json()
    assert not any("not counted" in note for note in before["notes"])
    with file.open("a", encoding="utf-8") as more:
        more.write(f'{foreign}\n{{"messages": [\n')
    assert main(whole) == 0
    said = out.json()
    assert said["tokens_per_epoch"] == before["tokens_per_epoch"] + 1
    assert "not counted: 1. " in said["notes"][0]
    assert "not counted: 1 of 11. " in said["notes"][1]


def test_a_file_without_a_readable_example_has_no_price(tmp_path: Path, out: Out) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text('{"messages":\n' * 12, encoding="utf-8")
    assert main(["cost", str(file), "--model", MODEL, "--json"]) == 2
    assert out.text() == ""
    assert "Line 1" in out.err


def test_a_launch_of_an_unknown_model_leaves_nothing_behind(
    file: Path, out: Out, embedded_at_server: ProtocolServer, home: Path
) -> None:
    assert main(["launch", str(file), "--model", "gpt-4o"]) == 2
    assert "gpt-4o" in (out.text() or out.err)
    ws = Workspace.open(home)
    assert shelf.datasets(ws) == ()
    ws.close()
    assert embedded_at_server.requests == []


def test_waiting_names_the_run_at_once_and_keeps_the_services_wish_to_wait(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(launching.time, "sleep", pauses.append)
    server.next("GET", "/fine_tuning/jobs/*", Refused(429, code="rate_limit_exceeded", headers={"retry-after": "40"}))
    assert main(["launch", str(file), "--model", MODEL, "--epochs", "1", "--wait", *at_server, "--json"]) == 0
    ended = out.json()
    assert f"Started {ended['id']}" in out.err
    assert [pause for pause in pauses if pause > 30] == [pytest.approx(40, abs=2)]
    assert pauses[0] == launching.POLL_SECONDS


def test_a_validation_file_for_another_method_is_not_sent(
    file: Path, out: Out, server: ProtocolServer, at_server: list[str], tmp_path: Path
) -> None:
    answers = {name: [{"role": "assistant", "content": name}] for name in ("preferred_output", "non_preferred_output")}
    held_out = tmp_path / "pairs.jsonl"
    held_out.write_text(json.dumps({"input": {"messages": [{"role": "user", "content": "Which?"}]}, **answers}))
    assert main(["launch", str(file), "--validation", str(held_out), "--model", MODEL, *at_server]) == 1
    assert out.text() == ""
    assert "pairs.jsonl:1" in out.err
    assert server.requests == []
