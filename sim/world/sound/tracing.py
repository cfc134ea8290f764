"""Specular paths between points inside walls of revolution, found by rays and refined by Newton's method.

Rays leave the source in a Fibonacci lattice. After k bounces the ray's miss of the receiver is a vector of two
components across it, and the pencil's derivatives say by how much the launch must turn to undo it. Where that
turn is within the lattice's reach a path is near, and Newton's method, damped, walks to it. A pair of paths
beside a fold caustic and closer to each other than the lattice can be missed.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sim.world.sound.paths import FOCUS_LIMIT, NEAREST_M
from sim.world.sound.surface import Piece, Rays, bounce

FloatArray = NDArray[np.float64]

LATTICE = 8192  # launch directions all around, 2.2 degrees apart
REACH = 4.0  # lattice steps within which a predicted turn is followed
NEWTON_STEPS = 24  # most paths need four; beside a caustic each step only halves the miss
MISS_M = 3e-7  # a path ends this near to its receiver; all but those through a focus end within 1e-11 m
AIM_M = 1e-11
SAME_M = 1e-7  # paths whose lengths differ less, and whose launches agree, are one
SAME_RAD = 1e-4
GOLDEN_RAD = math.pi * (3.0 - math.sqrt(5.0))
OFFSET_M = 1e-7  # receivers are moved so far off symmetry, where a path would be a whole ring of paths


def lattice(count: int, inward: FloatArray | None) -> FloatArray:
    """Unit vectors (n, 3) of a Fibonacci lattice of `count` points around, or their half on the side of `inward`."""
    step = np.arange(count) + 0.5
    height = 1.0 - 2.0 * step / count
    ring = np.sqrt(1.0 - height**2)
    directions = np.stack([height, ring * np.cos(GOLDEN_RAD * step), ring * np.sin(GOLDEN_RAD * step)], axis=1)
    return directions if inward is None else directions[directions @ inward > 0.0]


def across(heading: FloatArray) -> FloatArray:
    """Two unit vectors (n, 2, 3) across each unit vector (n, 3) and each other."""
    least = np.eye(3)[np.argmin(np.abs(heading), axis=1)]
    first = np.cross(heading, least)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(heading, first)], axis=1)


def specular(
    pieces: tuple[Piece, ...],
    source_m: FloatArray,
    inward: FloatArray | None,
    receivers_m: FloatArray,
    reflections: int,
) -> tuple[NDArray[np.intp], FloatArray, NDArray[np.int64], FloatArray, FloatArray]:
    """All paths with up to so many bounces: receiver, length, bounces, gain (n,) and corners (n, b + 2, 3).

    `inward` is the inner normal under a source that sits on the wall. The gain is the focusing factor over the
    length; each principal width w of the pencil focuses by sqrt(length / w), bounded at 3 as in a cylinder.
    """
    aimed = receivers_m + OFFSET_M * np.array([0.31, 0.74, -0.6])
    starts = _starts(pieces, source_m, lattice(LATTICE, inward), aimed, reflections)
    ways: list[tuple[NDArray[np.intp], FloatArray, NDArray[np.int64], FloatArray, FloatArray]] = []
    for bounces, (tried, start) in enumerate(starts):
        launch = _refined(pieces, source_m, start, aimed[tried], bounces)
        miss, jacobian, length, corners = _follow(pieces, source_m, launch, aimed[tried], bounces)
        good = np.linalg.norm(miss, axis=1) < MISS_M
        if inward is not None:
            good &= launch @ inward > 0.0
        landed = np.nonzero(good)[0]
        kept = landed[_different(tried[landed], launch[landed], length[landed], jacobian[landed])]
        width = np.linalg.svd(jacobian[kept], compute_uv=False) if len(kept) else np.ones((0, 2))
        long = np.maximum(length[kept], NEAREST_M)
        focus = np.sqrt(np.prod(long[:, None] / np.maximum(width, long[:, None] / FOCUS_LIMIT**2), axis=1))
        end = np.repeat(corners[kept][:, -1:], reflections - bounces, axis=1)
        places = np.concatenate([corners[kept], end], axis=1)
        ways.append((tried[kept], length[kept], np.full(len(kept), bounces), focus / long, places))
    receivers, lengths, counts, gains, turns = (np.concatenate(part) for part in zip(*ways, strict=True))
    return receivers, lengths, counts, gains, turns


def _starts(
    pieces: tuple[Piece, ...],
    source_m: FloatArray,
    launch: FloatArray,
    receivers_m: FloatArray,
    reflections: int,
) -> list[tuple[NDArray[np.intp], FloatArray]]:
    """For every number of bounces, receivers and launches (n, 3) from which Newton's method is tried."""
    reach = REACH * math.sqrt(4.0 * math.pi / LATTICE)
    rays = _launched(source_m, launch)
    found = []
    for bounces in range(reflections + 1):
        tried_receiver, tried_launch = [], []
        for index, receiver_m in enumerate(receivers_m):
            if bounces == 0:
                step = receiver_m - source_m
                tried_receiver.append(np.array([index]))
                tried_launch.append((step / max(float(np.linalg.norm(step)), 1e-300))[None])
                continue
            miss, jacobian, _ = _missed(rays, np.broadcast_to(receiver_m, rays.place_m.shape))
            near = np.linalg.norm(_turn(jacobian, miss), axis=1) < reach
            tried_receiver.append(np.full(int(near.sum()), index))
            tried_launch.append(launch[near])
        found.append((np.concatenate(tried_receiver), np.concatenate(tried_launch)))
        if bounces < reflections:
            rays, _ = bounce(pieces, rays)
    return found


