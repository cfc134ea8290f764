"""How fast the gas goes -> leak rate, hole size, reserve time, each with an interval.

Isothermal choked flow to vacuum: mdot = Cd A Psi P / sqrt(R T), Psi = 0.6847 for a ratio of heats of 1.4; so P falls
as exp(-k t) and the time left to a limit is P T1mm ln(P / limit), T1mm being the time of a 1 mmHg drop (the crew's
chart, derivation in docs/conventions.md).
"""

import math
from dataclasses import dataclass

from controller.detect.pressure import Fall
from firmware_bridge.units import PA_PER_MMHG, S_PER_HOUR

GAS_CONSTANT_J_KG_K = 287.05
CHOKED_FLOW_FACTOR = 0.6847
TWO_SIDED_95 = 1.96


@dataclass(frozen=True, slots=True)
class Settings:
    """What the owner of a site may choose about sizes."""

    evacuation_limit_mmhg: float = 490.0
    discharge_coefficient: float = 0.85
    discharge_coefficient_sigma: float = 0.08
    volume_sigma: float = 0.03  # relative, of a volume as surveyed: racks and cargo take their share


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % interval; `high` may be infinite."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LeakSize:
    """What the pressure says of the leak; positive numbers are losses."""

    rate_pa_s: Interval
    rate_mmhg_h: Interval
    mass_rate_kg_s: Interval
    hole_diameter_m: Interval
    reserve_s: Interval
    connected_volume_m3: float


def leak_size(fall: Fall, volume_m3: float, temperature_k: float, settings: Settings) -> LeakSize:
    """Size of the leak that makes `fall` in a connected volume."""
    rate = _loss(fall)
    mass = _beside(_scaled(rate, volume_m3 / (GAS_CONSTANT_J_KG_K * temperature_k)), settings.volume_sigma)
    per_area = CHOKED_FLOW_FACTOR * fall.pressure_pa / math.sqrt(GAS_CONSTANT_J_KG_K * temperature_k)
    cd, cd_sigma = settings.discharge_coefficient, settings.discharge_coefficient_sigma
    hole = Interval(*(_diameter_m(flow / per_area, cd) for flow in (mass.value, mass.low, mass.high)))
    wide, narrow = min(1.0, cd + TWO_SIDED_95 * cd_sigma), max(0.05, cd - TWO_SIDED_95 * cd_sigma)
    # Rate, volume and coefficient err independently: half-widths add as squares.
    diameter = Interval(
        hole.value,
        max(0.0, hole.value - math.hypot(hole.value - hole.low, hole.value * (1.0 - math.sqrt(cd / wide)))),
        hole.value + math.hypot(hole.high - hole.value, hole.value * (math.sqrt(cd / narrow) - 1.0)),
    )
    limit_pa = settings.evacuation_limit_mmhg * PA_PER_MMHG
    reserve = Interval(
        reserve_s(fall.pressure_pa, rate.value, limit_pa),
        reserve_s(fall.pressure_pa, rate.high, limit_pa),
        reserve_s(fall.pressure_pa, rate.low, limit_pa),
    )
    return LeakSize(rate, _scaled(rate, S_PER_HOUR / PA_PER_MMHG), mass, diameter, reserve, volume_m3)


def reserve_s(pressure_pa: float, loss_pa_s: float, limit_pa: float) -> float:
    """Time until `limit_pa`: (P / (dP/dt)) ln(P / limit), which is P T1mm ln(P / limit); 0 when already below."""
    if pressure_pa <= limit_pa:
        return 0.0
    if loss_pa_s <= 0.0:
        return math.inf
    return pressure_pa / loss_pa_s * math.log(pressure_pa / limit_pa)


def _loss(fall: Fall) -> Interval:
    loss = -fall.rate_pa_s
    wide = TWO_SIDED_95 * fall.sigma_pa_s
    return Interval(max(loss, 0.0), max(loss - wide, 0.0), max(loss + wide, 0.0))


def _scaled(interval: Interval, factor: float) -> Interval:
    return Interval(interval.value * factor, interval.low * factor, interval.high * factor)


def _beside(interval: Interval, relative_sigma: float) -> Interval:
    """The interval with one more, independent, relative error."""
    more = TWO_SIDED_95 * relative_sigma * interval.value
    return Interval(
        interval.value,
        max(0.0, interval.value - math.hypot(interval.value - interval.low, more)),
        interval.value + math.hypot(interval.high - interval.value, more),
    )


def _diameter_m(effective_area_m2: float, discharge_coefficient: float) -> float:
    return math.sqrt(4.0 * effective_area_m2 / (math.pi * discharge_coefficient))
