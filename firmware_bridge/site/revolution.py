"""A convex body of revolution about x, drawn as a profile: domes, cones and barrels on one axis."""

from dataclasses import dataclass, field
from itertools import pairwise

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

MAX_PROFILE_POINTS = 200
MIN_EXTENT_M = 0.05  # as of the other shapes: smaller is a typing error, not a room
MAX_DENT_M = 0.001  # profiles are typed to the millimetre; on a straight stretch that alone makes a dent

Profile = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class RevolutionHull:
    """The body that (x, radius) `profile_m` sweeps about the x axis; where it ends off the axis, a flat disc closes it.

    It must bulge everywhere, as a pressure vessel does. A point that lies less than a millimetre below the straight
    line between its neighbours is bridged by that line.

    Raises:
        ValueError: the profile goes back in x, has a negative radius, encloses nothing or is dented.
    """

    profile_m: Profile
    _corners: NDArray[np.float64] = field(init=False, repr=False, compare=False)  # of the meridian, axis to axis (k, 2)

    def __post_init__(self) -> None:
        """Check the profile and keep the meridian that it means."""
        corners = _meridian(self.profile_m)
        corners.setflags(write=False)
        object.__setattr__(self, "_corners", corners)

    def _walls(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Of each straight piece of the meridian: start, direction, outward normal (k, 2) and length (k,)."""
        run = np.diff(self._corners, axis=0)
        length = np.linalg.norm(run, axis=1)
        direction = run / length[:, None]
        return self._corners[:-1], direction, np.column_stack([-direction[:, 1], direction[:, 0]]), length

    def _nearest(
        self, points_m: Points
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
        """Of each point: signed distance (n,), outward (n, 2), nearest piece (n,) and length along it (n,), clipped.

        In the half-plane (x, radius) the body is a convex polygon mirrored in the axis: a point is inside where it is
        behind every line. The lines of pieces that are nearly in line cannot tell which piece is near; the pieces can.
        """
        start, direction, normal, length = self._walls()
        at = np.column_stack([points_m[:, 0], np.hypot(points_m[:, 1], points_m[:, 2])])
        gap = at @ normal.T - (start * normal).sum(axis=1)
        along = at @ direction.T - (start * direction).sum(axis=1)
        over = along - np.clip(along, 0.0, length)
        inside = gap.max(axis=1) <= 0
        piece = (gap * gap + over * over).argmin(axis=1)
        rows = np.arange(len(at))
        gap, over, along = gap[rows, piece], over[rows, piece], along[rows, piece]
        away = np.hypot(gap, over)
        beyond = ~inside & (over != 0) & (away > TINY_M)
        rim = (gap[:, None] * normal[piece] + over[:, None] * direction[piece]) / np.where(beyond, away, 1.0)[:, None]
        outward = np.where(beyond[:, None], rim, normal[piece])
        return np.where(inside, -away, away), outward, piece, np.clip(along, 0.0, length[piece])

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Distance to the wall (n,), negative inside."""
        return self._nearest(points_m)[0]

    def outward(self, points_m: Points) -> Points:
        """Outward unit normal (n, 3) of the nearest wall point; beyond a rim, away from the rim."""
        return _turned_to(points_m, self._nearest(points_m)[1])

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        distance, meridional, _, _ = self._nearest(points_m)
        return points_m - distance[:, None] * _turned_to(points_m, meridional)

    @property
    def _end_radii_m(self) -> tuple[float, float]:
        """Radius of the flat discs at the near and the far end, zero where there is none."""
        x, radius = self._corners.T
        return float(radius[1]) if x[1] == x[0] else 0.0, float(radius[-2]) if x[-2] == x[-1] else 0.0

    def _side(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The meridian without the discs: corners (k, 2), and u on the picture of each: x at its start plus length."""
        near_m, far_m = self._end_radii_m
        corners = self._corners[1 if near_m else 0 : -1 if far_m else None]
        run = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        return corners, corners[0, 0] + np.concatenate([[0.0], np.cumsum(run)])

    def grid(self, spacing_m: float) -> Points:
        """Rings of cell midpoints along the side, and on flat ends.

        Along a convex meridian the radius is a concave function of length, so over a cell it is at most twice that of
        the ring in its middle; no point of the cell is farther from the ring's points than sqrt(3)/2 of the spacing.
        """
        corners, u = self._side()
        middle = centred_steps(u[0], u[-1], spacing_m)
        parts = [rings(np.interp(middle, u, corners[:, 0]), np.interp(middle, u, corners[:, 1]), spacing_m)]
        for x, radius in zip((corners[0, 0], corners[-1, 0]), self._end_radii_m, strict=True):
            parts += [disc(x, radius, spacing_m)] if radius else []
        return np.vstack(parts)

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """Side as (x at its start + length of meridian, local radius x angle), flat ends as discs beside it (n, 2).

        Areas are true everywhere; lengths along circles about x, along the meridian +y, and wherever the side is a
        cylinder.
        """
        _, _, piece, along = self._nearest(points_m)
        start, direction, _, _ = self._walls()
        near_m, far_m = self._end_radii_m
        _, u = self._side()
        first, last = (1 if near_m else 0), len(start) - 1 - (1 if far_m else 0)
        radius = start[piece, 1] + along * direction[piece, 1]
        on_side = np.column_stack(
            [u[np.clip(piece - first, 0, len(u) - 1)] + along, radius * angle_about_axis(points_m)]
        )
        near, far = self._centres_m
        picture = np.where((piece < first)[:, None], drawn_on_disc(points_m, near, at_far_end=False), on_side)
        return np.asarray(np.where((piece > last)[:, None], drawn_on_disc(points_m, far, at_far_end=True), picture))

    @property
    def _centres_m(self) -> tuple[float, float]:
        """Where on the picture the discs' centres lie."""
        near_m, far_m = self._end_radii_m
        _, u = self._side()
        return float(u[0]) - near_m * (1 + PICTURE_GAP), float(u[-1]) + far_m * (1 + PICTURE_GAP)

    def outlines(self) -> tuple[Outline, ...]:
        """The unrolled side and the flat ends."""
        corners, u = self._side()
        there = np.column_stack([u, -np.pi * corners[:, 1]])
        back = np.column_stack([u, np.pi * corners[:, 1]])[::-1]
        around = np.vstack([there, back, there[:1]])
        moved = np.any(np.diff(around, axis=0) != 0, axis=1)  # at a point the two sides meet
        faces = [Outline("side", around[np.concatenate([[True], moved])])]
        ends = zip((corners[0, 0], corners[-1, 0]), self._end_radii_m, self._centres_m, strict=True)
        faces += [
            disc_outline(f"end at x = {x:g}{' m' if x else ''}", centre, radius) for x, radius, centre in ends if radius
        ]
        return tuple(faces)

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of the box around the hull."""
        (low, _), (high, widest) = self._corners[0], self._corners.max(axis=0)
        return np.array([low, -widest, -widest]), np.array([high, widest, widest])

    @property
    def area_m2(self) -> float:
        """Wall area, flat ends included: a cone's frustum has pi (r1 + r2) times its slant length."""
        radius = self._corners[:, 1]
        length = np.linalg.norm(np.diff(self._corners, axis=0), axis=1)
        return float(np.pi * ((radius[:-1] + radius[1:]) * length).sum())

    @property
    def volume_m3(self) -> float:
        """Enclosed volume: a cone's frustum has pi/3 (r1^2 + r1 r2 + r2^2) times its height."""
        x, radius = self._corners.T
        return float(np.pi / 3 * ((radius[:-1] ** 2 + radius[:-1] * radius[1:] + radius[1:] ** 2) * np.diff(x)).sum())


def _turned_to(points_m: Points, meridional: NDArray[np.float64]) -> Points:
    """Directions (n, 2) along x and away from it, in the half-planes of the points (n, 3)."""
    _, away = from_axis(points_m)
    return np.asarray(meridional[:, :1] * [[1.0, 0.0, 0.0]] + meridional[:, 1:] * away)


def _meridian(profile_m: Profile) -> NDArray[np.float64]:
    """Corners (k, 2) of the meridian from axis to axis, none of them on a straight line between its neighbours."""
    if not 2 <= len(profile_m) <= MAX_PROFILE_POINTS:
        raise ValueError(f"a profile has 2 to {MAX_PROFILE_POINTS} points (x, radius), not {len(profile_m)}")
    for number, (x, radius) in enumerate(profile_m):
        if radius < 0:
            raise ValueError(f"point {number} of the profile ({x:g}, {radius:g}) has a negative radius")
    for number, ((before, _), (x, _)) in enumerate(pairwise(profile_m), start=1):
        if x < before:
            raise ValueError(f"point {number} of the profile goes back in x, from {before:g} to {x:g}")
    long_m, wide_m = profile_m[-1][0] - profile_m[0][0], max(radius for _, radius in profile_m)
    if long_m < MIN_EXTENT_M or wide_m < MIN_EXTENT_M:
        raise ValueError(
            f"the profile is {long_m:g} m long and {wide_m:g} m in radius; each must be {MIN_EXTENT_M:g} m or more"
        )
    (low, _), (high, _) = profile_m[0], profile_m[-1]
    # Up a flat end at the near side, down at the far one, however they are listed.
    chain = sorted(profile_m, key=lambda p: (p[0], p[1] if p[0] == low else -p[1] if p[0] == high else 0.0))
    corners = _bulging([(low, 0.0), *chain, (high, 0.0)])
    _refuse_dents(profile_m, corners)
    return corners


def _bulging(chain: list[tuple[float, float]]) -> NDArray[np.float64]:
    """The upper convex hull (k, 2) of a chain from left to right (Graham's scan)."""
    kept: list[tuple[float, float]] = []
    for x, radius in chain:
        while len(kept) > 1:
            (x1, r1), (x2, r2) = kept[-2:]
            if (x2 - x1) * (radius - r2) - (r2 - r1) * (x - x2) < 0:  # turns toward the axis
                break
            kept.pop()
        if not kept or (x, radius) != kept[-1]:
            kept.append((x, radius))
    return np.array(kept, dtype=float)


def _refuse_dents(profile_m: Profile, corners: NDArray[np.float64]) -> None:
    """ValueError where a point of the profile lies deeper than MAX_DENT_M below the meridian."""
    start, run = corners[:-1], np.diff(corners, axis=0)
    for number, point in enumerate(profile_m):
        share = ((np.array(point) - start) * run).sum(axis=1) / (run**2).sum(axis=1)
        foot = start + np.clip(share, 0.0, 1.0)[:, None] * run
        dent_m = float(np.linalg.norm(foot - np.array(point), axis=1).min())
        if dent_m > MAX_DENT_M:
            raise ValueError(
                f"the profile is dented: point {number} ({point[0]:g}, {point[1]:g}) lies {dent_m:.3f} m below the "
                "line between points beside it; a hull must bulge everywhere, so leave the point out or make it "
                "two compartments"
            )
