"""`python -m lib.engine.hub_download FOLDER`: fetch a model from a hub into FOLDER/model, where it left off.

FOLDER/download.json says which. FOLDER/progress.json is written once the size is known, FOLDER/problem.json when it
cannot be done: `what` happened and what `todo`. A process of its own: the server opens no connection to anywhere.
The variable HF_TOKEN is sent to the hub and nowhere else; HF_ENDPOINT names another hub.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from lib.engine.hub_files import checked_weights, small_files
from lib.engine.hugging_face.folder import INDEX_FILE, WEIGHTS_FILE, chosen_weights, judge, shards
from lib.errors import EngineError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

DOWNLOAD_FILE, PROGRESS_FILE, PROBLEM_FILE = "download.json", "progress.json", "problem.json"
LOCK_FILE = "download.lock"
MODEL_FOLDER = "model"
UNFINISHED = ".part"
LIST_SECONDS = 30.0
LOOK_SECONDS = 0.5
# Without a byte for so long, a connection is given up and made anew.
SILENCE_SECONDS = 30.0
PAUSE_SECONDS = 1.0
FRUITLESS_TRIES = 4
BLOCK_BYTES = 1 << 16
# Left free on the disk: a training needs room for its checkpoints too.
SPARE_BYTES = 200_000_000
AGAIN = "Then add the model again: it goes on with what is there already."

# Nothing is told to the hub that it does not need, and the log has no bars in it.
SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A model at the hub: the commit that is fetched, and size in bytes and SHA-256 (where known) of each file."""

    revision: str
    sizes: Mapping[str, int]
    hashes: Mapping[str, str]


def main() -> int:
    """Fetch. Exit code 0 when everything is there, 1 with a problem.json."""
    folder = Path(sys.argv[1])
    os.environ.update(SETTINGS)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    # One that a killed engine left behind ends soon, and must not write beside this one.
    lock = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    asked = json.loads((folder / DOWNLOAD_FILE).read_bytes())
    try:
        fetch(folder, asked["hub_id"], os.environ.get("HF_TOKEN") or None)
    except EngineError as error:
        write(folder / PROBLEM_FILE, {"what": error.what, "todo": error.todo, "raw": error.raw})
        print(error, error.raw or "", file=sys.stderr)
        return 1
    return 0


