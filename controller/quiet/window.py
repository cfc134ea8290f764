"""Which equipment to switch off, and for how long, so that a leak can be heard beside it. Nothing is switched here.

Each array hears machines of its own compartment by spherical spreading. A place is found when the correlations of the
bursts, added up, stand REQUIRED_STANDING sigmas out: with a signal-to-noise ratio s, bandwidth B and burst time T that
takes about

    N = standing^2 (1 - c) / (B T c),  c = (s / (1 + s))^2

bursts (variance of a correlation of coherence c: Carter 1987, Proc. IEEE 75(2) 236). A leak's level at 1 m is that of
its hole's jet, most of which goes outside: 61 dB for 1 mm, 20 dB for each tenfold diameter (docs/simulator.md), give or
take 15 dB; so windows are advice to listen once, not a promise.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware_bridge.site.machines import Machine

USUAL_NOISE_DB = 55.0  # of a machine at 1 m whose level nobody has measured
FLOOR_DB = 40.0  # of a cabin's air and microphones in 20 to 100 kHz with everything off
USUAL_DISTANCE_M = 2.0  # where positions are unknown; and of a leak from an array
NEAREST_M = 0.3
LEAK_1MM_DB = 61.0
CHOKED_M_S = 199.3  # conductance a square metre of effective hole, air at 22 C
DISCHARGE = 0.85
UNKNOWN_HOLE_M = 0.5e-3
BANDWIDTH_HZ = 60_000.0
REQUIRED_STANDING = 8.0
LEAST_GAIN_DB = 3.0  # less is not worth anybody's work
SPIN_DOWN_S = 30.0
SHORTEST_S, LONGEST_S = 60.0, 900.0
SUSPECT_M, SUSPECT_DB = 0.5, 6.0  # what stands out of the map so near to a machine is its sound: louder than thought


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """What to switch off for how long.

    `equipment` in the order in which it matters; `commanded` of them the controller switches itself. `bursts` are
    needed; `enough` says that they fit into the window. `snr_before_db` and `snr_db` are at the typical array.
    """

    compartment: str
    equipment: tuple[str, ...]
    commanded: tuple[str, ...]
    duration_s: float
    bursts: int
    gain_db: float
    snr_before_db: float
    snr_db: float
    enough: bool
    why: str


@dataclass(frozen=True, slots=True)
class Listening:
    """How is listened in a compartment: middles of its arrays, the bursts' length and how often they come."""

    compartment: str
    arrays_m: tuple[tuple[float, float, float], ...]
    burst_s: float
    period_s: float


def quiet_window(
    machines: Sequence[Machine],
    listening: Listening,
    conductance_m3_s: float | None = None,
    suspects_m: Sequence[tuple[float, float, float]] = (),
) -> QuietWindow | None:
    """The shortest window, with the fewest machines off, in which a leak would be found; None where none is worth it.

    Args:
        machines: the site's noisy equipment.
        listening: where and how is listened.
        conductance_m3_s: of the leak as pressure says; None: a small hole.
        suspects_m: places that stood out of the map and were a machine's.
    """
    if not listening.arrays_m:
        return None
    here = [machine for machine in machines if machine.compartment == listening.compartment]
    groups = _together([machine for machine in here if machine.may_switch_off])
    if not groups:
        return None
    level_db = {machine.name: _level_db(machine, suspects_m) for machine in here}
    leak_db = _leak_db(conductance_m3_s) - 20.0 * math.log10(USUAL_DISTANCE_M)
    before_db = leak_db - _noise_db(here, level_db, listening)
    off: list[Machine] = []
    best: QuietWindow | None = None
    for group in sorted(groups, key=lambda g: -_noise_db(g, level_db, listening)):
        off += group
        on = [machine for machine in here if machine not in off]
        snr_db = leak_db - _noise_db(on, level_db, listening)
        bursts = _bursts(snr_db, listening.burst_s)
        wanted_s = SPIN_DOWN_S + bursts * listening.period_s
        if snr_db - before_db < LEAST_GAIN_DB or (best is not None and best.enough):
            continue
        duration_s = min(max(wanted_s, SHORTEST_S), LONGEST_S)
        enough = wanted_s <= LONGEST_S
        names = tuple(machine.name for machine in off)
        commanded = tuple(machine.name for machine in off if machine.commanded)
        gain_db = snr_db - before_db
        why = (
            f"switch off {_and(names)} for {duration_s / 60:.0f} min: {gain_db:.0f} dB less noise at the arrays of "
            f"{listening.compartment}, where a leak would stand out after {bursts} bursts"
            + ("" if enough else ", more than fit; it is worth a try all the same")
        )
        best = QuietWindow(
            listening.compartment, names, commanded, duration_s, bursts, gain_db, before_db, snr_db, enough, why
        )
    return best


