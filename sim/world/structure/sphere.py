"""Great circles on a sphere, both ways round. Domes of other hulls are frusta in `revolution`."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.structure.paths import OFF_SHELL_M, Joints, SurfacePath, check_wraps, surface_path

FloatArray = NDArray[np.float64]

SAMPLES_A_TURN = 256  # places on a way at which x and angle are known; between them they count as linear
PARALLEL = 1e-9  # rad from the source or its antipode within which any great circle will do


@dataclass(frozen=True, slots=True)
class SphereShell:
    """A sphere about the origin, radius in m; ribs and stringers are told by its x axis."""

    radius_m: float

    @property
    def area_m2(self) -> float:
        """Area of the skin, m2."""
        return 4.0 * math.pi * self.radius_m**2

    def paths(
        self, source_m: FloatArray, receiver_m: FloatArray, joints: Joints, wraps: int = 1
    ) -> tuple[SurfacePath, ...]:
        """See `Shell.paths`: R theta onward and, with a turn, R (2 pi - theta) backward and R (2 pi + theta).

        Every half turn passes a focus; a receiver at the antipode is one, where the bound on focusing holds.
        """
        check_wraps(wraps)
        start, end = self._direction(source_m), self._direction(receiver_m)
        theta = math.atan2(float(np.linalg.norm(np.cross(start, end))), float(start @ end))
        found = []
        for turn in range(-wraps, wraps + 1):
            swept = abs(theta + math.tau * turn)
            across = _across(start, end, theta) * math.copysign(1.0, theta + math.tau * turn)
            along = np.linspace(0.0, swept, math.ceil(SAMPLES_A_TURN * swept / math.tau) + 2)
            points = self.radius_m * (np.cos(along)[:, None] * start + np.sin(along)[:, None] * across)
            angle = np.unwrap(np.arctan2(points[:, 2], points[:, 1]))
            crossings = joints.crossed(self.radius_m * along, points[:, 0], angle)
            foci = math.floor(swept / math.pi)
            width = self.radius_m * math.sin(swept)
            found.append(surface_path(self.radius_m * swept, width, crossings, wraps=turn, foci=foci))
        return tuple(sorted(found, key=lambda path: path.length_m))

    def _direction(self, point_m: FloatArray) -> FloatArray:
        distance_m = float(np.linalg.norm(point_m))
        if not abs(distance_m - self.radius_m) <= OFF_SHELL_M:
            raise ValueError(f"point {tuple(point_m)} is {distance_m - self.radius_m:.3f} m off the skin of the sphere")
        return np.asarray(point_m / distance_m)


def _across(start: FloatArray, end: FloatArray, theta: float) -> FloatArray:
    """Unit tangent at `start` toward `end`; any tangent where that says nothing."""
    if PARALLEL < theta < math.pi - PARALLEL:
        tangent = end - float(start @ end) * start
    else:
        tangent = np.cross(start, np.eye(3)[int(np.argmin(np.abs(start)))])
    return np.asarray(tangent / np.linalg.norm(tangent))
