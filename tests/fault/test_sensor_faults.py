"""Faults of sensors: each acts between its times and nowhere else."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from firmware_bridge.wire.commands import Levels
from firmware_bridge.wire.reports import BandLevels, BurstPiece, Samples
from sim.scenario.faults import FaultTable
from tests.support.faulty_runs import (
    ARRAY,
    BURSTS,
    FROM_S,
    MICROPHONE,
    NODE,
    RATE_HZ,
    SAMPLES,
    SENSOR,
    TRUE_COUNT,
    UNTIL_S,
    fault,
    healthy,
    run,
    split,
)


def test_without_faults_the_cabin_reads_as_it_is() -> None:
    counts = healthy().counts(NODE)
    assert len(counts) == pytest.approx(118, abs=2)
    assert np.abs(counts[:, 1] - TRUE_COUNT).max() <= 6


def test_readings_of_samples_are_as_many_as_asked_for() -> None:
    assert {report.period_ns for _, report in healthy().of_kind(NODE, Samples)} == {500_000_000}


def stuck_at_one(counts: np.ndarray) -> bool:
    return len(set(counts[:, 1])) == 1


SENSOR_FAULTS: list[tuple[str, dict[str, Any], Callable[[np.ndarray], bool]]] = [
    ("off", {}, lambda c: (c[:, 1] == 0).all()),
    ("off", {"reads": "full_scale"}, lambda c: (c[:, 1] == 2**23 - 1).all()),
    ("stuck", {}, stuck_at_one),
    ("garbage", {"share": 0.5}, lambda c: 5 < np.sum(np.abs(c[:, 1] - TRUE_COUNT) > 100) < 35),
    ("wrong", {"offset": 100.0}, lambda c: np.abs(c[:, 1] - TRUE_COUNT - 10_000).max() <= 6),
    ("wrong", {"gain": 1.01}, lambda c: np.abs(c[:, 1] - 1.01 * TRUE_COUNT).max() <= 7),
    (
        "wrong",
        {"ramp_per_hour": -3600.0},
        lambda c: np.abs(c[:, 1] - TRUE_COUNT + 100 * (c[:, 0] - FROM_S)).max() <= 8,
    ),
    ("slow", {"lag_s": 30.0}, lambda c: np.ptp(c[:, 1]) <= 3),
    ("intermittent", {"share": 0.5, "mean_s": 2.0}, lambda c: 3 < np.sum(c[:, 1] == 0) < 37),
]


@pytest.mark.parametrize(("kind", "keys", "acts"), SENSOR_FAULTS)
def test_a_slow_sensor_fails_in_its_time_only(
    kind: str, keys: dict[str, Any], acts: Callable[[np.ndarray], bool]
) -> None:
    faulty = run(fault("sensor", SENSOR, kind, **keys))
    during, otherwise = split(faulty.counts(NODE))
    _, expected = split(healthy().counts(NODE))
    assert len(during) == 40
    assert acts(during)
    assert np.array_equal(otherwise, expected)
    assert np.array_equal(faulty.counts(NODE, 1), healthy().counts(NODE, 1))  # the thermometer beside it is well


def test_a_delayed_sensor_reports_what_it_felt_before() -> None:
    faulty = run(fault("sensor", SENSOR, "delayed", delay_s=3.0)).counts(NODE)
    true = healthy().counts(NODE)
    inside = np.flatnonzero((true[:, 0] >= FROM_S) & (true[:, 0] < UNTIL_S))
    assert np.array_equal(faulty[inside, 1], true[inside - 6, 1])  # two readings a second
    assert np.array_equal(np.delete(faulty, inside, 0), np.delete(true, inside, 0))


def test_faults_of_one_sensor_work_one_after_the_other_and_apart() -> None:
    offset = fault("sensor", SENSOR, "wrong", offset=50.0)
    garbage = fault("sensor", SENSOR, "garbage", share=0.3)
    alone = run(offset, fault("sensor", "P2-pressure", "garbage", share=0.9)).counts(NODE)
    assert np.array_equal(run(offset).counts(NODE), alone)  # a fault elsewhere changes nothing
    both, _ = split(run(offset, garbage).counts(NODE))
    assert np.sum(np.abs(both[:, 1] - TRUE_COUNT - 5000) <= 6) > 15


def bursts(*faults: FaultTable) -> dict[int, np.ndarray]:
    heard = run(*faults, script=BURSTS)
    found: dict[int, list[np.ndarray]] = {}
    for _, piece in heard.of_kind(ARRAY, BurstPiece):
        found.setdefault(piece.burst_id, []).append(piece.counts)
    return {burst_id: np.concatenate(pieces, axis=1) for burst_id, pieces in found.items()}


@cache
def healthy_bursts() -> dict[int, np.ndarray]:
    return bursts()


FAST_FAULTS: list[tuple[str, dict[str, Any], Callable[[np.ndarray, np.ndarray], bool]]] = [
    ("off", {}, lambda now, true: not now.any()),
    ("off", {"reads": "full_scale"}, lambda now, true: (now == 8191).all()),
    ("stuck", {}, lambda now, true: (now == true[0]).all()),
    ("garbage", {"share": 0.1}, lambda now, true: 300 < np.sum(now != true) < 530),
    ("wrong", {"gain": -2.0}, lambda now, true: np.array_equal(now, -2 * true)),
    ("slow", {"lag_s": 0.001}, lambda now, true: np.std(now) < 0.1 * np.std(true)),
    ("delayed", {"delay_s": 0.5}, lambda now, true: abs(np.corrcoef(now, true)[0, 1]) < 0.2),
    ("intermittent", {"share": 0.5, "mean_s": 0.01}, lambda now, true: 0 < np.sum(now != true) < SAMPLES),
]


@pytest.mark.parametrize(("kind", "keys", "acts"), FAST_FAULTS)
def test_a_microphone_fails_in_its_time_only(
    kind: str, keys: dict[str, Any], acts: Callable[[np.ndarray, np.ndarray], bool]
) -> None:
    faulty, true = bursts(fault("sensor", MICROPHONE, kind, **keys)), healthy_bursts()
    assert acts(faulty[2][0], true[2][0])
    assert np.array_equal(faulty[2][1:], true[2][1:])
    for burst_id in (1, 3):
        assert np.array_equal(faulty[burst_id], true[burst_id])


def test_a_fault_that_begins_within_a_burst_begins_at_its_sample() -> None:
    begins_s = 30.0 + 0.01
    now, true = bursts(fault("sensor", MICROPHONE, "off", begins_s))[2][0], healthy_bursts()[2][0]
    changed = np.flatnonzero(now != true)
    assert changed[0] == pytest.approx(0.01 * RATE_HZ, abs=40)  # where the sound happens to be zero nothing changes
    assert not now[1925:].any()


def levels(*faults: FaultTable) -> np.ndarray:
    heard = run(*faults, script=((1.0, ARRAY, Levels(1000)),))
    return np.array([[at_s, *report.mean_square[0]] for at_s, report in heard.of_kind(ARRAY, BandLevels)])


@cache
def healthy_levels() -> np.ndarray:
    return levels()


@pytest.mark.parametrize(
    ("kind", "keys", "low", "high"),
    [
        ("off", {}, 0.0, 0.0),
        ("stuck", {}, 0.0, 0.0),
        ("wrong", {"gain": 3.0}, 9.0, 9.0),
        ("garbage", {"share": 0.01}, 1e3, 1e9),
        ("slow", {"lag_s": 1e-4}, 1e-5, 0.01),
    ],
)
def test_levels_fail_with_their_microphone(kind: str, keys: dict[str, Any], low: float, high: float) -> None:
    faulty, true = levels(fault("sensor", MICROPHONE, kind, **keys)), healthy_levels()
    inside = (true[:, 0] > FROM_S + 1.0) & (true[:, 0] < UNTIL_S + 1.0)  # reported at the window's end
    ratio = faulty[inside, 1:] / true[inside, 1:]
    assert (ratio >= low * 0.999).all()
    assert (ratio <= high * 1.001).all()
    outside = (true[:, 0] <= FROM_S) | (true[:, 0] > UNTIL_S + 2.0)
    assert np.array_equal(faulty[outside], true[outside])
