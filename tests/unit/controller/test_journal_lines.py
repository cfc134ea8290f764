"""Checksums of lines, and what a reader makes of files that are damaged, foreign, endless or still growing."""

import json
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import ControllerError
from controller.journal.entries import AnyEntry, to_json
from controller.journal.lines import MAX_LINE_BYTES, LineError, checked, unchecked
from controller.journal.reader import LineReader, check_own, read_entries
from controller.journal.writer import JournalWriter
from tests.support.entries import entries, note


def told(data: bytes, *, growing: bool = False) -> list[str]:
    return [_short(entry) for entry in LineReader().read(BytesIO(data), growing=growing)]


def _short(entry: AnyEntry | int) -> str:
    return f"line {entry}" if isinstance(entry, int) else f"seq {entry.seq}"


def line(seq: int) -> bytes:
    return checked(to_json(note(seq))) + b"\n"


@pytest.mark.parametrize("name", entries())
def test_a_checked_line_is_the_same_json_with_one_field_more(name: str) -> None:
    body = to_json(entries()[name])
    written = json.loads(checked(body))
    assert int(written.pop("crc"), 16) == zlib.crc32(body)
    assert written == json.loads(body)
    assert unchecked(checked(body)) == (body, True)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_is_taken_for_what_was_written(place: int, bit: int) -> None:
    """CRC-32 finds every single one; in the name of its field it leaves a line without one, which is refused too."""
    first, whole = line(1), line(2)
    damaged = bytearray(whole)
    damaged[place % (len(whole) - 1)] ^= 1 << bit
    assert told(first + bytes(damaged) + line(3)) in (
        ["seq 1", "line 2", "seq 3"],
        ["seq 1", "line 2", "line 3", "seq 3"],  # it became a line's end
        ["seq 1", "seq 3"],  # nor is a line of blanks one
    )


def test_lines_from_before_there_were_checksums_are_read_until_the_first_that_has_one() -> None:
    old = to_json(note(1)) + b"\n"
    assert told(old + old + line(2) + old) == ["seq 1", "seq 1", "seq 2", "line 4"]


def test_two_lines_torn_into_one_valid_object_are_found() -> None:
    """The first half of one and the second half of another, cut where both are alike."""
    one, other = line(7), line(8)
    cut = one.index(b'"utc"')
    assert told(one[:cut] + other[cut:]) == ["line 1"]


def test_a_line_without_end_is_passed_and_not_kept() -> None:
    endless = b"x" * (3 * MAX_LINE_BYTES) + b"\n"
    assert told(line(1) + endless + line(2)) == ["seq 1", "line 2", "seq 2"]
    with pytest.raises(LineError, match="longer than"):
        unchecked(endless)


def test_the_last_line_of_a_growing_file_is_waited_for() -> None:
    source, reader = BytesIO(), LineReader()
    data = line(1) + line(2)
    seen: list[str] = []
    for cut in range(0, len(data) + 1, 7):
        source.write(data[source.tell() : cut])
        at = source.tell()
        source.seek(0 if not seen else sum(len(line(n + 1)) for n in range(len(seen))))
        seen += [_short(entry) for entry in reader.read(source, growing=True)]
        source.seek(at)
    source.write(data[source.tell() :])
    source.seek(sum(len(line(n + 1)) for n in range(len(seen))))
    seen += [_short(entry) for entry in reader.read(source, growing=True)]
    assert seen == ["seq 1", "seq 2"]


def test_foreign_files_are_refused_politely(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear crew,\n" * 50, encoding="utf-8")
    with pytest.raises(ControllerError, match="is no journal of ours") as refused:
        check_own(letter)
    assert "name a folder with journal-*.jsonl" in refused.value.remedy
    picture = tmp_path / "picture.png"
    picture.write_bytes(bytes(range(256)) * 40_000)  # ten megabytes with few line ends
    with pytest.raises(ControllerError, match="is no journal of ours"):
        check_own(picture)
    with pytest.raises(ControllerError, match="no journal files in"):
        check_own(tmp_path)


def test_an_own_file_is_known_behind_a_torn_beginning(tmp_path: Path) -> None:
    path = tmp_path / "journal-x-0000.jsonl"
    path.write_bytes(b'ore","text":"x"}\n' + line(2))
    check_own(path)
    assert [_short(entry) for entry in read_entries(path)] == ["line 1", "seq 2"]
    (tmp_path / "journal-y-0000.jsonl").write_bytes(b"")
    check_own(tmp_path / "journal-y-0000.jsonl")  # nothing was written to it yet


def test_what_the_writer_writes_carries_checksums(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, "20180829T230000Z", max_file_bytes=10_000, max_files=2)
    writer.append([note(1), note(2)], durable=True)
    writer.close()
    assert all(unchecked(one)[1] for one in writer.path.read_bytes().splitlines())
