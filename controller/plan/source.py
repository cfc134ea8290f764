"""How loud a reference leak is inside the cabin, band by band. Which microphones hear it is hearing's."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAS_CONSTANT_J_KG_K = 287.05
CHOKED_FLOW_FACTOR = 0.6847  # of air; Shapiro 1953, The Dynamics and Thermodynamics of Compressible Fluid Flow
DISCHARGE_COEFFICIENT = 0.85  # of a sharp hole in a thin wall
THROAT_SPEED_SHARE = math.sqrt(1.4 * 2.0 / 2.4)  # of sqrt(R T): speed of sound in the throat
STROUHAL = 0.2  # of a jet's strongest noise: Tam 1995, Supersonic jet noise
EFFICIENCY = 1e-4  # of the stream's power that becomes sound: Lighthill 1954 for jets at the speed of sound
INWARD_SHARE = 0.01  # the rest goes out with the gas; leak detectors' makers tell the like. +-15 dB with the line above
REFERENCE_INTENSITY_W_M2 = 1e-12


@dataclass(frozen=True, slots=True)
class Leak:
    """A round hole to vacuum.

    Raises:
        ValueError: a hole, pressure or temperature that is not positive.
    """

    diameter_m: float
    pressure_pa: float
    temperature_k: float

    def __post_init__(self) -> None:
        """Refuse what is no leak."""
        if min(self.diameter_m, self.pressure_pa, self.temperature_k) <= 0.0:
            raise ValueError("a leak's diameter, pressure and temperature are positive")

    @property
    def level_db(self) -> float:
        """Sound pressure level 1 m from the hole inside, dB re 20 uPa, all frequencies; good to 15 dB.

        Stream power (mdot U^2 / 2) x efficiency x inward share, over half a sphere of 1 m.
        """
        thermal = math.sqrt(GAS_CONSTANT_J_KG_K * self.temperature_k)
        area_m2 = math.pi / 4.0 * self.diameter_m**2
        mass_kg_s = DISCHARGE_COEFFICIENT * area_m2 * CHOKED_FLOW_FACTOR * self.pressure_pa / thermal
        power_w = 0.5 * mass_kg_s * (THROAT_SPEED_SHARE * thermal) ** 2 * EFFICIENCY * INWARD_SHARE
        return 10.0 * math.log10(power_w / (2.0 * math.pi) / REFERENCE_INTENSITY_W_M2)

    @property
    def peak_hz(self) -> float:
        """Frequency of the strongest sound: Strouhal number x throat speed / diameter."""
        thermal = math.sqrt(GAS_CONSTANT_J_KG_K * self.temperature_k)
        return STROUHAL * THROAT_SPEED_SHARE * thermal / self.diameter_m

    def band_share(self, edges_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share (bands,) of the leak's sound between successive `edges_hz` (bands + 1,).

        Density x^2 / (1 + x^2)^2 per x = f / peak: 6 dB an octave up to the peak and down beyond. Its integral is
        (atan x - x / (1 + x^2)) / 2, of a quarter pi in all.
        """
        x = edges_hz / self.peak_hz
        below = 0.5 * (np.arctan(x) - x / (1.0 + x**2)) / (math.pi / 4.0)
        return np.asarray(np.diff(below), dtype=float)
