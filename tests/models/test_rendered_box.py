"""The boxes of the table of peers hold what their columns say, and what is absent is skipped."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import least_squares, table
from benchmarks.peers.asked import missing
from benchmarks.peers.rendered_box import BOUNCES, SAMPLES, SIZE_M, Condition, scene


def power(signals: np.ndarray) -> float:
    return float(np.mean(signals**2))


def test_a_box_has_the_noise_and_the_valve_that_its_column_says(tmp_path: Path) -> None:
    """Means over 16 x 16,384 samples are good to 1 %; the sounds' own spread over a burst is 3 % at most."""
    loud = scene(Condition("loud", 30.0), 3, tmp_path / "loud")
    even = scene(Condition("even", 0.0), 3, tmp_path / "even")
    valve = scene(Condition("valve", 30.0, quiet=1, valve_db=8.0), 3, tmp_path / "valve")
    assert np.array_equal(loud.leak_m, even.leak_m)
    assert loud.signals.shape == (1, 16, SAMPLES)
    assert power(even.signals) / power(loud.signals) == pytest.approx(2.0 / (1 + 1e-3), rel=0.05)
    assert 10 * math.log10(power(valve.quiet) / power(loud.signals)) == pytest.approx(8.0, abs=0.3)


def test_leaks_are_on_the_wall_and_microphones_inside(tmp_path: Path) -> None:
    one = scene(Condition("loud", 30.0), 5, tmp_path)
    gaps = np.minimum(one.leak_m, np.array(SIZE_M) - one.leak_m)
    assert np.min(gaps) == pytest.approx(0.0, abs=1e-9)
    assert np.all(one.microphones_m > 0.0) and np.all(one.microphones_m < np.array(SIZE_M))
    assert BOUNCES > 0


def test_a_peer_that_is_not_installed_is_skipped() -> None:
    why = missing("a_package_that_nobody_has")
    assert why is not None and "a_package_that_nobody_has" in why
    rows = [table.Result(least_squares.NAME, why), table.Result(table.TEXTBOOK)]
    rows[1].add(table.TIMED, 0.015, 0.2)
    rows[1].add(table.TIMED, math.nan, 0.2)
    told = table.table(rows)
    assert f"{least_squares.NAME} | skipped: ModuleNotFoundError" in told
    assert "0.50 / 0.50 (2)" in told and "0 / 1" in told


def test_conditions_have_names_of_their_own() -> None:
    names = [condition.name for condition in table.CONDITIONS]
    assert len(set(names)) == len(names)
    assert table.TIMED in names
