"""Reads journals back, whatever a crash left of them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from controller.journal.entries import AnyEntry, from_json
from controller.journal.writer import FILE_PATTERN


def journal_files(path: Path) -> list[Path]:
    """The files of a journal, oldest first: those in a folder, or the one named."""
    return sorted(path.glob(FILE_PATTERN)) if path.is_dir() else [path]


def read_entries(path: Path) -> Iterator[AnyEntry | int]:
    """Entries in the order of writing; an unreadable line (a write that a crash tore) comes as its line number."""
    for file in journal_files(path):
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    yield from_json(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    yield number
