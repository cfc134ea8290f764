"""Laws of the hull shapes: distance, nearest point and normal agree; grids cover; the flat picture holds everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull, Outline

LENGTHS_M = st.floats(0.2, 20.0)
CYLINDERS = st.builds(CylinderHull, LENGTHS_M, LENGTHS_M)
BOXES = st.builds(BoxHull, st.tuples(LENGTHS_M, LENGTHS_M, LENGTHS_M))
HULLS: st.SearchStrategy[Hull] = st.one_of(CYLINDERS, BOXES)
SEEDS = st.integers(0, 2**32 - 1)
Points = NDArray[np.float64]


def points_around(hull: Hull, seed: int, count: int = 200) -> Points:
    """Points inside, outside, beyond edges, and on axes of symmetry."""
    low, high = hull.corners_m
    random = np.random.default_rng(seed)
    scattered = low + (high - low) * random.uniform(-0.5, 1.5, (count, 3))
    centre = (low + high) / 2
    on_axes = np.repeat(centre[None], 30, axis=0)
    on_axes[np.arange(30), np.arange(30) % 3] = scattered[:30][np.arange(30), np.arange(30) % 3]
    return np.vstack([scattered, on_axes, centre[None]])


def points_on_wall(hull: Hull, seed: int, count: int = 200) -> Points:
    """Wall points by the shape's own parameters, not by `project`."""
    random = np.random.default_rng(seed)
    low, high = hull.corners_m
    if isinstance(hull, CylinderHull):
        angle = random.uniform(-np.pi, np.pi, count)
        radius = np.where(random.random(count) < 0.5, hull.radius_m, hull.radius_m * np.sqrt(random.random(count)))
        x = np.where(radius == hull.radius_m, random.uniform(0, hull.length_m, count), 0.0)
        x = np.where((radius < hull.radius_m) & (random.random(count) < 0.5), hull.length_m, x)
        return np.column_stack([x, radius * np.cos(angle), radius * np.sin(angle)])
    points = low + (high - low) * random.random((count, 3))
    axis = random.integers(0, 3, count)
    points[np.arange(count), axis] = np.where(random.random(count) < 0.5, low[axis], high[axis])
    return points


def size_m(hull: Hull) -> float:
    low, high = hull.corners_m
    return float(np.linalg.norm(high - low))


@given(HULLS, SEEDS)
def test_the_nearest_wall_point_is_on_the_wall_and_as_far_as_the_distance(hull: Hull, seed: int) -> None:
    points = points_around(hull, seed)
    nearest = hull.project(points)
    close = 1e-9 * size_m(hull)
    assert np.abs(hull.signed_distance_m(nearest)).max() < close
    distance = np.linalg.norm(points - nearest, axis=1)
    assert np.abs(distance - np.abs(hull.signed_distance_m(points))).max() < close


@given(HULLS, SEEDS)
def test_no_wall_point_is_nearer_than_the_distance(hull: Hull, seed: int) -> None:
    points, wall = points_around(hull, seed), points_on_wall(hull, seed + 1)
    apart = np.linalg.norm(points[:, None] - wall[None], axis=2).min(axis=1)
    assert (apart >= np.abs(hull.signed_distance_m(points)) - 1e-9 * size_m(hull)).all()


@given(HULLS, SEEDS)
def test_wall_points_are_at_distance_zero(hull: Hull, seed: int) -> None:
    assert np.abs(hull.signed_distance_m(points_on_wall(hull, seed))).max() < 1e-9 * size_m(hull)


@given(HULLS, SEEDS)
def test_inside_is_negative_and_outside_positive(hull: Hull, seed: int) -> None:
    """Told by the middle, by far away, and by convexity: half-way from a wall point to the middle is inside."""
    low, high = hull.corners_m
    centre = (low + high) / 2
    wall = points_on_wall(hull, seed)
    assert (hull.signed_distance_m((wall + centre) / 2) < 0).all()
    assert (hull.signed_distance_m(2 * wall - centre) > 0).all()


