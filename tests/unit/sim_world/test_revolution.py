"""Traced rooms against the billiard cylinder, closed forms of the sphere, the law of reflection and reciprocity."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.world.sound.paths import Paths
from sim.world.sound.revolution import RevolutionRoom, SphereRoom
from sim.world.sound.room import CylinderRoom, Room

FloatArray = NDArray[np.float64]

# a dome, a cylinder, a cone and a flat end: the kinds of walls there are
CAPSULE = RevolutionRoom(((0.0, 0.0), (0.6, 1.2), (2.6, 1.2), (3.4, 0.8)), (True, False, False))
SPHERE = SphereRoom(1.1, (0.5, 0.0, 0.2))


def points_in(room: Room, seed: int, count: int, low: float = -1.3, high: float = 3.5) -> FloatArray:
    tried = np.random.default_rng(seed).uniform([low, -1.3, -1.3], [high, 1.5, 1.5], (4000, 3))
    return tried[room.clearance_m(tried) > 0.05][:count]


def rows(found: Paths, index: int) -> list[tuple[float, int, float]]:
    here = np.isfinite(found.length_m[index])
    table = (found.length_m, found.bounces, found.gain)
    return list(zip(*(part[index, here].tolist() for part in table), strict=True))


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), on_wall=st.booleans())
def test_a_cylinder_given_as_a_profile_has_the_paths_of_the_billiard(seed: int, on_wall: bool) -> None:
    plain, traced = CylinderRoom(1.5, 4.0), RevolutionRoom(((0.0, 1.5), (4.0, 1.5)))
    points = points_in(plain, seed, 4, 0.1, 3.9)
    source = points[0]
    if on_wall:
        source[1:] *= 1.5 / math.hypot(*source[1:])
    there, here = plain.paths(source, points[1:], 2), traced.paths(source, points[1:], 2)
    for index in range(3):
        expected, found = rows(there, index), rows(here, index)
        # a pair beside a caustic may fall between the rays of either search; nothing else may
        for some, others in ((expected, found), (found, expected)):
            for length_m, bounces, gain in some:
                off = [abs(length_m - o[0]) + abs(bounces - o[1]) + abs(gain - o[2]) for o in others]
                # receivers are moved by 1e-7 m; a focus steepens what that does to the gain
                assert min(off) < 1e-5 or gain * length_m > 2.0


def test_volume_and_area_of_known_bodies() -> None:
    cylinder, traced = CylinderRoom(1.5, 4.0), RevolutionRoom(((0.0, 1.5), (4.0, 1.5)))
    assert traced.volume_m3 == pytest.approx(cylinder.volume_m3, rel=1e-12)
    assert traced.surface_m2 == pytest.approx(cylinder.surface_m2, rel=1e-12)
    cone = RevolutionRoom(((0.0, 0.0), (4.0, 3.0)))
    assert cone.volume_m3 == pytest.approx(math.pi * 9.0 * 4.0 / 3.0, rel=1e-12)
    assert cone.surface_m2 == pytest.approx(math.pi * 3.0 * (5.0 + 3.0), rel=1e-12)
    half = RevolutionRoom(((-1.0, 0.0), (0.0, 1.0), (1.0, 0.0)), (True, True))
    assert half.volume_m3 == pytest.approx(4.0 / 3.0 * math.pi, rel=1e-12)
    assert half.surface_m2 == pytest.approx(4.0 * math.pi, rel=1e-12)


@pytest.mark.parametrize("room", [CAPSULE, SPHERE])
def test_every_corner_is_on_the_wall_and_obeys_the_law_of_reflection(room: Room) -> None:
    points = points_in(room, 3, 6)
    found = room.paths(points[0], points[1:], 3)
    assert (found.bounces == 3).sum() > 5
    step = 1e-5
    for index, column in zip(*np.nonzero(found.bounces), strict=True):
        corners = found.corners_m[index, column]
        count = found.bounces[index, column]
        legs = np.diff(corners, axis=0)[: count + 1]
        assert np.linalg.norm(legs, axis=1).sum() == pytest.approx(found.length_m[index, column], abs=1e-6)
        legs /= np.linalg.norm(legs, axis=1, keepdims=True)
        for place, before, after in zip(corners[1 : count + 1], legs[:-1], legs[1:], strict=True):
            # domes are measured on a polygon of 0.5 degrees: 1.2 m * (0.5 deg)^2 / 8 = 0.01 mm, tilted by 4 mrad
            assert abs(room.clearance_m(place[None])[0]) < 3e-5
            sides = [room.clearance_m((place + step * axis)[None])[0] for axis in np.eye(3)]
            back = [room.clearance_m((place - step * axis)[None])[0] for axis in np.eye(3)]
            inward = before - after
            inward /= -np.linalg.norm(inward)
            slope = np.array(sides) - np.array(back)
            if np.linalg.norm(slope) > 1e-6:
                assert inward @ slope / np.linalg.norm(slope) > 1.0 - 1e-3


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("room", [CAPSULE, SPHERE])
def test_paths_are_the_same_both_ways(room: Room, seed: int) -> None:
    near, far = points_in(room, seed, 2)
    there, back = rows(room.paths(near, far[None], 2), 0), rows(room.paths(far, near[None], 2), 0)
    for some, others in ((there, back), (back, there)):
        for length_m, bounces, gain in some:
            if gain * length_m < 2.0:  # away from caustics
                off = [abs(length_m - o[0]) + abs(bounces - o[1]) + abs(gain - o[2]) for o in others]
                assert min(off) < 2e-5


def test_from_the_centre_of_a_sphere_rays_come_back_through_it() -> None:
    # one radial chord each way: after it the wave converges on the centre and spreads again from there, so at
    # 0.4 m from it the pencil is 0.4 m wide in both directions and the gain is 1 / 0.4 before its bound
    room = SphereRoom(1.0)
    found = room.paths(np.zeros(3), np.array([[0.0, 0.4, 0.0]]), 1)
    assert found.length_m[0] == pytest.approx([0.4, 1.6, 2.4], abs=1e-6)
    assert found.gain[0] == pytest.approx([2.5, 2.5, 2.5], rel=1e-5)


def test_centre_to_centre_is_one_bounded_focus() -> None:
    found = SphereRoom(1.0).paths(np.zeros(3), np.zeros((1, 3)), 1)
    assert found.bounces[0].tolist() == [0, 1]
    # 3 in each of the two directions in which the wave converges
    assert found.gain[0, 1] * found.length_m[0, 1] == pytest.approx(9.0, rel=1e-3)


@pytest.mark.parametrize("apart_rad", [0.7, 1.9, 2.6])
def test_chords_between_two_points_on_a_sphere(apart_rad: float) -> None:
    # n bounces cut the arc between the points, the short way or the long way round, into n + 1 equal chords;
    # with two bounces a third kind goes a full turn further
    source = 0.7 * np.array([0.0, 1.0, 0.0])
    receiver = (0.7 - 1e-4) * np.array([0.0, math.cos(apart_rad), math.sin(apart_rad)])
    found = SphereRoom(0.7).paths(source, receiver[None], 2)
    for bounces in (1, 2):
        arcs = [apart_rad + 2.0 * math.pi * turn for turn in range(-bounces, bounces + 1)]
        pieces = bounces + 1
        chords = {round(2.0 * 0.7 * pieces * abs(math.sin(arc / pieces / 2.0)), 9) for arc in arcs}
        for expected_m in chords:
            # the receiver is 0.1 mm inside the wall
            assert np.abs(found.length_m[0] - expected_m).min() < 2.1e-4


def test_gain_is_that_of_a_pencil_in_the_cone() -> None:
    # a cone is a plane rolled up: seen along the generator the wall is flat, across it a circle. Compare with
    # the spread of neighbouring receivers' launches, worked out by finite differences of the paths themselves.
    room = RevolutionRoom(((0.0, 0.6), (3.0, 1.5)))
    source, receiver = np.array([1.0, 0.3, -0.2]), np.array([2.2, -0.5, 0.4])
    step = 1e-4
    found = room.paths(source, receiver[None], 2)
    moved = [room.paths(source, (receiver + step * axis)[None], 2) for axis in np.eye(3)]
    checked = 0
    for length_m, gain, launch in zip(found.length_m[0], found.gain[0], found.launch[0], strict=True):
        turned = []
        for other in moved:
            nearest = int(np.argmin(np.linalg.norm(other.launch[0] - launch, axis=1)))
            turned.append((other.launch[0, nearest] - launch) / step)
        # rows: change of launch per metre of the receiver along x, y and z; singular values are 1 / width
        spread = np.linalg.svd(np.array(turned), compute_uv=False)[:2]
        if gain * length_m < 2.5:
            assert gain == pytest.approx(math.sqrt(spread[0] * spread[1]), rel=2e-3)
            checked += 1
    assert checked > 8


def test_a_source_on_the_wall_is_not_mirrored_by_it() -> None:
    source = np.array([1.5, 1.2, 0.0])
    found = CAPSULE.paths(source, np.array([[1.5, -0.3, 0.4]]), 1)
    once = found.corners_m[0, found.bounces[0] == 1, 1]
    assert len(once) >= 2
    assert np.linalg.norm(once - source, axis=1).min() > 0.1
    assert found.length_m[0, 0] == pytest.approx(math.hypot(1.5, 0.4), abs=1e-6)


def test_a_neck_hides_what_is_behind_its_edge() -> None:
    room = RevolutionRoom(((0.0, 1.0), (2.0, 1.0), (2.0, 0.3), (3.0, 0.3)))
    source = np.array([1.8, 0.8, 0.0])
    behind, in_view = np.array([2.8, 0.2, 0.0]), np.array([2.1, 0.2, 0.0])
    assert room.paths(source, behind[None], 0).gain[0].max() == 0.0
    assert room.paths(np.array([0.3, 0.1, 0.0]), in_view[None], 0).bounces.shape == (1, 1)
    assert room.paths(np.array([0.3, 0.1, 0.0]), in_view[None], 0).gain[0, 0] > 0.0


@pytest.mark.parametrize(
    ("profile", "domes"),
    [
        (((0.0, 1.0),), ()),
        (((0.0, 1.0), (-1.0, 1.0)), ()),
        (((0.0, 1.0), (0.0, 1.0), (1.0, 1.0)), ()),
        (((0.0, -1.0), (1.0, 1.0)), ()),
        (((0.0, 0.001), (1.0, 0.001)), ()),
        (((0.0, 1.0), (1.0, 1.0)), (True, False)),
        (((0.0, 1.0), (0.0, 0.5), (1.0, 1.0)), (True, False)),
        (((0.0, 1.0), (math.nan, 1.0)), ()),
    ],
)
def test_refuses_profiles_that_enclose_nothing(
    profile: tuple[tuple[float, float], ...],
    domes: tuple[bool, ...],
) -> None:
    with pytest.raises(ValueError, match=r"profile|room|segment"):
        RevolutionRoom(profile, domes)


@pytest.mark.parametrize("room", [CAPSULE, SPHERE])
def test_refuses_points_outside(room: Room) -> None:
    with pytest.raises(ValueError, match="outside the room"):
        room.paths(np.array([0.5, 0.0, 0.0]), np.array([[0.5, 0.0, 1.5]]), 1)
    with pytest.raises(ValueError, match="no room"):
        SphereRoom(0.0)