def announced_window(
    machines: Sequence[Machine],
    listening: Listening,
    off: Sequence[str],
    duration_s: float,
    by: str,
    conductance_m3_s: float | None = None,
) -> QuietWindow:
    """The window that a person announces: machines named in `off` are off, or are switched off where relays can.

    What is expected to be gained is reckoned as for one of our own; machines that are not named run on.

    Args:
        machines: the site's noisy equipment.
        listening: where and how is listened; without arrays nothing is gained.
        off: names of machines, of any compartment; () where people keep quiet that no machine stands for.
        duration_s: how long it lasts.
        by: who announces it.
        conductance_m3_s: of the leak as pressure says; None: a small hole.
    """
    here = [machine for machine in machines if machine.compartment == listening.compartment]
    level_db = {machine.name: _level_db(machine, ()) for machine in here}
    leak_db = _leak_db(conductance_m3_s) - 20.0 * math.log10(USUAL_DISTANCE_M)
    noise_db = [FLOOR_DB, FLOOR_DB]
    if listening.arrays_m:
        on = [machine for machine in here if machine.name not in off]
        noise_db = [_noise_db(some, level_db, listening) for some in (here, on)]
    before_db, snr_db = (leak_db - one for one in noise_db)
    bursts = _bursts(snr_db, listening.burst_s)
    names = tuple(dict.fromkeys(off))
    commanded = tuple(m.name for m in machines if m.commanded and m.name in off)
    what = f"{_and(names)} off" if names else "quiet"
    why = f"{by} announced {what} for {duration_s / 60:.3g} min in {listening.compartment}"
    enough = bool(listening.arrays_m) and SPIN_DOWN_S + bursts * listening.period_s <= duration_s
    return QuietWindow(
        listening.compartment,
        names,
        commanded,
        duration_s,
        bursts,
        snr_db - before_db,
        before_db,
        snr_db,
        enough,
        why,
    )


def _together(machines: Sequence[Machine]) -> list[list[Machine]]:
    """Machines that one relay switches go off together; all others by themselves."""
    groups: dict[str, list[Machine]] = {}
    for machine in machines:
        key = f"relay {machine.switch.name}" if machine.switch is not None else f"hand {machine.name}"
        groups.setdefault(key, []).append(machine)
    return list(groups.values())


def _level_db(machine: Machine, suspects_m: Sequence[tuple[float, float, float]]) -> float:
    usual = USUAL_NOISE_DB if machine.noise_db is None else machine.noise_db
    at = machine.position_m
    named = at is not None and any(math.dist(at, suspect) < SUSPECT_M for suspect in suspects_m)
    return usual + SUSPECT_DB if named else usual


def _noise_db(machines: Sequence[Machine], level_db: Mapping[str, float], listening: Listening) -> float:
    """Noise at the array that hears most of it half as often as not: the median of the arrays."""
    heard = sorted(
        10.0 * math.log10(10.0 ** (FLOOR_DB / 10.0) + sum(_power(m, level_db[m.name], array) for m in machines))
        for array in listening.arrays_m
    )
    return heard[len(heard) // 2]


def _power(machine: Machine, level_db: float, array_m: tuple[float, float, float]) -> float:
    away_m = USUAL_DISTANCE_M if machine.position_m is None else math.dist(machine.position_m, array_m)
    return float(10.0 ** (level_db / 10.0) / max(away_m, NEAREST_M) ** 2)


def _leak_db(conductance_m3_s: float | None) -> float:
    hole_m = UNKNOWN_HOLE_M
    if conductance_m3_s is not None and conductance_m3_s > 0.0:
        hole_m = math.sqrt(4.0 * conductance_m3_s / (CHOKED_M_S * DISCHARGE * math.pi))
    return LEAK_1MM_DB + 20.0 * math.log10(hole_m / 1e-3)


def _bursts(snr_db: float, burst_s: float) -> int:
    ratio = float(10.0 ** (snr_db / 10.0))
    coherence = (ratio / (1.0 + ratio)) ** 2
    needed = REQUIRED_STANDING**2 * (1.0 - coherence) / (BANDWIDTH_HZ * burst_s * max(coherence, 1e-12))
    return max(1, math.ceil(min(needed, 1e9)))


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
