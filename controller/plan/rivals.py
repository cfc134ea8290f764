"""Where else could it be? For each place the other place on the hull whose sound would arrive most alike.

Places next door are no rivals but the place's own region; how large that is is bound's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from controller.plan.bound import SECOND_US, Bounds, GroupBound, Surveyed, arrival_jacobian, known_information
from controller.plan.hearing import Array
from firmware_bridge.site.hull import Hull

AWAY_M = 0.20  # nearer than this is the same panel
REGIONS = 2.0  # a rival is farther away than so many expected radii
GRID_PLACES = 1500  # valleys of the map of delays are decimetres wide, and a Gauss-Newton step finds their bottom
NEIGHBOURS = 6
STARTS = 3  # valleys that are gone down into
HOPELESS = 2.0  # times what a cell's half diagonal can take off: valleys higher than this have no bottom that counts
FAR_SIGMAS = 10.0  # delays that differ by more are not asked how much more
ROUNDS = 4
LONGEST_STEP_M = 0.3
BLOCK_VALUES = 4_000_000  # of the map of places against places at a time


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """Of each place the rival: by how many sigmas its delays differ (p,), inf where none; where it is (p, 3)."""

    sigmas: Array
    position_m: Array


def rivals(hull: Hull, points_m: Array, found: Bounds, known: Surveyed, asked: NDArray[np.bool_]) -> Rivals:
    """The rival of each of the `asked` places (p,)."""
    sigmas, position = np.full(len(points_m), np.inf), np.full(points_m.shape, np.nan)
    places = _grid(hull)
    nearest = cKDTree(places).query(places, k=min(NEIGHBOURS + 1, len(places)))[1]
    neighbours = np.atleast_2d(np.asarray(nearest, dtype=np.intp)).reshape(len(places), -1)[:, 1:]
    rows = np.flatnonzero(asked)
    block = max(1, BLOCK_VALUES // len(places))
    for start in range(0, len(rows), block):
        some = rows[start : start + block]
        parts = [_Part(part, some, points_m, places, known) for part in found.groups]
        near = np.maximum(AWAY_M, REGIONS * found.radius95_m[some])
        owner, start_at = _valleys(parts, points_m[some], places, neighbours, near)
        if len(owner):
            cost, bottom = _descend(hull, parts, owner, places[start_at], known)
            away = np.linalg.norm(bottom - points_m[some[owner]], axis=1) > near[owner]
            cost[~away] = np.inf
            order = np.argsort(-cost, kind="stable")  # of several the last written is the lowest
            sigmas[some[owner[order]]], position[some[owner[order]]] = np.sqrt(cost[order]), bottom[order]
    return Rivals(sigmas, position)


class _Part:
    """One group's arrival times from some places and from all rivals, and what differences count."""

    def __init__(
        self, bound: GroupBound, some: NDArray[np.intp], points_m: Array, places: Array, known: Surveyed
    ) -> None:
        self.position_m = bound.group.position_m
        self.precision = bound.precision[some]
        self.speed = known.sound_speed_m_s
        self.heard_us = self.arrivals(points_m[some], self.speed)
        self._rival_us = self.arrivals(places, self.speed)

    def arrivals(self, points_m: Array, speed: float | Array) -> Array:
        """Travel times (..., n), us."""
        distance = np.linalg.norm(points_m[..., None, :] - self.position_m, axis=-1)
        return np.asarray(distance / speed * SECOND_US)

    @property
    def weight(self) -> Array:
        """What each microphone counts by itself (p, n), 1/us^2."""
        return np.diagonal(self.precision, axis1=1, axis2=2)

    def unlike(self) -> NDArray[np.float32]:
        """How unlike the arrival times are (q, p), each microphone by its own weight: a map to find valleys in."""
        weight = self.weight
        middle = self._rival_us.mean()
        rival, here = self._rival_us - middle, self.heard_us - middle
        moment = np.sum(weight * here, axis=1), np.sum(weight * here**2, axis=1)
        ones, total = np.ones((len(rival), 1)), np.maximum(weight.sum(axis=1), 1e-12)
        left = np.hstack([rival**2, rival, ones]).astype(np.float32)
        square = left @ np.hstack([weight, -2.0 * weight * here, moment[1][:, None]]).astype(np.float32).T
        sure = 1.0 / np.sqrt(total)[:, None]
        mean = left[:, rival.shape[1] :] @ np.hstack([weight * sure, -moment[0][:, None] * sure]).astype(np.float32).T
        np.square(mean, out=mean)
        square -= mean
        return np.asarray(square)


