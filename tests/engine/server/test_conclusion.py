"""How jobs end, also when the engine is killed in the middle of an ending."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.engine.conclusion import Conclusion
from lib.engine.file_shelf import FileShelf
from lib.engine.home import Home
from lib.engine.job_book import JobBook
from lib.engine.journal import Done
from lib.engine.model_book import ModelBook
from lib.engine.store import Store

JOB = "ftjob-one"
DONE = Done(trained_tokens=12, folder="checkpoints/step-5")


class Killed(BaseException):
    """Stands for the end of the process."""


class Desk:
    """A job whose trainer is done, and everything that ends it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.store = Store(self.home.database)
        self.book = JobBook(self.store, lambda: 1000.0)
        self.files = FileShelf(self.store, self.home.files, lambda: 1000.0)
        models = ModelBook(self.store, self.home, (), lambda: 1000.0)
        self.conclusion = Conclusion(self.home, self.book, models, self.files)
        job = {"id": JOB, "model": "base", "base": "base", "training_file": "file-1", "method": "supervised"}
        self.book.create(job | {"hyperparameters": "{}", "suffix": None, "seed": 1})
        for part in ("checkpoints/step-5/model.safetensors", "resume/step-5/state.safetensors"):
            (self.home.job(JOB) / part).parent.mkdir(parents=True)
            (self.home.job(JOB) / part).write_text("weights")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()
    made.home.release()


@pytest.mark.parametrize("mark", ["model", "succeeded"])
def test_an_ending_that_was_cut_short_is_reached_once(desk: Desk, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    move = desk.book.move

    def killed_at_the_mark(job_id: str, said: str, message: str, **columns: object) -> None:
        if said == mark:
            raise Killed
        move(job_id, said, message, **columns)

    with monkeypatch.context() as patch:
        patch.setattr(desk.book, "move", killed_at_the_mark)
        with pytest.raises(Killed):
            desk.conclusion.reach(JOB, DONE)
    desk.conclusion.reach(JOB, DONE)

    job = desk.book.get(JOB)
    assert (job["status"], job["trained_tokens"]) == ("succeeded", 12)
    files, _ = desk.files.listed(purpose="fine-tune-results", behind=None, limit=10, oldest_first=False)
    assert [file["id"] for file in files] == [job["result_file"]]
    assert [path.name for path in desk.home.files.iterdir()] == [job["result_file"]]
    assert len(list(desk.home.models.iterdir())) == 1
    messages = [event["message"] for event in desk.book.events(JOB, behind=None, limit=10)[0]]
    assert len(messages) == len(set(messages)) == 3


def test_a_job_that_is_given_up_leaves_no_resume_state(desk: Desk) -> None:
    desk.conclusion.give_up(JOB, "The job failed due to an internal error.")
    assert desk.book.get(JOB)["status"] == "failed"
    assert [path.name for path in desk.home.job(JOB).iterdir()] == ["checkpoints"]
