"""Hatches in an order that leaves people their way home, and for how long."""

import math

import pytest

from controller.isolate.moves import OPEN_BY, at_stake, crew_reserve_s, hold_s, moves_between, shut_off
from controller.isolate.settings import Settings
from controller.isolate.station import Passage, Station
from firmware_bridge.units import PA_PER_MMHG
from tests.support.searching import PRESSURE_PA, STATION

LIMIT_PA = 490.0 * PA_PER_MMHG


def names(shut: set[str], wanted: set[str], station: Station = STATION) -> list[str] | None:
    moves = moves_between(station, frozenset(shut), frozenset(wanted))
    return None if moves is None else [f"{'open' if m.opens else 'shut'} {m.hatch}" for m in moves]


def test_far_hatches_are_shut_first_and_near_ones_opened_first() -> None:
    assert names(set(), {"a", "b", "c"}) == ["shut c", "shut a", "shut b"]
    assert names({"b", "c"}, set()) == ["open b", "open c"]
    assert names({"b"}, {"c"}) == ["open b", "shut c"]


def test_nobody_is_sent_behind_a_shut_hatch() -> None:
    """With `b` shut, nobody who stays with the lifeboat reaches `c`."""
    assert names({"b"}, {"b", "c"}) is None
    assert names({"b", "c"}, {"b"}) is None
    motors = Station(
        STATION.rooms,
        STATION.volumes_m3,
        tuple(Passage(p.name, p.between, motorised=True) for p in STATION.passages),
        STATION.lifeboats,
    )
    assert names({"b"}, {"b", "c"}, motors) == ["shut c"]


def test_parts_are_what_open_hatches_join() -> None:
    assert STATION.parts(()) == (frozenset(STATION.rooms),)
    assert STATION.parts({"a", "c"}) == (frozenset({"tunnel"}), frozenset({"home", "store"}), frozenset({"rest"}))
    assert STATION.part_of("store", {"a", "c"}) == frozenset({"home", "store"})
    assert STATION.volume_m3({"home", "store"}) == pytest.approx(154.0)


def hold(shut: set[str], leaking: dict[str, float], across: dict[str, float] | None = None) -> float:
    return hold_s(STATION, frozenset(shut), leaking, 2e-4, PRESSURE_PA, across or {}, Settings())


def test_a_hatch_stays_shut_for_half_the_time_of_one_mmhg() -> None:
    """T1mm of 89 m3 at 2e-4 m3/s is 133.3 / (2e-4 * 97330 / 89) = 609.6 s; half of that, and time to walk there."""
    t1mm_s = PA_PER_MMHG / (2e-4 * PRESSURE_PA / 89.0)
    everywhere = dict.fromkeys(STATION.rooms, 0.25)
    assert hold({"b"}, everywhere) == pytest.approx(OPEN_BY * t1mm_s / 2)
    assert hold({"b"}, everywhere, {"b": -30.0}) == pytest.approx(
        (OPEN_BY * PA_PER_MMHG / 2 - 30.0) / PA_PER_MMHG * t1mm_s
    )
    assert hold({"b"}, everywhere, {"b": 66.0}) == 0.0  # it would jam by now
    far = {"tunnel": 0.0, "home": 0.0, "store": 0.5, "rest": 0.5}
    assert hold({"b"}, far) == pytest.approx(OPEN_BY * t1mm_s / 2 * 827.0 / 89.0)


def test_the_last_suspect_may_stay_shut_off() -> None:
    """If it leaks the search is over; but not where the lifeboat hangs."""
    assert hold({"c"}, {"tunnel": 0.0, "home": 0.0, "store": 0.0, "rest": 1.0}) == math.inf
    assert hold({"a"}, {"tunnel": 0.5, "home": 0.5, "store": 0.0, "rest": 0.0}) < math.inf


def test_at_stake_are_hatches_beside_suspects() -> None:
    assert at_stake(STATION, frozenset({"a", "c"}), {"tunnel": 0.0, "home": 0.0, "store": 0.0, "rest": 1.0}) == {"c"}


def test_people_keep_a_reserve() -> None:
    """V / G ln(P / limit) of the volume that holds the lifeboat."""
    parts = STATION.parts({"b"})
    leaking = dict.fromkeys(parts, 0.5)
    expected = 89.0 / 1e-2 * math.log(PRESSURE_PA / LIMIT_PA)
    assert crew_reserve_s(STATION, leaking, 1e-2, PRESSURE_PA, LIMIT_PA) == pytest.approx(expected)
    assert crew_reserve_s(STATION, {parts[1]: 1.0}, 1e-2, PRESSURE_PA, LIMIT_PA) == math.inf
    assert crew_reserve_s(STATION, leaking, 1e-2, LIMIT_PA, LIMIT_PA) == 0.0


def test_what_is_shut_off_at_the_end() -> None:
    assert shut_off(STATION, "store") == {"b", "c"}
    assert shut_off(STATION, "home") == frozenset()  # the lifeboat hangs there
