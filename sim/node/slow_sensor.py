"""Slow sensors: barometers, thermometers, partial pressures and hatch positions, as the counts that their chips give.

Cross-sensitivity between gases is not modelled. Fast front ends are next door.
"""

import math
from dataclasses import dataclass

import numpy as np

from firmware_bridge.units import S_PER_DAY

COEFFICIENT_K = 298.15  # temperature coefficients are stated about 25 C
COUNT_LIMIT = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class SlowCharacter:
    """How one sensor errs; values in the SI unit of what it measures.

    Args:
        scale: of one count on the wire, as the channel table declares it.
        noise: standard deviation of each reading.
        bias: constant error.
        drift_per_day: steady change of the bias.
        wander_per_rtday: random walk of the bias: its standard deviation after one day.
        per_k: change of the bias with temperature, per K about 25 C.
        resolution: step to which readings are rounded; 0 for that of the wire.
        response_s: time constant with which it follows; 0 for at once.
        heating: constant excess of a thermometer in its own warm box.
    """

    scale: float
    noise: float = 0.0
    bias: float = 0.0
    drift_per_day: float = 0.0
    wander_per_rtday: float = 0.0
    per_k: float = 0.0
    resolution: float = 0.0
    response_s: float = 0.0
    heating: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a scale that counts nothing and negative sizes."""
        if not self.scale > 0.0:
            raise ValueError(f"a count of {self.scale} SI units measures nothing")
        if min(self.noise, self.wander_per_rtday, self.resolution, self.response_s) < 0.0:
            raise ValueError("noise, wander, resolution and response time cannot be negative")


class SlowSensor:
    """One slow channel; readings are asked for in order of time."""

    def __init__(self, character: SlowCharacter) -> None:
        """Power up: the first reading has settled already."""
        self._character = character
        self._settled: float | None = None
        self._walk = 0.0
        self._read_s = 0.0

    def count(self, value: float, temperature_k: float, at_s: float, random: np.random.Generator) -> int:
        """One conversion.

        Args:
            value: what there is to be measured, in its SI unit.
            temperature_k: of the sensor.
            at_s: true time, s.
            random: for noise and wander; each reading takes one draw, and one more where the bias wanders.
        """
        character = self._character
        passed_s = max(at_s - self._read_s, 0.0)
        if self._settled is None or not character.response_s:
            self._settled = value
        else:
            self._settled += (value - self._settled) * -math.expm1(-passed_s / character.response_s)
        reading = self._settled + character.bias + character.heating + character.noise * random.standard_normal()
        if character.wander_per_rtday:
            step = character.wander_per_rtday * math.sqrt(passed_s / S_PER_DAY)
            self._walk += step * random.standard_normal()
        reading += self._walk + character.drift_per_day * at_s / S_PER_DAY
        if character.per_k:
            reading += character.per_k * (temperature_k - COEFFICIENT_K)
        self._read_s = max(at_s, self._read_s)
        if character.resolution:
            reading = round(reading / character.resolution) * character.resolution
        return max(-COUNT_LIMIT, min(COUNT_LIMIT, round(reading / character.scale)))
