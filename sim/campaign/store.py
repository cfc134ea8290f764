"""What a campaign leaves behind: one line a finished run, at once and for good, and a Parquet table of them all."""

import json
from collections.abc import Sequence
from os import SEEK_END
from pathlib import Path

import msgspec

from sim.campaign.work import Row
from sim.whole_files import write_whole

LINES, TABLE = "runs.jsonl", "runs.parquet"


class Store:
    """The results in one folder; what an interrupted campaign finished is found again."""

    def __init__(self, folder: Path) -> None:
        """Read what is there; a line that a crash tore is run again."""
        self._lines = folder / LINES
        self._table = folder / TABLE
        self._rows: dict[str, Row] = {}
        if self._lines.exists():
            for line in self._lines.read_bytes().splitlines():
                row = _row(line)
                if row is not None:
                    self._rows[row["key"]] = row

    @property
    def done(self) -> frozenset[str]:
        """Keys of the runs that need not be done again: those that failed are tried anew."""
        return frozenset(key for key, row in self._rows.items() if not row["failure"])

    def rows(self, keys: Sequence[str]) -> list[Row]:
        """The rows of these runs, in this order, as far as there are any."""
        return [self._rows[key] for key in keys if key in self._rows]

    def add(self, row: Row) -> None:
        """Keep a row; it is on disk when this returns."""
        self._rows[row["key"]] = row
        with self._lines.open("ab+") as lines:
            if lines.tell():
                lines.seek(-1, SEEK_END)
            torn = lines.read(1) not in {b"", b"\n"}
            lines.write((b"\n" if torn else b"") + json.dumps(row).encode() + b"\n")

    def write_table(self, keys: Sequence[str]) -> Path | None:
        """The rows of these runs as Parquet, one row a run; None where pyarrow is not installed (extra `campaign`)."""
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            return None
        rows = self.rows(keys)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        table = pa.table({name: [row.get(name) for row in rows] for name in columns})
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        write_whole(self._table, sink.getvalue().to_pybytes())
        return self._table


def _row(line: bytes) -> Row | None:
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    known = isinstance(row, dict) and isinstance(row.get("key"), str) and isinstance(row.get("failure"), str)
    return row if known else None
