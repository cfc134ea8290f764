"""A rectangular box: one corner at the origin, edges along x, y and z."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Outline, Points, centred_steps

_TINY_M = 1e-11  # a direction told by less is rounding error: coordinates of a kilometre are good to 1e-13 m


@dataclass(frozen=True, slots=True)
class BoxHull:
    """A rectangular chamber from (0, 0, 0) to `size_m`."""

    size_m: tuple[float, float, float]

    def _local(self, points_m: Points) -> tuple[Points, Points]:
        """Offsets from the centre (n, 3), and signed distances to the nearer wall along each axis (n, 3)."""
        half = np.asarray(self.size_m) / 2
        offset = points_m - half
        return offset, np.abs(offset) - half

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Distance to the wall (n,), negative inside."""
        _, gap = self._local(points_m)
        outside = np.linalg.norm(np.maximum(gap, 0.0), axis=1)
        return np.asarray(outside + np.minimum(gap.max(axis=1), 0.0))

    def outward(self, points_m: Points) -> Points:
        """Outward unit normal (n, 3) of the nearest wall point; beyond an edge, away from the edge."""
        offset, gap = self._local(points_m)
        sign = np.where(offset >= 0, 1.0, -1.0)
        nearest = np.zeros_like(points_m)
        rows = np.arange(len(points_m))
        axis = gap.argmax(axis=1)
        nearest[rows, axis] = sign[rows, axis]
        over = np.maximum(gap, 0.0)
        length = np.linalg.norm(over, axis=1)
        beyond = length > _TINY_M
        away = sign * over / np.where(beyond, length, 1.0)[:, None]
        return np.asarray(np.where(beyond[:, None], away, nearest))

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        return points_m - self.signed_distance_m(points_m)[:, None] * self.outward(points_m)

    def grid(self, spacing_m: float) -> Points:
        """Cell midpoints of the six walls."""
        steps = [centred_steps(0.0, size, spacing_m) for size in self.size_m]
        walls = []
        for axis, size in enumerate(self.size_m):
            first, second = (other for other in range(3) if other != axis)
            aa, bb = (grid.ravel() for grid in np.meshgrid(steps[first], steps[second], indexing="ij"))
            for at in (0.0, size):
                wall = np.empty((aa.size, 3))
                wall[:, axis], wall[:, first], wall[:, second] = at, aa, bb
                walls.append(wall)
        return np.vstack(walls)

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """The cross-shaped net of the box (n, 2): floor in the middle, ceiling to the right of all."""
        lx, ly, lz = self.size_m
        x, y, z = np.clip(points_m, 0.0, self.size_m).T
        net = np.stack(
            [
                np.column_stack([-z, y]),  # x = 0, folded left
                np.column_stack([lx + z, y]),  # x = lx, folded right
                np.column_stack([x, -z]),  # y = 0, folded down
                np.column_stack([x, ly + z]),  # y = ly, folded up
                np.column_stack([x, y]),  # z = 0, the floor
                np.column_stack([2 * lx + lz - x, y]),  # z = lz, the ceiling
            ]
        )
        sides = np.stack([x, lx - x, y, ly - y, z, lz - z])
        return np.asarray(net[sides.argmin(axis=0), np.arange(len(points_m))])

    def outlines(self) -> tuple[Outline, ...]:
        """The six faces of the net."""
        lx, ly, lz = self.size_m
        faces = (
            ("x = 0", -lz, 0, lz, ly),
            (f"x = {lx:g} m", lx, 0, lz, ly),
            ("y = 0", 0, -lz, lx, lz),
            (f"y = {ly:g} m", 0, ly, lx, lz),
            ("z = 0", 0, 0, lx, ly),
            (f"z = {lz:g} m", lx + lz, 0, lx, ly),
        )
        return tuple(
            Outline(label, np.array([[u, v], [u + w, v], [u + w, v + h], [u, v + h], [u, v]], dtype=float))
            for label, u, v, w, h in faces
        )

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of the box."""
        return np.zeros(3), np.asarray(self.size_m, dtype=float)

    @property
    def area_m2(self) -> float:
        """Area of the six walls."""
        lx, ly, lz = self.size_m
        return 2.0 * (lx * ly + ly * lz + lz * lx)

    @property
    def volume_m3(self) -> float:
        """Enclosed volume."""
        return math.prod(self.size_m)
