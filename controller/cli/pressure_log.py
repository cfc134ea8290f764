"""A log of cabin pressure as people have it (CSV) -> what it says of a leak. The command itself is `pressure`."""

import csv
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure import Fall, PressureTrend, Settings
from controller.detect.pressure_volume import VolumeWatch
from controller.errors import ControllerError
from controller.measure.leak_size import TWO_SIDED_95, Interval, LeakSize, leak_size
from controller.measure.leak_size import Settings as SizeSettings
from firmware_bridge.units import KELVIN_OFFSET, NS_PER_S, PA_PER_HPA, PA_PER_MMHG, S_PER_DAY, S_PER_HOUR

FloatArray = NDArray[np.float64]

MAX_ROWS = 5_000_000  # two months at 1 Hz
MAX_SPAN_S = 10 * 366 * S_PER_DAY
LONGEST_FALL_S = 60 * S_PER_DAY  # a compartment behind a shut hatch is read once a week
ROOM_K = 295.15
TIMES = ("t_s", "time_s", "t", "time", "date/time", "datetime", "timestamp", "utc")
UNITS_PA = {"pa": 1.0, "hpa": PA_PER_HPA, "mbar": PA_PER_HPA, "kpa": 1000.0, "mmhg": PA_PER_MMHG, "torr": PA_PER_MMHG}
PLAUSIBLE_PA, PLAUSIBLE_K = (100.0, 1e6), (150.0, 400.0)


@dataclass(frozen=True, slots=True)
class Log:
    """Columns by name, with NaN where a row has none: time (n,) s from the first, Pa, K."""

    time_s: FloatArray
    pressure_pa: dict[str, FloatArray]
    temperature_k: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the log says. `fall` is the leak's, or without one that of the whole log."""

    leak: bool
    fall: Fall
    size: LeakSize
    reason: str
    detected_s: float | None  # from the start of the log
    over_s: float | None
    complaints: tuple[tuple[str, str], ...]


def read_log(path: Path, unit: str | None) -> Log:
    """Read `path`; columns of pressure and temperature are known by how their names begin.

    Raises:
        ControllerError: no such file, no such columns, or values that nothing can be made of.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(line for line in file if line.strip() and not line.lstrip().startswith("#"))
            header = [name.strip() for name in next(rows, [])]
            table = [row for _, row in zip(range(MAX_ROWS + 1), rows, strict=False)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ControllerError(f"cannot read {path}: {error}", remedy="give a CSV file with a header line") from error
    if len(table) > MAX_ROWS:
        raise ControllerError(f"{path}: more than {MAX_ROWS:,} rows", remedy="thin it out: one row a second is enough")
    lower = [name.lower() for name in header]
    time_at = next((lower.index(name) for name in TIMES if name in lower), None)
    pressures = [at for at, name in enumerate(lower) if name.startswith("pressure")]
    if time_at is None or not pressures:
        raise ControllerError(
            f"{path}: no {'time' if time_at is None else 'pressure'} among the columns {', '.join(header) or '(none)'}",
            remedy="the first line names the columns: t_s,pressure_pa,temperature_k (or _hpa, _kpa, _mmhg, _c)",
        )
    time_s = _times([_cell(row, time_at) for row in table], path)
    order = np.argsort(time_s, kind="stable")
    order = order[np.isfinite(time_s[order])]
    if order.size == 0:
        raise ControllerError(f"{path}: no row has a time", remedy=f"column {header[time_at]!r} holds seconds or dates")
    time_s = time_s[order]
    if time_s[-1] - time_s[0] > MAX_SPAN_S:
        raise ControllerError(f"{path}: spans more than ten years", remedy="times are in seconds: check the column")
    columns = {}
    for at in pressures:
        values = _numbers(table, at)[order] * _unit_pa(lower[at], unit, path)
        columns[header[at]] = _plausible(values, PLAUSIBLE_PA)
    if not any(np.isfinite(values).any() for values in columns.values()):
        raise ControllerError(
            f"{path}: no pressure that a cabin has (1 to 10,000 hPa)", remedy="check the unit: --unit pa|hpa|kpa|mmhg"
        )
    warm = {}
    for at, name in enumerate(lower):
        if name.startswith("temperature"):
            values = _numbers(table, at)[order]
            in_kelvin = name.endswith("_k") or (not name.endswith("_c") and np.nanmedian(values) > 150.0)
            warm[header[at]] = _plausible(values if in_kelvin else values + KELVIN_OFFSET, PLAUSIBLE_K)
    return Log(time_s - time_s[0], columns, warm)


def judge_log(log: Log, volume_m3: float, settings: Settings, size: SizeSettings) -> Answer:
    """Run the log through what watches a cabin, value by value, and tell what it said."""
    room = "cabin"
    watch = VolumeWatch({room: volume_m3}, settings, longest_s=LONGEST_FALL_S)
    at_ns = np.round(log.time_s * NS_PER_S).astype(np.int64)
    trend: PressureTrend | None = None
    detected_s = over_s = None
    sigmas = 0.0
    for row, now_ns in enumerate(at_ns.tolist()):
        stamp = at_ns[row : row + 1]
        for name, values in log.temperature_k.items():
            if math.isfinite(values[row]):
                watch.take_temperature(name, room, stamp, values[row : row + 1])
        for name, values in log.pressure_pa.items():
            if math.isfinite(values[row]):
                watch.take_pressure(name, stamp, values[row : row + 1])
        if row + 1 == len(at_ns) or at_ns[row + 1] // NS_PER_S != now_ns // NS_PER_S:
            watch.step(now_ns + 2 * NS_PER_S)
            if row + 1 == len(at_ns):
                watch.flush()
            now = watch.trend()
            if now is not None and now.significant:
                if detected_s is None or over_s is not None:
                    detected_s, over_s = now_ns / NS_PER_S, None
                trend, sigmas = now, max(sigmas, now.fall.sigmas)
            elif trend is not None and over_s is None:
                over_s = now_ns / NS_PER_S
    kelvin = watch.temperature_k or ROOM_K
    if trend is not None:
        reason = _why(trend, sigmas, watch, log, over_s)
        told = leak_size(trend.fall, volume_m3, kelvin, size)
        return Answer(True, trend.fall, told, reason, detected_s, over_s, watch.complaints)
    fall, reason = _without(watch, log)
    return Answer(False, fall, leak_size(fall, volume_m3, kelvin, size), reason, None, None, watch.complaints)


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer as one JSON object; null in an interval stands for infinity."""
    rate, sigma = answer.fall.rate_pa_s, answer.fall.sigma_pa_s
    slope = Interval(rate, rate - TWO_SIDED_95 * sigma, rate + TWO_SIDED_95 * sigma)
    spans = {
        "slope_pa_s": slope,
        "mass_rate_kg_s": answer.size.mass_rate_kg_s,
        "diameter_m": answer.size.hole_diameter_m,
        "reserve_time_s": answer.size.reserve_s,
    }
    return {
        "leak": answer.leak,
        **{name: _span(interval) for name, interval in spans.items()},
        "reason": answer.reason,
        "detected_t_s": answer.detected_s,
        "over_t_s": answer.over_s,
        "not_used": [{"sensor": name, "why": why} for name, why in answer.complaints],
    }


