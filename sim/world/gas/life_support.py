"""What adds gas to a compartment or takes it: feeds, people, scrubbers, condensers, oxygen regulators, heaters.

Vents and leaks, which lose the mixture as it is, are objects with `mass_flow_kg_s`; hatches and fans are in `network`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from firmware_bridge.units import S_PER_DAY
from sim.world.gas.species import (
    GAS_CONSTANT_J_KG_K,
    HEAT_PRESSURE_J_KG_K,
    Species,
    saturation_pa,
)

BREATH_TEMPERATURE_K = 307.15  # exhaled air, 34 C
# Below this nobody breathes and no machine finds anything: the uptake fades as p / (p + limit), so that a room that
# runs empty ends at zero and not below.
FADES_BELOW_PA = 100.0

_CP = tuple(float(value) for value in HEAT_PRESSURE_J_KG_K)
_R = tuple(float(value) for value in GAS_CONSTANT_J_KG_K)


class Rates(NamedTuple):
    """What enters a compartment: each species, kg/s (negative where it leaves), and energy, W, enthalpy included."""

    nitrogen_kg_s: float
    oxygen_kg_s: float
    carbon_dioxide_kg_s: float
    water_kg_s: float
    power_w: float


class Exchange(Protocol):
    """Whatever exchanges gas or heat with one compartment. A smooth function of its arguments."""

    def rates(self, mass_kg: Sequence[float], temperature_k: float, volume_m3: float) -> Rates:
        """What enters now, given the mass of each species, the temperature and the volume of the compartment."""
        ...


@dataclass(frozen=True, slots=True)
class Feed:
    """Gas let in at a constant rate: oxygen, nitrogen, air from a bottle.

    Args:
        flow_kg_s: flow of each species, kg/s.
        temperature_k: temperature of what comes in, K.
        heat_w: heat given off beside it, W (a machine is a feed of nothing with heat).
    """

    flow_kg_s: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    temperature_k: float = 293.15
    heat_w: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no feed."""
        if not all(flow >= 0.0 for flow in self.flow_kg_s) or not self.temperature_k > 0.0:
            raise ValueError(f"no feed gives {self.flow_kg_s} kg/s at {self.temperature_k} K")

    def rates(self, mass_kg: Sequence[float], temperature_k: float, volume_m3: float) -> Rates:  # noqa: ARG002
        """The same at all times."""
        carried = sum(flow * heat for flow, heat in zip(self.flow_kg_s, _CP, strict=True)) * self.temperature_k
        return Rates(*self.flow_kg_s, carried + self.heat_w)


@dataclass(frozen=True, slots=True)
class Crew:
    """People at nominal activity; rates for one person.

    Defaults: oxygen and carbon dioxide of NASA's Human Integration Design Handbook (0.84 and 1.0 kg a day); vapour of
    breath and skin 1.9 kg a day and 137 W in all (NASA/TP-2015-218570), of which 84 W are left to warm the air.
    """

    count: float
    oxygen_kg_day: float = 0.84
    carbon_dioxide_kg_day: float = 1.0
    water_kg_day: float = 1.9
    heat_w: float = 84.0

    def __post_init__(self) -> None:
        """Refuse people who cannot be."""
        sizes = (self.count, self.oxygen_kg_day, self.carbon_dioxide_kg_day, self.water_kg_day, self.heat_w)
        if not all(size >= 0.0 for size in sizes):
            raise ValueError(f"a crew has no negative rates: {sizes}")

    def rates(self, mass_kg: Sequence[float], temperature_k: float, volume_m3: float) -> Rates:
        """Oxygen at the temperature of the cabin for breath at `BREATH_TEMPERATURE_K`; all fades without oxygen."""
        oxygen_pa = max(mass_kg[Species.OXYGEN], 0.0) * _R[Species.OXYGEN] * temperature_k / volume_m3
        people = self.count * oxygen_pa / (oxygen_pa + FADES_BELOW_PA)
        oxygen, carbon_dioxide, water = (
            people * kg_day / S_PER_DAY
            for kg_day in (self.oxygen_kg_day, self.carbon_dioxide_kg_day, self.water_kg_day)
        )
        breath_j_k = carbon_dioxide * _CP[Species.CARBON_DIOXIDE] + water * _CP[Species.WATER]
        power = breath_j_k * BREATH_TEMPERATURE_K - oxygen * _CP[Species.OXYGEN] * temperature_k
        return Rates(0.0, -oxygen, carbon_dioxide, water, power + people * self.heat_w)


