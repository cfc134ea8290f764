"""A flat panel to test fields of the skin on, and a look at the ways that a field has found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.structure.field import StructureField
from sim.world.structure.paths import OFF_SHELL_M, Joints, SurfacePath, check_wraps, surface_path

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PanelShell:
    """A flat rectangle from (0, 0, 0) to (lx, ly, 0), m; its rim swallows what comes to it."""

    size_m: tuple[float, float]

    @property
    def area_m2(self) -> float:
        """Area, m2."""
        return self.size_m[0] * self.size_m[1]

    def paths(
        self, source_m: FloatArray, receiver_m: FloatArray, joints: Joints, wraps: int = 1
    ) -> tuple[SurfacePath, ...]:
        """See `Shell.paths`: the straight line, across ribs and seams at x; a panel has no axis for angles."""
        check_wraps(wraps)
        if joints.stringers_rad or joints.seams_rad:
            raise ValueError("a panel has no axis, so no stringers or seams at angles about it: give them as ribs at x")
        ends = np.array([source_m, receiver_m], dtype=np.float64)
        away_m = np.maximum(np.maximum(-ends[:, :2], ends[:, :2] - self.size_m), 0.0)
        if np.any(np.hypot(np.hypot(*away_m.T), ends[:, 2]) > OFF_SHELL_M):
            raise ValueError(f"points {ends.tolist()} are not both on the panel of {self.size_m} m")
        length_m = float(np.linalg.norm(ends[1] - ends[0]))
        crossings = joints.crossed(np.array([0.0, length_m]), ends[:, 0], np.zeros(2))
        return (surface_path(length_m, length_m, crossings),)


def ways(field: StructureField, source: str, channel: int) -> tuple[SurfacePath, ...]:
    """The ways from a source to a sensor, the shortest first."""
    return {voice.source.name: voice.paths for voice in field._voices}[source][channel]
