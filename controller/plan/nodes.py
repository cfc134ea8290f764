"""What nodes are worth: one more at some place, or one fewer. What a map is, is map's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from controller.measure.coherence import CoherentGroup
from controller.plan.bound import GroupBound
from controller.plan.hearing import Array
from controller.plan.map import Map, Question, group_at, map_of
from firmware_bridge.site.hull import Hull

INSIDE_M = 0.05  # a node stands so far off the wall
CLEAR_M = 0.005  # its microphones at least
ARM_M = 0.06  # of the tetrahedron where the site's own nodes show no better shape
FLAT_SHARE = 0.05  # thickness over width from which on an array is one in space
NEW = "new"
ASKED = 6  # of the places: looked at more closely
BEST = 3
APART_SHARE = 0.15  # of the root of the hull's area: places nearer to each other than this are one
TETRAHEDRON = np.array([[-1.0, -1, -1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) * ARM_M / np.sqrt(3.0)

Advance = Callable[[int], None]
_Tried = tuple[float, Array, list[GroupBound], list[GroupBound]]


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """One more node at `centre_m`, and the maps with it: alone, and wired to the largest group's trigger line."""

    centre_m: tuple[float, float, float]
    alone: Map
    wired: Map

    @property
    def log_radius(self) -> float:
        """Of the better map."""
        return min(self.alone.log_radius, self.wired.log_radius)


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """The map with a group that is not on the largest one's trigger line wired to it; `nodes` are that group's."""

    nodes: tuple[str, ...]
    drawn: Map


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """The map without a node."""

    node: str
    drawn: Map


def shape_of(groups: Sequence[CoherentGroup]) -> Array:
    """Microphones (n, 3) of a node about its middle: as the site's first node that is an array in space, else four."""
    for group in groups:
        owner = np.array(group.nodes)
        for node in dict.fromkeys(group.nodes):
            own = group.position_m[owner == node]
            own = own - own.mean(axis=0)
            widths = np.linalg.svd(own, compute_uv=False)
            if len(own) >= 4 and widths[2] > FLAT_SHARE * widths[0] and np.linalg.norm(own, axis=1).max() < 3 * ARM_M:
                return np.asarray(own, dtype=np.float64)
    return np.asarray(TETRAHEDRON, dtype=np.float64)


def places(hull: Hull, shape: Array, count: int) -> Array:
    """Middles (n, 3) of nodes along the hull, far from each other, with all microphones inside."""
    grid = hull.grid(float(np.sqrt(hull.area_m2 / (8 * count))))
    chosen = [0]
    apart = np.linalg.norm(grid - grid[0], axis=1)
    while len(chosen) < min(count, len(grid)):
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.linalg.norm(grid - grid[chosen[-1]], axis=1))
    at = grid[chosen]
    at = at - INSIDE_M * hull.outward(at)
    for _ in range(4):  # in a corner, one wall after the other
        corners = (at[:, None, :] + shape).reshape(-1, 3)
        over = hull.signed_distance_m(corners).reshape(len(at), -1) + CLEAR_M
        worst = over.argmax(axis=1)
        rows = np.arange(len(at))
        normal = hull.outward(corners).reshape(len(at), -1, 3)[rows, worst]
        at = at - np.maximum(over[rows, worst], 0.0)[:, None] * normal
    corners = (at[:, None, :] + shape).reshape(-1, 3)
    fits = hull.signed_distance_m(corners).reshape(len(at), -1).max(axis=1) < 0.0
    return np.asarray(at[fits])


