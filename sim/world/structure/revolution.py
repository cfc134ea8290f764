"""Geodesics on a surface turned about the x axis: cylinders, cones, flat ends, domes as many frusta.

By Clairaut's relation r sin(psi) = c stays constant along a geodesic (psi: its angle to the meridian), over the
edges between frusta too. With q = sqrt(r^2 - c^2) a frustum of slant length l between the radii a and b adds
    angle   atan2(c (qb - qa), c^2 + qa qb) / sin(gamma),  sin(gamma) = (b - a) / l
    length  l (a + b) / (qa + qb),      d angle / d c = length / (qa qb)
and the width of a pencil of rays per radian of launch angle is q_source q_receiver d angle / d c. A ray that comes
to where r = c turns back: with s = |sin gamma| it adds an angle of 2 atan2(qa, c) / s, a length of 2 qa / s, and to
d angle / d c -2 / (qa s).
Followed are ways that run along the profile without turning, and those that turn once beyond either point.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.world.structure.paths import (
    OFF_SHELL_M,
    Joint,
    Joints,
    SurfacePath,
    check_wraps,
    passed,
    surface_path,
)

FloatArray = NDArray[np.float64]

SCAN = np.concatenate([np.geomspace(1e-10, 1e-3, 64, endpoint=False), np.linspace(1e-3, 1.0, 448)])
BISECTIONS = 60  # from a gap of the scan to the resolution of a double
NUDGE_M = 1e-6  # between two points on one circle, so that the way between them has a direction along the profile
NUDGE_RAD = 1e-9  # off a way through the exact middle of a flat end
SAMPLES = 17  # places on each frustum of a way at which x and angle are known; between them they count as linear
EDGE_RAD = math.radians(20.0)  # a bend of the profile sharper than this is an edge, not a piece of a dome
PROFILE_POINTS_MAX = 256


@dataclass(frozen=True, slots=True)
class _Leg:
    """A way along the profile from arc length `start_m` to `end_m` between the nodes that it passes."""

    nodes_m: FloatArray  # arc lengths of its ends and of the nodes between, in order
    radii_m: FloatArray


@dataclass(frozen=True, slots=True)
class RevolutionShell:
    """A profile of (x, r) points in order along the hull, turned about x; r = 0 only at its ends, which it closes.

    Args:
        profile_m: at least two points, m; x may stand still (a flat end).
    """

    profile_m: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        """Refuse a profile that encloses nothing."""
        points = np.array(self.profile_m, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not 2 <= len(points) <= PROFILE_POINTS_MAX:
            raise ValueError(f"a profile is 2 to {PROFILE_POINTS_MAX} points (x, r), not {points.shape}")
        if np.any(points[:, 1] < 0.0) or np.any(points[1:-1, 1] <= 0.0) or np.any(_steps(points) <= 0.0):
            raise ValueError("a profile needs positive radii between its ends, and no point twice")

    @property
    def area_m2(self) -> float:
        """Area of all frusta, m2."""
        points = np.array(self.profile_m)
        return float(np.sum(math.pi * (points[1:, 1] + points[:-1, 1]) * _steps(points)))

    def paths(
        self, source_m: FloatArray, receiver_m: FloatArray, joints: Joints, wraps: int = 1
    ) -> tuple[SurfacePath, ...]:
        """See `Shell.paths`; two ways that turn on the same end with one number of wraps are both given."""
        check_wraps(wraps)
        start_m, end_m = self._place(source_m), self._place(receiver_m)
        if abs(end_m - start_m) < NUDGE_M:
            end_m = start_m + (NUDGE_M if start_m + NUDGE_M < self._nodes_m[-1] else -NUDGE_M)
        opening = math.atan2(source_m[2], source_m[1])
        apart = (math.atan2(receiver_m[2], receiver_m[1]) - opening + math.pi) % math.tau - math.pi
        found: list[SurfacePath] = []
        for turn in range(-wraps, wraps + 1):
            target = apart + math.tau * turn - NUDGE_RAD
            way = _Ways(self, start_m, end_m, opening, target, turn, joints)
            found += way.straight()
            found += way.turning(self._nodes_m[::-1])
            found += way.turning(self._nodes_m)
        return tuple(sorted(found, key=lambda path: path.length_m))

    @property
    def _nodes_m(self) -> FloatArray:
        """Arc lengths of the profile's points from its first."""
        return np.concatenate([[0.0], np.cumsum(_steps(np.array(self.profile_m)))])

    def _place(self, point_m: FloatArray) -> float:
        """Arc length of the place on the profile next to a point (3,)."""
        points = np.array(self.profile_m)
        along = np.diff(points, axis=0)
        at = np.array([point_m[0], math.hypot(point_m[1], point_m[2])])
        share = np.clip(np.sum((at - points[:-1]) * along, axis=1) / np.sum(along**2, axis=1), 0.0, 1.0)
        away_m = np.hypot(*(points[:-1] + share[:, None] * along - at).T)
        best = int(np.argmin(away_m))
        if not away_m[best] <= OFF_SHELL_M:
            raise ValueError(f"point {tuple(point_m)} is {away_m[best]:.3f} m off the skin: mount it on the hull")
        along_m = float(self._nodes_m[best] + share[best] * _steps(points)[best])
        first_m, last_m = (NUDGE_M if points[end, 1] == 0.0 else 0.0 for end in (0, -1))  # the axis has no meridian
        return min(max(along_m, first_m), float(self._nodes_m[-1]) - last_m)


