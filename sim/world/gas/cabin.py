"""What a cabin is made of and what is read from it: compartments, their state, the ledger of what crossed the hull.

What happens in it is told by `network`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Four = tuple[float, float, float, float]  # one number for each `Species`, in their order


@dataclass(frozen=True, slots=True)
class CompartmentSpec:
    """One room.

    Args:
        name: what it is called.
        volume_m3: free volume, m3.
        wall_conductance_w_k: hA between gas and walls, W/K; 0 is adiabatic. 1000 W/K warm 106 m3 of air in 90 s.
        wall_temperature_k: the walls hold this, K.
    """

    name: str
    volume_m3: float
    wall_conductance_w_k: float = 0.0
    wall_temperature_k: float = 295.15

    def __post_init__(self) -> None:
        """Refuse a room that cannot be."""
        if not self.volume_m3 > 0.0:
            raise ValueError(f"compartment {self.name!r} of {self.volume_m3} m3 holds nothing")
        if not self.wall_conductance_w_k >= 0.0 or not self.wall_temperature_k > 0.0:
            raise ValueError(
                f"walls of {self.name!r} cannot have {self.wall_conductance_w_k} W/K at {self.wall_temperature_k} K"
            )


@dataclass(frozen=True, slots=True)
class GasState:
    """A compartment at one time; tuples by `Species`."""

    pressure_pa: float
    temperature_k: float
    partial_pa: Four
    mass_kg: Four


@dataclass(frozen=True, slots=True)
class Ledger:
    """What crossed the hull since the start: kg by species, J, kg by vent (also of vents that are gone)."""

    in_kg: Four
    out_kg: Four
    energy_in_j: float
    energy_out_j: float
    energy_from_walls_j: float
    lost_kg: Mapping[str, float] = field(default_factory=dict)
