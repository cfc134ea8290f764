"""How long sound takes along a path in air whose temperature changes evenly from place to place.

Paths stay straight: a gradient of 1 K/m bends a ray to a radius of 2 T = 590 m, which over 5 m moves its middle
by 5 mm and lengthens it by 15 um (0.04 us); the change of speed along it matters a thousand times more.
"""

import numpy as np
from numpy.typing import NDArray

from sim.world.air import Air

FloatArray = NDArray[np.float64]

STEEPEST_K_M = 10.0  # a cabin with more than that is on fire
COLDEST_K, HOTTEST_K = 200.0, 400.0  # as of `Air`


def travel_s(
    corners_m: FloatArray,
    air: Air,
    gradient_k_m: tuple[float, float, float],
    centre_m: tuple[float, float, float],
    *,
    moist: bool = False,
) -> FloatArray:
    """Times (...,) along polylines (..., n, 3) in air of `air.temperature_k` at `centre_m`.

    Slowness integrated along each straight segment: with speed as the root of the temperature and temperature
    linear, the mean speed over a segment is exactly the mean of the speeds at its two ends. `moist` adds what
    humidity does to the speed.

    Raises:
        ValueError: a gradient above 10 K/m, or a place below 200 K or above 400 K.
    """
    gradient = np.array(gradient_k_m)
    if not np.linalg.norm(gradient) <= STEEPEST_K_M:
        raise ValueError(f"temperature gradient {gradient_k_m} K/m is beyond {STEEPEST_K_M:g} K/m")
    ratio = 1.0 + (corners_m - np.array(centre_m)) @ gradient / air.temperature_k
    if np.any(ratio * air.temperature_k < COLDEST_K) or np.any(ratio * air.temperature_k > HOTTEST_K):
        raise ValueError(f"with {gradient_k_m} K/m the room is colder than 200 K or hotter than 400 K somewhere")
    speed = air.sound_speed_m_s * (air.moist_speed_ratio if moist else 1.0) * np.sqrt(ratio)
    pieces_m = np.linalg.norm(np.diff(corners_m, axis=-2), axis=-1)
    total: FloatArray = np.sum(2.0 * pieces_m / (speed[..., :-1] + speed[..., 1:]), axis=-1)
    return total
