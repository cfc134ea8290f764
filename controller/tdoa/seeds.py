"""Where to start: closed forms over few sensors each, and a coarse net around the sensors. Nothing is refined here.

Closed forms: the squared ranges of a source are linear in position, offset and one product of both (Bancroft 1985;
Chan and Ho 1994 for differences). A few sensors give a start, and a wrong arrival spoils only those that use it.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from scipy.special import ndtri

from controller.tdoa.epoch import Floats, Indices, rank_of, spread_axes
from controller.tdoa.model import Far, Model, Near

MAX_SUBSETS = 70  # all fours of eight sensors; of more, so many drawn: with 30 % wrong arrivals 17 are clean
NET_POINTS = 160
NET_RADII = (0.5, 1.0, 2.0, 6.0, 30.0)  # in spreads of the array
SEED = 20  # of the draw of subsets: the same table gives the same answer


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """What one network's geometry offers: subsets (q, k) for closed forms, net (n, dims), the mirror's normal."""

    subsets: Indices
    net: Floats
    normal: Floats
    rank: int


def seeds_of(model: Model, sensor_m: Floats, group: Indices) -> Seeds:
    """Prepare starts for sensors (m, dims) in a frame centred on them; `group` tells which share a time base."""
    dims = sensor_m.shape[1]
    spread, axes = spread_axes(sensor_m)
    rank = rank_of(sensor_m)
    far = isinstance(model, Far)
    size = rank + 1 if far else (dims + 1 if rank >= dims else rank + 2)
    return Seeds(_subsets(group, size), _net(dims, float(spread[0]), far), axes[-1], rank)


def starts(model: Model, sensor_m: Floats, seeds: Seeds, arrival_m: Floats) -> Floats:
    """Closed-form states (rows, starts, dims) for arrivals (rows, m); NaN where a form has no solution."""
    rows, dims = len(arrival_m), sensor_m.shape[1]
    if not len(seeds.subsets) or seeds.rank < dims - 1:
        return np.empty((rows, 0, dims))
    points = sensor_m[seeds.subsets]
    times = arrival_m[:, seeds.subsets]
    times = times - times.mean(axis=2, keepdims=True)
    if isinstance(model, Near) and seeds.rank >= dims:
        return _bancroft(points, times)
    centre = sensor_m.mean(axis=0)
    plane = spread_axes(sensor_m)[1][: seeds.rank]
    flat = (points - centre) @ plane.T
    if isinstance(model, Far):
        return _plane_wave(flat, times, plane, seeds.normal if seeds.rank < dims else None)
    return _above_plane(flat, times, plane, seeds.normal, centre)


def _bancroft(points: Floats, times: Floats) -> Floats:
    """Both sources of dims + 1 arrivals: 2 s.x - 2 t b + (b^2 - |x|^2) = |s|^2 - t^2 (docs/solve.md eq. 4)."""
    rows, count, size = times.shape
    dims = points.shape[2]
    matrix = np.empty((rows, count, size, size))
    matrix[..., :dims] = 2.0 * points
    matrix[..., dims] = -2.0 * times
    right = np.stack([np.sum(points**2, axis=2) - times**2, np.ones_like(times)], axis=3)
    solved = _solved(matrix, right)
    constant, slope = solved[..., 0], -solved[..., 1]

    def product(one: Floats, two: Floats) -> Floats:
        return np.asarray(one[..., dims] * two[..., dims] - np.sum(one[..., :dims] * two[..., :dims], axis=-1))

    a, b, c = product(slope, slope), 2.0 * product(constant, slope) - 1.0, product(constant, constant)
    root = np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0))
    half = -0.5 * (b + np.where(b < 0.0, -root, root))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.stack([half / a, c / half], axis=-1)[..., None]
        both = constant[..., None, :] + values * slope[..., None, :]
    return np.asarray(both[..., :dims].reshape(rows, -1, dims))


def _above_plane(flat: Floats, times: Floats, plane: Floats, normal: Floats, centre: Floats) -> Floats:
    """Sensors in one plane: foot and offset are linear, and the height has two signs."""
    rank = flat.shape[2]
    matrix = np.ones((*times.shape, rank + 2))
    matrix[..., :rank] = 2.0 * flat
    matrix[..., rank] = -2.0 * times
    solved = _solved(matrix, (np.sum(flat**2, axis=2) - times**2)[..., None])[..., 0]
    foot, offset, product = solved[..., :rank], solved[..., rank], solved[..., rank + 1]
    height = np.sqrt(np.maximum(offset**2 - product - np.sum(foot**2, axis=-1), 0.0))[..., None]
    inside = foot @ plane + centre
    both = np.concatenate([inside + height * normal, inside - height * normal], axis=1)
    return np.asarray(both)


def _plane_wave(flat: Floats, times: Floats, plane: Floats, normal: Floats | None) -> Floats:
    """Directions: -s.u + b = t is linear in u; in one plane the part across it follows from |u| = 1."""
    rank = flat.shape[2]
    matrix = np.ones((*times.shape, rank + 1))
    matrix[..., :rank] = -flat
    along = _solved(matrix, times[..., None])[..., :rank, 0]
    size = np.linalg.norm(along, axis=-1, keepdims=True)
    if normal is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((along / size) @ plane)
    along = along / np.maximum(size, 1.0)
    across = np.sqrt(np.maximum(1.0 - np.sum(along**2, axis=-1, keepdims=True), 0.0))
    inside = along @ plane
    return np.concatenate([inside + across * normal, inside - across * normal], axis=1)


def _solved(matrix: Floats, right: Floats) -> Floats:
    """Solutions, NaN for singular ones."""
    scale = np.maximum(np.abs(matrix).max(axis=-2, keepdims=True), 1e-300)
    scaled = matrix / scale
    singular = np.abs(np.linalg.det(scaled)) < 1e-9
    scaled = np.where(singular[..., None, None], np.eye(matrix.shape[-1]), scaled)
    solution = np.linalg.solve(scaled, np.broadcast_to(right, (*matrix.shape[:-1], right.shape[-1])))
    solution = solution / np.swapaxes(scale, -1, -2)
    return np.asarray(np.where(singular[..., None, None], np.nan, solution))


def _subsets(group: Indices, size: int) -> Indices:
    """Subsets of sensors that share a time base: all, or as many as are drawn."""
    parts: list[tuple[int, ...]] = []
    draw = np.random.default_rng(SEED)
    for number in range(int(group.max(initial=-1)) + 1):
        members = np.flatnonzero(group == number)
        if len(members) < size:
            continue
        if comb(len(members), size) <= MAX_SUBSETS:
            parts += [tuple(int(i) for i in chosen) for chosen in combinations(members, size)]
        else:
            parts += [tuple(int(i) for i in draw.choice(members, size, replace=False)) for _ in range(MAX_SUBSETS)]
    return np.array(parts[: 2 * MAX_SUBSETS], np.intp).reshape(-1, size)


def _net(dims: int, spread_m: float, far: bool) -> Floats:
    """Points around the sensors at several distances, or directions all around."""
    golden = 1.3247179572447460 if dims == 2 else 1.2207440846057596  # Roberts' sequence in 2 and 3 dimensions
    steps = np.arange(1, NET_POINTS + 1)[:, None] * golden ** -np.arange(1.0, dims + 1.0)
    ways = ndtri(np.clip(np.mod(steps, 1.0), 1e-9, 1.0 - 1e-9))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    if far:
        return np.asarray(ways)
    radii = np.array(NET_RADII)[np.arange(NET_POINTS) % len(NET_RADII)]
    return np.asarray(ways * (radii * spread_m)[:, None])
