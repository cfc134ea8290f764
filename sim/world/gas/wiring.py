"""What joins the compartments of a network and surrounds them: walls, openings, fans, vents, exchanges.

What flows because of it is the business of `balance`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.world.gas.life_support import Exchange

FloatArray = NDArray[np.float64]

VACUUM_PA = 1e-3  # below this outflow fades, as free molecules let it: what is emptied comes to rest


class Outflow(Protocol):
    """A way out to vacuum: a leak, a valve."""

    def mass_flow_kg_s(self, pressure_pa: float, temperature_k: float) -> float:
        """Outflow, kg/s, at the pressure and temperature of the compartment."""
        ...


@dataclass(frozen=True, slots=True)
class Walls:
    """Volume and walls of all compartments, each (n,)."""

    volume_m3: FloatArray
    conductance_w_k: FloatArray
    temperature_k: FloatArray


@dataclass(frozen=True, slots=True)
class Wiring:
    """What joins the compartments now; compartments by their place in `Walls`.

    Args:
        openings: first and second compartment and effective area (m2) of every open hatch.
        fans: from, to, volume flow (m3/s) and the pressure difference at which it stands still (Pa).
        vents: compartment and outflow.
        exchanges: compartment and what exchanges gas or heat with it.
    """

    openings: tuple[tuple[int, int, float], ...] = ()
    fans: tuple[tuple[int, int, float, float], ...] = ()
    vents: tuple[tuple[int, Outflow], ...] = ()
    exchanges: tuple[tuple[int, Exchange], ...] = ()


def outflow_kg_s(outflow: Outflow, pressure_pa: float, temperature_k: float) -> float:
    """What leaves through a vent, kg/s: what it lets out, fading in what is near vacuum itself."""
    return outflow.mass_flow_kg_s(pressure_pa, temperature_k) * pressure_pa / (pressure_pa + VACUUM_PA)
