"""The paths of a box, against mirror images worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.world.sound.room import BoxRoom, CylinderRoom, Room

BOX = BoxRoom(4.0, 3.0, 2.0)


def at(*coordinates: float) -> NDArray[np.float64]:
    return np.array(coordinates)


def test_six_walls_mirror_a_source_once() -> None:
    found = BOX.paths(at(1.0, 1.0, 1.0), at(3.0, 2.0, 1.0)[None], 1)
    expected_m = np.sqrt([5.0, 9.0, 9.0, 13.0, 13.0, 17.0, 17.0])  # direct, z walls, y walls, x walls
    assert found.length_m[0] == pytest.approx(expected_m, rel=1e-14)
    assert found.bounces[0].tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert found.gain[0] == pytest.approx(1.0 / expected_m, rel=1e-14)


@pytest.mark.parametrize(("reflections", "images"), [(0, 1), (1, 7), (2, 25), (3, 63)])
def test_number_of_images(reflections: int, images: int) -> None:
    found = BOX.paths(at(1.1, 1.2, 0.9), at(3.0, 2.0, 1.0)[None], reflections)
    assert found.length_m.shape == (1, images)
    assert np.isfinite(found.length_m).all()


@pytest.mark.parametrize("gap_m", [0.0, 1e-3, -1e-3])
def test_source_on_a_wall_is_not_mirrored_by_it(gap_m: float) -> None:
    found = BOX.paths(at(gap_m, 1.0, 1.0), at(3.0, 2.0, 1.0)[None], 1)
    # direct 10; z walls 10 + 4; y walls 9 + 9; the far x wall 25 + 1
    assert found.length_m[0] == pytest.approx(np.sqrt([10.0, 14.0, 14.0, 18.0, 18.0, 26.0]), rel=1e-14)
    assert found.bounces[0].tolist() == [0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("wall_x_m", [0.0, 4.0])
def test_source_on_a_wall_meets_each_image_place_once(wall_x_m: float) -> None:
    found = BOX.paths(at(wall_x_m, 1.3, 0.8), at(2.9, 2.0, 1.1)[None], 3)
    assert np.diff(found.length_m[0]).min() > 1e-6


def test_receivers_of_unequal_rows_are_padded() -> None:
    # between the direct sound and an echo inside a circle some receivers have more paths than others
    hull = CylinderRoom(2.0, 5.0)
    receivers = np.array([[1.0, 1.9, 0.1], [1.0, -1.9, 0.1], [1.0, 0.2, 0.1]])
    found = hull.paths(at(1.0, 1.5, 0.0), receivers, 2)
    missing = ~np.isfinite(found.length_m)
    assert missing.any()
    assert not found.bounces[missing].any()
    assert not found.gain[missing].any()
    assert (found.gain[~missing] > 0.0).all()
    assert not found.length_m.flags.writeable


@given(
    near=st.tuples(st.floats(0.05, 3.95), st.floats(0.05, 2.95), st.floats(0.05, 1.95)),
    far=st.tuples(st.floats(0.05, 3.95), st.floats(0.05, 2.95), st.floats(0.05, 1.95)),
)
def test_a_path_has_the_same_length_both_ways(
    near: tuple[float, float, float],
    far: tuple[float, float, float],
) -> None:
    there = BOX.paths(np.array(near), np.array(far)[None], 2).length_m
    back = BOX.paths(np.array(far), np.array(near)[None], 2).length_m
    assert there == pytest.approx(back, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("room", [BOX, CylinderRoom(2.0, 4.0)])
@pytest.mark.parametrize("outside", [(-0.1, 1.0, 1.0), (1.0, 1.0, 2.1), (4.1, 1.0, 1.0)])
def test_refuses_points_outside(room: Room, outside: tuple[float, float, float]) -> None:
    inside = at(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="outside the room"):
        room.paths(np.array(outside), inside[None], 1)
    with pytest.raises(ValueError, match="outside the room"):
        room.paths(inside, np.array([inside, outside]), 1)


def test_refuses_negative_reflections() -> None:
    with pytest.raises(ValueError, match="cannot reflect"):
        BOX.paths(at(1.0, 1.0, 1.0), at(2.0, 1.0, 1.0)[None], -1)


def test_gain_stops_rising_at_a_centimetre() -> None:
    found = BOX.paths(at(1.0, 1.0, 1.0), at(1.0, 1.0, 1.0)[None], 0)
    assert found.length_m[0, 0] == 0.0
    assert math.isclose(found.gain[0, 0], 100.0)
