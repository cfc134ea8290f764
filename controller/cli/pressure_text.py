"""Cells of a log as spreadsheets and loggers write them: rows, decimal commas, times.

What columns mean is `pressure_columns`'s affair.
"""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from controller.errors import ControllerError
from firmware_bridge.units import S_PER_DAY, S_PER_HOUR

FloatArray = NDArray[np.float64]

DELIMITERS = (";", "\t")  # of which one in the first line decides; else a comma
TIME_UNITS_S = {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": S_PER_HOUR, "d": S_PER_DAY}
_TIME = re.compile(r"(?:t|time|date[/ _]?time|timestamp|utc)(?:[ _]*[\[(]?(s|ms|min|h|d)[\])]?)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+")
# Since 1970, in ns, us, ms: each was reached in 1973, and seconds get to the least of them in the year 5138.
EPOCHS_S = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
SPREADSHEET_DAYS = (30_000.0, 80_000.0)  # since 1899-12-30: the years 1982 to 2119
FASTEST_S = 0.05  # between rows; days of a spreadsheet differ by less
_DATES = ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S.%f", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S")


def opened(path: Path) -> TextIO:
    """A text file in UTF-8 or, as spreadsheets export it, UTF-16; a degree sign of another alphabet does not matter.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        wide = file.read(2) in {b"\xff\xfe", b"\xfe\xff"}
    return path.open(newline="", encoding="utf-16" if wide else "utf-8-sig", errors="replace")


def rows_of(lines: Iterable[str]) -> Iterator[list[str]]:
    """Rows of what is neither blank nor a remark (#); the first, which names the columns, shows what parts them."""
    kept = (line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    first = next(kept, None)
    if first is None:
        return
    delimiter = next((mark for mark in DELIMITERS if mark in first), ",")
    yield from csv.reader([first], delimiter=delimiter)
    yield from csv.reader(kept, delimiter=delimiter)


def number(text: str) -> float:
    """A number with decimal point or comma, thousands parted by the other one or not; NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        pass
    if _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    return float(text.replace(",", "")) if _THOUSANDS.fullmatch(text) else math.nan


def time_column(names: Sequence[str]) -> int | None:
    """Which of `names`, in lower case, holds times: the first that says its unit, else the first that may be one."""
    found = [(at, matched[1]) for at, name in enumerate(names) if (matched := _TIME.fullmatch(name)) is not None]
    return next((at for at, unit in found if unit is not None), found[0][0] if found else None)


def seconds(cells: Sequence[str] | FloatArray, name: str, path: Path) -> FloatArray:
    """Times of column `name`, s: numbers in the unit of its name, or dates, which become seconds since the first.

    Raises:
        ControllerError: neither numbers nor dates, or numbers that are plainly not seconds.
    """
    if isinstance(cells, np.ndarray):
        return _from_numbers(cells, name, path)
    try:
        dates = [_date(cell) if cell else None for cell in cells]
        first = next(date for date in dates if date is not None)
        return np.array([math.nan if date is None else (date - first).total_seconds() for date in dates])
    except (ValueError, TypeError, StopIteration) as error:
        raise ControllerError(
            f"{path}: times are neither seconds nor dates: {error}",
            remedy="write seconds, or date and time in one column: 2024-05-01T12:00:00 or 01.05.2024 12:00",
        ) from error


def _from_numbers(values: FloatArray, name: str, path: Path) -> FloatArray:
    known = values[np.isfinite(values)]
    matched = _TIME.fullmatch(name.lower())
    unit = None if matched is None else matched[1]
    if known.size == 0:
        return np.full(values.shape, math.nan)
    first, last = float(known.min()), float(known.max())
    epoch = next((factor for least, factor in EPOCHS_S if first > least), None)
    if epoch is not None and unit == "s":
        raise ControllerError(
            f"{path}: column {name!r} holds {first:.0f}, which are no seconds",
            remedy="milliseconds since 1970? name it time_ms",
        )
    if unit is None and SPREADSHEET_DAYS[0] < first <= last < SPREADSHEET_DAYS[1] and _steps(known) < FASTEST_S:
        raise ControllerError(
            f"{path}: column {name!r} holds {first:.5f}: seconds, or days of a spreadsheet?",
            remedy="name it time_d (days) or time_s (seconds), or write dates: 2024-05-01T12:00:00",
        )
    factor = TIME_UNITS_S[unit] if unit is not None else epoch or 1.0
    return np.where(np.isfinite(values), (values - first) * factor, math.nan)


def _steps(values: FloatArray) -> float:
    """What usually lies between rows; infinity where there is one row only."""
    apart = np.diff(np.sort(values))
    apart = apart[apart > 0]
    return float(np.median(apart)) if apart.size else math.inf


def _date(text: str) -> datetime:
    """ISO 8601, day.month.year, or year/month/day; 03/04/2026 is refused: nobody knows whether that is in March.

    Raises:
        ValueError: it is none of these.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for form in _DATES:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - only differences count
            except ValueError:
                continue
        raise
