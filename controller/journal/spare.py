"""Room on the disk that is ours already, so that how alarms stand can be written when no other is left.

Two slots of a fixed size in one file, written in turn: a kill in the middle of one leaves the other. What is written in
them, and when, is not known here.
"""

import os
from pathlib import Path

import msgspec

from controller.journal.lines import LineError, checked, unchecked
from controller.journal.standing import Standing

FILE_NAME = "alarms.spare"
SLOT_BYTES = 131_072  # some hundred alarms of usual length; and no more than a quarter of a megabyte of an SD card
SLOTS = 2


class Spare:
    """The file of one folder; call from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is touched before `prepare`."""
        self._path = folder / FILE_NAME
        self._slot = 0

    def prepare(self) -> None:
        """Take the room while there is some, and find which slot is the older one.

        Raises:
            OSError: there is none left.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(fd, 0, SLOTS * SLOT_BYTES)  # what is there already stays
            os.fsync(fd)
        finally:
            os.close(fd)
        numbers = [-1 if standing is None else standing.number for standing in _slots(self._path)]
        self._slot = numbers.index(min(numbers))

    def write(self, standing: Standing) -> None:
        """Write over the older slot; when this returns it is on the disk.

        Raises:
            OSError: the file is not there or cannot be written, or the alarms do not fit.
        """
        data = checked(msgspec.json.encode(standing)) + b"\n"
        if len(data) > SLOT_BYTES:
            raise OSError(f"{len(data)} bytes of alarms do not fit into {SLOT_BYTES}")
        fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            at = self._slot * SLOT_BYTES
            while data:
                count = os.pwrite(fd, data, at)
                data, at = data[count:], at + count
            os.fdatasync(fd)
        finally:
            os.close(fd)
        self._slot = (self._slot + 1) % SLOTS


def read_spare(folder: Path) -> Standing | None:
    """The newest of what the slots say; None where none says anything that is whole.

    Raises:
        OSError: there is a file, but it cannot be read.
    """
    found = [standing for standing in _slots(folder / FILE_NAME) if standing is not None]
    return max(found, key=lambda standing: standing.number, default=None)


def _slots(path: Path) -> list[Standing | None]:
    try:
        with path.open("rb") as source:
            slots = [source.read(SLOT_BYTES) for _ in range(SLOTS)]
    except FileNotFoundError:
        return [None] * SLOTS
    return [_standing(slot.partition(b"\n")[0]) for slot in slots]


def _standing(line: bytes) -> Standing | None:
    try:
        body, vouched = unchecked(line, longest=SLOT_BYTES)
        return msgspec.json.decode(body, type=Standing) if vouched else None
    except (LineError, msgspec.DecodeError, UnicodeDecodeError):
        return None
