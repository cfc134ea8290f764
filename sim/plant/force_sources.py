"""From a scenario's leaks to what pushes the skin of one compartment, in the site's frame.

What else shakes a hull is not modelled; where the forces act on the skin is up to `structure`.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.plant.leaks import PlantLeak
from sim.world.leak.leak import Leak
from sim.world.leak.schedule import Opening
from sim.world.signal.sampling import Psd
from sim.world.structure.field import ForceSource, Strength

FloatArray = NDArray[np.float64]

STRENGTH_STEP_S = 1e-3  # how finely a leak's opening is followed: a jump takes a millisecond, as in the air


def leak_forces(
    leaks: Sequence[PlantLeak], compartment: str, pressure_pa: float, temperature_k: float
) -> list[ForceSource]:
    """What the leaks of a compartment do to its skin at this cabin pressure (Pa) and temperature (K).

    While a leak opens or closes, its force goes as its area and its spectrum stays that of the open leak. Leaks bear
    the names that `Sound` gives them.
    """
    return [
        ForceSource(
            f"leak {leak.name}",
            leak.position_m,
            _force_psd(leak.leak, pressure_pa, temperature_k),
            strength=_strength(leak.opening),
        )
        for leak in leaks
        if leak.compartment == compartment
    ]


def _force_psd(leak: Leak, pressure_pa: float, temperature_k: float) -> Psd:
    return lambda frequency_hz: leak.force_psd_n2_hz(frequency_hz, pressure_pa, temperature_k)


def _strength(opening: Opening) -> Strength:
    """The open share on a grid of whole milliseconds, straight between them, so that all captures agree."""

    def strength(time_s: FloatArray) -> FloatArray:
        first, last = math.floor(time_s[0] / STRENGTH_STEP_S), math.ceil(time_s[-1] / STRENGTH_STEP_S)
        steps = np.arange(first, last + 1)
        share = [opening.share(float(step) * STRENGTH_STEP_S) for step in steps]
        return np.asarray(np.interp(time_s, steps * STRENGTH_STEP_S, share))

    return strength
