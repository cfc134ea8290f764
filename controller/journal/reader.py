"""Reads journals back, whatever a crash left of them. What was read is shown elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from controller.errors import ControllerError
from controller.journal.entries import AnyEntry, from_json
from controller.journal.lines import MAX_LINE_BYTES, LineError, unchecked
from controller.journal.writer import FILE_PATTERN

FOREIGN_AFTER = 20  # lines without one entry among them: no journal of ours


def journal_files(path: Path) -> list[Path]:
    """The files of a journal, oldest first: those in a folder, or the one named."""
    return sorted(path.glob(FILE_PATTERN)) if path.is_dir() else [path]


def read_entries(path: Path) -> Iterator[AnyEntry | int]:
    """Entries in the order of writing; an unreadable line (a write that a crash tore) comes as its line number."""
    for file in journal_files(path):
        with file.open("rb") as source:
            yield from LineReader().read(source)


def check_own(path: Path) -> None:
    """See that `path` is a journal of ours, by its first lines.

    Raises:
        ControllerError: it is none, or cannot be read.
    """
    files = journal_files(path)
    if not files:
        raise ControllerError(f"no journal files in {path}", remedy=f"name a folder with {FILE_PATTERN} in it")
    if path.is_dir():
        return
    lines, any_line = LineReader(), False
    try:
        with path.open("rb") as source:
            for number, entry in enumerate(lines.read(source), start=1):
                any_line = True
                if not isinstance(entry, int):
                    return
                if number >= FOREIGN_AFTER:
                    break
    except OSError as error:
        raise ControllerError(f"cannot read {path}", remedy=str(error.strerror)) from error
    if any_line:
        raise ControllerError(
            f"{path} is no journal of ours", remedy=f"name a folder with {FILE_PATTERN}, or one of them"
        )


class LineReader:
    """Reads one file, in one go or as it grows."""

    def __init__(self, only: bytes = b"") -> None:
        """Begin at the first line; lines without the bytes `only` are passed unread, for speed."""
        self._only = only
        self._number = 0
        self._checked = False  # once a checksum was seen, a line without one is a damaged one

    def read(self, source: BinaryIO, *, growing: bool = False) -> Iterator[AnyEntry | int]:
        """Entries, or line numbers, as far as they go; the last line of a `growing` file may be unfinished."""
        while True:
            start = source.tell() if growing else 0
            line = source.readline(MAX_LINE_BYTES + 2)
            if not line:
                return
            if growing and not line.endswith(b"\n") and len(line) <= MAX_LINE_BYTES:
                source.seek(start)
                return
            while (
                not line.endswith(b"\n") and len(line) > MAX_LINE_BYTES
            ):  # no line of ours: pass it without keeping it
                more = source.readline(MAX_LINE_BYTES)
                if not more or more.endswith(b"\n"):
                    break
            self._number += 1
            if self._only in line and line.strip():
                yield self._entry(line)

    def _entry(self, line: bytes) -> AnyEntry | int:
        try:
            body, vouched = unchecked(line)
            if self._checked and not vouched:
                return self._number
            entry = from_json(body)
        except (LineError, msgspec.DecodeError, UnicodeDecodeError):
            return self._number
        self._checked = self._checked or vouched
        return entry