@dataclass(frozen=True, slots=True)
class Scrubber:
    """A bed that takes a share of one species out of the air blown through it; the rest returns as warm as it came."""

    flow_m3_s: float
    efficiency: float
    removes: Species = Species.CARBON_DIOXIDE

    def __post_init__(self) -> None:
        """Refuse a bed that cannot be."""
        if not self.flow_m3_s >= 0.0 or not 0.0 <= self.efficiency <= 1.0:
            raise ValueError(f"no scrubber takes {self.efficiency} of {self.flow_m3_s} m3/s")

    def rates(self, mass_kg: Sequence[float], temperature_k: float, volume_m3: float) -> Rates:
        """Removal in proportion to the density."""
        taken = self.efficiency * self.flow_m3_s * mass_kg[self.removes] / volume_m3
        return _taken(self.removes, taken, temperature_k)


@dataclass(frozen=True, slots=True)
class Condenser:
    """A cold surface: vapour above saturation at the coil leaves the air that is blown over it, as warm as it was.

    The sensible cooling is left to the walls, which hold the temperature.
    """

    flow_m3_s: float
    coil_k: float
    efficiency: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a coil that cannot be."""
        if not self.flow_m3_s >= 0.0 or not 0.0 <= self.efficiency <= 1.0 or not self.coil_k > 0.0:
            raise ValueError(f"no condenser takes {self.efficiency} of {self.flow_m3_s} m3/s at {self.coil_k} K")

    def rates(self, mass_kg: Sequence[float], temperature_k: float, volume_m3: float) -> Rates:
        """Removal in proportion to what the vapour pressure is above saturation at the coil."""
        excess_pa = mass_kg[Species.WATER] * _R[Species.WATER] * temperature_k / volume_m3 - saturation_pa(self.coil_k)
        density = max(excess_pa, 0.0) / (_R[Species.WATER] * temperature_k)
        return _taken(Species.WATER, self.efficiency * self.flow_m3_s * density, temperature_k)


@dataclass(frozen=True, slots=True)
class Regulator:
    """A valve that feeds one species from below `opens_pa` of it until `closes_pa`.

    Args:
        species: what it measures and feeds.
        opens_pa, closes_pa: partial pressures, Pa.
        flow_kg_s: flow while open.
        temperature_k: temperature of what comes in, K.
    """

    opens_pa: float
    closes_pa: float
    flow_kg_s: float
    temperature_k: float = 293.15
    species: Species = Species.OXYGEN

    def __post_init__(self) -> None:
        """Refuse a valve that would flutter."""
        if not 0.0 < self.opens_pa < self.closes_pa:
            raise ValueError(f"a regulator opens ({self.opens_pa} Pa) below where it closes ({self.closes_pa} Pa)")
        if not self.flow_kg_s > 0.0 or not self.temperature_k > 0.0:
            raise ValueError(f"no regulator feeds {self.flow_kg_s} kg/s at {self.temperature_k} K")

    @property
    def feed(self) -> Feed:
        """What it gives while open."""
        flows = [0.0] * len(Species)
        flows[self.species] = self.flow_kg_s
        return Feed((flows[0], flows[1], flows[2], flows[3]), self.temperature_k)


def _taken(species: Species, kg_s: float, temperature_k: float) -> Rates:
    flows = [0.0] * len(Species)
    flows[species] = -kg_s
    return Rates(flows[0], flows[1], flows[2], flows[3], -kg_s * _CP[species] * temperature_k)
