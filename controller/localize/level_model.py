"""What levels a leak at a point would make: distance, absorption, reverberation. How they are measured is measure's."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import STATE
from controller.measure.air import absorption_db_m
from controller.measure.level import Level

SOURCE_DB, SOURCE_SIGMA_DB = 60.0, 25.0  # at 1 m: holes of 0.2 mm to valves beside the ear; as good as unknown
SCATTER_DB = 4.0  # sigma a node: a jet's directivity, racks and ripples of reverberation, all microphones alike
LEAST_M = 0.02
WALL_ABSORPTION = 0.5  # of ultrasound; cabins are lined, bare metal and glass take less (0.2 to 0.7)
DIRECTIVITY = 2.0  # of a source on a wall: half the room is behind it
DB = 10.0 / np.log(10.0)


@dataclass(frozen=True, slots=True)
class LevelSurroundings:
    """How levels fall: absorption of the band's middle, dB/m, and the distance at which echoes are as loud, m."""

    absorption_db_m: float
    critical_m: float


def level_surroundings(
    band_hz: tuple[float, float],
    *,
    temperature_k: float,
    pressure_pa: float,
    relative_humidity: float,
    volume_m3: float,
    area_m2: float,
) -> LevelSurroundings:
    """Of a closed room: ISO 9613-1 at the band's geometric middle; critical distance by Eyring (1930) and the air.

    `r_c^2 = Q A / 16 pi`, `A = -S ln(1 - a) + 4 m V` (Kuttruff, Room Acoustics, 5.40 and 5.44).
    """
    middle_hz = np.array([np.sqrt(band_hz[0] * band_hz[1])])
    swallowed = float(absorption_db_m(middle_hz, temperature_k, pressure_pa, relative_humidity)[0])
    absorbing = -area_m2 * np.log(1.0 - WALL_ABSORPTION) + 4.0 * (swallowed / DB) * volume_m3
    return LevelSurroundings(swallowed, float(np.sqrt(DIRECTIVITY * absorbing / (16.0 * np.pi))))


class LevelModel:
    """Levels at all microphones of one listening; the source's level is unknown and marginalised."""

    def __init__(self, level: Level, around: LevelSurroundings) -> None:
        """Whiten once: each microphone's own error, each node's scatter, the source's doubt."""
        self._level, self._around = level, around
        owner = np.array(level.nodes)
        covariance = np.diag(level.sigma_db**2) + SCATTER_DB**2 * (owner[:, None] == owner[None, :])
        covariance += SOURCE_SIGMA_DB**2
        self._whiten = np.linalg.inv(np.linalg.cholesky(covariance))

    @property
    def rows(self) -> tuple[str, ...]:
        """Owner of each level."""
        return self._level.nodes

    def without(self, node: str) -> "LevelModel | None":
        """The other nodes' levels; one alone says nothing, for the source's level is unknown."""
        keep = np.array([at for at, owner in enumerate(self._level.nodes) if owner != node], dtype=np.intp)
        if len(keep) == len(self._level.nodes):
            return self
        if len(keep) < 2:
            return None
        rest = replace(
            self._level,
            sensors=tuple(self._level.sensors[at] for at in keep),
            nodes=tuple(self._level.nodes[at] for at in keep),
            position_m=self._level.position_m[keep],
            level_db=self._level.level_db[keep],
            sigma_db=self._level.sigma_db[keep],
        )
        return LevelModel(rest, self._around)

    def residual(self, state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened residual (sensors,), (15) in docs/estimator.md, and its Jacobian (sensors, 4)."""
        offset = state[:3] - self._level.position_m
        distance = np.maximum(np.linalg.norm(offset, axis=1), LEAST_M)
        rate = self._around.absorption_db_m / DB
        direct = np.exp(-rate * distance) / distance**2
        both = direct + 1.0 / self._around.critical_m**2
        expected = SOURCE_DB + DB * np.log(both)
        slope = DB * direct * (-2.0 / distance - rate) / both
        jacobian = np.zeros((len(distance), STATE))
        jacobian[:, :3] = slope[:, None] * offset / distance[:, None]
        return self._whiten @ (expected - self._level.level_db), self._whiten @ jacobian
