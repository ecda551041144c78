"""A set of positions that stays small however many there are: which examples are held out, found, chosen.

Positions count from 0. A set of a hundred thousand takes 0.4 MB instead of the 8 MB of a frozenset, and may be read
from where it is kept only when somebody asks for it. Knows no example and no workspace.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.errors import DataError

Positions = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

END = 2**31
BYTES = 4


class Places(Set[int]):
    """An immutable sorted set of positions over one int32 array. Equal to any set with the same positions."""

    __slots__ = ("_array", "_count", "_load")

    def __init__(self, places: Iterable[int] | npt.NDArray[np.integer[Any]] = ()) -> None:
        """Raises DataError when a position is negative or past 2,147,483,647."""
        self._array: Positions | None = _sorted(places)
        self._count = len(self._array)
        self._load: Callable[[], Places] | None = None

    @classmethod
    def of(cls, places: Iterable[int] | npt.NDArray[np.integer[Any]]) -> Places:
        """These positions; a set that is one already is returned as it is. Raises as the constructor does."""
        return places if isinstance(places, Places) else cls(places)

    @classmethod
    def where(cls, mask: Mask) -> Places:
        """The positions at which the mask is true."""
        return cls(np.flatnonzero(mask))

    @classmethod
    def later(cls, count: int, load: Callable[[], Places]) -> Places:
        """A set of which only the size is known; `load` brings the positions when they are first asked for."""
        made = cls()
        made._array, made._count, made._load = None, count, load
        return made

    @property
    def array(self) -> Positions:
        """The positions, ascending. Read-only."""
        if self._array is None:
            assert self._load is not None
            self._array = self._load().array
        return self._array

    def mask(self, length: int) -> Mask:
        """One bool for each of `length` positions, true where it is in the set; later positions are left out."""
        mask = np.zeros(length, dtype=np.bool_)
        mask[self.array[: self.array.searchsorted(length)]] = True
        return mask

    def packed(self) -> str:
        """The set as ASCII text, about 0.8 bytes a position where every tenth is in it. See `unpacked`."""
        steps = np.diff(self.array, prepend=0).astype("<u4")
        # All low bytes, then all second ones: the high bytes are zeros that pack to nothing.
        planes = steps.view(np.uint8).reshape(-1, BYTES).T.tobytes()
        return base64.b64encode(zlib.compress(planes)).decode("ascii")

    @classmethod
    def unpacked(cls, text: str) -> Places:
        """The set that `packed` has written. Raises DataError when the text is something else."""
        try:
            planes = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), dtype=np.uint8)
            steps = np.ascontiguousarray(planes.reshape(BYTES, -1).T).view("<u4").ravel()
        except (ValueError, zlib.error) as error:
            raise DataError(
                "A list of positions cannot be read: it is damaged.", "Split the version again.", raw=str(error)
            ) from error
        return cls(np.cumsum(steps, dtype=np.int64))

    def __contains__(self, place: object) -> bool:
        if not isinstance(place, int | np.integer) or not 0 <= place < END:
            return False
        array = self.array
        # As an int32: for any other number the whole array would be copied first.
        at = array.searchsorted(np.int32(place))
        return bool(at < len(array) and array[at] == place)

    def __iter__(self) -> Iterator[int]:
        return iter(self.array.tolist())

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Places):
            return self is other or (len(self) == len(other) and np.array_equal(self.array, other.array))
        return super().__eq__(other)

    def __reduce__(self) -> tuple[Any, ...]:
        return Places, (self.array,)

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self.array[:5].tolist()))
        return f"Places([{shown}{', …' if len(self) > 5 else ''}], {len(self)} in all)"


def _sorted(places: Iterable[int] | npt.NDArray[np.integer[Any]]) -> Positions:
    if isinstance(places, range):
        places = np.arange(places.start, places.stop, places.step)
    held = places if isinstance(places, np.ndarray) else np.fromiter(places, dtype=np.int64)
    if len(held) > 1 and not np.all(held[1:] > held[:-1]):
        held = np.unique(held)
    if len(held) and not 0 <= held[0] <= held[-1] < END:
        raise DataError(f"There is no position {held[0] if held[0] < 0 else held[-1]}.", "Positions count from 0.")
    array = held.astype(np.int32)
    array.flags.writeable = False
    return array
