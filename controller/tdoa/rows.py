"""What rows of all tables share: sensors by name, times, sigmas, and how rows become epochs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from controller.tdoa.columns import BLANKS, LENGTHS, UNITS, Table
from controller.tdoa.epoch import Epoch, SensorArray


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: metres per second for lengths, seconds that one epoch may span, whose arrival is counted first."""

    speed_m_s: float
    window_s: float = 0.0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A delay as read; None where the field was blank."""

    label: str
    time_s: float
    first: int
    second: int
    delay_s: float | None
    sigma_s: float
    line: int


class Names:
    """Which sensor a field means: its name, else its name in other letters, else its row."""

    def __init__(self, array: SensorArray, table: Table, columns: list[int]) -> None:
        self._table = table
        self._names = array.names
        self._exact: dict[str, int] = {name: at for at, name in enumerate(array.names)}
        for at, name in enumerate(array.names):
            self._exact.setdefault(plain_name(name), at)
        used = {row[column].strip() for _, row in table.rows for column in columns}
        rows = {value for value in map(_integer, used) if value is not None}
        unnamed = {text for text in used if text and self._by_name(text) is None and text.lower() not in BLANKS}
        self._base: int | None = None
        if unnamed and all(_integer(text) is not None for text in used if text):
            self._base = 1 if len(array.names) in rows and 0 not in rows else 0

    def _by_name(self, text: str) -> int | None:
        found = self._exact.get(text)
        return self._exact.get(plain_name(text)) if found is None else found

    def find(self, line: int, column: int, text: str) -> int:
        """The sensor's index; ControllerError where there is none."""
        plain = text.strip()
        if self._base is None:
            found = self._by_name(plain)
            if found is not None:
                return found
        else:
            number = _integer(plain)
            if number is not None and 0 <= number - self._base < len(self._names):
                return number - self._base
        shown = ", ".join(self._names[:8]) + (", ..." if len(self._names) > 8 else "")
        raise self._table.refuse(
            line, self._table.header[column], f"no sensor is called {plain!r}", f"the sensor table has {shown}"
        )


def plain_name(name: str) -> str:
    """A name without regard to letters, quotes, or how an integer is written."""
    number = _integer(name)
    return name.strip().strip("\"'").lower() if number is None else str(number)


def _integer(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) < 1e9 else None


def sigma_of(table: Table, line: int, row: list[str], roles: Mapping[str, tuple[int, str]], speed_m_s: float) -> float:
    """A row's sigma in seconds, NaN where it has none; ControllerError where it is not above zero."""
    if "sigma" not in roles:
        return float("nan")
    at, unit = roles["sigma"]
    value = table.number(line, table.header[at], row[at])
    if value is None:
        return float("nan")
    if value <= 0.0:
        raise table.refuse(line, table.header[at], f"a sigma of {value:g}", "it is above zero, or blank where unknown")
    return value * (LENGTHS[unit] / speed_m_s if unit in LENGTHS else UNITS.get(unit, 1.0))


def time_of(table: Table, line: int, row: list[str], roles: Mapping[str, tuple[int, str]]) -> tuple[str, float]:
    """The epoch's label and time; NaN where it is a name."""
    if "time" not in roles:
        return "", 0.0
    at, unit = roles["time"]
    text = row[at].strip()
    try:
        return text, float(text) * UNITS.get(unit, 1.0)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if not text:
            raise table.refuse(
                line, table.header[at], "the time is missing", "rows of one epoch share their time"
            ) from None
        return text, float("nan")
    return text, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def grouped(rows: list[Row], reading: Reading, *, arrivals: bool) -> list[Epoch]:
    """Rows whose times are equal, or within the window of their epoch's first."""
    timed = all(np.isfinite(row.time_s) for row in rows)
    parts: list[list[Row]] = []
    if timed:
        for row in sorted(rows, key=lambda one: one.time_s):
            if parts and row.time_s - parts[-1][0].time_s <= reading.window_s:
                parts[-1].append(row)
            else:
                parts.append([row])
    else:
        by_label: dict[str, list[Row]] = {}
        for row in rows:
            by_label.setdefault(row.label, []).append(row)
        parts = list(by_label.values())
    return [made_epoch(part, arrivals=arrivals) for part in parts]


def made_epoch(rows: list[Row], *, arrivals: bool) -> Epoch:
    """The epoch of rows that share a time, in the order of their lines."""
    rows = sorted(rows, key=lambda one: one.line)
    heard = [row for row in rows if row.delay_s is not None]
    return Epoch(
        label=rows[0].label,
        time_s=rows[0].time_s,
        first=np.array([row.first for row in heard], np.intp),
        second=np.array([row.second for row in heard], np.intp),
        delay_s=np.array([row.delay_s for row in heard], np.float64),
        sigma_s=np.array([row.sigma_s for row in heard], np.float64),
        line=np.array([row.line for row in heard], np.intp),
        skipped=len(rows) - len(heard),
        arrivals=arrivals,
    )
