"""Hulls of every shape and pose, and points on and around them made from the shapes' own parameters."""

from itertools import accumulate

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import ROTATIONS, PlacedHull, Rotation
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.sphere import SphereHull

Points = NDArray[np.float64]
LENGTHS_M = st.floats(0.2, 20.0)
SEEDS = st.integers(0, 2**32 - 1)


def rotation_by(seed: int) -> Rotation:
    """Any turn: the orthonormal factor of a random matrix, mirrored where it mirrors."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    first, second, third = ((float(a), float(b), float(c)) for a, b, c in turn)
    return first, second, third


@st.composite
def revolutions(draw: st.DrawFn) -> RevolutionHull:
    """A concave line of one to six pieces, up to 75 degrees steep; either end may be on the axis."""
    slopes = sorted(draw(st.lists(st.floats(-1.3, 1.3), min_size=1, max_size=6, unique=True)), reverse=True)
    lengths = [draw(st.floats(0.3, 5.0)) for _ in slopes]
    x = list(accumulate((n * np.cos(a) for n, a in zip(lengths, slopes, strict=True)), initial=draw(st.floats(-5, 5))))
    rise = list(accumulate((n * np.sin(a) for n, a in zip(lengths, slopes, strict=True)), initial=0.0))
    floor = draw(st.one_of(st.just(0.0), st.floats(0.1, 5.0))) - min(rise)
    if floor + max(rise) < 0.2:  # a nearly level line on the axis
        floor += 0.2
    return RevolutionHull(tuple((float(a), float(max(0.0, b + floor))) for a, b in zip(x, rise, strict=True)))


CYLINDERS = st.builds(CylinderHull, LENGTHS_M, LENGTHS_M)
BOXES = st.builds(BoxHull, st.tuples(LENGTHS_M, LENGTHS_M, LENGTHS_M))
SPHERES = st.builds(SphereHull, LENGTHS_M)
SHAPES: st.SearchStrategy[Hull] = st.one_of(CYLINDERS, BOXES, SPHERES, revolutions())
PLACES = st.tuples(*(3 * [st.floats(-100, 100)]))
PLACED = st.builds(
    PlacedHull, SHAPES, PLACES, st.one_of(st.sampled_from(list(ROTATIONS.values())), SEEDS.map(rotation_by))
)
HULLS: st.SearchStrategy[Hull] = st.one_of(SHAPES, PLACED)


def points_around(hull: Hull, seed: int, count: int = 100) -> Points:
    """Points inside, outside, beyond edges, and on axes of symmetry."""
    low, high = hull.corners_m
    random = np.random.default_rng(seed)
    scattered = low + (high - low) * random.uniform(-0.5, 1.5, (count, 3))
    centre = (low + high) / 2
    on_axes = np.repeat(centre[None], 30, axis=0)
    on_axes[np.arange(30), np.arange(30) % 3] = scattered[:30][np.arange(30), np.arange(30) % 3]
    return np.vstack([scattered, on_axes, centre[None]])


def points_on_wall(hull: Hull, seed: int, count: int = 100) -> Points:
    """Wall points by the shape's own parameters, not by `project`."""
    random = np.random.default_rng(seed)
    if isinstance(hull, PlacedHull):
        own = points_on_wall(hull.hull, seed, count)
        return np.array([np.array(hull.rotation) @ point + hull.origin_m for point in own])
    if isinstance(hull, SphereHull):
        away = random.normal(size=(count, 3))
        return np.asarray(hull.radius_m * away / np.linalg.norm(away, axis=1)[:, None])
    if isinstance(hull, CylinderHull | RevolutionHull):
        line = np.array(
            hull.profile_m
            if isinstance(hull, RevolutionHull)
            else [(0.0, hull.radius_m), (hull.length_m, hull.radius_m)]
        )
        line = np.vstack([[line[0, 0], 0.0], line, [line[-1, 0], 0.0]])
        solid = np.linalg.norm(np.diff(line, axis=0), axis=1) > 0
        piece = random.choice(np.flatnonzero(solid), count)
        x, radius = (line[piece] + random.random((count, 1)) * (line[piece + 1] - line[piece])).T
        angle = random.uniform(-np.pi, np.pi, count)
        return np.column_stack([x, radius * np.cos(angle), radius * np.sin(angle)])
    low, high = hull.corners_m
    points = low + (high - low) * random.random((count, 3))
    axis = random.integers(0, 3, count)
    points[np.arange(count), axis] = np.where(random.random(count) < 0.5, low[axis], high[axis])
    return np.asarray(points)


def size_m(hull: Hull) -> float:
    """Longest distance that matters for rounding: across the hull, or to it from the origin."""
    low, high = hull.corners_m
    return max(float(np.linalg.norm(high - low)), float(np.abs([low, high]).max()))
