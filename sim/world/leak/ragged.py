"""A ragged or poorly patched hole to vacuum: less flow than its size says, and a broad, lower spectrum.

Clean round holes live in `hole`.
"""

import math
from dataclasses import dataclass, replace

from sim.world.leak.flow import choked_flow_kg_s
from sim.world.leak.hole import round_jet
from sim.world.leak.jet import USUAL, Jet, Loudness
from sim.world.leak.leak import JetLeak, Leak, check_coefficient

MOST_JETS = 16  # beyond it the openings of any hole that leaks audibly would each be silent
WIDEST_SPREAD = 30.0  # largest over smallest jet; wider and the smallest carry nothing


@dataclass(frozen=True, slots=True)
class RaggedHole(JetLeak):
    """A hole with torn edges, or with a patch that covers part of it: several choked jets of unlike size.

    The open area is shared by `jets_count` openings whose diameters step evenly on a log scale. Each sounds about
    its own peak, so the whole is broader and, for the same flow, lower at its peak than one round jet; smaller
    jets also have smaller Reynolds numbers and may fall silent.

    Args:
        diameter_m: diameter of the round hole of the same geometric area, patch taken off, m.
        discharge_coefficient: effective over geometric area; 0.4 to 0.8 for ragged edges.
        covered_share: share of the area under the patch, 0 to below 1.
        jets_count: effective jets, 1 to 16.
        jets_spread: diameter of the largest over that of the smallest, 1 to 30.
        loudness: how strongly the jets act.
    """

    diameter_m: float
    discharge_coefficient: float = 0.6
    covered_share: float = 0.0
    jets_count: int = 3
    jets_spread: float = 3.0
    loudness: Loudness = USUAL

    def __post_init__(self) -> None:
        """Refuse a hole that cannot be."""
        if not self.diameter_m > 0.0:
            raise ValueError(f"hole diameter {self.diameter_m} m is not positive")
        check_coefficient(self.discharge_coefficient)
        if not 0.0 <= self.covered_share < 1.0:
            raise ValueError(f"a patch that covers {self.covered_share} of a hole is outside 0 to below 1")
        if not 1 <= self.jets_count <= MOST_JETS:
            raise ValueError(f"{self.jets_count} jets are outside 1 to {MOST_JETS}")
        if not 1.0 <= self.jets_spread <= WIDEST_SPREAD:
            raise ValueError(f"a spread of jets of {self.jets_spread} is outside 1 to {WIDEST_SPREAD:g}")

    @property
    def effective_area_m2(self) -> float:
        """Discharge coefficient times the geometric area that no patch covers, m2."""
        return self.discharge_coefficient * (1.0 - self.covered_share) * math.pi / 4.0 * self.diameter_m**2

    @property
    def jet_diameters_m(self) -> tuple[float, ...]:
        """Diameters of the openings, smallest first, m; the sum of their areas is the open area."""
        steps = max(self.jets_count - 1, 1)
        sizes = [self.jets_spread ** (step / steps) for step in range(self.jets_count)]
        unit_m = self.diameter_m * math.sqrt((1.0 - self.covered_share) / math.fsum(size**2 for size in sizes))
        return tuple(unit_m * size for size in sizes)

    def jets(self, pressure_pa: float, temperature_k: float) -> tuple[Jet, ...]:
        """Choked jets that share the flow as their openings share the area."""
        per_area = choked_flow_kg_s(self.discharge_coefficient * math.pi / 4.0, pressure_pa, temperature_k)
        return tuple(round_jet(size_m, per_area * size_m**2, temperature_k) for size_m in self.jet_diameters_m)

    def narrowed(self, share: float) -> Leak:
        """A hole alike in shape of `share` of the area."""
        return replace(self, diameter_m=self.diameter_m * math.sqrt(share))