@given(HULLS, SEEDS)
def test_outward_is_the_unit_slope_of_the_distance(hull: Hull, seed: int) -> None:
    points = points_around(hull, seed)
    outward = hull.outward(points)
    assert np.linalg.norm(outward, axis=1) == pytest.approx(1.0)
    step_m = 1e-6 * size_m(hull)
    slope = (hull.signed_distance_m(points + step_m * outward) - hull.signed_distance_m(points)) / step_m
    assert slope == pytest.approx(1.0, abs=1e-4)


@settings(max_examples=60)
@given(HULLS, SEEDS, st.floats(0.03, 2.0))
def test_no_wall_point_is_farther_from_the_grid_than_its_spacing(hull: Hull, seed: int, share: float) -> None:
    low, high = hull.corners_m
    spacing_m = max(share * float((high - low).min()), 0.03 * float((high - low).max()))
    grid = hull.grid(spacing_m)
    assert np.abs(hull.signed_distance_m(grid)).max() < 1e-9 * size_m(hull)
    for wall in np.array_split(points_on_wall(hull, seed), 10):
        apart = np.linalg.norm(wall[:, None] - grid[None], axis=2).min(axis=1)
        assert apart.max() <= spacing_m


def is_inside(outline: Outline, points: NDArray[np.float64], slack_m: float) -> NDArray[np.bool_]:
    """Within a convex, closed polyline, or at most `slack_m` outside of it."""
    corners = outline.points_m
    assert corners[0] == pytest.approx(corners[-1])
    edges = np.diff(corners, axis=0)
    normal = np.column_stack([edges[:, 1], -edges[:, 0]]) / np.linalg.norm(edges, axis=1)[:, None]
    gap = ((points[:, None] - corners[None, :-1]) * normal[None]).sum(axis=2)
    return np.asarray((gap <= slack_m).all(axis=1))


@given(HULLS, SEEDS)
def test_the_flat_picture_holds_every_wall_point_in_one_face(hull: Hull, seed: int) -> None:
    outlines = hull.outlines()
    wall = np.vstack([points_on_wall(hull, seed), hull.grid(0.3 * size_m(hull))])
    # A disc is drawn with 120 corners: its chords leave out radius x (1 - cos 1.5 degrees).
    slack_m = 4e-4 * size_m(hull)
    inside = np.array([is_inside(outline, hull.unroll(wall), slack_m) for outline in outlines])
    assert inside.any(axis=0).all()
    assert len({outline.label for outline in outlines}) == len(outlines)


@given(HULLS, SEEDS)
def test_the_flat_picture_keeps_short_lengths_within_a_face(hull: Hull, seed: int) -> None:
    """A millimetre of wall is a millimetre of picture, wherever both ends fall on the same face."""
    wall = points_on_wall(hull, seed)
    beside = hull.project(wall + 1e-4 * np.random.default_rng(seed).normal(size=wall.shape))
    real_m = np.linalg.norm(beside - wall, axis=1)
    drawn_m = np.linalg.norm(hull.unroll(beside) - hull.unroll(wall), axis=1)
    near = drawn_m < 0.01 * size_m(hull)  # not cut by a seam
    assert near.mean() > 0.9
    assert drawn_m[near] == pytest.approx(real_m[near], rel=0.02, abs=2e-5)


def test_a_cylinders_seam_and_ends_are_where_the_document_says() -> None:
    hull = CylinderHull(radius_m=1.0, length_m=4.0)
    flat = hull.unroll(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [4.0, 0.0, 0.5]]))
    assert flat[0] == pytest.approx([1.0, 0.0])
    assert flat[1] == pytest.approx([1.0, np.pi / 2])
    assert flat[2] == pytest.approx([-1.08, 0.0])
    assert flat[3] == pytest.approx([5.08, 0.5])
