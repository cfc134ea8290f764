"""Straight ways over the unfolded faces of a box."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.structure.paths import (
    OFF_SHELL_M,
    Crossing,
    Joint,
    Joints,
    SurfacePath,
    check_wraps,
    surface_path,
)

FloatArray = NDArray[np.float64]

FACES_MAX = 5  # the shortest way may need five (Dudeney 1903, the spider and the fly); no face is visited twice
SAMPLES = 65  # places on each face at which the angle about the axis is known; between them it counts as linear
EDGE_SKIN = 1e-12  # of an edge's length: a way through its very end still counts


@dataclass(frozen=True, slots=True)
class _Unfolded:
    """A face laid into the plane of the first one: plane = matrix @ point + shift."""

    faces: tuple[tuple[int, int], ...]  # (axis, side) of every face on the way here
    matrix: FloatArray  # (2, 3)
    shift: FloatArray  # (2,)
    edges: tuple[tuple[FloatArray, FloatArray], ...]  # ends, in space, of every edge on the way here
    flat_edges: tuple[tuple[FloatArray, FloatArray], ...]  # the same in the plane


@dataclass(frozen=True, slots=True)
class BoxShell:
    """A rectangular chamber from (0, 0, 0) to `size_m`."""

    size_m: tuple[float, float, float]

    @property
    def area_m2(self) -> float:
        """Area of the six faces, m2."""
        lx, ly, lz = self.size_m
        return 2.0 * (lx * ly + ly * lz + lz * lx)

    def paths(
        self, source_m: FloatArray, receiver_m: FloatArray, joints: Joints, wraps: int = 1
    ) -> tuple[SurfacePath, ...]:
        """See `Shell.paths`: every straight way over at most five faces, none twice; `wraps` changes nothing."""
        check_wraps(wraps)
        start, first = self._settled(source_m)
        end, last = self._settled(receiver_m)
        ways = (self._path(way, start, end, joints) for way in self._unfoldings(first) if way.faces[-1] == last)
        return tuple(sorted((path for path in ways if path is not None), key=lambda path: path.length_m))

    def _settled(self, point_m: FloatArray) -> tuple[FloatArray, tuple[int, int]]:
        """The point put on the nearest face, and which that is: (axis, 0 or 1)."""
        size = np.array(self.size_m)
        inside = np.clip(np.asarray(point_m, dtype=np.float64), 0.0, size)
        gaps = np.array([inside, size - inside])
        side, axis = np.unravel_index(int(np.argmin(gaps)), gaps.shape)
        inside[axis] = side * size[axis]
        away_m = float(np.linalg.norm(inside - point_m))
        if away_m > OFF_SHELL_M:
            raise ValueError(f"point {tuple(point_m)} is {away_m:.3f} m off the skin of the box")
        return inside, (int(axis), int(side))

    def _unfoldings(self, first: tuple[int, int]) -> Iterator[_Unfolded]:
        """The first face, and every face that can be rolled to over others."""
        axes = [axis for axis in range(3) if axis != first[0]]
        waiting = [_Unfolded((first,), np.eye(3)[axes], np.zeros(2), (), ())]
        while waiting:
            way = waiting.pop()
            yield way
            if len(way.faces) == FACES_MAX:
                continue
            faces = ((axis, side) for axis in range(3) for side in range(2) if axis != way.faces[-1][0])
            waiting += [self._rolled(way, face) for face in faces if face not in way.faces]

    def _rolled(self, way: _Unfolded, to: tuple[int, int]) -> _Unfolded:
        """Lay the neighbouring face `to` beside the last one, hinged at their common edge."""
        here = way.faces[-1]
        size = np.array(self.size_m)
        low = np.zeros(3)
        low[here[0]], low[to[0]] = here[1] * size[here[0]], to[1] * size[to[0]]
        free = 3 - here[0] - to[0]
        high = low.copy()
        high[free] = size[free]
        along = np.eye(3)[free]
        out_of_here = np.eye(3)[here[0]] * (2 * here[1] - 1)
        out_of_there = np.eye(3)[to[0]] * (2 * to[1] - 1)
        # the new face goes on, in the plane, where the old one pointed: out of the new face; in space it goes inward
        matrix = np.outer(way.matrix @ along, along) - np.outer(way.matrix @ out_of_there, out_of_here)
        flat_low, flat_high = way.matrix @ low + way.shift, way.matrix @ high + way.shift
        return _Unfolded(
            (*way.faces, to),
            matrix,
            flat_low - matrix @ low,
            (*way.edges, (low, high)),
            (*way.flat_edges, (flat_low, flat_high)),
        )

    def _path(self, way: _Unfolded, start: FloatArray, end: FloatArray, joints: Joints) -> SurfacePath | None:
        """The straight way over these faces, if it stays on them."""
        axes = [axis for axis in range(3) if axis != way.faces[0][0]]
        begin = start[axes]
        reach = way.matrix @ end + way.shift - begin
        length_m = float(np.hypot(*reach))
        met, corners = [0.0], [start]
        for (low, high), (flat_low, flat_high) in zip(way.edges, way.flat_edges, strict=True):
            along = flat_high - flat_low
            crossed = reach[0] * along[1] - reach[1] * along[0]
            if crossed == 0.0:
                return None
            gap = flat_low - begin
            share = (gap[0] * along[1] - gap[1] * along[0]) / crossed
            place = (gap[0] * reach[1] - gap[1] * reach[0]) / crossed
            if not (-EDGE_SKIN <= place <= 1.0 + EDGE_SKIN and met[-1] <= share <= 1.0):
                return None
            met.append(share)
            corners.append(low + place * (high - low))
        crossings = [Crossing(share * length_m, Joint.EDGE) for share in met[1:]]
        crossings += self._crossed(np.array([*met, 1.0]) * length_m, np.array([*corners, end]), joints)
        return surface_path(length_m, length_m, crossings)

    def _crossed(self, length_m: FloatArray, corners_m: FloatArray, joints: Joints) -> list[Crossing]:
        share = np.linspace(0.0, len(corners_m) - 1.0, (len(corners_m) - 1) * (SAMPLES - 1) + 1)
        steps = np.arange(len(corners_m))
        along = np.interp(share, steps, length_m)
        x, y, z = (np.interp(share, steps, corners_m[:, axis]) for axis in range(3))
        angle = np.unwrap(np.arctan2(z - self.size_m[2] / 2.0, y - self.size_m[1] / 2.0))
        return joints.crossed(along, x, angle)
