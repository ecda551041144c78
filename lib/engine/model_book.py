"""Which models there are and where their weights lie: base models that ship or were added, fine-tunes, and checkpoints.

Base models that ship are discovered: a folder named after the snapshot, with config.json and model.safetensors. The
name without its date is an alias of the newest snapshot. Only a checkpoint whose manifest is there is a model: it is
written last. Knows no route, and nothing of what weights mean.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lib.engine.bases import Base, Bases, gone
from lib.engine.home import Home
from lib.engine.job_status import ENDED
from lib.engine.store import Store
from lib.errors import NotAllowed, NotThere

ORGANIZATION = "local"
ADAPTER_FILE, CONFIG_FILE = "adapter_config.json", "config.json"
DATED = re.compile(r"(?P<alias>.+)-(?P<date>\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Model:
    """`id` as a client names it, `snapshot` what that resolves to, `base` the base model under it.

    `folder` is where its weights lie: of a fine-tune, perhaps, only what was added to those of its base. `kind` is
    that of the base model.
    """

    id: str
    snapshot: str
    base: str
    folder: Path
    created_at: int
    owned_by: str
    kind: Literal["built_in", "hugging_face"] = "built_in"


class ModelBook:
    """Models by id. `bases` are folders that hold one folder for each base model that ships; `added` are the others."""

    def __init__(self, store: Store, home: Home, bases: Iterable[Path], clock: Callable[[], float]) -> None:
        self._store = store
        self._home = home
        self._bases = tuple(bases)
        self._clock = clock
        self.added = Bases(home.bases, clock)

    def listed(self) -> list[Model]:
        """Base models and their aliases, then fine-tunes and checkpoints, newest first."""
        added = (_added(base) for base in self.added.listed())
        return [*self._base_models().values(), *added, *self._checkpoints(), *self._fine_tunes()]

    def find(self, model_id: str, *, param: str = "model") -> Model:
        """The model of this id, to be used. Raises NotThere (404 model_not_found), Rejected (400) when the folder of an
        added base model, which it is or rests on, is not there any more."""
        model = self.known(model_id, param=param)
        if model.kind == "hugging_face" and not _is_whole(model.folder):
            base = self.added.find(model.base)
            if base is not None and not base.there:
                raise gone(base, param)
        return model

    def known(self, model_id: str, *, param: str = "model") -> Model:
        """The model of this id, wherever its weights may be. Raises NotThere (404 model_not_found)."""
        made = self._fine_tuned(model_id) if model_id.startswith("ft:") else self._base(model_id)
        if made is None:
            raise NotThere(
                f"The model '{model_id[:200]}' does not exist or you do not have access to it.",
                status=404,
                param=param,
                code="model_not_found",
            )
        return made

    def keep(self, model_id: str, base: str, weights: Path, name: str) -> sqlite3.Row | None:
        """Take finished weights into models/ under `name` and enter them. Doing it twice changes nothing."""
        target = self._home.models / name
        if not target.exists():
            temporary = target.with_suffix(".tmp")
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(mode=0o700)
            for part in sorted(weights.iterdir()):
                os.link(part, temporary / part.name)
            temporary.rename(target)
        with self._store.change() as db:
            db.execute(
                "INSERT OR IGNORE INTO models (id, base, folder, created_at) VALUES (?, ?, ?, ?)",
                (model_id, base, name, int(self._clock())),
            )
        return self._store.row("SELECT * FROM models WHERE id = ?", (model_id,))

    def remove(self, model_id: str) -> None:
        """Delete a fine-tune or a checkpoint and its weights. Raises NotThere, NotAllowed for a base model."""
        model = self.known(model_id)
        if not model_id.startswith("ft:"):
            raise NotAllowed(
                f"The model '{model_id}' is a base model and cannot be deleted: only fine-tuned models can.",
                status=403,
                param="model",
                code="model_not_deletable",
            )
        with self._store.change() as db:
            db.execute("DELETE FROM models WHERE id = ?", (model_id,))
            db.execute("DELETE FROM checkpoints WHERE model = ?", (model_id,))
        shutil.rmtree(model.folder)

    def base(self, name: str) -> Model:
        """The base model under a job or a fine-tune, also one that is there for them alone. Raises as `find` does."""
        base = self.added.usable(name)
        return self.find(name) if base is None else _added(base)

    def ships(self, name: str) -> bool:
        """Whether a name is that of a base model that ships, or an alias of one."""
        return name in self._base_models()

    def resting_on(self, base: str) -> tuple[int, int]:
        """How many jobs on this base model have not ended, and how many fine-tunes and checkpoints rest on it."""
        marks = ", ".join("?" * len(ENDED))
        jobs = self._store.rows(f"SELECT 1 FROM jobs WHERE base = ? AND status NOT IN ({marks})", (base, *ENDED))
        return len(jobs), sum(model.base == base for model in (*self._fine_tunes(), *self._checkpoints()))

    def _base(self, name: str) -> Model | None:
        base = self.added.find(name)
        return self._base_models().get(name) if base is None or base.removed else _added(base)

    def _base_models(self) -> dict[str, Model]:
        found: dict[str, Model] = {}
        for folder in sorted(_weights_under(self._bases), key=lambda each: each.name):
            dated = DATED.fullmatch(folder.name)
            made = datetime.fromisoformat(dated["date"]).replace(tzinfo=UTC) if dated else None
            created = int(made.timestamp() if made else folder.stat().st_mtime)
            for name in (folder.name, dated["alias"] if dated else folder.name):
                found[name] = Model(name, folder.name, folder.name, folder, created, "system")
        return found

    def _fine_tunes(self) -> Iterator[Model]:
        for row in self._store.rows("SELECT * FROM models ORDER BY number DESC"):
            yield self._made(row["id"], row["base"], self._home.models / row["folder"], row["created_at"])

    def _checkpoints(self, model_id: str | None = None) -> Iterator[Model]:
        sql = "SELECT c.*, j.base FROM checkpoints c JOIN jobs j ON j.id = c.job_id"
        rows = (
            self._store.rows(f"{sql} ORDER BY c.number DESC")
            if model_id is None
            else self._store.rows(f"{sql} WHERE c.model = ?", (model_id,))
        )
        for row in rows:
            folder = self._home.job(row["job_id"]) / row["folder"]
            if (folder / "manifest.json").exists():
                yield self._made(row["model"], row["base"], folder, row["created_at"])

    def _fine_tuned(self, model_id: str) -> Model | None:
        row = self._store.row("SELECT * FROM models WHERE id = ?", (model_id,))
        if row is not None:
            return self._made(row["id"], row["base"], self._home.models / row["folder"], row["created_at"])
        return next(self._checkpoints(model_id), None)

    def _made(self, model_id: str, base: str, folder: Path, created_at: int) -> Model:
        kind: Literal["built_in", "hugging_face"] = "built_in" if self.added.find(base) is None else "hugging_face"
        return Model(model_id, model_id, base, folder, created_at, ORGANIZATION, kind)


def fine_tuned_id(base: str, suffix: str | None, tag: str) -> str:
    """`ft:<base>:<organization>:<suffix or nothing>:<tag>`; the suffix in small letters, digits and hyphens."""
    told = re.sub(r"[^a-z0-9]+", "-", (suffix or "").lower()).strip("-")
    return f"ft:{base}:{ORGANIZATION}:{told}:{tag}"


def model_object(model: Model) -> dict[str, Any]:
    """A model as the protocol shows it."""
    return {
        "id": model.id,
        "object": "model",
        "created": model.created_at,
        "owned_by": model.owned_by,
        "shutdown_date": None,
    }


def _is_whole(folder: Path) -> bool:
    """Whether a fine-tune's folder holds a model, not only what was added to its base."""
    return (folder / CONFIG_FILE).is_file() and not (folder / ADAPTER_FILE).exists()


def _added(base: Base) -> Model:
    return Model(base.name, base.name, base.name, base.folder, base.created_at, base.owner, "hugging_face")


def _weights_under(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for folder in root.iterdir() if root.is_dir() else ():
            if (folder / "config.json").is_file() and (folder / "model.safetensors").is_file():
                yield folder
