"""What temperature does to pressure, against the energy balance of a leaking volume and the gas law."""

import math

import numpy as np
import pytest

from controller.detect.pressure_gas import COOLS, SEEN_SIGMA, Cooling, ExpansionCooling, Thermometers
from firmware_bridge.units import NS_PER_S

GAMMA = 1.4


def leaking(per_s: float, settle_s: float, dt_s: float, seconds: float) -> tuple[list[float], list[float]]:
    """ln P and ln T of a volume that loses `per_s` of its gas a second: d ln T = -(g - 1) k dt - ln T dt / tau."""
    log_p, log_t, log_m, warm = [0.0], [0.0], 0.0, 0.0
    steps = 20
    for _ in range(round(seconds / dt_s)):
        for _ in range(steps):
            h = dt_s / steps
            log_m -= per_s * h
            warm += h * (-(GAMMA - 1.0) * per_s - warm / settle_s)
        log_p.append(log_m + warm)
        log_t.append(warm)
    return log_p, log_t


@pytest.mark.parametrize("dt_s", [0.5, 5.0, 60.0])
def test_expansion_cools_as_the_energy_balance_says(dt_s: float) -> None:
    log_p, log_t = leaking(2.7e-4, 90.0, dt_s, 600.0)
    cooling = ExpansionCooling(90.0)
    found = [cooling.take(value, dt_s) for value in log_p]
    # Exact for a pressure that changes evenly over each step: a minute is not short beside 90 s.
    assert found == pytest.approx(log_t, abs=(0.02 if dt_s < 10 else 0.12) * max(map(abs, log_t)))


def test_gas_that_is_let_in_warms() -> None:
    cooling = ExpansionCooling(90.0)
    cooling.take(0.0, 0.0)
    assert cooling.take(0.01, 0.01) == pytest.approx(0.01 * (1 - 1 / GAMMA), rel=1e-3)
    assert cooling.take(0.01, 3600.0) == pytest.approx(0.0, abs=1e-9)


def seen(per_s: float, follows: float) -> Cooling:
    random = np.random.default_rng(1)
    cooled, expansion = Cooling(), ExpansionCooling(90.0)
    _, log_t = leaking(per_s, 90.0, 1.0, 60.0)
    log_p, _ = leaking(per_s, 90.0, 1.0, 60.0)
    for _ in range(600):
        cooled.take(0.0, 1e-5 * random.standard_normal(), 1.0)
    for pressure, warm in zip(log_p, log_t, strict=True):
        cooled.take(expansion.take(pressure, 1.0), follows * warm + 1e-5 * random.standard_normal(), 1.0)
    return cooled


def test_quick_thermometers_say_how_far_the_gas_cools() -> None:
    cooled = seen(2.7e-4, 1.0)
    assert cooled.share == pytest.approx(1.0, abs=0.1)
    assert cooled.sigma == SEEN_SIGMA


@pytest.mark.parametrize(("per_s", "follows"), [(2.7e-4, 0.0), (2.7e-4, 0.2), (1e-6, 1.0)])
def test_slow_thermometers_and_small_leaks_say_nothing(per_s: float, follows: float) -> None:
    cooled = seen(per_s, follows)
    assert cooled.share == COOLS
    assert cooled.doubt > 0.1


def readings(
    volume: Thermometers, name: str, room: str, kelvin: float, *, since_s: int = 0, seconds: int = 1200
) -> None:
    for second in range(since_s, since_s + seconds, 10):
        volume.take(name, room, second * NS_PER_S, kelvin, 0.0)


def test_a_thermometer_counts_for_the_volume_that_it_stands_in() -> None:
    volume = Thermometers({"module": 5.0, "station": 916.0})
    readings(volume, "P1", "module", 295.0, seconds=10)
    readings(volume, "P2", "station", 300.0, seconds=10)
    readings(volume, "P1", "module", 305.0, since_s=10)  # a lamp beside it: 10 K
    readings(volume, "P2", "station", 300.0, since_s=10)
    assert volume.log_warming == pytest.approx(5.0 / 921.0 * math.log(305.0 / 295.0), rel=1e-3)
    assert volume.mean_k == pytest.approx(302.5)


def test_only_changes_count_and_newcomers_change_nothing() -> None:
    volume = Thermometers({"cabin": 100.0})
    readings(volume, "A", "cabin", 295.0)
    readings(volume, "B", "cabin", 310.0, since_s=1200)
    assert volume.log_warming == pytest.approx(0.0, abs=1e-12)
    readings(volume, "A", "cabin", 296.0, since_s=1200, seconds=3000)
    readings(volume, "B", "cabin", 311.0, since_s=2400, seconds=3000)
    expected = 0.5 * (math.log(296.0 / 295.0) + math.log(311.0 / 310.0))
    assert volume.log_warming == pytest.approx(expected, rel=1e-3)


def test_without_a_thermometer_nothing_warms() -> None:
    assert Thermometers({"cabin": 1.0}).log_warming == 0.0
    assert Thermometers({"cabin": 1.0}).log_newest is None
    assert Thermometers({"cabin": 1.0}).mean_k is None
