"""What follows from the state of compartments: pressure, temperature, what a flow carries, and the slopes of these.

What flows, and why, is the business of `balance`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.world.gas.species import GAS_CONSTANT_J_KG_K, HEAT_PRESSURE_J_KG_K, HEAT_VOLUME_J_KG_K, Species

FloatArray = NDArray[np.float64]

SPECIES = len(Species)
FIELDS = SPECIES + 1  # a compartment's state: the mass of each species (kg), and its energy in units of ENERGY_J
ENERGY_J = 2e5  # inner energy of 1 kg of cabin air, so that all parts of a state are of one size


class GasColumns(NamedTuple):
    """What follows from a state, for every compartment."""

    mass_kg: FloatArray  # (n, SPECIES)
    total_kg: FloatArray
    heat_volume_j_k: FloatArray  # sum of m cv
    heat_pressure_j_k: FloatArray  # sum of m cp
    constant_j_k: FloatArray  # sum of m R
    temperature_k: FloatArray
    pressure_pa: FloatArray
    carried: FloatArray  # (n, FIELDS): what 1 kg of the mixture takes along


def gas_of(state: FloatArray, volume_m3: FloatArray) -> GasColumns:
    """Pressures, temperatures and the rest of a state (n * FIELDS,); extra entries behind it are left alone."""
    fields = state[: len(volume_m3) * FIELDS].reshape(-1, FIELDS)
    mass = fields[:, :SPECIES]
    total = mass.sum(axis=1)
    heat_volume, heat_pressure, constant = (
        mass @ HEAT_VOLUME_J_KG_K,
        mass @ HEAT_PRESSURE_J_KG_K,
        mass @ GAS_CONSTANT_J_KG_K,
    )
    temperature = fields[:, SPECIES] * ENERGY_J / heat_volume
    carried = np.empty_like(fields)
    carried[:, :SPECIES] = mass / total[:, None]
    carried[:, SPECIES] = heat_pressure * temperature / (total * ENERGY_J)
    pressure = constant * temperature / volume_m3
    return GasColumns(mass, total, heat_volume, heat_pressure, constant, temperature, pressure, carried)


class Slopes:
    """Slopes of temperature, pressure (rooms, FIELDS) and of what 1 kg carries (rooms, FIELDS, FIELDS) by the state."""

    def __init__(self, gas: GasColumns, volume_m3: FloatArray) -> None:
        rooms = len(volume_m3)
        self.temperature = np.empty((rooms, FIELDS))
        self.temperature[:, :SPECIES] = -(gas.temperature_k / gas.heat_volume_j_k)[:, None] * HEAT_VOLUME_J_KG_K
        self.temperature[:, SPECIES] = ENERGY_J / gas.heat_volume_j_k
        self.pressure = gas.constant_j_k[:, None] * self.temperature
        self.pressure[:, :SPECIES] += gas.temperature_k[:, None] * GAS_CONSTANT_J_KG_K
        self.pressure /= volume_m3[:, None]
        self.carried = np.zeros((rooms, FIELDS, FIELDS))
        self.carried[:, :SPECIES, :SPECIES] = (np.eye(SPECIES) - gas.carried[:, :SPECIES, None]) / gas.total_kg[
            :, None, None
        ]
        self.carried[:, SPECIES] = gas.heat_pressure_j_k[:, None] * self.temperature
        self.carried[:, SPECIES, :SPECIES] += gas.temperature_k[:, None] * HEAT_PRESSURE_J_KG_K
        self.carried[:, SPECIES] /= gas.total_kg[:, None] * ENERGY_J
        self.carried[:, SPECIES, :SPECIES] -= (gas.carried[:, SPECIES] / gas.total_kg)[:, None]
