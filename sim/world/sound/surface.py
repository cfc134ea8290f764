"""Walls of revolution about x, made of planes, cylinders, cones and spheres: where rays meet them and how they leave.

Every piece is a quadric a x^2 + b x + c + e (y^2 + z^2) = 0 between two stations along the axis, or, for a flat
end, between two radii. Which rays connect two points is up to `tracing`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SELF_HIT_M = 1e-6  # a root nearer than this is the wall that the ray just left
SEAM_M = 1e-9  # pieces overlap by this much, so that no ray slips out between them


@dataclass(frozen=True, slots=True)
class Piece:
    """One quadric patch; build it with `flat`, `cone` or `zone`.

    Args:
        a: coefficient of x squared, without unit.
        b: coefficient of x, m.
        c: constant, m2.
        e: coefficient of the squared distance from the axis, 0 or 1.
        low_m: lower bound of x, or of the distance from the axis where e is 0.
        high_m: upper bound of the same.
        area_m2: its area.
    """

    a: float
    b: float
    c: float
    e: float
    low_m: float
    high_m: float
    area_m2: float

    @staticmethod
    def flat(x_m: float, inner_m: float, outer_m: float) -> "Piece":
        """A disc or ring across the axis at `x_m`."""
        return Piece(0.0, 1.0, -x_m, 0.0, inner_m, outer_m, math.pi * (outer_m**2 - inner_m**2))

    @staticmethod
    def cone(first_m: tuple[float, float], second_m: tuple[float, float]) -> "Piece":
        """A frustum, cone or cylinder through two points (x, r) with x rising."""
        slope = (second_m[1] - first_m[1]) / (second_m[0] - first_m[0])
        apex = first_m[1] - slope * first_m[0]  # r = slope x + apex
        slant_m = math.dist(first_m, second_m)
        area_m2 = math.pi * (first_m[1] + second_m[1]) * slant_m
        return Piece(-(slope**2), -2.0 * slope * apex, -(apex**2), 1.0, first_m[0], second_m[0], area_m2)

    @staticmethod
    def zone(centre_m: float, radius_m: float, low_m: float, high_m: float) -> "Piece":
        """The part of a sphere with its centre on the axis between two stations."""
        area_m2 = math.tau * radius_m * (high_m - low_m)
        return Piece(1.0, -2.0 * centre_m, centre_m**2 - radius_m**2, 1.0, low_m, high_m, area_m2)

    def distance_m(self, place_m: FloatArray, heading: FloatArray) -> FloatArray:
        """How far (n,) rays from `place_m` (n, 3) along unit `heading` (n, 3) go to this piece; infinity: never."""
        x, across = place_m[:, 0], place_m[:, 1:]
        u, turned = heading[:, 0], heading[:, 1:]
        square = self.a * u * u + self.e * np.sum(turned * turned, axis=1)
        half = self.a * x * u + 0.5 * self.b * u + self.e * np.sum(across * turned, axis=1)
        rest = self.a * x * x + self.b * x + self.c + self.e * np.sum(across * across, axis=1)
        root = np.sqrt(np.maximum(half * half - square * rest, 0.0))
        hit = half * half >= square * rest
        stable = -(half + np.where(half >= 0.0, root, -root))  # no cancellation in either root
        nearest = np.full(len(x), np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            for far in (stable / square, rest / stable):
                end_m = place_m + far[:, None] * heading
                along = end_m[:, 0] if self.e else np.hypot(end_m[:, 1], end_m[:, 2])
                inside = (along >= self.low_m - SEAM_M) & (along <= self.high_m + SEAM_M)
                good = hit & (far > SELF_HIT_M) & inside
                nearest = np.where(good & (far < nearest), far, nearest)
        return nearest

    def coefficients(self) -> tuple[float, float, float]:
        """(a, b, e), all that the normal and its change need."""
        return self.a, self.b, self.e


@dataclass(slots=True)
class Rays:
    """A pencil of rays: n rays, each with two neighbours, by which the pencil widens per radian of launch angle.

    Args:
        place_m: (n, 3).
        heading: (n, 3) unit vectors.
        place_by_rad: (n, 2, 3) change of the place with the two launch angles.
        heading_by_rad: (n, 2, 3) change of the heading.
    """

    place_m: FloatArray
    heading: FloatArray
    place_by_rad: FloatArray
    heading_by_rad: FloatArray


def bounce(pieces: tuple[Piece, ...], rays: Rays) -> tuple[Rays, FloatArray]:
    """The rays after their next reflection, and the length (n,) to it; infinite if a ray escapes through a seam.

    The derivatives are carried through transfer and reflection as in Igehy 1999 ("Tracing ray differentials").
    """
    distances = np.stack([piece.distance_m(rays.place_m, rays.heading) for piece in pieces])
    which = np.argmin(distances, axis=0)
    far = distances[which, np.arange(len(which))]
    step = np.where(np.isfinite(far), far, 0.0)[:, None]
    place = rays.place_m + step * rays.heading
    a, b, e = np.array([piece.coefficients() for piece in pieces])[which].T
    bend = 2.0 * np.stack([a, e, e], axis=1)  # diagonal of the quadric's second derivative
    slope = bend * place
    slope[:, 0] += b
    steep = np.linalg.norm(slope, axis=1, keepdims=True)
    normal = slope / np.maximum(steep, 1e-300)
    facing = np.sum(normal * rays.heading, axis=1)
    facing = np.where(np.abs(facing) < 1e-9, np.copysign(1e-9, facing), facing)
    moved = rays.place_by_rad + step[:, None] * rays.heading_by_rad
    onto = np.einsum("nij,nj->ni", moved, normal) / facing[:, None]
    moved = moved - onto[:, :, None] * rays.heading[:, None, :]
    turned = bend[:, None, :] * moved / np.maximum(steep, 1e-300)[:, None]
    turned = turned - np.einsum("nij,nj->ni", turned, normal)[:, :, None] * normal[:, None, :]
    tilt = np.einsum("nij,nj->ni", rays.heading_by_rad, normal) + np.einsum("nij,nj->ni", turned, rays.heading)
    heading = rays.heading - 2.0 * facing[:, None] * normal
    heading_by_rad = rays.heading_by_rad - 2.0 * (
        tilt[:, :, None] * normal[:, None, :] + facing[:, None, None] * turned
    )
    return Rays(place, heading, moved, heading_by_rad), far