def additions(
    question: Question,
    groups: Sequence[GroupBound],
    points_m: Array,
    centres_m: Array,
    trigger_sigma_s: float,
    advance: Advance,
) -> tuple[Addition, ...]:
    """The best places (BEST at most) of `centres_m` (n, 3) for one more node, best first.

    All are tried by radius; those that look best by that are asked for places that sound alike too. `advance` is told
    of each place and stage: n + min(n, ASKED) times in all.
    """
    if not groups:
        return ()
    shape = shape_of([part.group for part in groups])
    largest = max(range(len(groups)), key=lambda i: len(groups[i].group.sensors))
    rest = [part for i, part in enumerate(groups) if i != largest]
    tried: list[_Tried] = []
    for centre in centres_m:
        node = _node(centre + shape)
        alone = [*groups, group_at(question, node, points_m)]
        line = _joined(groups[largest].group, node, trigger_sigma_s)
        wired = [*rest, group_at(question, line, points_m)]
        figure = min(map_of(question, parts, points_m, alike=False).log_radius for parts in (alone, wired))
        tried.append((figure, centre, alone, wired))
        advance(1)
    tried.sort(key=lambda entry: entry[0])
    result = []
    for _, centre, alone, wired in _apart(tried, APART_SHARE * float(np.sqrt(question.hull.area_m2))):
        x, y, z = (float(value) for value in centre)
        result.append(Addition((x, y, z), map_of(question, alone, points_m), map_of(question, wired, points_m)))
        advance(1)
    return tuple(sorted(result, key=lambda entry: entry.log_radius)[:BEST])


def _apart(tried: list[_Tried], apart_m: float) -> list[_Tried]:
    """The first ASKED that are not next door to an earlier one: people want a choice."""
    chosen: list[_Tried] = []
    for one in tried:
        if all(np.linalg.norm(one[1] - other[1]) > apart_m for other in chosen):
            chosen.append(one)
    return chosen[:ASKED]


def wirings(
    question: Question, groups: Sequence[GroupBound], points_m: Array, trigger_sigma_s: float
) -> tuple[Wiring, ...]:
    """Maps with each other group wired to the largest one, best first."""
    largest = max(range(len(groups)), key=lambda i: len(groups[i].group.sensors))
    result = []
    for i, part in enumerate(groups):
        if i == largest:
            continue
        rest = [other for k, other in enumerate(groups) if k not in {i, largest}]
        line = _joined(groups[largest].group, part.group, trigger_sigma_s)
        drawn = map_of(question, [*rest, group_at(question, line, points_m)], points_m)
        result.append(Wiring(tuple(dict.fromkeys(part.group.nodes)), drawn))
    return tuple(sorted(result, key=lambda wiring: wiring.drawn.log_radius))


def losses(question: Question, groups: Sequence[GroupBound], points_m: Array, advance: Advance) -> tuple[Loss, ...]:
    """Maps without each of the nodes, most missed first."""
    result = []
    for i, part in enumerate(groups):
        for node in dict.fromkeys(part.group.nodes):
            rest = [other for k, other in enumerate(groups) if k != i]
            left = _without(part.group, node)
            if left is not None:
                rest.append(group_at(question, left, points_m))
            result.append(Loss(node, map_of(question, rest, points_m)))
            advance(1)
    return tuple(sorted(result, key=lambda loss: -loss.drawn.log_radius))


def _node(position_m: Array) -> CoherentGroup:
    names = tuple(f"{NEW}{i}" for i in range(len(position_m)))
    return CoherentGroup(f"node {NEW}", names, (NEW,) * len(names), position_m, 0.0)


def _joined(group: CoherentGroup, node: CoherentGroup, trigger_sigma_s: float) -> CoherentGroup:
    return CoherentGroup(
        group.name,
        (*group.sensors, *node.sensors),
        (*group.nodes, *node.nodes),
        np.vstack([group.position_m, node.position_m]),
        trigger_sigma_s,
    )


def _without(group: CoherentGroup, node: str) -> CoherentGroup | None:
    keep = [i for i, owner in enumerate(group.nodes) if owner != node]
    if not keep:
        return None
    nodes = tuple(group.nodes[i] for i in keep)
    return replace(
        group,
        sensors=tuple(group.sensors[i] for i in keep),
        nodes=nodes,
        position_m=group.position_m[keep],
        clock_sigma_s=group.clock_sigma_s if len(set(nodes)) > 1 else 0.0,
    )
