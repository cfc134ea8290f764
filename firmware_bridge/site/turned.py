"""What shapes turned about the x axis share: rings of wall points, directions from the axis, drawn discs. No shape."""

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Outline, Points, centred_steps

TINY_M = 1e-11  # a direction told by less is rounding error: coordinates of a kilometre are good to 1e-13 m
PICTURE_GAP = 0.08  # of a disc's radius, between it and the unrolled side


def from_axis(points_m: Points) -> tuple[NDArray[np.float64], Points]:
    """Distance from the x axis (n,), and the unit vector away from it (n, 3); on the axis that is +y."""
    radial_m = np.hypot(points_m[:, 1], points_m[:, 2])
    on_axis = radial_m < TINY_M
    away = np.zeros_like(points_m, dtype=float)
    away[:, 1:] = points_m[:, 1:] / np.where(on_axis, 1.0, radial_m)[:, None]
    away[on_axis] = (0.0, 1.0, 0.0)
    return radial_m, away


def angle_about_axis(points_m: Points) -> NDArray[np.float64]:
    """Angle about x (n,) in (-pi, pi], from +y toward +z."""
    return np.asarray(np.arctan2(points_m[:, 2], points_m[:, 1]))


def rings(x_m: NDArray[np.float64], radius_m: NDArray[np.float64], spacing_m: float) -> Points:
    """Points (n, 3) on circles about the axis, at most `spacing_m` of arc apart."""
    circles = []
    for x, radius in zip(x_m, radius_m, strict=True):
        angle = centred_steps(-np.pi, np.pi, spacing_m / radius)
        circles.append(np.column_stack([np.full(len(angle), x), radius * np.cos(angle), radius * np.sin(angle)]))
    return np.vstack(circles)


def disc(x_m: float, radius_m: float, spacing_m: float) -> Points:
    """Points (n, 3) of a flat end: rings of cell midpoints."""
    radii = centred_steps(0.0, radius_m, spacing_m)
    return rings(np.full(len(radii), x_m), radii, spacing_m)


def drawn_on_disc(points_m: Points, centre_m: float, *, at_far_end: bool) -> NDArray[np.float64]:
    """Where points of a flat end lie on the picture (n, 2): the disc folded outward at +y, seen from inside."""
    sign = -1.0 if at_far_end else 1.0
    return np.column_stack([centre_m + sign * points_m[:, 1], points_m[:, 2]])


def disc_outline(label: str, centre_m: float, radius_m: float) -> Outline:
    """A disc of the picture."""
    angle = np.linspace(0, 2 * np.pi, 121)
    return Outline(label, np.column_stack([centre_m + radius_m * np.cos(angle), radius_m * np.sin(angle)]))
