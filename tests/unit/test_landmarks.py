"""How a position is said to people."""

import pytest

from firmware_bridge.site.landmarks import describe_position
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
        ((1.0, 0.6, 0.3), "0.40 m port and 0.30 m above of the toilet panel"),
        ((1.3, 0.8, -0.5), "0.50 m below and 0.30 m aft of the toilet panel"),
        ((3.9, 1.5, 1.0), "0.10 m forward of the window"),
    ],
)
def test_the_nearest_landmark_with_at_most_two_directions(position_m: tuple[float, float, float], words: str) -> None:
    assert describe_position(position_m, SITE.landmarks, SITE.directions) == words


def test_a_second_direction_is_named_from_two_fifths_of_the_first() -> None:
    said = [describe_position((1.0 + x, 1.0 + 0.5, 0.0), SITE.landmarks, SITE.directions) for x in (0.19, 0.21)]
    assert said == ["0.50 m starboard of the toilet panel", "0.50 m starboard and 0.21 m aft of the toilet panel"]


def test_without_landmarks_there_is_nothing_to_say() -> None:
    assert describe_position((0.0, 0.0, 0.0), (), SITE.directions) is None
