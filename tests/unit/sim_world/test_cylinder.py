"""The paths of a cylinder, against rays shot with vectors and against cases known by symmetry."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.world.sound.billiard import rim_paths
from sim.world.sound.paths import Paths
from sim.world.sound.room import CylinderRoom

FloatArray = NDArray[np.float64]

RADIUS_M = 2.1
HULL = CylinderRoom(RADIUS_M, 8.0)
WIDE_M = 0.1  # pencils narrower than this per radian are beside a caustic: a scan may miss a pair of them

radii = st.floats(0.0, 0.97)
angles = st.floats(0.0, 2.0 * math.pi)
abscissas = st.floats(0.1, 7.9)


def polar(share: float, angle_rad: float) -> FloatArray:
    return RADIUS_M * share * np.array([math.cos(angle_rad), math.sin(angle_rad)])


def in_hull(x_m: float, share: float, angle_rad: float) -> FloatArray:
    return np.array([x_m, *polar(share, angle_rad)])


def shoot(start_m: FloatArray, direction: FloatArray, length_m: float) -> tuple[FloatArray, int]:
    """Follow one ray through the hull, mirror by mirror, for `length_m`; return its end and its bounces."""
    place, heading, left, bounces = start_m.copy(), direction / np.linalg.norm(direction), length_m, 0
    while True:
        across = heading[1:] @ heading[1:]
        middle = place[1:] @ heading[1:]
        room = float(middle**2 - across * (place[1:] @ place[1:] - RADIUS_M**2))
        to_wall = (-middle + math.sqrt(max(room, 0.0))) / across if across > 0.0 else math.inf
        end = HULL.length_m if heading[0] > 0.0 else 0.0
        to_end = (end - place[0]) / heading[0] if heading[0] != 0.0 else math.inf
        if left <= min(to_wall, to_end):
            return place + left * heading, bounces
        travelled = min(to_wall, to_end)
        place = place + travelled * heading
        if to_wall < to_end:
            normal = np.array([0.0, *place[1:]]) / np.linalg.norm(place[1:])
        else:
            normal = np.array([1.0, 0.0, 0.0])
        heading = heading - 2.0 * (heading @ normal) * normal
        left -= travelled
        bounces += 1


def flat_rays(
    source_m: FloatArray,
    launch_rad: FloatArray,
    bounces: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bounce many rays in the plane with vectors: last bounce (n, 2), heading (n, 2), length so far (n,)."""
    place = np.broadcast_to(source_m, (len(launch_rad), 2))
    heading = np.stack([np.cos(launch_rad), np.sin(launch_rad)], axis=1)
    length = np.zeros(len(launch_rad))
    for _ in range(bounces):
        middle = np.sum(place * heading, axis=1)
        travelled = -middle + np.sqrt(middle**2 - np.sum(place**2, axis=1) + RADIUS_M**2)
        place = place + travelled[:, None] * heading
        normal = place / RADIUS_M
        heading = heading - 2.0 * np.sum(heading * normal, axis=1)[:, None] * normal
        length = length + travelled
    return place, heading, length


def directions(
    source_m: FloatArray,
    receiver_m: FloatArray,
    reflections: int,
) -> list[tuple[FloatArray, float, int]]:
    """Launch direction, length and bounces of each path: the plane's angles, the ends unfolded by hand."""
    ways: list[tuple[FloatArray, float, int]] = []
    for wall in range(reflections + 1):
        if wall == 0:
            step = receiver_m[1:] - source_m[1:]
            plane = [(math.atan2(step[1], step[0]), math.hypot(*step))]
        else:
            found = rim_paths(RADIUS_M, source_m[1:], receiver_m[None, 1:], wall)
            plane = list(zip(found.launch_rad, found.length_m, strict=True))
        unfolded = {
            0: [receiver_m[0]],
            1: [-receiver_m[0], 2.0 * HULL.length_m - receiver_m[0]],
            2: [receiver_m[0] + 2.0 * HULL.length_m, receiver_m[0] - 2.0 * HULL.length_m],
        }
        for ends in range(reflections + 1 - wall):
            for target in unfolded[ends]:
                for launch, flat in plane:
                    way = np.array([target - source_m[0], flat * math.cos(launch), flat * math.sin(launch)])
                    ways.append((way, float(np.linalg.norm(way)), wall + ends))
    return ways


def row(found: Paths, index: int = 0) -> list[tuple[float, int]]:
    """The paths of one receiver as (length, bounces)."""
    here = np.isfinite(found.length_m[index])
    return list(zip(found.length_m[index, here].tolist(), found.bounces[index, here].tolist(), strict=True))


