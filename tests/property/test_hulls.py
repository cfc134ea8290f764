"""Laws of hulls of every shape and pose: distance, nearest point and normal agree; grids cover; pictures hold all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull, Outline
from firmware_bridge.site.placed import PlacedHull
from tests.support.hull_shapes import (
    BOXES,
    CYLINDERS,
    HULLS,
    PLACED,
    SEEDS,
    Points,
    points_around,
    points_on_wall,
    revolutions,
    size_m,
)

few = settings(max_examples=40)


def across_m(hull: Hull) -> float:
    low, high = hull.corners_m
    return float(np.linalg.norm(high - low))


@few
@given(HULLS, SEEDS)
def test_the_nearest_wall_point_is_on_the_wall_and_as_far_as_the_distance(hull: Hull, seed: int) -> None:
    points = points_around(hull, seed)
    nearest = hull.project(points)
    close = 1e-9 * size_m(hull)
    assert np.abs(hull.signed_distance_m(nearest)).max() < close
    distance = np.linalg.norm(points - nearest, axis=1)
    assert np.abs(distance - np.abs(hull.signed_distance_m(points))).max() < close


@few
@given(HULLS, SEEDS)
def test_no_wall_point_is_nearer_than_the_distance(hull: Hull, seed: int) -> None:
    points, wall = points_around(hull, seed), points_on_wall(hull, seed + 1)
    apart = np.linalg.norm(points[:, None] - wall[None], axis=2).min(axis=1)
    assert (apart >= np.abs(hull.signed_distance_m(points)) - 1e-9 * size_m(hull)).all()


@few
@given(HULLS, SEEDS)
def test_wall_points_are_at_distance_zero(hull: Hull, seed: int) -> None:
    assert np.abs(hull.signed_distance_m(points_on_wall(hull, seed))).max() < 1e-9 * size_m(hull)


@few
@given(HULLS, SEEDS)
def test_inside_is_negative_and_outside_positive(hull: Hull, seed: int) -> None:
    """Told by the middle, by far away, and by convexity: half-way from a wall point to the middle is inside."""
    low, high = hull.corners_m
    centre = (low + high) / 2
    wall = points_on_wall(hull, seed)
    assert (hull.signed_distance_m((wall + centre) / 2) < 0).all()
    assert (hull.signed_distance_m(2 * wall - centre) > 0).all()


@few
@given(HULLS, SEEDS)
def test_distances_differ_by_no_more_than_the_points_are_apart(hull: Hull, seed: int) -> None:
    points = points_around(hull, seed)
    others = np.random.default_rng(seed).permutation(points)
    change = np.abs(hull.signed_distance_m(points) - hull.signed_distance_m(others))
    assert (change <= np.linalg.norm(points - others, axis=1) + 1e-9 * size_m(hull)).all()


@few
@given(HULLS, SEEDS)
def test_the_distance_is_that_of_a_dense_grid(hull: Hull, seed: int) -> None:
    """No grid point is nearer than the wall, and one is as near but for the spacing."""
    points = points_around(hull, seed)
    spacing_m = 0.07 * across_m(hull)
    apart = np.linalg.norm(points[:, None] - hull.grid(spacing_m)[None], axis=2).min(axis=1)
    away = np.abs(hull.signed_distance_m(points))
    assert (away <= apart + 1e-9 * size_m(hull)).all()
    assert (apart <= away + spacing_m).all()


@few
@given(HULLS, SEEDS)
def test_outward_is_the_unit_slope_of_the_distance(hull: Hull, seed: int) -> None:
    points = points_around(hull, seed)
    outward = hull.outward(points)
    assert np.linalg.norm(outward, axis=1) == pytest.approx(1.0)
    step_m = 1e-6 * size_m(hull)
    slope = (hull.signed_distance_m(points + step_m * outward) - hull.signed_distance_m(points)) / step_m
    assert slope == pytest.approx(1.0, abs=1e-4)


@few
@given(HULLS, SEEDS)
def test_on_the_wall_itself_outward_is_still_a_unit_vector_that_leaves(hull: Hull, seed: int) -> None:
    """Where a projected point is beside the wall by rounding alone, that tells no direction."""
    wall = np.vstack([hull.project(points_around(hull, seed)), points_on_wall(hull, seed)])
    outward = hull.outward(wall)
    assert np.linalg.norm(outward, axis=1) == pytest.approx(1.0)
    step_m = 1e-3 * across_m(hull)
    assert (hull.signed_distance_m(wall + step_m * outward) > 0.999 * step_m).all()


@few
@given(HULLS, SEEDS, st.floats(0.03, 2.0))
def test_no_wall_point_is_farther_from_the_grid_than_its_spacing(hull: Hull, seed: int, share: float) -> None:
    low, high = hull.corners_m
    spacing_m = max(share * float((high - low).min()), 0.03 * float((high - low).max()))
    grid = hull.grid(spacing_m)
    assert np.abs(hull.signed_distance_m(grid)).max() < 1e-9 * size_m(hull)
    for wall in np.array_split(points_on_wall(hull, seed), 10):
        apart = np.linalg.norm(wall[:, None] - grid[None], axis=2).min(axis=1)
        assert apart.max() <= spacing_m


@few
@given(HULLS)
def test_the_box_around_the_hull_holds_it(hull: Hull) -> None:
    low, high = hull.corners_m
    slack_m = 1e-9 * size_m(hull)
    grid = hull.grid(0.1 * across_m(hull))
    assert (grid >= low - slack_m).all()
    assert (grid <= high + slack_m).all()


@settings(max_examples=20)
@given(HULLS, SEEDS)
def test_the_volume_is_the_share_of_its_box_that_is_inside(hull: Hull, seed: int) -> None:
    low, high = hull.corners_m
    points = low + (high - low) * np.random.default_rng(seed).random((5000, 3))
    share = hull.volume_m3 / float(np.prod(high - low))
    inside = float((hull.signed_distance_m(points) < 0).mean())
    # Five standard deviations of a share of 5000 points, and a few points beyond where it is close to all or nothing.
    assert inside == pytest.approx(share, abs=5 * np.sqrt(max(0.0, share * (1 - share)) / 5000) + 2e-3)


def is_inside(outline: Outline, points: NDArray[np.float64], slack_m: float) -> NDArray[np.bool_]:
    """Within a convex, closed polyline, or at most `slack_m` outside of it."""
    corners = outline.points_m
    assert corners[0] == pytest.approx(corners[-1])
    edges = np.diff(corners, axis=0)
    normal = np.column_stack([edges[:, 1], -edges[:, 0]]) / np.linalg.norm(edges, axis=1)[:, None]
    gap = ((points[:, None] - corners[None, :-1]) * normal[None]).sum(axis=2)
    return np.asarray((gap <= slack_m).all(axis=1))


@few
@given(HULLS, SEEDS)
def test_the_flat_picture_holds_every_wall_point_in_one_face(hull: Hull, seed: int) -> None:
    outlines = hull.outlines()
    wall = np.vstack([points_on_wall(hull, seed), hull.grid(0.3 * across_m(hull))])
    # A disc is drawn with 120 corners: its chords leave out radius x (1 - cos 1.5 degrees). So is a sphere's spindle.
    slack_m = 4e-4 * size_m(hull)
    inside = np.array([is_inside(outline, hull.unroll(wall), slack_m) for outline in outlines])
    assert inside.any(axis=0).all()
    assert len({outline.label for outline in outlines}) == len(outlines)


def tangents(outward: Points) -> tuple[Points, Points]:
    """Two directions along the wall, the second to the left of the first for an eye inside."""
    helper = np.where(np.abs(outward[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(helper, outward)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return first, np.cross(first, outward)


@few
@given(HULLS, SEEDS)
def test_the_flat_picture_keeps_areas_and_is_seen_from_inside(hull: Hull, seed: int) -> None:
    wall = points_on_wall(hull, seed)
    step_m = 1e-6 * size_m(hull)
    at = hull.unroll(wall)
    sides = [(hull.unroll(hull.project(wall + step_m * way)) - at) / step_m for way in tangents(hull.outward(wall))]
    area = sides[0][:, 0] * sides[1][:, 1] - sides[0][:, 1] * sides[1][:, 0]
    # Not where a step of a millionth crosses a seam or an edge, which hardly ever happens.
    assert (np.abs(area - 1) < 0.02).mean() > 0.95


@few
@given(st.one_of(CYLINDERS, BOXES), SEEDS)
def test_the_flat_picture_of_flat_and_round_walls_keeps_short_lengths(hull: Hull, seed: int) -> None:
    """A millimetre of wall is a millimetre of picture, wherever both ends fall on the same face."""
    wall = points_on_wall(hull, seed)
    beside = hull.project(wall + 1e-4 * np.random.default_rng(seed).normal(size=wall.shape))
    same = (hull.outward(wall) * hull.outward(beside)).sum(axis=1) > 0.99
    real_m = np.linalg.norm(beside - wall, axis=1)[same]
    drawn_m = np.linalg.norm(hull.unroll(beside) - hull.unroll(wall), axis=1)[same]
    near = drawn_m < 0.01 * size_m(hull)  # not cut by a seam
    assert near.mean() > 0.9
    assert drawn_m[near] == pytest.approx(real_m[near], rel=0.02, abs=2e-5)


@few
@given(revolutions(), SEEDS)
def test_the_flat_picture_of_a_revolution_keeps_lengths_around(hull: Hull, seed: int) -> None:
    wall = points_on_wall(hull, seed)
    radius_m, angle = np.hypot(wall[:, 1], wall[:, 2]), np.arctan2(wall[:, 2], wall[:, 1]) + 1e-6
    along = np.column_stack([wall[:, 0], radius_m * np.cos(angle), radius_m * np.sin(angle)])
    drawn_m = np.linalg.norm(hull.unroll(along) - hull.unroll(wall), axis=1)
    assert (np.abs(drawn_m - 1e-6 * radius_m) < 1e-9 * size_m(hull)).mean() > 0.95


@few
@given(PLACED, SEEDS)
def test_a_pose_moves_a_hull_and_changes_nothing_else(placed: PlacedHull, seed: int) -> None:
    own = points_around(placed.hull, seed)
    there = placed.to_site(own)
    close = 1e-9 * size_m(placed)
    assert placed.to_hull(there) == pytest.approx(own, abs=close)
    assert placed.signed_distance_m(there) == pytest.approx(placed.hull.signed_distance_m(own), abs=close)
    moved = np.linalg.norm(there - placed.to_site(own[::-1]), axis=1)
    assert moved == pytest.approx(np.linalg.norm(own - own[::-1], axis=1), abs=close)
    vectors = own - own[::-1]
    assert placed.vectors_to_site(vectors) == pytest.approx(there - there[::-1], abs=close)
    assert placed.vectors_to_hull(placed.vectors_to_site(vectors)) == pytest.approx(vectors, abs=close)
    assert (placed.area_m2, placed.volume_m3) == (placed.hull.area_m2, placed.hull.volume_m3)
