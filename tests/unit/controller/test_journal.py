"""The journal on a disk: written, rotated, torn, full, and read back whatever happened."""

import errno
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.errors import ControllerError
from controller.journal.entries import AnyEntry, to_json
from controller.journal.lines import checked
from controller.journal.reader import journal_files, read_entries
from controller.journal.writer import JournalWriter
from tests.support.entries import entries, note

STAMP = "20180829T230000Z"


def writer(folder: Path, *, max_file_bytes: int = 1_000_000, max_files: int = 8, stamp: str = STAMP) -> JournalWriter:
    return JournalWriter(folder, stamp, max_file_bytes=max_file_bytes, max_files=max_files)


def read(path: Path) -> list[AnyEntry]:
    """All entries; fails on a line that is none."""
    told = list(read_entries(path))
    whole = [entry for entry in told if not isinstance(entry, int)]
    assert len(whole) == len(told), told
    return whole


def sequence(path: Path) -> list[int]:
    """Running numbers of what can be read."""
    return [entry.seq for entry in read_entries(path) if not isinstance(entry, int)]


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """No file of this process grows beyond `limit` bytes: a write up to it is short, the next fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = writer(tmp_path / "new" / "folder")
    told = list(entries().values())
    journal.append(told[:5], durable=False)
    journal.append(told[5:], durable=True)
    journal.append([], durable=True)
    journal.close()
    assert read(journal.path) == told
    assert read(tmp_path / "new" / "folder") == told


def test_a_restart_within_the_second_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for seq in (1, 2):
        journal = writer(tmp_path)
        journal.append([note(seq)], durable=True)
        journal.close()
        journal.close()  # again does nothing
    assert len(journal_files(tmp_path)) == 1
    assert sequence(tmp_path) == [1, 2]


def test_files_rotate_and_the_oldest_go(tmp_path: Path) -> None:
    line = len(checked(to_json(note(1000)))) + 1
    journal = writer(tmp_path, max_file_bytes=10 * line, max_files=3)
    for seq in range(1000, 1100):
        journal.append([note(seq)], durable=False)
        files = journal_files(tmp_path)
        assert len(files) <= 3
        assert all(file.stat().st_size <= 10 * line for file in files)
    journal.close()
    assert sequence(tmp_path) == list(range(1070, 1100))  # the newest 30 of 100, in order


def test_a_batch_larger_than_a_file_is_written_whole(tmp_path: Path) -> None:
    journal = writer(tmp_path, max_file_bytes=200, max_files=4)
    journal.append([note(seq) for seq in range(50)], durable=False)
    journal.append([note(50)], durable=False)
    journal.close()
    assert sequence(tmp_path) == list(range(51))


def test_old_files_of_earlier_starts_make_way_by_age_and_not_by_name(tmp_path: Path) -> None:
    """A machine without a battery starts in the past: its newest journal may have the oldest name."""
    for age, stamp in enumerate(["20180829T000000Z", "19700101T000000Z", "20180830T000000Z"]):
        old = writer(tmp_path, stamp=stamp)
        old.append([note(age)], durable=False)
        old.close()
        os.utime(old.path, ns=(age * 10**9, age * 10**9))
    journal = writer(tmp_path, stamp="19700101T000009Z", max_files=3)
    journal.append([note(99)], durable=False)
    journal.close()
    kept = {entry.seq for entry in read(tmp_path)}
    assert kept == {1, 2, 99}


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_line_torn_by_a_crash_costs_itself_only(tmp_path: Path, cut: int) -> None:
    journal = writer(tmp_path)
    journal.append([note(seq) for seq in range(3)], durable=True)
    journal.close()
    with journal.path.open("r+b") as file:
        file.truncate(journal.path.stat().st_size - cut)
    told = list(read_entries(tmp_path))
    if cut == 1:  # only the line's end is missing
        assert [entry.seq for entry in told if not isinstance(entry, int)] == [0, 1, 2]
    else:
        assert [entry if isinstance(entry, int) else entry.seq for entry in told] == [0, 1, 3]


def test_after_a_crash_the_next_start_does_not_write_into_the_torn_line(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.append([note(1), note(2)], durable=True)
    journal.close()
    with journal.path.open("r+b") as file:
        file.truncate(journal.path.stat().st_size - 10)
    again = writer(tmp_path)
    again.append([note(3)], durable=True)
    again.close()
    assert sequence(tmp_path) == [1, 3]


def test_garbage_and_empty_lines_are_named_and_passed(tmp_path: Path) -> None:
    path = tmp_path / "journal-x-0000.jsonl"
    path.write_bytes(b"\n".join([to_json(note(1)), b"", b"\xff\x00 garbage", b"{}", to_json(note(2)), b""]))
    assert [entry if isinstance(entry, int) else f"seq {entry.seq}" for entry in read_entries(path)] == [
        "seq 1",
        3,
        4,
        "seq 2",
    ]


def test_a_full_disk_loses_nothing_that_is_written_again(tmp_path: Path) -> None:
    """As the controller does: a batch that failed is kept and written with the next."""
    journal = writer(tmp_path)
    journal.append([note(1)], durable=True)
    batch: list[AnyEntry] = [note(seq) for seq in range(2, 40)]
    with file_size_limit(journal.path.stat().st_size + 1000):
        for _ in range(3):
            with pytest.raises(OSError, match="File too large") as failed:
                journal.append(batch, durable=True)
            assert failed.value.errno == errno.EFBIG
    journal.append([*batch, note(40)], durable=True)
    journal.close()
    assert list(sequence(tmp_path)) == list(range(1, 41))  # none of them twice: what the full disk took was taken back


@pytest.mark.parametrize("undoes", [True, False])
def test_the_first_error_of_a_full_disk_leaves_the_rest_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undoes: bool
) -> None:
    journal = writer(tmp_path)
    journal.append([note(1)], durable=True)
    write = os.write
    left = [25]

    def nearly_full(fd: int, data: memoryview) -> int:
        room = min(len(data), left[0])
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= room
        return write(fd, data[:room])

    def not_even_that(fd: int, size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("controller.journal.writer.os.write", nearly_full)
    if not undoes:
        monkeypatch.setattr("controller.journal.writer.os.ftruncate", not_even_that)
    with pytest.raises(OSError, match="No space left"):
        journal.append([note(2)], durable=True)
    monkeypatch.undo()
    journal.append([note(2), note(3)], durable=True)
    journal.close()
    told = list(read_entries(tmp_path))
    torn: list[str | int] = [] if undoes else [2]
    said = [entry if isinstance(entry, int) else f"seq {entry.seq}" for entry in told]
    assert said == ["seq 1", *torn, "seq 2", "seq 3"]


def test_a_file_that_cannot_be_opened_when_rotating_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = len(checked(to_json(note(10)))) + 1
    journal = writer(tmp_path, max_file_bytes=2 * line)
    journal.append([note(10), note(11)], durable=False)

    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("controller.journal.writer.os.open", no_room)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            journal.append([note(12)], durable=False)
    monkeypatch.undo()
    journal.append([note(12)], durable=False)
    journal.close()
    assert sequence(tmp_path) == [10, 11, 12]


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_file_that_somebody_took_away_is_begun_anew(tmp_path: Path, folder_too: bool) -> None:
    folder = tmp_path / "journal"
    journal = writer(folder)
    journal.append([note(10)], durable=True)
    if folder_too:
        shutil.rmtree(folder)
    else:
        journal.path.unlink()
    journal.append([note(11)], durable=True)
    journal.path.rename(folder / "kept")  # as programs that rotate logs do
    journal.append([note(12)], durable=True)
    journal.close()
    assert sequence(folder) == [12]
    assert sequence(folder / "kept") == [11]


def test_a_folder_that_cannot_be_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ControllerError, match="cannot write the journal in") as refused:
        writer(tmp_path / "file" / "journal")
    assert "[journal]" in refused.value.remedy


def test_reading_a_folder_without_journals_gives_nothing(tmp_path: Path) -> None:
    assert journal_files(tmp_path) == []
    assert list(read_entries(tmp_path)) == []
