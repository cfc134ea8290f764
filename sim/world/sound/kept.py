"""Arrays worth keeping, up to so many bytes: the least recently asked for goes first."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import numpy as np

Array = TypeVar("Array", bound=np.ndarray)


class Kept(Generic[Array]):
    """A cache of arrays bounded in bytes; safe for threads, as each step is one operation on a dict.

    Two threads that miss together both compute, and get equal arrays.
    """

    def __init__(self, most_bytes: int) -> None:
        """Keep at most `most_bytes`; an array larger than that is computed each time."""
        self._most_bytes = most_bytes
        self._kept: dict[Hashable, Array] = {}

    def get(self, key: Hashable, make: Callable[[], Array]) -> Array:
        """The array of `key`, made if it is not here; it becomes read-only."""
        found = self._kept.pop(key, None)
        if found is None:
            found = make()
            found.setflags(write=False)
        if found.nbytes > self._most_bytes:
            return found
        self._kept[key] = found
        while self.size_bytes > self._most_bytes:
            oldest = next(iter(list(self._kept)), None)
            self._kept.pop(oldest, None)
        return found

    @property
    def size_bytes(self) -> int:
        """What is kept now."""
        return sum(array.nbytes for array in list(self._kept.values()))
