"""The air that carries the sound: speed, density and absorption.

How much of it there is, and how fast it leaves, is the business of `gas` and `leak`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GAS_CONSTANT_J_KG_K = 287.05  # dry air
HEAT_RATIO = 1.4  # cp/cv of a diatomic gas
REFERENCE_PRESSURE_PA = 101_325.0  # ISO 9613-1, p_r
REFERENCE_TEMPERATURE_K = 293.15  # ISO 9613-1, T_0
TRIPLE_POINT_K = 273.16  # ISO 9613-1, T_01
WATER_LIGHTER = 10.95 / 28.97  # molar mass of air less that of water, over that of air


@dataclass(frozen=True, slots=True)
class Air:
    """A uniform body of air at rest.

    Args:
        temperature_k: temperature, K.
        pressure_pa: total static pressure, Pa.
        relative_humidity: share of saturation, 0 to 1 (not percent).

    Raises:
        ValueError: a value that no cabin air can have.
    """

    temperature_k: float
    pressure_pa: float
    relative_humidity: float

    def __post_init__(self) -> None:
        """Refuse what is not air, such as Celsius or percent passed by mistake."""
        if not 200.0 <= self.temperature_k <= 400.0:
            raise ValueError(f"air temperature {self.temperature_k} K is outside 200 to 400 K")
        if not self.pressure_pa > 0.0:
            raise ValueError(f"air pressure {self.pressure_pa} Pa is not positive")
        if not 0.0 <= self.relative_humidity <= 1.0:
            raise ValueError(f"relative humidity {self.relative_humidity} is outside 0 to 1")

    @property
    def sound_speed_m_s(self) -> float:
        """Speed of sound of dry air, sqrt(gamma R T); for humidity see `moist_speed_ratio`."""
        return math.sqrt(HEAT_RATIO * GAS_CONSTANT_J_KG_K * self.temperature_k)

    @property
    def moist_speed_ratio(self) -> float:
        """Speed of sound in this air over that in dry air of the same temperature, 1 to 1.007 up to 30 C.

        Water vapour makes air lighter and adds one degree of freedom in five: gamma = (7 + h) / (5 + h) and
        M = 28.97 - 10.95 h with h its mole fraction (Bohn 1988, "Environmental effects on the speed of
        sound"). Cramer 1993, who counts real-gas terms too, has 0.003 to 0.005 h less: 2e-4 in saturated air of
        30 C, 4e-5 at 22 C and 50 %, where the ratio is 1.0021.
        """
        water = self.water_percent / 100.0
        heat_ratio = (7.0 + water) / (5.0 + water)
        return math.sqrt(heat_ratio / HEAT_RATIO / (1.0 - WATER_LIGHTER * water))

    @property
    def density_kg_m3(self) -> float:
        """Density by the ideal gas law for dry air; water vapour would take off up to 1 %."""
        return self.pressure_pa / (GAS_CONSTANT_J_KG_K * self.temperature_k)

    @property
    def water_percent(self) -> float:
        """Mole fraction of water vapour, percent (ISO 9613-1, B.1 to B.3)."""
        saturation = math.pow(10.0, 4.6151 - 6.8346 * (TRIPLE_POINT_K / self.temperature_k) ** 1.261)
        return 100.0 * self.relative_humidity * saturation * REFERENCE_PRESSURE_PA / self.pressure_pa

    def absorption_np_m(self, frequency_hz: FloatArray) -> FloatArray:
        """Amplitude absorption of a pure tone, Np/m (1 Np = 8.686 dB), same shape as `frequency_hz`.

        Source: ISO 9613-1:1993, equations 3 to 5 and B.3: classical and rotational loss plus the
        vibrational relaxation of oxygen and nitrogen.
        """
        pressure_ratio = self.pressure_pa / REFERENCE_PRESSURE_PA
        temperature_ratio = self.temperature_k / REFERENCE_TEMPERATURE_K
        water_percent = self.water_percent
        crowding = (0.02 + water_percent) / (0.391 + water_percent)
        oxygen_hz = pressure_ratio * (24.0 + 4.04e4 * water_percent * crowding)
        thermal = math.exp(-4.170 * (temperature_ratio ** (-1.0 / 3.0) - 1.0))
        nitrogen_hz = pressure_ratio / math.sqrt(temperature_ratio) * (9.0 + 280.0 * water_percent * thermal)
        squared = np.square(frequency_hz)
        classical = 1.84e-11 / pressure_ratio * math.sqrt(temperature_ratio)
        oxygen = 0.01275 * math.exp(-2239.1 / self.temperature_k) / (oxygen_hz + squared / oxygen_hz)
        nitrogen = 0.1068 * math.exp(-3352.0 / self.temperature_k) / (nitrogen_hz + squared / nitrogen_hz)
        loss: FloatArray = squared * (classical + temperature_ratio**-2.5 * (oxygen + nitrogen))
        return loss