def fetch(folder: Path, hub_id: str, token: str | None) -> None:
    """Everything of `hub_id` that is used here, into FOLDER/model. Raises EngineError with a sentence."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(token=token or False, library_name="etude")
    host = urlsplit(api.endpoint).netloc
    try:
        listed = _listed(api, hub_id, _revision(folder))
        target = folder / MODEL_FOLDER
        target.mkdir(mode=0o700, exist_ok=True)
        small = small_files(listed.sizes)
        _get(api, hub_id, listed, small, target)
        judge(_object(target / "config.json"))
        kept = chosen_weights(set(listed.sizes))
        names = (WEIGHTS_FILE,) if kept == WEIGHTS_FILE else shards(_object(target / INDEX_FILE))
        weights = checked_weights(names, listed.sizes)
        total = sum(listed.sizes[name] for name in (*small, *weights))
        _make_sure_of_room(target, total)
        write(folder / PROGRESS_FILE, {"revision": listed.revision, "total_bytes": total})
        _get(api, hub_id, listed, weights, target)
    except HfHubHTTPError as error:
        raise _refused(error, hub_id, host, with_token=token is not None) from error
    except httpx2.HTTPError as error:
        raise EngineError(
            f"The hub at {host} cannot be reached.",
            f"Check the network. {AGAIN}",
            raw=f"{type(error).__name__}: {error}",
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise EngineError(f"{hub_id} could not be fetched: {why[:300]}.", AGAIN, raw=str(error)) from error


def write(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON file that is whole or not there."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(value), encoding="utf-8")
    temporary.replace(path)


def _listed(api: HfApi, hub_id: str, revision: str | None) -> Listed:
    info = api.model_info(hub_id, revision=revision, files_metadata=True, timeout=LIST_SECONDS)
    files = info.siblings or []
    return Listed(
        revision=str(info.sha),
        sizes={file.rfilename: int(file.size) for file in files if file.size is not None},
        hashes={file.rfilename: file.lfs.sha256 for file in files if file.lfs is not None},
    )


def _revision(folder: Path) -> str | None:
    """The commit that an interrupted download was fetching: a newer one must not be mixed with it."""
    try:
        return str(json.loads((folder / PROGRESS_FILE).read_bytes())["revision"])
    except (OSError, ValueError, KeyError):
        return None


def _get(api: HfApi, hub_id: str, listed: Listed, names: Iterable[str], target: Path) -> None:
    from huggingface_hub import hf_hub_url

    headers = {"user-agent": "etude"} | ({"authorization": f"Bearer {api.token}"} if api.token else {})
    for name in names:
        part, size = target / f"{name}{UNFINISHED}", listed.sizes[name]
        if _is_there(target / name, size, listed.hashes.get(name)):
            continue
        with part.open("ab") as file:
            if file.tell() > size:
                _empty(file)
            url = hf_hub_url(hub_id, name, revision=listed.revision, endpoint=api.endpoint)
            # The package's own download starts a file anew when it was killed; this one keeps every byte.
            _receive(url, headers, file, size)
            file.flush()
            os.fsync(file.fileno())
        if not _is_there(part, size, listed.hashes.get(name)):
            raise EngineError(f"{name} was damaged on its way: it is not what the hub says it is.", AGAIN)
        part.rename(target / name)


def _receive(url: str, headers: Mapping[str, str], file: BinaryIO, size: int) -> None:
    """What is still missing of a file, which is open at its end. Goes on after a connection broke, as long as that
    brings anything. Raises what the hub's client raises."""
    import httpx2
    from huggingface_hub import get_session, hf_raise_for_status

    fruitless = 0
    while (begin := file.tell()) < size:
        asked = {**headers, "accept-encoding": "identity"} | ({"range": f"bytes={begin}-"} if begin else {})
        try:
            with get_session().stream("GET", url, headers=asked, timeout=SILENCE_SECONDS) as answer:
                hf_raise_for_status(answer)
                if begin and answer.status_code != httpx2.codes.PARTIAL_CONTENT:
                    _empty(file)
                for block in answer.iter_bytes(BLOCK_BYTES):
                    file.write(block)
                    if file.tell() > size:
                        _empty(file)
                        raise OSError("more came than the hub had announced")
        except httpx2.TransportError:
            fruitless = fruitless + 1 if file.tell() <= begin else 0
            if fruitless == FRUITLESS_TRIES:
                raise
            time.sleep(PAUSE_SECONDS)


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _is_there(path: Path, size: int, expected: str | None) -> bool:
    """Whether a file is the one that the hub speaks of. Another one is removed: it may be of another commit."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        same = path.stat().st_size == size
        same = same and (expected is None or hashlib.file_digest(file, "sha256").hexdigest() == expected)
    if not same:
        path.unlink()
    return same


def _make_sure_of_room(target: Path, total: int) -> None:
    there = sum(path.stat().st_size for path in target.iterdir())
    free = shutil.disk_usage(target).free
    if total - there + SPARE_BYTES > free:
        raise EngineError(
            f"The model needs {(total - there) / 1e9:.1f} GB more on the disk, and {free / 1e9:.1f} GB are free.",
            f"Make room. {AGAIN}",
        )


def _refused(error: Exception, hub_id: str, host: str, *, with_token: bool) -> EngineError:
    """What the hub's refusal means for a person."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    assert isinstance(error, HfHubHTTPError)
    status = error.response.status_code
    access = (
        "The token in HF_TOKEN has no access to it."
        if with_token
        else "Then set the variable HF_TOKEN to a token of your account where Etude and its service are started."
    )
    if isinstance(error, GatedRepoError):
        what, todo = (
            f"{hub_id} is gated: its owners give access on request.",
            f"Ask for it on the model's page. {access}",
        )
    elif isinstance(error, RepositoryNotFoundError):
        what = f"The hub at {host} shows no model {hub_id}."
        todo = f"Check the spelling. If it is private, ask its owners for access. {access}"
    elif status in (401, 403):
        what, todo = f"The hub at {host} refused to give {hub_id}.", access
    elif status == 429:
        what, todo = f"The hub at {host} asks to wait.", f"Wait some minutes. {AGAIN}"
    else:
        what, todo = f"The hub at {host} answered with status {status}.", f"Wait a while. {AGAIN}"
    return EngineError(what, todo, raw=str(error)[:1000])


def _object(path: Path) -> Mapping[str, Any]:
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(f"{path.name} of the model cannot be read as JSON.", "Choose another model.") from error
    if not isinstance(held, dict):
        raise EngineError(f"{path.name} of the model is not a JSON object.", "Choose another model.")
    return held


def _end_with_parent() -> None:
    """End when the engine that started this is gone: the next one starts it again."""
    engine = os.environ.get("ETUDE_ENGINE_PID", "")
    parent = int(engine) if engine.isdecimal() else os.getppid()
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
