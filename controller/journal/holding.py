"""One controller to a journal's folder: a lock that ends with its process. What is written there is next door."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from controller.errors import ControllerError

FILE_NAME = "journal.lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other controllers out of `folder`: two would replace each other's `alarms.json` and outbox.

    Where no folder can be made, or a file system has no locks, nobody is kept out: the journal says what is wrong.

    Raises:
        ControllerError: another one is at work in it.
    """
    fd = -1
    try:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            fd = os.open(folder / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        if fd >= 0:
            _lock(fd, folder)
        yield
    finally:
        if fd >= 0:
            os.close(fd)  # which unlocks


def _lock(fd: int, folder: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ControllerError(
            f"another controller writes the journal in {folder}",
            remedy="stop that one first, or give this one a folder of its own: --journal, or [journal]",
        ) from error
    except OSError:
        return
