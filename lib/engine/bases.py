"""Base models that a person added: an entry each, which names the folder that holds the model. The folder stays theirs.

An entry lies at bases/<name>/base.json in the engine's folder; what a hub sent for it lies beside, in model/. An entry
that fine-tunes rest on is kept when it is removed, unseen: their ids go on to mean the same weights.
Knows no route, no row and no network.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from lib.engine.hugging_face.folder import CONFIG_FILE, ModelFolder, examine
from lib.engine.protocol import invalid
from lib.errors import EngineError, NotThere, Rejected

ENTRY_FILE = "base.json"
MODEL_FOLDER = "model"
KIND: Literal["hugging_face"] = "hugging_face"
LONGEST_NAME = 64
NAME = re.compile(rf"[a-z0-9](?:[a-z0-9.-]{{0,{LONGEST_NAME - 2}}}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Base:
    """An added base model. `parameters` counts numbers, `weight_bytes` what they take on disk.

    `context` is the longest conversation in tokens that its config speaks of. `removed`: it is there for fine-tunes
    alone.
    """

    name: str
    folder: Path
    hub_id: str | None
    created_at: int
    model_type: str
    architecture: str
    parameters: int
    weight_bytes: int
    context: int | None
    removed: bool = False
    kind: str = KIND

    @property
    def there(self) -> bool:
        """Whether the folder still holds a model: it may lie on a disk that is not connected."""
        return (self.folder / CONFIG_FILE).is_file()

    @property
    def owner(self) -> str:
        """Who it is said to be owned by: the organization at the hub, or this machine."""
        return self.hub_id.split("/")[0].lower() if self.hub_id and "/" in self.hub_id else "local"


class Bases:
    """The entries under `root`. `clock` gives seconds since 1970."""

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self.root = root
        self._clock = clock

    def listed(self) -> list[Base]:
        """The base models that can be chosen, by name."""
        return [base for base in self._every() if not base.removed]

    def find(self, name: str) -> Base | None:
        """The base model of this name, also one that is there for its fine-tunes alone."""
        return self._read(name) if NAME.fullmatch(name) else None

    def usable(self, name: str, *, param: str = "model") -> Base | None:
        """The same. Raises Rejected (400) when its folder is gone."""
        base = self.find(name)
        if base is not None and not base.there:
            raise gone(base, param)
        return base

    def add(self, name: str, folder: Path, *, hub_id: str | None = None) -> Base:
        """Look at the model in `folder` and enter it. Adding the same again looks again.

        Raises Rejected (400) for a folder that cannot be used, and for a name that means another folder.
        """
        known = self.find(name)
        if known is not None and not _same(known, folder):
            raise taken(name, known)
        try:
            found = examine(folder)
        except EngineError as error:
            raise Rejected(
                error.what, error.todo, raw=error.raw, status=400, param="folder", code="invalid_base_model"
            ) from error
        entry = self._entry(name, found, hub_id, known)
        self._write(entry)
        return entry

    def remove(self, name: str, *, keep: bool) -> None:
        """Take the entry out; the model's folder is not touched. `keep` leaves it to fine-tunes that rest on it."""
        base = self.find(name)
        if base is None or base.removed:
            raise no_such_base(name)
        if keep:
            self._write(replace(base, removed=True))
        else:
            (self.root / name / ENTRY_FILE).unlink(missing_ok=True)
            if not any((self.root / name).iterdir()):
                (self.root / name).rmdir()

    def discard_files(self, name: str) -> None:
        """Delete what lies in the entry's own folder: the entry, and what a hub sent."""
        shutil.rmtree(self.root / name, ignore_errors=True)

    def own_folder(self, name: str) -> Path:
        """Where what a hub sends for this name lies."""
        return self.root / name / MODEL_FOLDER

    def _every(self) -> Iterator[Base]:
        for folder in sorted(self.root.iterdir()) if self.root.is_dir() else ():
            base = self.find(folder.name)
            if base is not None:
                yield base

    def _read(self, name: str) -> Base | None:
        try:
            said = json.loads((self.root / name / ENTRY_FILE).read_bytes())
            return msgspec.convert({**said, "name": name}, Base, dec_hook=lambda kind, value: kind(value))
        except (OSError, ValueError, TypeError, msgspec.ValidationError):
            return None

    def _write(self, base: Base) -> None:
        folder = self.root / base.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = {key: value for key, value in asdict(base).items() if key != "name"} | {"folder": str(base.folder)}
        temporary = folder / f"{ENTRY_FILE}.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(said, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / ENTRY_FILE)

    def _entry(self, name: str, found: ModelFolder, hub_id: str | None, known: Base | None) -> Base:
        return Base(
            name=name,
            folder=found.path,
            hub_id=hub_id,
            created_at=known.created_at if known is not None else int(self._clock()),
            model_type=found.model_type,
            architecture=found.architecture,
            parameters=found.parameters,
            weight_bytes=found.weight_bytes,
            context=found.context,
        )


def name_for(asked: str | None, folder: Path | None, hub_id: str | None) -> str:
    """The name that was asked for, or one made from the folder's name or the hub id. Raises Rejected (400)."""
    if asked is not None:
        name = asked.strip().lower()
        if not NAME.fullmatch(name):
            raise invalid(
                "name",
                f"Invalid 'name': {asked[:80]!r} is not a name for a model. Use up to {LONGEST_NAME} small letters, "
                "digits, hyphens and points, with a letter or digit at both ends.",
            )
        return name
    source = hub_id or ""
    if folder is not None:
        # A hub's cache keeps models--<organization>--<name>/snapshots/<commit>.
        cached = folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")
        source = folder.parent.parent.name.split("--")[-1] if cached else folder.name
    made = re.sub(r"[^a-z0-9.-]+", "-", source.rpartition("/")[2].lower())[:LONGEST_NAME].strip("-.")
    if not made:
        raise invalid("name", "The folder's name has no letter or digit to make a name from: give a 'name'.")
    return made


def taken(name: str, known: Base) -> Rejected:
    """409: this name means another model already."""
    kept = ", kept for the fine-tunes that rest on it" if known.removed else ""
    return Rejected(
        f"The name {name!r} belongs to the base model in {known.folder}{kept}.",
        "Give the new one another name.",
        status=409,
        param="name",
        code="name_taken",
    )


def gone(base: Base, param: str = "model") -> Rejected:
    """400: the entry is there, and its folder is not."""
    return Rejected(
        f"The base model {base.name!r} lies in {base.folder}, and that folder is not there any more.",
        "Put it back, or connect the disk it is on.",
        status=400,
        param=param,
        code="model_not_available",
    )


def no_such_base(name: str) -> NotThere:
    """404: nobody added a base model of this name."""
    return NotThere(f"No base model {name[:200]!r} was added.", status=404, param="name", code="model_not_found")


def _same(known: Base, folder: Path) -> bool:
    return known.folder == folder.resolve()
