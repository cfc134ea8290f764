"""How small a leak a quiet window would have shown: what "nothing heard" is worth. When to be quiet is next door.

A pair of microphones of one array hears a sound by itself when its correlation stands HEIGHT sigmas out,

    h = g sqrt(2 B T N),   g = s / (1 + s)

with the signal-to-noise ratio s, bandwidth B, and N bursts of T seconds (equation 6 of docs/estimator.md). That is more
than what all pairs together need, and leaves the difference to surveys and echoes. What still sounds beside it hides
what reaches less than a quarter of its own standing.
"""

import math
from dataclasses import dataclass

from controller.quiet.window import BANDWIDTH_HZ, CHOKED_M_S, DISCHARGE, LEAK_1MM_DB, NEAREST_M

HEIGHT = 4.0  # of a pair's correlation: as of a sound that is not faint (localize/attempt.py)
HIDDEN_SHARE = 0.25  # of what sounds loudest (localize/locate.py)
AIR_DB_M = 2.1  # that air takes at 60 kHz, 50 % of humidity (ISO 9613-1)
LEVEL_SPREAD_DB = 15.0  # holes of one size differ by so much
GAS_J_KG_K = 287.05
COHERENT_MOST = 0.9  # beyond it a leak would have to be far louder than all else


@dataclass(frozen=True, slots=True)
class LeastLeak:
    """The leak that would have been heard at `away_m`: level at 1 m, its round hole and what that loses, kg/h.

    `quiet_kg_h` is the loss of a hole as quiet as they may be; a crack may be silent whatever it loses.
    """

    away_m: float
    level_db: float
    hole_m: float
    kg_h: float
    quiet_kg_h: float


def least_leak(
    noise_db: float,
    listened_s: float,
    away_m: float,
    pressure_pa: float,
    temperature_k: float,
    *,
    pairs: int,
    loudest: float = 0.0,
) -> LeastLeak | None:
    """The least leak that stands out; None where nothing would, so loud is what else sounds.

    Args:
        noise_db: of the array in 12 to 90 kHz, re 20 µPa.
        listened_s: length of all bursts together.
        away_m: from the array.
        pressure_pa: of the cabin.
        temperature_k: of the cabin.
        pairs: of microphones, all that are summed in a standing.
        loudest: standing of what was heard beside it, or 0.

    Raises:
        ValueError: nothing was listened to.
    """
    if not listened_s > 0.0 or pairs < 1:
        raise ValueError(f"{listened_s} s by {pairs} pairs tell nothing; listen first")
    height = max(HEIGHT, HIDDEN_SHARE * loudest / math.sqrt(pairs))
    coherence = height / math.sqrt(2.0 * BANDWIDTH_HZ * listened_s)
    if coherence > COHERENT_MOST:
        return None
    ratio_db = 10.0 * math.log10(coherence / (1.0 - coherence))
    far_m = max(away_m, NEAREST_M)
    level_db = noise_db + ratio_db + 20.0 * math.log10(far_m) + AIR_DB_M * max(far_m - 1.0, 0.0)
    hole_m, quiet_m = (1e-3 * 10.0 ** ((level_db + less - LEAK_1MM_DB) / 20.0) for less in (0.0, LEVEL_SPREAD_DB))
    kg_h = [_kg_h(each, pressure_pa, temperature_k) for each in (hole_m, quiet_m)]
    return LeastLeak(away_m, level_db, hole_m, kg_h[0], kg_h[1])


def _kg_h(hole_m: float, pressure_pa: float, temperature_k: float) -> float:
    """What a choked round hole loses: density times the conductance (Shapiro 1953, isentropic nozzle)."""
    density = pressure_pa / (GAS_J_KG_K * temperature_k)
    return 3600.0 * density * CHOKED_M_S * DISCHARGE * math.pi * hole_m**2 / 4.0
