"""Rooms of revolution about x: spheres, and profiles of cylinders, cones, flat ends and domes.

Their paths come from `tracing`; boxes and plain cylinders, which need no rays, live in `room`.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.world.sound.paths import WALL_SKIN_M, Paths, check_paths, laid_out
from sim.world.sound.surface import Piece
from sim.world.sound.tracing import specular

FloatArray = NDArray[np.float64]

PROFILE_POINTS = 256  # more corners than that are a curve; say which parts are domes instead
DOME_SEGMENTS = 3  # fewer straight lines than that are meant as they are
DOME_SKIN_M = 2e-3  # profiles are typed to the millimetre
DRAWN_RAD = 0.0087  # half a degree: how finely domes are drawn to measure distances
SMALLEST_M = 0.02  # of a room: a few wavelengths, below which rays mean nothing


@dataclass(frozen=True, slots=True)
class SphereRoom:
    """A round room; `centre_m` on the room's frame, lengths in m.

    A source within 2 mm of the wall is put on it and sends inwards only.
    """

    radius_m: float
    centre_m: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse a sphere that is none."""
        if not SMALLEST_M <= self.radius_m < math.inf:
            raise ValueError(f"a sphere of radius {self.radius_m} m is no room")

    @property
    def volume_m3(self) -> float:
        """Volume, m3."""
        return 4.0 / 3.0 * math.pi * self.radius_m**3

    @property
    def surface_m2(self) -> float:
        """Area of the wall, m2."""
        return 4.0 * math.pi * self.radius_m**2

    def clearance_m(self, points_m: FloatArray) -> FloatArray:
        """See `Room.clearance_m`."""
        away: FloatArray = self.radius_m - np.linalg.norm(points_m - np.array(self.centre_m), axis=1)
        return away

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Traced paths, see `Room.paths`; a focus is bounded at a factor of 3 in each of its two directions."""
        centre = np.array(self.centre_m)
        wall = Piece.zone(0.0, self.radius_m, -self.radius_m, self.radius_m)
        check_paths(reflections, self.clearance_m(np.vstack([source_m, receivers_m])))
        start, inward = source_m - centre, None
        away = float(np.linalg.norm(start))
        if away > self.radius_m - WALL_SKIN_M:
            inward = -start / away
            start = -self.radius_m * inward
        found = specular((wall,), start, inward, receivers_m - centre, reflections)
        return laid_out(len(receivers_m), *found[:4], found[4] + centre)


@dataclass(frozen=True)
class RevolutionRoom:
    """A body of revolution about x, by its profile of points (x, r) from one end to the other; lengths in m.

    x rises or stays; an end with r > 0 is closed flat, a step is a flat ring. Convex bodies are meant. In a
    body with a waist or neck the tracing holds too, but nothing bends around its inner edges.

    Args:
        profile_m: two or more points (x, r).
        domes: for every segment whether it is an arc about a centre on the axis (there is exactly one such
            sphere) instead of a straight line; empty for none.

    Raises:
        ValueError: a profile that runs backwards, is too short or small, or a dome that cannot be.
    """

    profile_m: tuple[tuple[float, float], ...]
    domes: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what encloses nothing."""
        steps = list(zip(self.profile_m[:-1], self.profile_m[1:], strict=True))
        if not 2 <= len(self.profile_m) <= PROFILE_POINTS:
            raise ValueError(f"a profile has 2 to {PROFILE_POINTS} points, not {len(self.profile_m)}")
        if self.domes and len(self.domes) != len(steps):
            raise ValueError(f"{len(self.domes)} flags for {len(steps)} segments of the profile")
        if any(not (math.isfinite(x) and math.isfinite(r) and r >= 0.0) for x, r in self.profile_m):
            raise ValueError("the points (x, r) of a profile are finite, with r of zero or more")
        if any(b[0] < a[0] or a == b for a, b in steps):
            raise ValueError("a profile's x must not fall, and no point may come twice in a row")
        if max(r for _, r in self.profile_m) < SMALLEST_M or self.profile_m[-1][0] - self.profile_m[0][0] < SMALLEST_M:
            raise ValueError(f"a room smaller than {SMALLEST_M} m is none")
        for flag, (first, second) in zip(self.domes, steps, strict=bool(self.domes)):
            if flag and first[0] == second[0]:
                raise ValueError(f"the segment at x = {first[0]} m is flat and cannot be a dome")

    @classmethod
    def drawn(cls, profile_m: tuple[tuple[float, float], ...]) -> "RevolutionRoom":
        """The room of a profile in which curves are drawn as short straight lines: spherical ones become domes.

        Three or more segments whose points lie within 2 mm of the sphere through the first and last of them are
        one dome. As facets they would mirror, but not focus; the dome stands up to their rise outside of them.
        """
        points = list(profile_m)
        kept, domes, at = [points[0]], [], 0
        while at < len(points) - 1:
            end = at + 1
            for further in range(at + DOME_SEGMENTS, len(points)):
                if not _on_a_dome(points[at : further + 1]):
                    break
                end = further
            domes.append(end > at + 1)
            kept.append(points[end])
            at = end
        return cls(tuple(kept), tuple(domes))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The walls."""
        ends = (self.profile_m[0], self.profile_m[-1])
        made = [Piece.flat(x_m, 0.0, radius_m) for x_m, radius_m in ends if radius_m > 0.0]
        flags = self.domes or (False,) * (len(self.profile_m) - 1)
        for flag, low, high in zip(flags, self.profile_m[:-1], self.profile_m[1:], strict=True):
            if low[0] == high[0]:
                made.append(Piece.flat(low[0], min(low[1], high[1]), max(low[1], high[1])))
            elif flag:
                centre_m, radius_m = _sphere(low, high)
                made.append(Piece.zone(centre_m, radius_m, low[0], high[0]))
            else:
                made.append(Piece.cone(low, high))
        return tuple(made)

    @property
    def volume_m3(self) -> float:
        """Volume, m3: the integral of pi r^2 over x, r^2 being a quadratic in every piece."""
        total = 0.0
        for piece in self.pieces:
            if piece.e:
                low, high = piece.low_m, piece.high_m
                cubes, squares = (high**3 - low**3) / 3.0, (high**2 - low**2) / 2.0
                total -= math.pi * (piece.a * cubes + piece.b * squares + piece.c * (high - low))
        return total

    @property
    def surface_m2(self) -> float:
        """Area of all walls, m2."""
        return sum(piece.area_m2 for piece in self.pieces)

    @property
    def centre_m(self) -> tuple[float, float, float]:
        """Middle of the axis."""
        return (self.profile_m[0][0] + self.profile_m[-1][0]) / 2.0, 0.0, 0.0

    @cached_property
    def _outline(self) -> FloatArray:
        """Points (n, 2) along the profile from axis to axis, with domes drawn finely (0.5 degrees)."""
        flags = self.domes or (False,) * (len(self.profile_m) - 1)
        points = [(self.profile_m[0][0], 0.0), self.profile_m[0]]
        for flag, low, high in zip(flags, self.profile_m[:-1], self.profile_m[1:], strict=True):
            if flag:
                centre_m, radius_m = _sphere(low, high)
                start, end = (math.atan2(r, x - centre_m) for x, r in (low, high))
                count = max(2, math.ceil(abs(end - start) / DRAWN_RAD))
                angles = [start + (end - start) * step / count for step in range(1, count)]
                points += [(centre_m + radius_m * math.cos(a), radius_m * math.sin(a)) for a in angles]
            points.append(high)
        points.append((self.profile_m[-1][0], 0.0))
        return np.array([point for i, point in enumerate(points) if i == 0 or point != points[i - 1]])

    def clearance_m(self, points_m: FloatArray) -> FloatArray:
        """See `Room.clearance_m`; good to 0.02 mm per metre of a dome's radius."""
        gap, _ = self._nearest(points_m)
        return gap

    def _nearest(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Signed distance (n,) and the inner normal (n, 2) in the half plane (x, r) at the nearest wall."""
        flat = np.stack([points_m[:, 0], np.hypot(points_m[:, 1], points_m[:, 2])], axis=1)
        start, step = self._outline[:-1], np.diff(self._outline, axis=0)
        long = np.maximum(np.sum(step**2, axis=1), 1e-300)
        share = np.clip(np.sum((flat[:, None] - start) * step, axis=2) / long, 0.0, 1.0)
        away = flat[:, None] - start - share[:, :, None] * step
        distance = np.linalg.norm(away, axis=2)
        which = np.argmin(distance, axis=1)
        normal = np.stack([step[:, 1], -step[:, 0]], axis=1)[which] / np.sqrt(long[which])[:, None]
        inside = np.zeros(len(flat), dtype=np.bool_)
        for (x0, r0), (x1, r1) in zip(self._outline[:-1], self._outline[1:], strict=True):
            if x1 > x0:
                spans = (flat[:, 0] >= x0) & (flat[:, 0] <= x1)
                inside |= spans & (flat[:, 1] <= r0 + (r1 - r0) * (flat[:, 0] - x0) / (x1 - x0))
        gap = distance[np.arange(len(flat)), which]
        return np.where(inside, gap, -gap), normal

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Traced paths, see `Room.paths`; a focus is bounded at a factor of 3 in each of its two directions."""
        check_paths(reflections, self.clearance_m(np.vstack([source_m, receivers_m])))
        gap, normal = self._nearest(source_m[None])
        start, inward = source_m, None
        if gap[0] < WALL_SKIN_M:
            radial = math.hypot(source_m[1], source_m[2])
            outward = source_m[1:] / radial if radial > 0.0 else np.array([1.0, 0.0])
            inward = np.array([normal[0, 0], *(normal[0, 1] * outward)])
            start = source_m - gap[0] * inward
        found = specular(self.pieces, start, inward, receivers_m, reflections)
        return laid_out(len(receivers_m), *found)


def _sphere(first_m: tuple[float, float], second_m: tuple[float, float]) -> tuple[float, float]:
    """Centre on the axis and radius, m, of the sphere through two points (x, r)."""
    squares = second_m[0] ** 2 - first_m[0] ** 2 + second_m[1] ** 2 - first_m[1] ** 2
    centre_m = squares / (2.0 * (second_m[0] - first_m[0]))
    return centre_m, math.hypot(first_m[0] - centre_m, first_m[1])


def _on_a_dome(points_m: list[tuple[float, float]]) -> bool:
    """Whether points (x, r) lie on one sphere with its centre on the axis, and not on one straight line."""
    low, high = points_m[0], points_m[-1]
    if not high[0] > low[0] or math.isclose(low[1], high[1], abs_tol=DOME_SKIN_M):
        return False
    centre_m, radius_m = _sphere(low, high)
    chord_m = math.dist(low, high)
    fits = all(abs(math.hypot(x - centre_m, r) - radius_m) < DOME_SKIN_M for x, r in points_m)
    return fits and chord_m**2 / (8.0 * radius_m) > 2.0 * DOME_SKIN_M
