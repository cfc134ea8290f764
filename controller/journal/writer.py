"""Appends entries to files that a power cut cannot spoil: batched while nothing happens, at once on an alarm."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from controller.errors import ControllerError
from controller.journal.entries import AnyEntry, to_json
from controller.journal.lines import checked

FILE_PATTERN = "journal-*.jsonl"


class JournalWriter:
    """Writes JSON lines; rotates at a bound and keeps a bounded number of files. Call from one thread at a time."""

    def __init__(self, folder: Path, stamp: str, *, max_file_bytes: int, max_files: int) -> None:
        """Open the first file in `folder`.

        Raises:
            ControllerError: the folder cannot be made or written to.
        """
        self._folder = folder
        self._stamp = stamp
        self._max_file_bytes = max_file_bytes
        self._max_files = max_files
        self._part = 0
        self._fd = -1
        self._size = 0
        self._torn = False
        try:
            self._open()
        except OSError as error:
            raise ControllerError(
                f"cannot write the journal in {folder}",
                remedy=f"{error.strerror}; choose another folder under [journal] or free the disk",
            ) from error

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._path

    def append(self, entries: Sequence[AnyEntry], *, durable: bool) -> None:
        """Write entries; with `durable` they are on the disk when this returns.

        Raises:
            OSError: the disk is full or gone; then none of them is written, or, where even that cannot be undone, the
                last line is torn, which is repaired before the next.
        """
        data = b"".join(checked(to_json(entry)) + b"\n" for entry in entries)
        if self._size + len(data) > self._max_file_bytes or not self._is_there():
            self._rotate()
        if self._torn:
            data = b"\n" + data
        self._torn = True
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
            if durable:
                os.fsync(self._fd)
        except OSError:
            self._undo()
            raise
        self._torn = False
        self._size += len(data)

    def close(self) -> None:
        """Put everything on the disk and close."""
        if self._fd >= 0:
            try:
                os.fsync(self._fd)
            finally:
                os.close(self._fd)
                self._fd = -1

    def _is_there(self) -> bool:
        """Whether the file still is what its name stands for: somebody may have taken it, or the folder, away."""
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        written = os.fstat(self._fd)
        return (named.st_dev, named.st_ino) == (written.st_dev, written.st_ino)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._folder / f"journal-{self._stamp}-{self._part:04d}.jsonl"
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        sync_folder(self._folder)  # or the file has no name after a power cut
        self._size = os.fstat(self._fd).st_size
        self._torn = self._size > 0  # an earlier start of the same second wrote here, and may not have ended its line
        # By the time of the last write, not by name: the clock of a machine without a battery may run behind.
        others = [path for path in self._folder.glob(FILE_PATTERN) if path != self._path]
        others.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
        for old in others[: max(0, len(others) - self._max_files + 1)]:
            old.unlink(missing_ok=True)

    def _undo(self) -> None:
        """Take back what a full disk took of a batch, which comes again as a whole."""
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
            self._torn = self._size > 0

    def _rotate(self) -> None:
        self.close()
        self._part += 1
        self._open()


def sync_folder(folder: Path) -> None:
    """Put names of new files on the disk too."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