@settings(deadline=None, max_examples=60)
@given(source=st.tuples(abscissas, radii, angles), receiver=st.tuples(abscissas, radii, angles))
def test_every_path_obeys_the_law_of_reflection(
    source: tuple[float, float, float],
    receiver: tuple[float, float, float],
) -> None:
    start, end = in_hull(*source), in_hull(*receiver)
    assume(np.linalg.norm(start - end) > 0.01)
    ways = directions(start, end, 2)
    for way, length_m, bounces in ways:
        landed, counted = shoot(start, way, length_m)
        assert landed == pytest.approx(end, abs=5e-9)  # at the centre the receiver is moved by 1e-9
        assert counted == bounces
    found = row(HULL.paths(start, end[None], 2))
    assert len(found) == len(ways)
    for _, length_m, bounces in ways:
        assert min(abs(length_m - other) + abs(bounces - count) for other, count in found) < 1e-9


@settings(deadline=None, max_examples=60)
@given(
    source=st.tuples(radii, angles),
    receiver=st.tuples(radii, angles),
    bounces=st.integers(1, 3),
)
def test_no_path_is_missed(source: tuple[float, float], receiver: tuple[float, float], bounces: int) -> None:
    start, end = polar(*source), polar(*receiver)
    launch_rad = np.linspace(0.1234, 0.1234 + 2.0 * math.pi, 40_001)
    place, heading, length = flat_rays(start, launch_rad, bounces)
    ahead = end - place
    miss = ahead[:, 0] * heading[:, 1] - ahead[:, 1] * heading[:, 0]
    crossing = np.nonzero(np.signbit(miss[1:]) != np.signbit(miss[:-1]))[0]
    width = np.abs(np.diff(miss))[crossing] / (launch_rad[1] - launch_rad[0])
    shot_m = (length + np.sum(ahead * heading, axis=1))[crossing][width > WIDE_M]
    found_m = rim_paths(RADIUS_M, start, end[None], bounces).length_m
    for length_m in shot_m:
        # a ray between two of the scan is off by at most its step of 1.6e-4 rad times the hull's size
        assert np.abs(found_m - length_m).min() < 2e-3
    assert len(found_m) >= 2


@settings(deadline=None, max_examples=60)
@given(source=st.tuples(abscissas, radii, angles), receiver=st.tuples(abscissas, radii, angles))
def test_gain_is_that_of_a_pencil_of_rays(
    source: tuple[float, float, float],
    receiver: tuple[float, float, float],
) -> None:
    start, end = in_hull(*source), in_hull(*receiver)
    assume(np.linalg.norm(start - end) > 0.1)
    found = HULL.paths(start, end[None], 2)
    step_rad = 1e-6
    for way, length_m, _ in directions(start, end, 2):
        along = way / length_m
        first = np.cross(along, [0.3, 0.5, 0.8])
        if np.linalg.norm(first) < 0.1:
            continue
        first /= np.linalg.norm(first)
        second = np.cross(along, first)
        sides = [
            shoot(start, along + step, length_m)[0] - shoot(start, along - step, length_m)[0]
            for step in (step_rad * first, step_rad * second)
        ]
        area_m2 = float(np.linalg.norm(np.cross(sides[0], sides[1]))) / (2.0 * step_rad) ** 2
        column = int(np.argmin(np.abs(found.length_m[0] - length_m)))
        focus = found.gain[0, column] * length_m
        if area_m2 > (length_m / 2.5) ** 2:  # well below the bound of 3
            assert focus == pytest.approx(length_m / math.sqrt(area_m2), rel=1e-3)
        assert focus <= 3.0 + 1e-12


@settings(deadline=None, max_examples=40)
@given(near=st.tuples(abscissas, radii, angles), far=st.tuples(abscissas, radii, angles))
def test_wide_paths_are_the_same_both_ways(
    near: tuple[float, float, float],
    far: tuple[float, float, float],
) -> None:
    first, second = in_hull(*near), in_hull(*far)
    there, back = HULL.paths(first, second[None], 2), HULL.paths(second, first[None], 2)
    clear = there.gain[0] * there.length_m[0].clip(max=1e3) < 2.0  # away from caustics
    for length_m, gain in zip(there.length_m[0, clear], there.gain[0, clear], strict=True):
        if math.isfinite(length_m):
            nearest = np.abs(back.length_m[0] - length_m) + np.abs(back.gain[0] - gain)
            assert nearest.min() < 1e-6


