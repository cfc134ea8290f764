"""A CSV of cabin pressure as people have it -> columns in SI, in order of time; else refused, with what to do.

What the log says of a leak is `pressure_log`'s affair.
"""

import csv
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from controller.errors import ControllerError
from firmware_bridge.units import KELVIN_OFFSET, PA_PER_HPA, PA_PER_MMHG, S_PER_DAY

FloatArray = NDArray[np.float64]

MAX_ROWS = 5_000_000  # two months at 1 Hz
MAX_SPAN_S = 10 * 366 * S_PER_DAY
TIMES = ("t_s", "time_s", "t", "time", "date/time", "datetime", "timestamp", "utc")
PA_PER_PSI = 6894.757
UNITS_PA = {
    "pa": 1.0,
    "hpa": PA_PER_HPA,
    "mbar": PA_PER_HPA,
    "kpa": 1000.0,
    "mmhg": PA_PER_MMHG,
    "torr": PA_PER_MMHG,
    "psi": PA_PER_PSI,
    "psia": PA_PER_PSI,
}
PLAUSIBLE_PA, PLAUSIBLE_K = (100.0, 1e6), (150.0, 400.0)
LEAST_BREATHED_PA = 5000.0  # who logs a cabin begins above this; below, it is another unit
USUAL_PA = (40_000.0, 130_000.0)
SPIKE_PA, SPIKE_NOISES = 30.0, 20.0  # one or two values that stand so far from their neighbours are no pressure
LEAST_ROWS, SPARSE_S = 7, 900.0  # neighbours further apart say nothing of each other


@dataclass(frozen=True, slots=True)
class Log:
    """Columns by name, with NaN where a row has none: time (n,) s from the first, Pa, K."""

    time_s: FloatArray
    pressure_pa: dict[str, FloatArray]
    temperature_k: dict[str, FloatArray]


