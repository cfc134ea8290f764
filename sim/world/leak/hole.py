"""A drilled hole to vacuum: one round choked jet.

Ragged holes, cracks and seals have files of their own; the way of the sound to a microphone is the sound room's.
"""

import math
from dataclasses import dataclass, replace

from sim.world.leak.flow import choked_flow_kg_s, viscosity_pa_s
from sim.world.leak.jet import USUAL, Jet, Loudness
from sim.world.leak.leak import JetLeak, Leak, check_coefficient


@dataclass(frozen=True, slots=True)
class Hole(JetLeak):
    """A round hole through the hull, with vacuum outside.

    Turbulent from about 0.18 to 0.36 mm on at cabin pressure (Reynolds numbers of 2000 to 4000); smaller ones
    are next to silent.

    Args:
        diameter_m: diameter, m.
        discharge_coefficient: effective over geometric area, 0 to 1; 0.83 to 0.85 for a thin sharp edge.
        loudness: how strongly the jet acts on the cabin and on the plate.
    """

    diameter_m: float
    discharge_coefficient: float
    loudness: Loudness = USUAL

    def __post_init__(self) -> None:
        """Refuse a hole that cannot be."""
        if not self.diameter_m > 0.0:
            raise ValueError(f"hole diameter {self.diameter_m} m is not positive")
        check_coefficient(self.discharge_coefficient)

    @property
    def effective_area_m2(self) -> float:
        """Discharge coefficient times geometric area, m2."""
        return self.discharge_coefficient * math.pi / 4.0 * self.diameter_m**2

    def peak_frequency_hz(self, temperature_k: float) -> float:
        """Peak of the jet noise, Hz: Strouhal number 0.2 at the sonic throat speed (314 m/s at 22 C)."""
        return Jet(self.diameter_m, 0.0, 0.0).peak_frequency_hz(temperature_k)

    def jets(self, pressure_pa: float, temperature_k: float) -> tuple[Jet]:
        """The one jet of a choked orifice."""
        flow_kg_s = choked_flow_kg_s(self.effective_area_m2, pressure_pa, temperature_k)
        return (round_jet(self.diameter_m, flow_kg_s, temperature_k),)

    def narrowed(self, share: float) -> Leak:
        """A round hole of `share` of the area."""
        return replace(self, diameter_m=self.diameter_m * math.sqrt(share))


def round_jet(diameter_m: float, mass_flow_kg_s: float, temperature_k: float) -> Jet:
    """A jet from a round opening of `diameter_m`; Re = 4 m' / (pi d mu)."""
    reynolds = 4.0 * mass_flow_kg_s / (math.pi * diameter_m * viscosity_pa_s(temperature_k))
    return Jet(diameter_m, mass_flow_kg_s, reynolds)
