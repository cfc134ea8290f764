"""How much sound air swallows. Speeds of sound are localize's."""

import numpy as np
from numpy.typing import NDArray

REFERENCE_PRESSURE_PA = 101_325.0  # ISO 9613-1, 4.2: p_r
REFERENCE_TEMPERATURE_K = 293.15  # T_0
TRIPLE_POINT_K = 273.16  # T_01
NEPER_DB = 8.686


def absorption_db_m(
    frequency_hz: NDArray[np.float64], temperature_k: float, pressure_pa: float, relative_humidity: float
) -> NDArray[np.float64]:
    """Attenuation of a plane wave, dB/m, by ISO 9613-1:1993, equations (3) to (5) and (B.3).

    Raises:
        ValueError: a pressure or temperature that is none, or a humidity beyond 0 to 1.
    """
    if pressure_pa <= 0.0 or temperature_k <= 0.0 or not 0.0 <= relative_humidity <= 1.0:
        raise ValueError(
            f"no air has {temperature_k:g} K, {pressure_pa:g} Pa and a relative humidity of {relative_humidity:g}"
        )
    pressure, warmth = pressure_pa / REFERENCE_PRESSURE_PA, temperature_k / REFERENCE_TEMPERATURE_K
    saturation = 10.0 ** (4.6151 - 6.8346 * (TRIPLE_POINT_K / temperature_k) ** 1.261)
    water = 100.0 * relative_humidity * saturation / pressure  # mole fraction, %
    oxygen_hz = pressure * (24.0 + 4.04e4 * water * (0.02 + water) / (0.391 + water))
    nitrogen_hz = pressure / np.sqrt(warmth) * (9.0 + 280.0 * water * np.exp(-4.17 * (warmth ** (-1 / 3) - 1.0)))
    square = frequency_hz**2
    classical = 1.84e-11 / pressure * np.sqrt(warmth)
    relaxing = warmth**-2.5 * (
        0.01275 * np.exp(-2239.1 / temperature_k) / (oxygen_hz + square / oxygen_hz)
        + 0.1068 * np.exp(-3352.0 / temperature_k) / (nitrogen_hz + square / nitrogen_hz)
    )
    return np.asarray(NEPER_DB * square * (classical + relaxing), dtype=float)
