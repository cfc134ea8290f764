"""A CSV of cabin pressure as people have it -> columns in SI, in order of time; else refused, with what to do.

What the log says of a leak is `pressure_log`'s affair.
"""

import csv
import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from controller.cli.pressure_text import number, opened, rows_of, seconds, time_column
from controller.errors import ControllerError
from firmware_bridge.units import KELVIN_OFFSET, PA_PER_HPA, PA_PER_MMHG, S_PER_DAY

FloatArray = NDArray[np.float64]

MAX_ROWS = 5_000_000  # two months at 1 Hz
MAX_SPAN_S = 10 * 366 * S_PER_DAY
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
        with opened(path) as file:
            rows = rows_of(file)
            header = [name.strip() for name in next(rows, [])]
            time_at, pressures, temperatures = _places(header, path)
            cells, columns = _table(rows, len(header), time_at, (*pressures, *temperatures), path)
    except (OSError, UnicodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ControllerError(f"cannot read {path}: {why}", remedy="give a CSV file with a header line") from error
    time_s = seconds(cells, header[time_at], path)
    if not np.isfinite(time_s).any():
        raise ControllerError(f"{path}: no row has a time", remedy=f"column {header[time_at]!r} holds seconds or dates")
    if np.nanmax(time_s) - np.nanmin(time_s) > MAX_SPAN_S:
        raise ControllerError(f"{path}: spans more than ten years", remedy="times are in seconds: check the column")
    pressure_pa = {header[at]: _pressure_pa(columns[at], header[at], unit, path) for at in pressures}
    if not any(np.isfinite(_within(values, PLAUSIBLE_PA)).any() for values in pressure_pa.values()):
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
    time_at = time_column(lower)
    pressures = [at for at, name in enumerate(lower) if name.startswith("pressure")]
    if time_at is None or not pressures:
        raise ControllerError(
            f"{path}: no {'time' if time_at is None else 'pressure'} among the columns {', '.join(header) or '(none)'}",
            remedy="the first line names the columns: t_s,pressure_pa,temperature_k (or _hpa, _kpa, _mmhg, _c; "
            "several barometers: pressure_1_hpa,pressure_2_hpa)",
        )
    temperatures = [at for at, name in enumerate(lower) if name.startswith("temp")]
    twice = next((header[at] for at in (*pressures, *temperatures) if lower.count(lower[at]) > 1), None)
    if twice is not None:
        raise ControllerError(
            f"{path}: two columns are named {twice!r}", remedy="tell them apart: pressure_1_hpa,pressure_2_hpa"
        )
    return time_at, pressures, temperatures


def _table(
    rows: Iterator[list[str]], named: int, time_at: int, places: tuple[int, ...], path: Path
) -> tuple[list[str] | FloatArray, dict[int, FloatArray]]:
    """Times as they stand, or as numbers where the first is one; the other columns as numbers."""
    columns = {at: array("d") for at in places}
    times, texts = array("d"), list[str]()
    counted = overfull = 0
    for row in rows:
        counted += 1
        overfull += any(row[named:])
        if counted > MAX_ROWS:
            raise ControllerError(
                f"{path}: more than {MAX_ROWS:,} rows", remedy="thin it out: one row a second is enough"
            )
        cell = _cell(row, time_at)
        times.append(number(cell))
        if math.isnan(times[-1]) and cell:
            texts.extend([""] * (counted - 1 - len(texts)))
            texts.append(cell)
        for at, column in columns.items():
            column.append(number(_cell(row, at)))
    if 2 * overfull > counted:
        raise ControllerError(
            f"{path}: most rows have more cells than the {named} that the first line names",
            remedy="are there decimal commas? part columns by semicolons, or write decimal points",
        )
    numbers = np.array(times)
    texts.extend([""] * (counted - len(texts)) if texts else [])
    known = texts if texts and not np.isfinite(numbers).any() else numbers
    return known, {at: np.array(column) for at, column in columns.items()}


def _cell(row: list[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


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
    if finite.size and (high <= 0.0 or (unit is None and implausible)):
        raise ControllerError(
            f"{path}: column {name!r} holds {high:g}, which is no cabin's pressure in {told}",
            remedy="give the absolute pressure, not a gauge's, which shows how much it is above that outside"
            + (f"; if it is so, --unit {told}" if high > 0.0 else ""),
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
    if re.search(r"_f$|°f|fahrenheit", lower):
        raise ControllerError(f"{path}: column {name!r} is in Fahrenheit", remedy="write degrees Celsius or kelvins")
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
