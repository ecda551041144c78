"""A file of the engine's that is written whole or not at all. Knows neither what is in it nor who sends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.errors import ServiceBroken


@contextmanager
def whole_file(path: Path) -> Iterator[None]:
    """While the block runs, `path` comes into being; when the block raises, nothing is left there.

    Raises ServiceBroken in the place of an OSError, as when the disk is full.
    """
    try:
        yield
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ServiceBroken(
            f"The file could not be kept: {error.strerror or error}.", "Make room on the disk.", status=500
        ) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
