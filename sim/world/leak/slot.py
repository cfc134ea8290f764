"""Flow through a narrow slot in the wall to vacuum: friction first, choked when wide. Cracks and seals are slots.

Derivation. Plane Poiseuille flow between walls w apart, with slip (Maxwell 1879), carries per length

    m' = -w^3 / (12 mu) rho (1 + 6 lambda / w) dP/dx,  rho = P / (R T),  lambda P = Lambda = mu sqrt(pi R T / 2).

Isothermal (the wall is thick against the gap), m' is the same at every depth x; over the depth D from P to Pe

    m' = K [(P^2 - Pe^2) + s (P - Pe)],  K = w^3 / (24 mu R T D),  s = 12 Lambda / w.

With Pe = 0 and no slip this is w^3 P^2 / (24 mu R T D). The end is choked: m' = c Pe, c = Cd w Psi / sqrt(R T).
Both together are a quadratic for m' with one positive root, below friction alone and below choked flow alone:

    (K / c^2) m'^2 + (1 + K s / c) m' - K (P^2 + s P) = 0.

Slip matters: a crack of 1.4 kg/day (45 mm long, 12.4 um wide in a wall of 1.5 mm) has a Knudsen number lambda / w
of 0.005 at its mouth, which adds 12 * 0.005 = 6 %. Where the flow is free-molecular (Kn > 0.6: narrower than 0.1 um
at one atmosphere) this law lets through a fifth of what Knudsen's long slot does, but those leaks are below
1e-5 kg/day. Turbulent friction is left out: at cabin pressure a slot in a 1.5 mm wall with Re = 2000 is 96 um wide,
and friction alone would let 8 times the choked flow through, so the end limits it and not the friction.
"""

import math
from dataclasses import dataclass

from sim.world.air import GAS_CONSTANT_J_KG_K
from sim.world.leak.flow import check_gas, choked_flow_kg_s, free_path_pa_m, viscosity_pa_s
from sim.world.leak.jet import USUAL, Jet, Loudness
from sim.world.leak.leak import JetLeak, check_coefficient

SLIP = 12.0  # 6 lambda / w of first-order slip at full accommodation, integrated over the pressure


@dataclass(frozen=True, slots=True)
class Slot(JetLeak):
    """A gap of even width through the wall; its kinds say what opening and closing does to it.

    Args:
        length_m: along the wall, m.
        width_m: opening, m; small against the length.
        depth_m: way of the gas through the wall or under the seal, m.
        discharge_coefficient: of the choked end, 0 to 1.
        loudness: how strongly the jet acts.
    """

    length_m: float
    width_m: float
    depth_m: float
    discharge_coefficient: float = 0.85
    loudness: Loudness = USUAL

    def __post_init__(self) -> None:
        """Refuse a slot that cannot be."""
        if not (self.length_m > 0.0 and self.width_m > 0.0 and self.depth_m > 0.0):
            raise ValueError(f"no slot is {self.length_m} m long, {self.width_m} m wide and {self.depth_m} m deep")
        check_coefficient(self.discharge_coefficient)

    def jets(self, pressure_pa: float, temperature_k: float) -> tuple[Jet]:
        """The one flat jet; hydraulic diameter 2 w, Re = 2 m' / mu with m' the flow per length."""
        per_length_kg_s_m = self._flow_per_length_kg_s_m(pressure_pa, temperature_k)
        reynolds = 2.0 * per_length_kg_s_m / viscosity_pa_s(temperature_k)
        return (Jet(2.0 * self.width_m, per_length_kg_s_m * self.length_m, reynolds),)

    def _friction(self, temperature_k: float) -> tuple[float, float]:
        """K (kg/s/m/Pa2) and s (Pa) of the derivation."""
        drag = 24.0 * viscosity_pa_s(temperature_k) * GAS_CONSTANT_J_KG_K * temperature_k * self.depth_m
        return self.width_m**3 / drag, SLIP * free_path_pa_m(temperature_k) / self.width_m

    def _flow_per_length_kg_s_m(self, pressure_pa: float, temperature_k: float) -> float:
        """The positive root of the quadratic, in the form that keeps its digits."""
        check_gas(pressure_pa, temperature_k)
        friction, slip_pa = self._friction(temperature_k)
        end = choked_flow_kg_s(self.discharge_coefficient * self.width_m, 1.0, temperature_k)  # c, per pascal
        driven = friction * pressure_pa * (pressure_pa + slip_pa)
        linear = 1.0 + friction * slip_pa / end
        return 2.0 * driven / (linear + math.sqrt(linear**2 + 4.0 * friction * driven / end**2))
