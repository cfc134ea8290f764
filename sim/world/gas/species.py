"""The four gases of a cabin, what each weighs and holds of heat, and what a compartment is filled with.

How they flow is the business of `orifice` and `balance`; argon (0.9 % of air) counts as nitrogen.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MOLAR_GAS_CONSTANT_J_MOL_K = 8.314462618  # CODATA 2018


class Species(IntEnum):
    """A gas of the cabin; the number is its place in every tuple and array of species."""

    NITROGEN = 0
    OXYGEN = 1
    CARBON_DIOXIDE = 2
    WATER = 3


MOLAR_MASS_KG = np.array([28.0134e-3, 31.9988e-3, 44.0095e-3, 18.0153e-3])  # IUPAC
HEAT_PRESSURE_J_KG_K = np.array([1040.0, 918.0, 846.0, 1865.0])  # cp of the ideal gas at 300 K, NIST webbook
GAS_CONSTANT_J_KG_K = MOLAR_GAS_CONSTANT_J_MOL_K / MOLAR_MASS_KG
HEAT_VOLUME_J_KG_K = HEAT_PRESSURE_J_KG_K - GAS_CONSTANT_J_KG_K
for _constants in (MOLAR_MASS_KG, HEAT_PRESSURE_J_KG_K, GAS_CONSTANT_J_KG_K, HEAT_VOLUME_J_KG_K):
    _constants.flags.writeable = False

LEAST_FILL_PA = 1e-3  # a compartment always holds some gas: temperature means nothing in none
COLDEST_FILL_K, HOTTEST_FILL_K = 50.0, 1000.0  # where these gases are gases of nearly constant heat
ICE_POINT_K = 273.15


@dataclass(frozen=True, slots=True)
class Fill:
    """What a compartment holds.

    Args:
        temperature_k: temperature, K.
        partial_pa: partial pressure of each `Species`, Pa.

    Raises:
        ValueError: a negative partial pressure, less than `LEAST_FILL_PA` of all, or no cabin temperature.
    """

    temperature_k: float
    partial_pa: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not COLDEST_FILL_K <= self.temperature_k <= HOTTEST_FILL_K:
            raise ValueError(f"fill of {self.temperature_k} K is outside {COLDEST_FILL_K:g} to {HOTTEST_FILL_K:g} K")
        if not all(partial >= 0.0 for partial in self.partial_pa) or not self.pressure_pa >= LEAST_FILL_PA:
            raise ValueError(f"partial pressures {self.partial_pa} Pa do not fill a compartment")

    @property
    def pressure_pa(self) -> float:
        """Total pressure, Pa (Dalton)."""
        return math.fsum(self.partial_pa)

    def mass_kg(self, volume_m3: float) -> FloatArray:
        """Mass of each species in `volume_m3`, kg, by the ideal gas law."""
        return np.array(self.partial_pa) * volume_m3 / (GAS_CONSTANT_J_KG_K * self.temperature_k)


def air(
    pressure_pa: float,
    temperature_k: float,
    *,
    oxygen_pa: float,
    carbon_dioxide_pa: float = 0.0,
    relative_humidity: float = 0.0,
) -> Fill:
    """Cabin air of the given total pressure (Pa); nitrogen is what the other three leave.

    Raises:
        ValueError: the other three leave none, or the humidity is no share of saturation.
    """
    if not 0.0 <= relative_humidity <= 1.0:
        raise ValueError(f"relative humidity {relative_humidity} is outside 0 to 1")
    water_pa = relative_humidity * saturation_pa(temperature_k)
    nitrogen_pa = pressure_pa - oxygen_pa - carbon_dioxide_pa - water_pa
    if nitrogen_pa < 0.0:
        raise ValueError(
            f"oxygen {oxygen_pa} Pa, carbon dioxide {carbon_dioxide_pa} Pa and vapour {water_pa:.0f} Pa"
            f" exceed the total of {pressure_pa} Pa"
        )
    return Fill(temperature_k, (nitrogen_pa, oxygen_pa, carbon_dioxide_pa, water_pa))


def saturation_pa(temperature_k: float) -> float:
    """Saturation pressure of water vapour over liquid, Pa: Magnus formula, WMO-No. 8, good to 0.4 % at 0 to 60 C."""
    celsius = temperature_k - ICE_POINT_K
    return 611.2 * math.exp(17.62 * celsius / (243.12 + celsius))