def cylinder(radius_m: float, length_m: float) -> RevolutionShell:
    """A cylinder along x from 0 to its length with flat ends."""
    return RevolutionShell(((0.0, 0.0), (0.0, radius_m), (length_m, radius_m), (length_m, 0.0)))


class _Ways:
    """Finds the ways from one arc length of a profile to another that sweep a given angle."""

    def __init__(
        self,
        shell: RevolutionShell,
        start_m: float,
        end_m: float,
        opening_rad: float,
        target_rad: float,
        turn: int,
        joints: Joints,
    ) -> None:
        profile = np.array(shell.profile_m)
        self._x, self._r, self._nodes = profile[:, 0], profile[:, 1], shell._nodes_m
        heading = np.arctan2(np.diff(self._r), np.diff(self._x))
        self._edges = self._nodes[1:-1][np.abs(np.diff(heading)) > EDGE_RAD]
        self._start, self._end = start_m, end_m
        self._opening, self._target, self._turn, self._joints = opening_rad, target_rad, turn, joints

    def straight(self) -> list[SurfacePath]:
        """The way without a turning point, if its sweep can be had."""
        leg = self._leg(self._start, self._end)
        waist = float(leg.radii_m.min())
        found = []
        for u in _roots(lambda u: _sums(leg, waist, u)[0] - abs(self._target)):
            _, length, by_c = _sums(leg, waist, u)
            q = _q(leg.radii_m, waist, u[None])
            samples = _sampled(leg, waist, u)
            found.append(self._path(length[0], q[0, 0] * q[-1, 0] * by_c[0], samples))
        return found

    def turning(self, nodes_m: FloatArray) -> list[SurfacePath]:
        """Ways that go on from both points in the order of `nodes_m`, turn back on one frustum and meet there."""
        rising = nodes_m[-1] > nodes_m[0]
        inner = max(self._start, self._end) if rising else min(self._start, self._end)
        beyond = nodes_m[nodes_m > inner] if rising else nodes_m[nodes_m < inner]
        waist = float(self._leg(self._start, self._end).radii_m.min())
        found = []
        for from_m, to_m in pairwise([inner, *beyond]):
            waist = min(waist, self._radius(from_m))
            outer = self._radius(to_m)
            if outer < waist:
                found += self._turned(from_m, to_m, waist, outer)
            waist = min(waist, outer)
        return found

    def _turned(self, from_m: float, to_m: float, waist: float, outer: float) -> list[SurfacePath]:
        """Ways that turn between the arc lengths `from_m` and `to_m`, where the radius falls below `waist`."""
        there, back = self._leg(self._start, from_m), self._leg(from_m, self._end)
        entry = self._radius(from_m)
        sine = (entry - outer) / abs(to_m - from_m)
        last_u = math.sqrt(max(0.0, 1.0 - (outer / waist) ** 2))

        def sweep(u: FloatArray) -> FloatArray:
            c = waist * np.sqrt((1.0 - u) * (1.0 + u))
            around = 2.0 * np.arctan2(_q(np.array([entry]), waist, u)[0], c) / sine
            return np.asarray(_sums(there, waist, u)[0] + _sums(back, waist, u)[0] + around - abs(self._target))

        found = []
        for u in _roots(sweep, last_u):
            q = float(_q(np.array([entry]), waist, u)[0, 0])
            q_start, q_end = (
                float(_q(np.array([self._radius(at)]), waist, u)[0, 0]) for at in (self._start, self._end)
            )
            _, length_there, by_c_there = _sums(there, waist, u)
            _, length_back, by_c_back = _sums(back, waist, u)
            length = length_there[0] + length_back[0] + 2.0 * q / sine
            by_c = by_c_there[0] + by_c_back[0] - 2.0 / (max(q, 1e-12) * sine)
            loop = _sampled_turn(from_m, to_m, (entry, outer), sine, waist, u)
            samples = np.hstack([_sampled(there, waist, u), loop, _sampled(back, waist, u)])
            found.append(self._path(length, -q_start * q_end * by_c, samples))
        return found

    def _path(self, length_m: float, width_m: float, samples: FloatArray) -> SurfacePath:
        """A path from its samples: rows of steps of length, arc length along the profile, steps of angle."""
        along = np.cumsum(samples[0])
        angle = self._opening + math.copysign(1.0, self._target) * np.cumsum(samples[2])
        x = np.interp(samples[1], self._nodes, self._x)
        crossings = self._joints.crossed(along, x, angle) + passed(along, samples[1], self._edges, Joint.EDGE)
        return surface_path(length_m, width_m, crossings, wraps=self._turn, foci=int(width_m < 0.0))

    def _radius(self, at_m: float) -> float:
        return float(np.interp(at_m, self._nodes, self._r))

    def _leg(self, start_m: float, end_m: float) -> _Leg:
        low, high = sorted((start_m, end_m))
        nodes = np.concatenate([[low], self._nodes[(self._nodes > low) & (self._nodes < high)], [high]])
        nodes = nodes if start_m <= end_m else nodes[::-1]
        return _Leg(nodes, np.interp(nodes, self._nodes, self._r))


