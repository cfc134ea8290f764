"""How a position is said to people."""

import pytest

from firmware_bridge.site.landmarks import Directions, Landmark, describe_position
from tests.support.sites import small_site

SITE = small_site()


@pytest.mark.parametrize(
    ("position_m", "words"),
    [
        ((1.0, 1.0, 0.0), "at the toilet panel"),
        ((1.02, 1.0, 0.0), "at the toilet panel"),
        ((1.12, 1.0, 0.0), "0.12 m aft of the toilet panel"),
        ((0.88, 1.0, 0.0), "0.12 m forward of the toilet panel"),
        ((1.0, 1.5, 0.1), "0.50 m starboard of the toilet panel"),
        ((1.0, 0.6, 0.3), "0.30 m above and 0.40 m port of the toilet panel"),
        ((1.3, 0.8, -0.5), "0.50 m below and 0.30 m aft of the toilet panel"),
        ((3.9, 1.5, 1.0), "0.10 m forward of the window"),
    ],
)
def test_the_nearest_landmark_with_at_most_two_directions(position_m: tuple[float, float, float], words: str) -> None:
    assert describe_position(position_m, SITE.landmarks, SITE.directions) == words


def test_a_second_direction_is_named_from_two_fifths_of_the_first() -> None:
    said = [describe_position((1.0 + x, 1.0 + 0.5, 0.0), SITE.landmarks, SITE.directions) for x in (0.19, 0.21)]
    assert said == ["0.50 m starboard of the toilet panel", "0.50 m starboard and 0.21 m aft of the toilet panel"]


@pytest.mark.parametrize(
    ("position_m", "words"),
    [
        ((0.0, 0.0, 0.4), "0.40 m above the gauge"),
        ((0.0, 0.0, -0.4), "0.40 m below the gauge"),
        ((-0.4, 0.0, 0.0), "0.40 m left of the gauge"),
        ((0.4, 0.0, -0.3), "0.30 m below and 0.40 m right of the gauge"),
        ((0.3, -0.4, 0.0), "0.40 m in front and 0.30 m right of the gauge"),
        ((0.3, 0.4, 0.0), "0.40 m behind and 0.30 m right of the gauge"),
        ((0.0, 0.4, 0.3), "0.40 m behind and 0.30 m above the gauge"),
        ((0.0, -0.4, 0.3), "0.40 m in front of and 0.30 m above the gauge"),
    ],
)
def test_directions_are_said_as_people_say_them(position_m: tuple[float, float, float], words: str) -> None:
    gauge, sides = (
        Landmark("gauge", (0.0, 0.0, 0.0)),
        Directions(("left", "right"), ("front", "back"), ("below", "above")),
    )
    assert describe_position(position_m, [gauge], sides) == words


@pytest.mark.parametrize(
    ("position_m", "words"),
    [
        ((-0.4, 0.0, 0.0), "0.40 m toward the node from the gauge"),
        ((0.0, 0.0, -0.4), "0.40 m toward the deck from the gauge"),
        ((0.4, 0.3, 0.0), "0.40 m away from the node and 0.30 m port from the gauge"),
        ((0.0, 0.3, 0.0), "0.30 m port of the gauge"),
    ],
)
def test_directions_of_several_words(position_m: tuple[float, float, float], words: str) -> None:
    gauge = Landmark("gauge", (0.0, 0.0, 0.0))
    sides = Directions(("toward the node", "away from the node"), ("starboard", "port"), ("deck", "overhead"))
    assert describe_position(position_m, [gauge], sides) == words


def test_without_landmarks_there_is_nothing_to_say() -> None:
    assert describe_position((0.0, 0.0, 0.0), (), SITE.directions) is None
