"""The gas of one connected volume losing mass to vacuum, and the slow weather of a cabin.

Compartments with open hatches are one volume here; what a pressure sensor makes of it lives with the node.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sim.world.air import GAS_CONSTANT_J_KG_K
from sim.world.leak.hole import CHOKED_FLOW_FACTOR

SECONDS_PER_HOUR = 3600.0
SERIES_BELOW = 1e-2  # below this step over correlation time the closed form loses its digits


class Atmosphere:
    """One body of gas at constant temperature behind choked holes; only `step` changes it.

    Isothermal: true of a leak that is slow against the 90 s or so in which the walls warm the gas again.
    """

    __slots__ = ("_effective_area_m2", "_pressure_pa", "temperature_k", "volume_m3")

    def __init__(self, volume_m3: float, pressure_pa: float, temperature_k: float) -> None:
        """Fill `volume_m3` (m3) with air at `pressure_pa` (Pa) and `temperature_k` (K), all holes shut.

        Raises:
            ValueError: a volume or temperature that is not positive, or a negative pressure.
        """
        if not volume_m3 > 0.0 or not temperature_k > 0.0 or not pressure_pa >= 0.0:
            raise ValueError(f"no gas fills {volume_m3} m3 at {pressure_pa} Pa and {temperature_k} K")
        self.volume_m3 = volume_m3
        self.temperature_k = temperature_k
        self._pressure_pa = pressure_pa
        self._effective_area_m2 = 0.0

    @property
    def pressure_pa(self) -> float:
        """Pressure now, Pa."""
        return self._pressure_pa

    @property
    def mass_kg(self) -> float:
        """Mass of gas now, kg, by the ideal gas law."""
        return self._pressure_pa * self.volume_m3 / (GAS_CONSTANT_J_KG_K * self.temperature_k)

    @property
    def leak_rate_kg_s(self) -> float:
        """Outflow now, kg/s, positive outwards, through the holes of the last step; 0 before the first."""
        speed = math.sqrt(GAS_CONSTANT_J_KG_K * self.temperature_k)
        return CHOKED_FLOW_FACTOR * self._effective_area_m2 * self._pressure_pa / speed

    def step(self, dt_s: float, leaks: Iterable[float]) -> None:
        """Let gas out for `dt_s` seconds through holes of the given effective areas, m2 each.

        Exact for any step: P(t) = P0 exp(-k t), k = Cd A Psi sqrt(R T) / V (isothermal choked flow).

        Raises:
            ValueError: a negative step or area.
        """
        areas_m2 = tuple(leaks)
        if dt_s < 0.0 or any(area_m2 < 0.0 for area_m2 in areas_m2):
            raise ValueError(f"cannot step {dt_s} s with effective areas {areas_m2}")
        self._effective_area_m2 = math.fsum(areas_m2)
        speed = math.sqrt(GAS_CONSTANT_J_KG_K * self.temperature_k)
        rate_per_s = CHOKED_FLOW_FACTOR * speed * self._effective_area_m2 / self.volume_m3
        self._pressure_pa *= math.exp(-rate_per_s * dt_s)


@dataclass(frozen=True, slots=True)
class WeatherSettings:
    """How restless a cabin is.

    Args:
        slope_rms_pa_h: rms of the slope of pressure that no leak causes (crew, scrubbers, feeds), Pa/h.
        slope_correlation_s: time in which that slope forgets itself, s.
        temperature_rms_k: rms wander of the cabin temperature, K.
        temperature_correlation_s: time in which it forgets itself, s.
    """

    slope_rms_pa_h: float
    slope_correlation_s: float
    temperature_rms_k: float
    temperature_correlation_s: float

    def __post_init__(self) -> None:
        """Refuse negative sizes and times that are not positive."""
        if self.slope_rms_pa_h < 0.0 or self.temperature_rms_k < 0.0:
            raise ValueError("weather rms values cannot be negative")
        if not self.slope_correlation_s > 0.0 or not self.temperature_correlation_s > 0.0:
            raise ValueError("weather correlation times must be positive")


class CabinWeather:
    """Slow disturbance of pressure and temperature that every sensor of the cabin sees in common.

    The slope of pressure and the temperature are Ornstein-Uhlenbeck processes, stepped by their exact
    transition laws (Gillespie 1996, Phys. Rev. E 54, 2084), so the step does not change the statistics.
    """

    __slots__ = ("_generator", "_settings", "_slope_pa_s", "pressure_offset_pa", "temperature_offset_k")

    def __init__(self, settings: WeatherSettings, generator: np.random.Generator) -> None:
        """Start in the stationary state, drawn from `generator`; the pressure offset starts at zero."""
        self._settings = settings
        self._generator = generator
        slope, temperature = generator.standard_normal(2)
        self._slope_pa_s = float(slope) * settings.slope_rms_pa_h / SECONDS_PER_HOUR
        self.temperature_offset_k = float(temperature) * settings.temperature_rms_k
        self.pressure_offset_pa = 0.0

    @property
    def slope_pa_h(self) -> float:
        """Slope of the pressure offset now, Pa/h."""
        return self._slope_pa_s * SECONDS_PER_HOUR

    def step(self, dt_s: float) -> None:
        """Move on by `dt_s` seconds.

        Raises:
            ValueError: a negative step.
        """
        if dt_s < 0.0:
            raise ValueError(f"weather cannot step back by {dt_s} s")
        settings = self._settings
        first, second, third = (float(draw) for draw in self._generator.standard_normal(3))
        tau_s = settings.slope_correlation_s
        rms_pa_s = settings.slope_rms_pa_h / SECONDS_PER_HOUR
        ratio = dt_s / tau_s
        decay, loss = math.exp(-ratio), -math.expm1(-ratio)
        slope_sigma = math.sqrt(-math.expm1(-2.0 * ratio))
        shared = loss**2 / slope_sigma if slope_sigma > 0.0 else 0.0
        rest = math.sqrt(max(integral_variance(ratio) - shared**2, 0.0))
        kick = shared * first + rest * second
        self.pressure_offset_pa += tau_s * (loss * self._slope_pa_s + rms_pa_s * kick)
        self._slope_pa_s = decay * self._slope_pa_s + rms_pa_s * slope_sigma * first
        ratio = dt_s / settings.temperature_correlation_s
        sigma_k = settings.temperature_rms_k * math.sqrt(-math.expm1(-2.0 * ratio))
        self.temperature_offset_k = math.exp(-ratio) * self.temperature_offset_k + sigma_k * third

    def disturbed(self, pressure_pa: float, temperature_k: float) -> tuple[float, float]:
        """Pressure (Pa) and temperature (K) in the cabin where still weather would show the given ones.

        The warmer gas of a closed cabin also presses harder, P dT / T: 343 Pa per kelvin at one atmosphere.
        """
        warmth = 1.0 + self.temperature_offset_k / temperature_k
        return pressure_pa * warmth + self.pressure_offset_pa, temperature_k + self.temperature_offset_k


def integral_variance(ratio: float) -> float:
    """Variance of the integral of an Ornstein-Uhlenbeck process with known start, in units of (rms * tau)^2.

    `ratio` is time over correlation time u: 2u - 3 + 4 exp(-u) - exp(-2u), by its series where that cancels.
    """
    if ratio < SERIES_BELOW:
        return ratio**3 * (2.0 / 3.0 - ratio * (0.5 - ratio * (7.0 / 30.0 - ratio / 12.0)))
    loss = -math.expm1(-ratio)
    return 2.0 * (ratio - loss) - loss**2
