"""Files and folders that appear whole or not at all; an earlier recording can be replaced, as its list of files says.

What else is in them is told by whoever writes them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.errors import FolderError

TRUTH = "truth.json"  # lists all files of a recording, itself too
RECORDING = "leaksim recording"  # what it calls itself there


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` beside `path` and move it there, so that no half of it is ever seen."""
    partial = path.with_suffix(path.suffix + ".part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_folder(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that holds something; with `replace`, one that holds anything but an earlier recording.

    Raises:
        FolderError: says what is in the way.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder", remedy="name another with --out")
    there = {path.name for path in folder.iterdir()}
    if not there:
        return
    ours = _listed(folder / TRUTH)
    if not ours:
        raise FolderError(
            f"{folder} holds files that are no recording of leaksim", remedy="name another folder with --out"
        )
    if not replace:
        raise FolderError(f"{folder} holds a recording already", remedy="add --force to replace it, or change --out")
    foreign = sorted(there - ours)
    if foreign:
        more = "" if len(foreign) == 1 else f" and {len(foreign) - 1} more"
        raise FolderError(
            f"{folder} holds {foreign[0]}{more} beside its recording", remedy="move that away, or change --out"
        )


def check_room(folder: Path, needed_bytes: int) -> None:
    """Refuse what does not fit on the disk of `folder`.

    Raises:
        FolderError: says how much there is.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = free_bytes(there)
    if needed_bytes > free:
        raise FolderError(
            f"{told_bytes(needed_bytes)} do not fit into the {told_bytes(free)} that are free at {there}",
            remedy="shorten it with --for, thin it with --every, or name another disk with --out",
        )


def free_bytes(path: Path) -> int:
    """Room on the disk of an existing path."""
    return shutil.disk_usage(path).free


@contextmanager
def whole_folder(folder: Path, *, replace: bool) -> Iterator[Path]:
    """A new folder beside `folder` to write into, which takes its place at the end; after any failure it is removed.

    Raises:
        FolderError: as `check_folder`, at the beginning or because something was put there meanwhile.
    """
    check_folder(folder, replace=replace)
    part = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    part.mkdir(parents=True)
    try:
        yield part
        check_folder(folder, replace=replace)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def told_bytes(count: int) -> str:
    """A number of bytes for people."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000.0:
            return f"{size:.3g} {unit}"
        size /= 1000.0
    return f"{size:.3g} GB" if size < 1e6 else f"{size:.0f} GB"


def _listed(truth: Path) -> set[str]:
    """The files of the recording that a truth file belongs to; none if it is not one of ours."""
    try:
        told = json.loads(truth.read_text(encoding="utf-8"))
        return {str(name) for name in told["files"]} if told["kind"] == RECORDING else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()