@settings(deadline=None, max_examples=40)
@given(
    source=st.tuples(abscissas, st.floats(0.05, 0.97), angles),
    receiver=st.tuples(abscissas, st.floats(0.05, 0.97), angles),
    turn_rad=angles,
)
def test_turning_the_hull_changes_nothing(
    source: tuple[float, float, float],
    receiver: tuple[float, float, float],
    turn_rad: float,
) -> None:
    plain = HULL.paths(in_hull(*source), in_hull(*receiver)[None], 1)
    turned = HULL.paths(
        in_hull(source[0], source[1], source[2] + turn_rad),
        in_hull(receiver[0], receiver[1], receiver[2] + turn_rad)[None],
        1,
    )
    for length_m in plain.length_m[0, plain.gain[0] * plain.length_m[0].clip(max=1e3) < 2.0]:
        assert np.abs(turned.length_m[0] - length_m).min() < 1e-7


def test_on_a_diameter() -> None:
    # source at +0.5, receiver at -0.8: 2R - 0.5 + 0.8 by the near rim, 2R + 0.5 - 0.8 by the far one
    found = rim_paths(RADIUS_M, np.array([0.5, 0.0]), np.array([[-0.8, 0.0]]), 1)
    for expected_m in (2.0 * RADIUS_M + 0.3, 2.0 * RADIUS_M - 0.3):
        assert np.abs(found.length_m - expected_m).min() < 1e-9


@pytest.mark.parametrize("bounces", [1, 2, 3])
def test_from_the_centre_all_rays_come_back_through_it(bounces: int) -> None:
    found = rim_paths(RADIUS_M, np.zeros(2), np.array([[0.0, 0.7]]), bounces)
    expected_m = [2.0 * bounces * RADIUS_M - 0.7, 2.0 * bounces * RADIUS_M + 0.7]
    assert sorted(found.length_m) == pytest.approx(expected_m, abs=1e-9)
    assert found.width_m == pytest.approx(0.7, abs=1e-9)  # 0.7 m beyond or before the focus


def test_centre_to_centre_is_a_bounded_focus() -> None:
    found = HULL.paths(np.array([4.0, 0.0, 0.0]), np.array([[4.0, 0.0, 0.0]]), 1)
    bounced = np.abs(found.length_m[0] - 2.0 * RADIUS_M) < 1e-5
    assert bounced.sum() == 2
    assert found.gain[0, bounced] == pytest.approx(3.0 / (2.0 * RADIUS_M), rel=1e-5)


@pytest.mark.parametrize("gap_m", [0.0, 0.5e-3, 1e-3, -0.5e-3])
def test_source_on_the_wall_has_no_bounce_at_itself(gap_m: float) -> None:
    source = np.array([4.0, RADIUS_M - gap_m, 0.0])
    receiver = np.array([4.0, -0.8, 0.0])
    found = HULL.paths(source, receiver[None], 1)
    assert found.length_m[0, 0] == pytest.approx(RADIUS_M + 0.8, abs=1e-12)
    assert found.bounces[0, 0] == 0
    wall_m = found.length_m[0, np.isfinite(found.length_m[0])][1:]
    assert wall_m.min() > RADIUS_M + 0.8 + 0.1
    assert np.abs(wall_m - (3.0 * RADIUS_M - 0.8)).min() < 1e-9


def test_source_on_the_wall_to_a_microphone_on_the_wall() -> None:
    # both on the rim, 100 degrees apart: k bounces cut the arc (or the rest of the circle) into k + 1 equal
    # chords; the rim at the microphone mirrors too, so k chords with a bounce at their end are a path as well
    apart = math.radians(100.0)
    source = np.array([4.0, RADIUS_M, 0.0])
    receiver = in_hull(4.0, 1.0, apart)
    found = HULL.paths(source, receiver[None], 1)
    chord_m = 2.0 * RADIUS_M * math.sin(apart / 2.0)
    one_way_m = 4.0 * RADIUS_M * math.sin(apart / 4.0)
    other_way_m = 4.0 * RADIUS_M * math.sin((2.0 * math.pi - apart) / 4.0)
    ends_m = math.hypot(chord_m, 8.0)
    here = np.isfinite(found.length_m[0])
    assert found.length_m[0, here] == pytest.approx(
        [chord_m, chord_m, one_way_m, other_way_m, ends_m, ends_m],
        abs=1e-9,
    )
    assert found.bounces[0, here].tolist() == [0, 1, 1, 1, 1, 1]
