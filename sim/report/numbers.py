"""Numbers for people: at most four digits that count, with their units. Knows nothing of what they mean."""

import math

from firmware_bridge.units import S_PER_DAY, S_PER_HOUR
from sim.heard import Span

DIGITS = 4
TIMES = ((3.0 * S_PER_DAY, S_PER_DAY, "days"), (3.0 * S_PER_HOUR, S_PER_HOUR, "h"), (300.0, 60.0, "min"))
UNITS = {  # by the end of a field's name; longer ends first
    "_kg_s": "kg/s",
    "_mmhg_h": "mmHg/h",
    "_pa_s": "Pa/s",
    "_m_s": "m/s",
    "_m3": "m³",
    "_m2": "m²",
    "_db": "dB",
    "_hz": "Hz",
    "_pa": "Pa",
    "_kg": "kg",
    "_ms": "ms",
    "_m": "m",
    "_s": "s",
    "_k": "K",
}


def plain(value: float, digits: int = DIGITS) -> str:
    """A number without exponent where one can do without: 10,400, 0.0123; but 1.2e-06."""
    if not math.isfinite(value):
        return "infinite" if value > 0 else str(value)
    rounded = float(f"{value:.{digits}g}")
    if rounded and not 1e-4 <= abs(rounded) < 1e7:
        return f"{rounded:.{digits}g}"
    return f"{rounded:,.10g}"


def ranged(span: Span, factor: float, unit: str) -> str | None:
    """A value with its 95 % interval: "23.2 kg/day (20.4 to 25.9)"; None where it is absent."""
    if span.value is None:
        return None
    ends = [0.0 if span.low is None else span.low, math.inf if span.high is None else span.high]
    low, high = (plain(factor * end, 3) for end in ends)
    return f"{plain(factor * span.value, 3)} {unit} ({low} to {high})"


def time_of(at_s: float) -> tuple[float, str]:
    """Seconds of the unit in which a time is told, and its name."""
    return next(((unit_s, name) for least_s, unit_s, name in TIMES if at_s >= least_s), (1.0, "s"))


def field(name: str) -> tuple[str, str]:
    """The words and the unit of a field's name: "window_s" is ("window", "s")."""
    end = next((end for end in UNITS if name.endswith(end)), "")
    return name.removesuffix(end).replace("_", " "), UNITS.get(end, "")
