"""What a quiet hour costs a memory card, by a whole controller in virtual time."""

import json
from pathlib import Path

from benchmarks.speed.journal import HOUR_S, VALUES, quiet_hour
from controller.journal.entries import ReadingsEntry
from controller.journal.reader import journal_files, read_entries

MAX_HOUR_BYTES = 1_500_000
PART_S = 900


def test_an_hour_of_nine_values_a_second_writes_little_and_loses_none(tmp_path: Path) -> None:
    """A quarter of an hour: an hour has four of them, with one head, one stop, and no more than that in common."""
    written = quiet_hour(tmp_path, PART_S)
    assert written.alarms == 0
    assert written.file_bytes * HOUR_S / PART_S < MAX_HOUR_BYTES / 3
    if written.charged_bytes:  # a file system in memory charges none
        assert written.charged_bytes * HOUR_S / PART_S < MAX_HOUR_BYTES
    assert written.batches <= PART_S / 60 + 2
    readings = [entry for entry in read_entries(tmp_path) if isinstance(entry, ReadingsEntry)]
    assert {len(entry.values) for entry in readings} == {VALUES}
    values = [value for entry in readings for column in entry.values.values() for value in column]
    # A second may hold two values or none at its border.
    assert len(values) >= VALUES * (PART_S - 2)
    assert sum(value is None for value in values) <= 0.01 * len(values)


def test_any_reader_of_json_lines_reads_it(tmp_path: Path) -> None:
    """As pandas does it: one object a line, the same fields by name, no NaN."""
    quiet_hour(tmp_path, 130)
    (file,) = journal_files(tmp_path)
    rows = [json.loads(line, parse_constant=refuse) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {"kind", "version", "seq", "utc", "t_s", "crc"} <= set.intersection(*(set(row) for row in rows))
    assert [row["kind"] for row in rows].count("readings") == 3  # the last is not a full minute


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