def _steps(points: FloatArray) -> FloatArray:
    return np.asarray(np.hypot(*np.diff(points, axis=0).T))


def _q(radii_m: FloatArray, waist_m: float, u: FloatArray) -> FloatArray:
    """sqrt(r^2 - c^2) for c^2 = waist^2 (1 - u^2), (radii, u); exact where c all but equals the waist."""
    over = (radii_m - waist_m) * (radii_m + waist_m)
    return np.asarray(np.sqrt(np.maximum(over, 0.0)[:, None] + np.square(waist_m * u)))


def _pieces(leg: _Leg, waist_m: float, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angle, length and d angle / d c of every frustum of a leg, each (frusta, u)."""
    q = _q(leg.radii_m, waist_m, u)
    near, far, c = q[:-1], q[1:], waist_m * np.sqrt((1.0 - u) * (1.0 + u))
    a, b = leg.radii_m[:-1, None], leg.radii_m[1:, None]
    length = np.abs(np.diff(leg.nodes_m))[:, None] * (a + b) / (near + far)
    cross = c**2 + near * far
    tangent = c * (b - a) * (b + a) / ((near + far) * cross)
    slim = np.abs(tangent) < 1e-4  # a cylinder, or nearly: the series of atan leaves out 2e-17
    relative = np.where(slim, 1.0 - tangent**2 / 3.0, np.arctan(tangent) / np.where(slim, 1.0, tangent))
    return c * length / cross * relative, length, length / (near * far)


def _sums(leg: _Leg, waist_m: float, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angle, length and d angle / d c of a whole leg, each (u,)."""
    angle, length, by_c = _pieces(leg, waist_m, u)
    return angle.sum(axis=0), length.sum(axis=0), by_c.sum(axis=0)


def _roots(excess: Callable[[FloatArray], FloatArray], last: float = 1.0) -> list[FloatArray]:
    """Zeros of a function of u in 0 to `last`, each as an array (1,)."""
    grid = last * SCAN
    above = excess(grid) > 0.0
    step = np.flatnonzero(above[1:] != above[:-1])
    low, high, low_above = grid[step], grid[step + 1], above[step]
    for _ in range(BISECTIONS if len(step) else 0):
        middle = 0.5 * (low + high)
        same = (excess(middle) > 0.0) == low_above
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return [root[None] for root in 0.5 * (low + high)]


def _sampled(leg: _Leg, waist_m: float, u: FloatArray) -> FloatArray:
    """Samples of a leg, (3, n): steps of length, arc lengths on the profile, steps of angle."""
    share = np.linspace(0.0, 1.0, SAMPLES)
    nodes = (leg.nodes_m[:-1, None] + np.diff(leg.nodes_m)[:, None] * share).ravel()
    radii = (leg.radii_m[:-1, None] + np.diff(leg.radii_m)[:, None] * share).ravel()
    angle, length, _ = _pieces(_Leg(nodes, radii), waist_m, u)
    return np.array([np.append(0.0, length[:, 0]), nodes, np.append(0.0, angle[:, 0])])


def _sampled_turn(
    from_m: float, to_m: float, radii_m: tuple[float, float], sine: float, waist_m: float, u: FloatArray
) -> FloatArray:
    """Samples, as of `_sampled`, of a ray that enters a frustum, turns where r = c and comes back."""
    entry, outer = radii_m
    c = waist_m * math.sqrt((1.0 - u[0]) * (1.0 + u[0]))
    q = float(_q(np.array([entry]), waist_m, u)[0, 0])
    place = np.linspace(q, -q, 2 * SAMPLES - 1)
    nodes = from_m + (to_m - from_m) * (entry - np.hypot(c, place)) / (entry - outer)
    steps = -np.diff(place, prepend=q) / sine, -np.diff(np.arctan2(place, c), prepend=math.atan2(q, c)) / sine
    return np.array([steps[0], nodes, steps[1]])
