"""The map of one site's hull: expected radius and why a place is blind, and what of it people are told.

What other nodes would make of it is nodes'.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from controller.localize.locate import Settings
from controller.measure.coherence import CoherentGroup
from controller.plan.bound import Bounds, GroupBound, Surveyed, bounds, group_bound
from controller.plan.hearing import Air, Array, Listening, Noise, heard, signal_to_noise
from controller.plan.rivals import Rivals, rivals
from controller.plan.source import Leak
from firmware_bridge.site.hull import Hull

RIVAL_SIGMAS = 4.0  # two places whose delays differ by less are told apart by luck
LEAST_MICROPHONES = 3  # of one group
BLIND_RADIUS_M = 1.0  # what a blind place, or any beyond, counts as where maps are compared
TOUCHING = 1.6  # spacings apart blind places are of one spot
BLOCK_VALUES = 1_000_000  # pairs x places at a time


class Blind(IntEnum):
    """Why a leak at a place could not be told."""

    NOT = 0
    TOO_QUIET = 1
    TOO_FEW = 2  # microphones hear it, but not enough of them the same sound to say where it is
    TOO_VAGUE = 3
    AMBIGUOUS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a site: which leak, heard how long, through what, and when an answer counts."""

    hull: Hull
    known: Surveyed
    leak: Leak
    noise: Noise
    air: Air
    listening: Listening
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A hull's places (p, 3), each worth the same area, with what is expected of a leak there."""

    points_m: Array
    area_m2: float
    bounds: Bounds
    rivals: Rivals
    blind: NDArray[np.intp]

    @property
    def radius_m(self) -> Array:
        """Expected 95 % radius (p,), infinite where blind."""
        return np.where(self.blind == Blind.NOT, self.bounds.radius95_m, np.inf)

    def share_within(self, radius_m: float) -> float:
        """Share of the hull on which a leak is expected to be located to `radius_m`."""
        return float(np.mean(self.radius_m <= radius_m))

    def quantile_m(self, share: float) -> float:
        """Radius that `share` of the hull stays within; infinite where blind places begin before."""
        ordered = np.sort(self.radius_m)
        return float(ordered[min(len(ordered) - 1, max(0, int(np.ceil(share * len(ordered))) - 1))])

    @property
    def blind_share(self) -> float:
        """Share of the hull that is blind."""
        return float(np.mean(self.blind != Blind.NOT))

    @property
    def log_radius(self) -> float:
        """Mean decimal logarithm of the radius in metres, blind places counting as BLIND_RADIUS_M: one figure a map."""
        return float(np.mean(np.log10(np.minimum(self.radius_m, BLIND_RADIUS_M))))


@dataclass(frozen=True, slots=True)
class Spot:
    """Neighbouring blind places of one reason."""

    reason: Blind
    area_m2: float
    centre_m: tuple[float, float, float]


def group_at(question: Question, group: CoherentGroup, points_m: Array) -> GroupBound:
    """What one group tells of leaks at `points_m`."""
    known = question.known
    blocks = []
    size = max(1, BLOCK_VALUES // max(1, len(group.sensors) ** 2))
    for start in range(0, len(points_m), size):
        some = points_m[start : start + size]
        distance = np.linalg.norm(some[:, None, :] - group.position_m, axis=2)
        snr = signal_to_noise(question.leak, question.noise, question.air, question.listening, distance)
        hears = heard(group, snr, distance / known.sound_speed_m_s, question.listening)
        blocks.append(group_bound(group, hears, some, known))
    return _joined(blocks)


def map_of(question: Question, groups: Sequence[GroupBound], points_m: Array, *, alike: bool = True) -> Map:
    """The map that groups make together; places that sound alike are looked for only where asked."""
    limits, hull = question.settings, question.hull
    found = bounds(groups, hull.outward(points_m), question.known)
    blind = np.full(len(points_m), Blind.NOT, dtype=np.intp)
    blind[found.radius95_m > limits.max_radius_m] = Blind.TOO_VAGUE
    blind[(found.largest < LEAST_MICROPHONES) | (found.freedom < 1)] = Blind.TOO_FEW
    if max((len(part.group.sensors) for part in groups), default=0) >= LEAST_MICROPHONES:
        blind[found.standing < limits.min_standing] = Blind.TOO_QUIET
    others = rivals(hull, points_m, found, question.known, (blind == Blind.NOT) & alike)
    blind[(blind == Blind.NOT) & (others.sigmas < RIVAL_SIGMAS)] = Blind.AMBIGUOUS
    return Map(points_m, hull.area_m2, found, others, blind)


def spots(drawn: Map, hull: Hull) -> tuple[Spot, ...]:
    """Blind spots, largest first."""
    each = drawn.area_m2 / len(drawn.points_m)
    reach = TOUCHING * float(np.sqrt(each))
    result = []
    for reason in Blind:
        rows = np.flatnonzero(drawn.blind == reason)
        if reason is Blind.NOT or not len(rows):
            continue
        points = drawn.points_m[rows]
        first, second = cKDTree(points).query_pairs(reach, output_type="ndarray").T
        touching = coo_array((np.ones(len(first)), (first, second)), shape=(len(rows), len(rows)))
        count, label = connected_components(touching, directed=False)
        for spot in range(count):
            inside = points[label == spot]
            # the place nearest to the middle: a belt's middle would be in the air
            middle = inside[np.linalg.norm(inside - inside.mean(axis=0), axis=1).argmin()]
            x, y, z = (float(value) for value in hull.project(middle[None])[0])
            result.append(Spot(reason, len(inside) * each, (x, y, z)))
    return tuple(sorted(result, key=lambda spot: -spot.area_m2))


def _joined(blocks: Sequence[GroupBound]) -> GroupBound:
    if len(blocks) == 1:
        return blocks[0]
    return GroupBound(
        blocks[0].group,
        np.concatenate([block.precision for block in blocks]),
        np.concatenate([block.information for block in blocks]),
        np.concatenate([block.square for block in blocks]),
        np.concatenate([block.largest for block in blocks]),
        np.concatenate([block.rows for block in blocks]),
    )
