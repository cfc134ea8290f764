"""A closed cylinder: axis along x from 0 to its length, centred on y = z = 0, flat ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Outline, Points, centred_steps

_PICTURE_GAP = 0.08  # of the radius, between the unrolled side and the end discs
_TINY_M = 1e-12


@dataclass(frozen=True, slots=True)
class CylinderHull:
    """A cylindrical pressure vessel with flat ends."""

    radius_m: float
    length_m: float

    def _gaps(self, points_m: Points) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Distance from the axis, and signed distances to the side and to the nearer end, each (n,)."""
        radial = np.hypot(points_m[:, 1], points_m[:, 2])
        axial = np.abs(points_m[:, 0] - self.length_m / 2) - self.length_m / 2
        return radial, radial - self.radius_m, axial

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Distance to the wall (n,), negative inside."""
        _, side, end = self._gaps(points_m)
        outside = np.hypot(np.maximum(side, 0.0), np.maximum(end, 0.0))
        return np.asarray(np.where(np.maximum(side, end) > 0, outside, np.maximum(side, end)))

    def outward(self, points_m: Points) -> Points:
        """Outward unit normal (n, 3) of the nearest wall point; beyond a rim, away from the rim."""
        radial, side, end = self._gaps(points_m)
        radial_unit = np.zeros_like(points_m)
        radial_unit[:, 1:] = points_m[:, 1:] / np.maximum(radial, _TINY_M)[:, None]
        radial_unit[radial < _TINY_M, 1] = 1.0
        axial_unit = np.zeros_like(points_m)
        axial_unit[:, 0] = np.where(points_m[:, 0] >= self.length_m / 2, 1.0, -1.0)
        beyond = (side > 0) & (end > 0)
        rim = side[:, None] * radial_unit + end[:, None] * axial_unit
        rim /= np.maximum(np.hypot(side, end), _TINY_M)[:, None]
        flat = np.where((side >= end)[:, None], radial_unit, axial_unit)
        return np.asarray(np.where(beyond[:, None], rim, flat))

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        return points_m - self.signed_distance_m(points_m)[:, None] * self.outward(points_m)

    def grid(self, spacing_m: float) -> Points:
        """Cell midpoints on the side and rings of midpoints on both ends."""
        x = centred_steps(0.0, self.length_m, spacing_m)
        angle = centred_steps(-np.pi, np.pi, spacing_m / self.radius_m)
        xx, aa = (grid.ravel() for grid in np.meshgrid(x, angle, indexing="ij"))
        side = np.column_stack([xx, self.radius_m * np.cos(aa), self.radius_m * np.sin(aa)])
        disc = self._disc(spacing_m)
        ends = [np.column_stack([np.full(len(disc), at), disc]) for at in (0.0, self.length_m)]
        return np.vstack([side, *ends])

    def _disc(self, spacing_m: float) -> NDArray[np.float64]:
        rings = []
        for radius in centred_steps(0.0, self.radius_m, spacing_m):
            angle = centred_steps(-np.pi, np.pi, spacing_m / radius)
            rings.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
        return np.vstack(rings)

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """Side as (x, radius x angle); the ends as discs left and right of it (n, 2)."""
        radial, side, end = self._gaps(points_m)
        angle = np.arctan2(points_m[:, 2], points_m[:, 1])
        on_side = np.column_stack([points_m[:, 0], self.radius_m * angle])
        at_far_end = points_m[:, 0] > self.length_m / 2
        centre = np.where(at_far_end, self._far_centre_m, self._near_centre_m)
        mirrored = np.where(at_far_end, 1.0, -1.0) * radial * np.cos(angle)
        on_end = np.column_stack([centre + mirrored, radial * np.sin(angle)])
        return np.asarray(np.where((side >= end)[:, None], on_side, on_end))

    @property
    def _near_centre_m(self) -> float:
        return -self.radius_m * (1 + _PICTURE_GAP)

    @property
    def _far_centre_m(self) -> float:
        return self.length_m + self.radius_m * (1 + _PICTURE_GAP)

    def outlines(self) -> tuple[Outline, ...]:
        """Side rectangle and the two end discs."""
        half = np.pi * self.radius_m
        side = np.array([[0, -half], [self.length_m, -half], [self.length_m, half], [0, half], [0, -half]])
        angle = np.linspace(0, 2 * np.pi, 121)
        circle = self.radius_m * np.column_stack([np.cos(angle), np.sin(angle)])
        return (
            Outline("side", side),
            Outline("end at x = 0", circle + np.array([self._near_centre_m, 0.0])),
            Outline(f"end at x = {self.length_m:g} m", circle + np.array([self._far_centre_m, 0.0])),
        )

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of the box around the hull."""
        return (
            np.array([0.0, -self.radius_m, -self.radius_m]),
            np.array([self.length_m, self.radius_m, self.radius_m]),
        )
