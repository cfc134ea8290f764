"""Figures of EEMUA 191, each against a story that was counted by hand."""

import pytest

from controller.alarm.statistics import Moved, Statistics, statistics
from controller.alarm.types import AlarmClass, AlarmState

HOUR_S, DAY_S = 3600.0, 86_400.0
NORMAL, RAISED, NOTICED = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED


def moved(
    at_s: float,
    key: str = "nodes",
    state: AlarmState = RAISED,
    cause: str = "raised",
    alarm_class: AlarmClass = AlarmClass.CAUTION,
) -> Moved:
    return Moved(at_s, key, alarm_class, state, cause)


def flood(start_s: float, count: int, every_s: float, key: str = "nodes") -> list[Moved]:
    return [moved(start_s + i * every_s, key, cause="grew") for i in range(count)]


def test_nothing_is_nothing() -> None:
    found = statistics([], 0.0, DAY_S)
    assert (found.announced, found.mean_per_day, found.flood_share, found.standing) == (0, 0.0, 0.0, 0)
    assert found.median_acknowledged_s is None
    assert found.complaints == ()
    assert statistics([], 5.0, 5.0).flood_share is None


def test_means_and_peaks() -> None:
    """144 alarms, one every ten minutes, is EEMUA's limit; the busiest hour holds seven of them, both ends counted."""
    found = statistics([moved(600.0 * i) for i in range(144)], 0.0, DAY_S)
    assert found.announced == 144
    assert found.mean_per_10_min == pytest.approx(1.0)
    assert found.mean_per_hour == pytest.approx(6.0)
    assert found.mean_per_day == pytest.approx(144.0)
    assert (found.peak_per_10_min, found.peak_per_hour) == (2, 7)
    assert found.flood_share == 0.0
    assert found.complaints == ()


def test_a_short_journal_does_not_say_what_a_day_brings() -> None:
    found = statistics([moved(10.0)], 0.0, 700.0)
    assert found.mean_per_10_min == pytest.approx(600 / 700)
    assert found.mean_per_hour is None
    assert found.mean_per_day is None


def test_a_flood_begins_with_the_tenth_and_ends_when_fewer_than_five_are_left() -> None:
    """Twelve at 0, 10, ... 110 s: the tenth comes at 90; in the ten minutes before 670 only four are left."""
    found = statistics(flood(0.0, 12, 10.0), 0.0, HOUR_S)
    assert found.floods == 1
    assert found.flood_share == pytest.approx((670.0 - 90.0) / HOUR_S)
    assert found.peak_per_10_min == 12
    assert any("in flood" in complaint for complaint in found.complaints)
    nine = statistics(flood(0.0, 9, 10.0), 0.0, HOUR_S)
    assert (nine.floods, nine.flood_share) == (0, 0.0)


def test_a_flood_that_lasts_is_counted_to_the_end_of_the_span() -> None:
    found = statistics(flood(0.0, 12, 10.0), 0.0, 300.0)
    assert found.flood_share == pytest.approx((300.0 - 90.0) / 300.0)


def test_chatter_is_three_in_a_minute_of_one_alarm() -> None:
    chattering = flood(0.0, 3, 30.0, "links")
    slow = flood(0.0, 3, 31.0, "nodes")
    found = statistics(chattering + slow, 0.0, HOUR_S)
    assert found.chattering == ("links",)
    assert found.most_frequent == (("links", 3), ("nodes", 3))


def test_what_stands_for_a_day_is_stale() -> None:
    moves = [
        moved(0.0, "nodes"),
        moved(10.0, "nodes", NOTICED, "by Gerst"),
        moved(0.0, "links"),
        moved(50.0, "links", NORMAL, "returned"),
        moved(DAY_S, "siren"),
        moved(1.0, "sensors", AlarmState.SHELVED, "shelved by Gerst"),
    ]
    found = statistics(moves, 0.0, DAY_S + 100.0)
    assert (found.standing, found.stale, found.quieted) == (2, ("nodes",), 1)


def test_how_long_people_take() -> None:
    moves = []
    for start_s, wait_s in ((0.0, 10.0), (100.0, 20.0), (200.0, 60.0)):
        moves += [moved(start_s), moved(start_s + wait_s, state=NOTICED, cause="by Gerst")]
        moves += [moved(start_s + 90.0, state=NORMAL, cause="returned")]
    assert statistics(moves, 0.0, HOUR_S).median_acknowledged_s == pytest.approx(20.0)


def test_notice_of_what_was_over_by_then_counts() -> None:
    """It called at 0 s, was over at 30 s, and somebody took notice at 50 s."""
    over = moved(30.0, state=AlarmState.RETURNED_UNACKNOWLEDGED, cause="returned")
    moves = [moved(0.0), over, moved(50.0, state=NORMAL, cause="by Gerst")]
    assert statistics(moves, 0.0, HOUR_S).median_acknowledged_s == pytest.approx(50.0)


def test_news_and_restarts_call_nobody() -> None:
    moves = [moved(0.0), moved(1.0, cause="new evidence"), moved(2.0, cause="recovered")]
    assert statistics(moves, 0.0, HOUR_S).announced == 1


def test_classes_are_counted_and_what_lies_before_the_span_only_says_how_things_stood() -> None:
    moves = [
        moved(-DAY_S * 2, "siren"),
        *[moved(float(i), alarm_class=AlarmClass.ADVISORY) for i in range(4)],
        moved(10.0, alarm_class=AlarmClass.EMERGENCY),
        moved(HOUR_S + 1.0),
    ]
    found: Statistics = statistics(moves, 0.0, HOUR_S)
    assert found.by_class == {
        AlarmClass.EMERGENCY: 1,
        AlarmClass.WARNING: 0,
        AlarmClass.CAUTION: 0,
        AlarmClass.ADVISORY: 4,
    }
    assert found.stale == ("siren",)