def _span(interval: Interval) -> dict[str, float | None]:
    values = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def _why(trend: PressureTrend, sigmas: float, watch: VolumeWatch, log: Log, over_s: float | None) -> str:
    fall = trend.fall
    ended = "" if over_s is None else f"; it was over {over_s / S_PER_HOUR:.1f} h into the log"
    rough = f", on a cabin {watch.roughness:.1f} times as restless as expected" if watch.roughness > 1.2 else ""
    alone = "" if len(log.pressure_pa) > 1 else "; one barometer alone cannot prove itself right"
    return (
        f"pressure falls by {-fall.rate_pa_s * S_PER_HOUR:.3g} Pa/h and has for {_age(fall.window_s)}, "
        f"up to {sigmas:.1f} standard deviations beyond what a cabin does by itself{rough}{ended}{alone}"
    )


def _without(watch: VolumeWatch, log: Log) -> tuple[Fall, str]:
    pressure_pa = watch.pressure_pa or float("nan")
    since = watch.rate_since_held()
    if since is None:
        return Fall(0.0, 0.0, math.inf, pressure_pa), "too few values to say: give more than a few minutes"
    fall = Fall(float(log.time_s[-1]), -since[0], since[1], pressure_pa)
    could = max(since[0], 0.0) + TWO_SIDED_95 * since[1]
    return fall, (
        f"nothing falls that a cabin does not do by itself; a steady leak of up to {could * S_PER_HOUR:.3g} Pa/h "
        f"({could * S_PER_HOUR / PA_PER_MMHG:.2g} mmHg/h) could hide in it"
    )


def _age(seconds: float) -> str:
    return f"{seconds / S_PER_HOUR:.1f} h" if seconds >= S_PER_HOUR else f"{seconds / 60.0:.0f} min"


def _cell(row: list[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _numbers(table: list[list[str]], at: int) -> FloatArray:
    return np.array([_number(_cell(row, at)) for row in table], dtype=float)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _times(cells: list[str], path: Path) -> FloatArray:
    """Seconds; dates become seconds since the first of them."""
    numbers = np.array([_number(cell) for cell in cells], dtype=float)
    if np.isfinite(numbers).any() or not cells:
        return np.where(np.isfinite(numbers), numbers, np.nan)
    try:
        dates = [datetime.fromisoformat(cell) if cell else None for cell in cells]
        first = next(date for date in dates if date is not None)
        return np.array([math.nan if date is None else (date - first).total_seconds() for date in dates])
    except (ValueError, TypeError, StopIteration) as error:
        raise ControllerError(
            f"{path}: times are neither seconds nor dates: {error}", remedy="write seconds, or 2024-05-01T12:00:00"
        ) from error


def _unit_pa(column: str, unit: str | None, path: Path) -> float:
    """Pa a unit: of the column's name, else as asked, else Pa."""
    words = column.replace(".", "_").replace("[", "_").replace("]", "").replace("(", "_").replace(")", "").split("_")
    named = next((word for word in words if word in UNITS_PA), None)
    if named is None and unit is None:
        raise ControllerError(
            f"{path}: column {column!r} does not say its unit", remedy="name it pressure_hpa, say, or give --unit hpa"
        )
    return UNITS_PA[unit or named or "pa"]


def _plausible(values: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """What no cabin has is no value."""
    with np.errstate(invalid="ignore"):
        return np.where((values >= bounds[0]) & (values <= bounds[1]), values, np.nan)
