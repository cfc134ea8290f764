"""A closed cylinder: axis along x from 0 to its length, centred on y = z = 0, flat ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Outline, Points, centred_steps
from firmware_bridge.site.turned import (
    PICTURE_GAP,
    TINY_M,
    angle_about_axis,
    disc,
    disc_outline,
    drawn_on_disc,
    from_axis,
    rings,
)


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
        _, side, end = self._gaps(points_m)
        _, radial_unit = from_axis(points_m)
        axial_unit = np.zeros_like(points_m)
        axial_unit[:, 0] = np.where(points_m[:, 0] >= self.length_m / 2, 1.0, -1.0)
        away = np.hypot(side, end)
        beyond = (side > 0) & (end > 0) & (away > TINY_M)
        rim = (side[:, None] * radial_unit + end[:, None] * axial_unit) / np.where(beyond, away, 1.0)[:, None]
        flat = np.where((side >= end)[:, None], radial_unit, axial_unit)
        return np.asarray(np.where(beyond[:, None], rim, flat))

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        return points_m - self.signed_distance_m(points_m)[:, None] * self.outward(points_m)

    def grid(self, spacing_m: float) -> Points:
        """Cell midpoints on the side and rings of midpoints on both ends."""
        x = centred_steps(0.0, self.length_m, spacing_m)
        side = rings(x, np.full(len(x), self.radius_m), spacing_m)
        return np.vstack([side, *(disc(at, self.radius_m, spacing_m) for at in (0.0, self.length_m))])

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """Side as (x, radius x angle); the ends as discs left and right of it (n, 2)."""
        _, side, end = self._gaps(points_m)
        on_side = np.column_stack([points_m[:, 0], self.radius_m * angle_about_axis(points_m)])
        near = drawn_on_disc(points_m, self._near_centre_m, at_far_end=False)
        far = drawn_on_disc(points_m, self._far_centre_m, at_far_end=True)
        on_end = np.where((points_m[:, 0] > self.length_m / 2)[:, None], far, near)
        return np.asarray(np.where((side >= end)[:, None], on_side, on_end))

    @property
    def _near_centre_m(self) -> float:
        return -self.radius_m * (1 + PICTURE_GAP)

    @property
    def _far_centre_m(self) -> float:
        return self.length_m + self.radius_m * (1 + PICTURE_GAP)

    def outlines(self) -> tuple[Outline, ...]:
        """Side rectangle and the two end discs."""
        half = np.pi * self.radius_m
        side = np.array([[0, -half], [self.length_m, -half], [self.length_m, half], [0, half], [0, -half]])
        return (
            Outline("side", side),
            disc_outline("end at x = 0", self._near_centre_m, self.radius_m),
            disc_outline(f"end at x = {self.length_m:g} m", self._far_centre_m, self.radius_m),
        )

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of the box around the hull."""
        return (
            np.array([0.0, -self.radius_m, -self.radius_m]),
            np.array([self.length_m, self.radius_m, self.radius_m]),
        )

    @property
    def area_m2(self) -> float:
        """Wall area, both ends included."""
        return 2 * np.pi * self.radius_m * (self.length_m + self.radius_m)

    @property
    def volume_m3(self) -> float:
        """Enclosed volume."""
        return np.pi * self.radius_m**2 * self.length_m
