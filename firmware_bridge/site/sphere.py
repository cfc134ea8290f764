"""A sphere centred on the origin of its frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Outline, Points, centred_steps
from firmware_bridge.site.turned import TINY_M, angle_about_axis, from_axis, rings


@dataclass(frozen=True, slots=True)
class SphereHull:
    """A spherical pressure vessel; x is its axis only for the flat picture."""

    radius_m: float

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Distance to the wall (n,), negative inside."""
        return np.asarray(np.linalg.norm(points_m, axis=1) - self.radius_m)

    def outward(self, points_m: Points) -> Points:
        """Outward unit normal (n, 3) of the nearest wall point; at the centre +y."""
        distance = np.linalg.norm(points_m, axis=1)[:, None]
        central = distance < TINY_M
        return np.asarray(np.where(central, [[0.0, 1.0, 0.0]], points_m / np.where(central, 1.0, distance)))

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        return self.radius_m * self.outward(points_m)

    def grid(self, spacing_m: float) -> Points:
        """Rings of midpoints about x, from pole to pole.

        A circle's radius is a concave function of the length from the pole, so over a cell it is at most twice that of
        the ring in its middle; no point of the cell is farther from the ring's points than sqrt(3)/2 of the spacing.
        """
        latitude = centred_steps(-np.pi / 2, np.pi / 2, spacing_m / self.radius_m)
        return rings(self.radius_m * np.sin(latitude), self.radius_m * np.cos(latitude), spacing_m)

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """Sinusoidal picture (n, 2): (radius x latitude from the plane x = 0, local radius x angle).

        Areas are true everywhere (Sanson-Flamsteed), lengths along every circle about x and along the meridian +y.
        """
        radial, _ = from_axis(points_m)
        latitude = np.arctan2(points_m[:, 0], radial)
        return np.column_stack(
            [self.radius_m * latitude, self.radius_m * np.cos(latitude) * angle_about_axis(points_m)]
        )

    def outlines(self) -> tuple[Outline, ...]:
        """The one spindle that holds the whole sphere."""
        latitude = np.linspace(-np.pi / 2, np.pi / 2, 121)
        half = self.radius_m * np.pi * np.cos(latitude)
        there = np.column_stack([self.radius_m * latitude, -half])
        back = np.column_stack([self.radius_m * latitude, half])[::-1]
        return (Outline("sphere", np.vstack([there, back[1:-1], there[:1]])),)

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of the box around the hull."""
        return np.full(3, -self.radius_m), np.full(3, self.radius_m)

    @property
    def area_m2(self) -> float:
        """Wall area."""
        return 4 * np.pi * self.radius_m**2

    @property
    def volume_m3(self) -> float:
        """Enclosed volume."""
        return 4 / 3 * np.pi * self.radius_m**3
