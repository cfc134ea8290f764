"""How long until the evacuation limit: by the crew's chart, by a loss that is known, and by a leak that changes.

How fast gas leaves is measured in `controller/measure/leak_size.py`. Formulae: docs/pressure.md, equations 10 to 13.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controller.measure.leak_size import Interval

LONGEST_S = 3650 * 86_400.0  # ten years: beyond, a reserve time says nothing
STEPS_OF_LOG = 256  # of an integration, in equal steps of the logarithm of pressure


@dataclass(frozen=True, slots=True)
class VolumeReserve:
    """Reserve time of one connected volume. `assumed`: its leak is that of the volume before a hatch was moved."""

    rooms: tuple[str, ...]
    volume_m3: float
    pressure_pa: float
    reserve_s: Interval
    assumed: bool


def chart_reserve_s(pressure: float, one_unit_s: float, limit: float) -> float:
    """Tres = P T1 ln(P / Plimit), T1 being the time of a drop by one unit of pressure (equation 10).

    Any unit of pressure; the crew's chart has mmHg. 0 when already below the limit, infinite where nothing drops.

    Raises:
        ValueError: a pressure or limit that is not positive, or a time that is negative or no number.
    """
    for name, value in (("pressure", pressure), ("limit", limit)):
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"the {name} must be positive, not {value:g}")
    if not one_unit_s >= 0.0:
        raise ValueError(f"the time of one unit cannot be {one_unit_s:g} s")
    if pressure <= limit:
        return 0.0
    return pressure * one_unit_s * math.log(pressure / limit)


def conductance_m3_s(loss_pa_s: float, pressure_pa: float, volume_m3: float) -> float:
    """Cabin air that leaves, m3/s: G = V (dP/dt) / P, which stays as it is when hatches move (equation 11)."""
    return volume_m3 * loss_pa_s / pressure_pa


def reserve_of(conductance: Interval, volume_m3: float, pressure_pa: float, limit_pa: float) -> Interval:
    """Reserve time of a volume with a leak of that conductance, m3/s: Tres = V / G ln(P / Plimit) (equation 12)."""

    def time_s(flow_m3_s: float) -> float:
        if pressure_pa <= limit_pa:
            return 0.0
        return volume_m3 / flow_m3_s * math.log(pressure_pa / limit_pa) if flow_m3_s > 0.0 else math.inf

    return Interval(time_s(conductance.value), time_s(conductance.high), time_s(conductance.low))


def changing_reserve_s(
    pressure_pa: float,
    limit_pa: float,
    conductance_at: Callable[[float, float], float],
    volume_changes: Iterable[tuple[float, float]],
    volume_m3: float,
    feed_pa_m3_s: float = 0.0,
) -> float:
    """Reserve time where the leak or the volume changes, by integration of V dP/dt = Q - G P (equation 13).

    Args:
        pressure_pa: now.
        limit_pa: to leave at.
        conductance_at: (seconds from now, pressure in Pa) -> conductance, m3/s; a laminar crack's goes with pressure.
        volume_changes: (seconds from now, new volume in m3) of hatches to be moved; the pressure stays, as a shut
            hatch leaves it and an opened one has been equalised.
        volume_m3: now.
        feed_pa_m3_s: gas let in, in Pa m3/s.

    Returns:
        Seconds; infinite where the limit is not reached within ten years.
    """
    if pressure_pa <= limit_pa:
        return 0.0
    changes = sorted(volume_changes)
    now_s = 0.0
    drop = math.log(pressure_pa / limit_pa) / STEPS_OF_LOG
    while now_s < LONGEST_S:
        fall_per_s = _fall(now_s, pressure_pa, conductance_at, volume_m3, feed_pa_m3_s)
        step_s = drop / fall_per_s if fall_per_s > 0.0 else math.inf
        if changes and changes[0][0] <= now_s + step_s:
            at_s, next_m3 = changes.pop(0)
            step_s = max(at_s - now_s, 0.0)
        else:
            next_m3 = volume_m3
            if not math.isfinite(step_s):
                return math.inf
        # Midpoint rule: exact to second order in the step.
        middle_pa = pressure_pa * math.exp(-0.5 * step_s * max(fall_per_s, 0.0))
        middle = _fall(now_s + 0.5 * step_s, middle_pa, conductance_at, volume_m3, feed_pa_m3_s)
        next_pa = pressure_pa * math.exp(-step_s * middle)
        if next_pa <= limit_pa:
            return now_s + math.log(pressure_pa / limit_pa) / middle
        if next_pa >= pressure_pa and not changes and next_m3 == volume_m3:
            return math.inf
        now_s, pressure_pa, volume_m3 = now_s + step_s, next_pa, next_m3
    return math.inf


def _fall(
    at_s: float, pressure_pa: float, conductance_at: Callable[[float, float], float], volume_m3: float, feed: float
) -> float:
    return (conductance_at(at_s, pressure_pa) - feed / pressure_pa) / volume_m3