def read_log(path: Path, unit: str | None) -> Log:
    """Read `path`; columns of pressure and temperature are known by how their names begin.

    Raises:
        ControllerError: no such file, no such columns, or values that nothing can be made of.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(line for line in file if line.strip() and not line.lstrip().startswith("#"))
            header = [name.strip() for name in next(rows, [])]
            time_at, pressures, temperatures = _places(header, path)
            cells, columns = _table(rows, time_at, (*pressures, *temperatures), path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ControllerError(f"cannot read {path}: {error}", remedy="give a CSV file with a header line") from error
    time_s = _times(cells, path)
    if not np.isfinite(time_s).any():
        raise ControllerError(f"{path}: no row has a time", remedy=f"column {header[time_at]!r} holds seconds or dates")
    if np.nanmax(time_s) - np.nanmin(time_s) > MAX_SPAN_S:
        raise ControllerError(f"{path}: spans more than ten years", remedy="times are in seconds: check the column")
    pressure_pa = {header[at]: _pressure_pa(columns[at], header[at], unit, path) for at in pressures}
    if not any(np.isfinite(values).any() for values in pressure_pa.values()):
        raise ControllerError(
            f"{path}: no pressure that a cabin has (1 to 10,000 hPa)", remedy="check the unit: --unit pa|hpa|kpa|mmhg"
        )
    return cleaned(
        Log(time_s, pressure_pa, {header[at]: _temperature_k(columns[at], header[at], path) for at in temperatures})
    )


def cleaned(log: Log) -> Log:
    """Rows in order of time from the first, without spikes and what no cabin has."""
    order = np.argsort(log.time_s, kind="stable")
    order = order[np.isfinite(log.time_s[order])]
    time_s = log.time_s[order]
    return Log(
        time_s - time_s[0],
        {name: _without_spikes(time_s, _within(v[order], PLAUSIBLE_PA)) for name, v in log.pressure_pa.items()},
        {name: _within(values[order], PLAUSIBLE_K) for name, values in log.temperature_k.items()},
    )


def _places(header: list[str], path: Path) -> tuple[int, list[int], list[int]]:
    """Where time, pressures and temperatures are."""
    lower = [name.lower() for name in header]
    time_at = next((lower.index(name) for name in TIMES if name in lower), None)
    pressures = [at for at, name in enumerate(lower) if name.startswith("pressure")]
    if time_at is None or not pressures:
        raise ControllerError(
            f"{path}: no {'time' if time_at is None else 'pressure'} among the columns {', '.join(header) or '(none)'}",
            remedy="the first line names the columns: t_s,pressure_pa,temperature_k (or _hpa, _kpa, _mmhg, _c)",
        )
    return time_at, pressures, [at for at, name in enumerate(lower) if name.startswith("temperature")]


def _table(
    rows: Iterator[list[str]], time_at: int, places: tuple[int, ...], path: Path
) -> tuple[list[str] | FloatArray, dict[int, FloatArray]]:
    """Times as they stand, or as numbers where the first is one; the other columns as numbers."""
    columns = {at: array("d") for at in places}
    seconds, texts = array("d"), list[str]()
    counted = 0
    for row in rows:
        counted += 1
        if counted > MAX_ROWS:
            raise ControllerError(
                f"{path}: more than {MAX_ROWS:,} rows", remedy="thin it out: one row a second is enough"
            )
        cell = _cell(row, time_at)
        seconds.append(_number(cell))
        if math.isnan(seconds[-1]) and cell:
            texts.extend([""] * (counted - 1 - len(texts)))
            texts.append(cell)
        for at, column in columns.items():
            column.append(_number(_cell(row, at)))
    numbers = np.array(seconds)
    texts.extend([""] * (counted - len(texts)) if texts else [])
    known = texts if texts and not np.isfinite(numbers).any() else numbers
    return known, {at: np.array(column) for at, column in columns.items()}


def _cell(row: list[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _times(cells: list[str] | FloatArray, path: Path) -> FloatArray:
    """Seconds; dates become seconds since the first of them."""
    if not isinstance(cells, list):
        return np.where(np.isfinite(cells), cells, np.nan)
    try:
        dates = [datetime.fromisoformat(cell) if cell else None for cell in cells]
        first = next(date for date in dates if date is not None)
        return np.array([math.nan if date is None else (date - first).total_seconds() for date in dates])
    except (ValueError, TypeError, StopIteration) as error:
        raise ControllerError(
            f"{path}: times are neither seconds nor dates: {error}", remedy="write seconds, or 2024-05-01T12:00:00"
        ) from error


def _pressure_pa(values: FloatArray, name: str, unit: str | None, path: Path) -> FloatArray:
    """In Pa: of the column's name, or as asked; refused where the numbers are plainly another unit's."""
    column = name.lower()
    for mark in ".[(":
        column = column.replace(mark, "_")
    words = column.replace("]", "").replace(")", "").split("_")
    named = next((word for word in words if word in UNITS_PA), None)
    if named is None and unit is None:
        raise ControllerError(
            f"{path}: column {name!r} does not say its unit", remedy="name it pressure_hpa, say, or give --unit hpa"
        )
    told = unit or named or "pa"
    finite = values[np.isfinite(values)]
    high = float(np.quantile(finite, 0.95)) if finite.size else math.nan
    meant = [other for other in ("pa", "hpa", "kpa", "mmhg", "psi") if _usual(high * UNITS_PA[other])]
    implausible = high * UNITS_PA[told] < LEAST_BREATHED_PA or high * UNITS_PA[told] > PLAUSIBLE_PA[1]
    if unit is None and implausible and meant:
        raise ControllerError(
            f"{path}: column {name!r} holds {high:g}, which is no cabin's pressure in {told}",
            remedy=f"it looks like {' or '.join(meant)}: give --unit {meant[0]}, or name it pressure_{meant[0]}; "
            f"if it is so, --unit {told}",
        )
    return np.asarray(values * UNITS_PA[told])


def _usual(pressure_pa: float) -> bool:
    return USUAL_PA[0] <= pressure_pa <= USUAL_PA[1]


def _temperature_k(values: FloatArray, name: str, path: Path) -> FloatArray:
    """In K: by the column's name, or, where that does not say, by how large the numbers are."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return values
    middle, lower = float(np.median(finite)), name.lower()
    looks_kelvin = PLAUSIBLE_K[0] < middle < PLAUSIBLE_K[1]
    for ending, unit, other in (("_k", "K", "_c"), ("_c", "degrees Celsius", "_k")):
        if lower.endswith(ending) and looks_kelvin != (ending == "_k"):
            raise ControllerError(
                f"{path}: column {name!r} holds {middle:g}, which is no cabin's temperature in {unit}",
                remedy=f"name it temperature{other}, or leave the column out",
            )
    return values if looks_kelvin else np.asarray(values + KELVIN_OFFSET)


def _within(values: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """What no cabin has is no value."""
    with np.errstate(invalid="ignore"):
        return np.where((values >= bounds[0]) & (values <= bounds[1]), values, np.nan)


def _without_spikes(time_s: FloatArray, values: FloatArray) -> FloatArray:
    """One or two values far from the median of five are left out; steps and falls stay (Hampel's filter)."""
    rows = np.flatnonzero(np.isfinite(values))
    if rows.size < LEAST_ROWS or float(np.median(np.diff(time_s[rows]))) > SPARSE_S:
        return values
    known = values[rows]
    padded = np.pad(known, 2, mode="edge")
    apart = np.abs(known - np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1))
    far = apart > max(SPIKE_PA, SPIKE_NOISES * 1.4826 * float(np.median(apart)))
    if not far.any():
        return values
    kept = values.copy()
    kept[rows[far]] = np.nan
    return kept