def _grid(hull: Hull) -> Array:
    spacing = float(np.sqrt(hull.area_m2 / GRID_PLACES))
    return hull.grid(spacing)


def _valleys(
    parts: list[_Part], points_m: Array, places: Array, neighbours: NDArray[np.intp], near_m: Array
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The lowest local minima of unlikeness among places that are away: indices of points, and of places."""
    unlike = np.zeros((len(places), len(points_m)), dtype=np.float32)
    slope = np.zeros(len(points_m))
    for part in parts:
        unlike += part.unlike()
        slope += part.weight.sum(axis=1)
    lowest = unlike < (HOPELESS * np.sqrt(slope) * _reach_us(places, neighbours, parts) + FAR_SIGMAS) ** 2
    for column in neighbours.T:
        lowest &= unlike <= unlike[column]
    at, owner = np.nonzero(lowest)
    # Half of what is asked: the bottom of a valley that begins there may be farther.
    away = np.linalg.norm(places[at] - points_m[owner], axis=1) > 0.5 * near_m[owner]
    at, owner = at[away], owner[away]
    order = np.lexsort((unlike[at, owner], owner))
    at, owner = at[order], owner[order]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    return owner[rank < STARTS], at[rank < STARTS]


def _reach_us(places: Array, neighbours: NDArray[np.intp], parts: list[_Part]) -> float:
    """How much a travel time may change from a place to the edge of its cell."""
    apart = np.linalg.norm(places[neighbours[:, 0]] - places, axis=1)
    return float(np.sqrt(0.5) * np.median(apart)) / parts[0].speed * SECOND_US if parts else 0.0


def _descend(
    hull: Hull, parts: list[_Part], owner: NDArray[np.intp], starts_m: Array, known: Surveyed
) -> tuple[Array, Array]:
    """The bottoms of valleys by Gauss-Newton: squared sigmas (n,) and places (n, 3); `owner` (n,) whose rivals."""
    place, speed = starts_m.copy(), np.full(len(starts_m), known.sound_speed_m_s)
    hull_sigma, speed_sigma = known.survey.hull_sigma_m, known.sound_speed_sigma_m_s
    own = [(part, part.precision[owner], part.heard_us[owner]) for part in parts]
    for turn in range(ROUNDS + 1):
        normal, off = hull.outward(place), hull.signed_distance_m(place)
        slow = speed - known.sound_speed_m_s
        information = known_information(normal, known)
        pull = np.zeros((len(place), 4))
        pull[:, :3] = -(off / hull_sigma**2)[:, None] * normal
        pull[:, 3] = -slow / speed_sigma**2
        cost = (off / hull_sigma) ** 2 + (slow / speed_sigma) ** 2
        for part, precision, heard_us in own:
            residual = heard_us - part.arrivals(place, speed[:, None])
            weighted = (precision @ residual[:, :, None])[:, :, 0]
            cost += np.sum(residual * weighted, axis=1)
            jacobian = arrival_jacobian(part.position_m, place, known.sound_speed_m_s)
            turned = jacobian.swapaxes(1, 2)
            information += turned @ precision @ jacobian
            pull += (turned @ weighted[:, :, None])[:, :, 0]
        if turn == ROUNDS:
            return np.maximum(cost, 0.0), place
        step = np.linalg.solve(information + 1e-6 * np.eye(4), pull[:, :, None])[:, :, 0]
        length = np.linalg.norm(step[:, :3], axis=1)
        step *= np.minimum(1.0, LONGEST_STEP_M / np.maximum(length, 1e-12))[:, None]
        place, speed = place + step[:, :3], speed + step[:, 3]
        beyond = np.abs(hull.signed_distance_m(place)) > 3.0 * hull_sigma
        place[beyond] = hull.project(place[beyond])
    raise AssertionError("the last round returns")
