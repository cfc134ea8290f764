"""What a plate wave loses on its way: the hull's damping by the metre, joints by the crossing; and mode conversion.

The ways themselves live in `paths`, what is left after the first arrivals in `reverberation`.

A wave of a mode with admittance Y and wavenumber k that a normal point force F sends over a way of length L and
spreading J moves the skin by
    v = F Y sqrt(2 / (pi k J)) exp(-j (k L - pi / 4 - foci pi / 2)) 10^(-loss / 20)
the far field of H0(2)(k r) (Cremer, Heckl and Petersson 2005). At a rib a share s of the energy that passes goes over
into the other mode. As a mode carries |v|^2 k / (4 Y) per width, a wave that changes from a to b after J_a has
    v = F sqrt(s Y_a Y_b) sqrt(2 / (pi (k_b J_a + k_a J_b)))
at normal incidence, the same both ways round. A second change (of the order of s^2) and the bend of an oblique ray
at its change are left out; what a joint reflects is left out too.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.structure.lamb import Mode
from sim.world.structure.paths import Joint, SurfacePath
from sim.world.structure.plate import Plate

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

REFERENCE_HZ = 100e3
DB_PER_NEPER = 20.0 / math.log(10.0)
LOSS_DB_M = (0.0, 100.0)  # bare aluminium has 0.1 to 1, an insulated hull with racks 3 to 15
JOINT_DB = (0.0, 60.0)  # measured ribs and welds take 3 to 10
EXPONENT = (0.0, 2.0)  # 0: alike at all frequencies; 1: a loss factor that does not change; 2: viscous
CONVERSION_MAX = 0.5


@dataclass(frozen=True, slots=True)
class Losses:
    """What the way takes from both modes alike.

    Args:
        loss_db_m: damping of the installed hull at 100 kHz, dB/m.
        exponent: power of the frequency with which that rises.
        rib_db: loss of a wave that crosses a rib or stringer, dB.
        seam_db: loss at a weld, dB.
        edge_db: loss at a corner of the hull, dB.
        conversion_share: share of the energy that passes a rib and leaves it in the other mode.
    """

    loss_db_m: float = 5.0
    exponent: float = 1.0
    rib_db: float = 6.0
    seam_db: float = 3.0
    edge_db: float = 6.0
    conversion_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse gains and what no hull has."""
        bounds = {"loss_db_m": LOSS_DB_M, "exponent": EXPONENT, "conversion_share": (0.0, CONVERSION_MAX)}
        bounds |= dict.fromkeys(("rib_db", "seam_db", "edge_db"), JOINT_DB)
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} {getattr(self, name)} is outside {low} to {high}")

    def joint_db(self, joint: Joint) -> float:
        """Loss at one crossing, dB."""
        return {Joint.RIB: self.rib_db, Joint.SEAM: self.seam_db, Joint.EDGE: self.edge_db}[joint]


@dataclass(frozen=True, slots=True)
class Waves:
    """Both modes of a plate on a set of frequencies: arrays (mode, n), the first axis as in `Mode`."""

    frequency_hz: FloatArray  # (n,)
    wavenumber_rad_m: FloatArray
    admittance_m_s_n: FloatArray

    @staticmethod
    def of(plate: Plate, frequency_hz: FloatArray) -> "Waves":
        """Solve the plate's equations; raises ValueError where it carries more than A0 and S0."""
        return Waves(
            frequency_hz,
            np.array([plate.wavenumber_rad_m(mode, frequency_hz) for mode in Mode]),
            np.array([plate.admittance_m_s_n(mode, frequency_hz) for mode in Mode]),
        )


def path_response(path: SurfacePath, waves: Waves, losses: Losses) -> ComplexArray:
    """Normal velocity at the end of a way per normal force at its start, m/s per N, (n,)."""
    joints_db = math.fsum(losses.joint_db(crossing.joint) for crossing in path.crossings)
    rise = (waves.frequency_hz / REFERENCE_HZ) ** losses.exponent
    lost_db = joints_db + losses.loss_db_m * path.length_m * rise
    ribs_m = [crossing.distance_m for crossing in path.crossings if crossing.joint is Joint.RIB]
    share = losses.conversion_share
    total = np.zeros(len(waves.frequency_hz), dtype=np.complex128)
    for mode in Mode:
        k, admittance = waves.wavenumber_rad_m[mode], waves.admittance_m_s_n[mode]
        kept = (1.0 - share) ** (len(ribs_m) / 2.0)
        total += kept * admittance * np.sqrt(2.0 / (np.pi * k * path.spreading_m)) * np.exp(-1j * k * path.length_m)
        if share > 0.0 and ribs_m:
            total += (1.0 - share) ** ((len(ribs_m) - 1) / 2.0) * _converted(path, waves, mode, ribs_m, share)
    turn = np.exp(1j * (np.pi / 4.0 + path.foci * np.pi / 2.0))
    return np.asarray(total * turn * np.exp(-lost_db / DB_PER_NEPER))


def _converted(path: SurfacePath, waves: Waves, mode: Mode, ribs_m: list[float], share: float) -> ComplexArray:
    """Sum over the ribs at which a wave that set out as `mode` becomes the other, without phase turns and losses."""
    k, other_k = waves.wavenumber_rad_m[mode], waves.wavenumber_rad_m[1 - mode]
    launched = np.sqrt(share * waves.admittance_m_s_n[0] * waves.admittance_m_s_n[1])
    total = np.zeros(len(waves.frequency_hz), dtype=np.complex128)
    for at_m in ribs_m:
        before = min(max(at_m / path.length_m, 0.0), 1.0)
        width = path.spreading_m * (other_k * before + k * (1.0 - before))
        phase = path.length_m * (k * before + other_k * (1.0 - before))
        total += np.sqrt(2.0 / (np.pi * width)) * np.exp(-1j * phase)
    return np.asarray(launched * total)
