"""How loud a source is over time: intervals in which it is on, and levels between given times.

The millisecond in which it opens and closes is `waveform.gate`'s; random events live in `sound.bursts`.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.world.signal.waveform import RAMP_S, gate

FloatArray = NDArray[np.float64]

Interval = tuple[float, float | None]  # start and stop, s; None for never
Switching = tuple[float, bool]  # at which time, s, it went on or off
LEVEL_LIMIT_DB = 200.0  # relative levels beyond that are typing errors


@dataclass(frozen=True, slots=True)
class LevelTable:
    """A level that changes slowly: straight lines of dB between points, constant before the first and after the last.

    Args:
        points: (absolute time s, level relative to the source's own dB), times rising.

    Raises:
        ValueError: no points, times that do not rise, or a level beyond 200 dB.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        """Refuse a table that cannot be read off."""
        times = [time_s for time_s, _ in self.points]
        if not times or any(not later > earlier for earlier, later in pairwise(times)):
            raise ValueError("a level table needs one or more points, their times rising")
        if any(not abs(level_db) <= LEVEL_LIMIT_DB for _, level_db in self.points):
            raise ValueError(f"a level in the table is beyond {LEVEL_LIMIT_DB:g} dB")

    def amplitude(self, first: int, count: int, sample_rate_hz: float) -> FloatArray | float:
        """Factor (count,) of the pressure from grid place `first` on; one number where it does not change."""
        times, levels = (np.array(column) for column in zip(*self.points, strict=True))
        begin_s, end_s = first / sample_rate_hz, (first + count - 1) / sample_rate_hz
        if end_s <= times[0] or begin_s >= times[-1]:
            return math.pow(10.0, float(levels[0] if end_s <= times[0] else levels[-1]) / 20.0)
        level_db = np.interp((first + np.arange(count)) / sample_rate_hz, times, levels)
        factor: FloatArray = np.power(10.0, level_db / 20.0)
        return factor


def check_intervals(intervals: tuple[Interval, ...]) -> None:
    """Refuse intervals that end before they start, overlap, or touch within the gate's millisecond.

    Raises:
        ValueError: says which.
    """
    for start_s, stop_s in intervals:
        if stop_s is not None and stop_s < start_s:
            raise ValueError(f"a source cannot stop at {stop_s:g} s before it starts at {start_s:g} s")
    ordered = sorted(intervals, key=lambda interval: interval[0])
    for (_, stop_s), (start_s, _) in pairwise(ordered):
        if stop_s is None or start_s < stop_s + RAMP_S:
            raise ValueError(f"the interval from {start_s:g} s begins before the one before it is over")


def powered(switchings: tuple[Switching, ...]) -> tuple[Interval, ...]:
    """When something is on that is switched at these times, in order, each time the other way; on before an off."""
    times = [at_s for at_s, _ in switchings]
    if not switchings[0][1]:
        times = [-math.inf, *times]
    stops: list[float | None] = [*times[1::2]]
    stops += [None] * (len(times[::2]) - len(stops))
    return tuple(zip(times[::2], stops, strict=True))


def switched(
    intervals: tuple[Interval, ...],
    first: int,
    count: int,
    sample_rate_hz: float,
) -> FloatArray | float:
    """How far a source that sounds in several intervals is on, 0 to 1; see `waveform.gate`."""
    total: FloatArray | float = 0.0
    for start_s, stop_s in intervals:
        total = total + gate(first, count, sample_rate_hz, start_s, stop_s)
    return total