def _launched(source_m: FloatArray, launch: FloatArray) -> Rays:
    place = np.broadcast_to(source_m, launch.shape)
    return Rays(place, launch, np.zeros((len(launch), 2, 3)), across(launch))


def _missed(rays: Rays, receivers_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Miss (n, 2), its change with the launch angles (n, 2, 2) and the distance to the nearest point (n,)."""
    ahead = receivers_m - rays.place_m
    far = np.sum(ahead * rays.heading, axis=1)
    frame = across(rays.heading)
    miss = -np.einsum("nij,nj->ni", frame, ahead)
    moved = rays.place_by_rad + far[:, None, None] * rays.heading_by_rad
    jacobian = np.einsum("nij,nkj->nik", frame, moved)
    return miss, jacobian, far


def _turn(jacobian: FloatArray, miss: FloatArray) -> FloatArray:
    """Launch angles (n, 2) that undo the miss, damped where the pencil is nearly closed (Levenberg)."""
    square = np.einsum("nki,nkj->nij", jacobian, jacobian)
    small = 1e-9 * (square[:, 0, 0] + square[:, 1, 1]) + 1e-12
    p, q, r = square[:, 0, 0] + small, square[:, 0, 1], square[:, 1, 1] + small
    right = np.einsum("nki,nk->ni", jacobian, miss)
    turn = np.stack([r * right[:, 0] - q * right[:, 1], p * right[:, 1] - q * right[:, 0]], axis=1)
    undone: FloatArray = -turn / (p * r - q * q)[:, None]
    return undone


def _follow(
    pieces: tuple[Piece, ...],
    source_m: FloatArray,
    launch: FloatArray,
    receivers_m: FloatArray,
    bounces: int,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Miss, Jacobian, length (n,) and corners of rays so launched; the miss is infinite if a wall comes first."""
    rays = _launched(source_m, launch)
    length = np.zeros(len(launch))
    corners = [rays.place_m]
    for _ in range(bounces):
        rays, far = bounce(pieces, rays)
        length += far
        corners.append(rays.place_m)
    miss, jacobian, far = _missed(rays, receivers_m)
    length += far
    if len(launch):
        wall = np.stack([piece.distance_m(rays.place_m, rays.heading) for piece in pieces]).min(axis=0)
        lost = ~np.isfinite(length) | (far < 0.0) | (far > wall + 3e-3)
        miss = np.where(lost[:, None], np.inf, miss)
    return miss, jacobian, length, np.stack([*corners, receivers_m], axis=1)


def _refined(
    pieces: tuple[Piece, ...],
    source_m: FloatArray,
    launch: FloatArray,
    receivers_m: FloatArray,
    bounces: int,
) -> FloatArray:
    """Launches (n, 3) after Newton's method: a step that does not lessen the miss is quartered."""
    if bounces == 0:
        return launch
    limit = 0.5 * REACH * math.sqrt(4.0 * math.pi / LATTICE)
    miss, jacobian, _, _ = _follow(pieces, source_m, launch, receivers_m, bounces)
    damping = np.ones(len(launch))
    for _ in range(NEWTON_STEPS):
        busy = np.nonzero(np.isfinite(miss[:, 0]) & (np.hypot(*miss.T) > AIM_M) & (damping > 1e-3))[0]
        if not len(busy):
            break
        turn = _turn(jacobian[busy], miss[busy])
        size = np.linalg.norm(turn, axis=1)
        turn *= (damping[busy] * np.minimum(1.0, limit / np.maximum(size, 1e-300)))[:, None]
        tried = launch[busy] + np.einsum("ni,nij->nj", turn, across(launch[busy]))
        tried /= np.linalg.norm(tried, axis=1, keepdims=True)
        new_miss, new_jacobian, _, _ = _follow(pieces, source_m, tried, receivers_m[busy], bounces)
        better = np.hypot(*new_miss.T) < np.hypot(*miss[busy].T)
        kept = busy[better]
        launch[kept], miss[kept], jacobian[kept] = tried[better], new_miss[better], new_jacobian[better]
        damping[busy] = np.where(better, np.minimum(1.0, 4.0 * damping[busy]), 0.25 * damping[busy])
    return launch


def _different(
    receiver: NDArray[np.intp],
    launch: FloatArray,
    length: FloatArray,
    jacobian: FloatArray,
) -> NDArray[np.intp]:
    """Indices of one path of each bunch of equal ones: the same launch, or the same length on a point of focus."""
    order = np.lexsort((length, receiver))
    scale = np.sqrt(np.abs(np.linalg.det(jacobian))) / np.maximum(length, NEAREST_M)
    kept: list[int] = []
    for index in order:
        again = False
        for other in reversed(kept):
            if receiver[other] != receiver[index] or length[index] - length[other] > 10 * SAME_M:
                break
            alike = float(np.linalg.norm(launch[other] - launch[index])) < SAME_RAD
            focal = scale[index] < 1e-3 and scale[other] < 1e-3
            again = again or alike or focal
        if not again:
            kept.append(int(index))
    return np.array(kept, dtype=np.intp)
