"""Rates of pressure and the compartment that leaks: closed forms, hatches, and what pressure cannot tell."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.detect.pressure import Fall
from controller.measure.pressure_rate import (
    LOSSES_PA_S,
    PressureRate,
    PressureRateModel,
    pressure_rate,
)
from tests.support.sites import small_site

SITE = small_site()  # lab and store joined, far behind a closed hatch
CLOSED: tuple[()] = ()


def rates(**by_room: float) -> list[PressureRate]:
    return [PressureRate(room, rate, 0.1) for room, rate in by_room.items()]


def test_a_fall_is_a_rate_of_its_compartment() -> None:
    assert pressure_rate("lab", Fall(60.0, -0.5, 0.1, 1e5)) == PressureRate("lab", -0.5, 0.1)


def test_rooms_that_are_joined_are_not_told_apart() -> None:
    found = PressureRateModel(rates(lab=-2.0, store=-2.0, far=0.0), SITE).probabilities()
    assert found.by_compartment["lab"] == pytest.approx(found.by_compartment["store"])
    assert found.by_compartment["lab"] == pytest.approx(0.5, abs=0.01)
    assert found.by_compartment["far"] < 1e-6
    assert found.no_leak < 1e-6


def test_behind_a_closed_hatch_the_leaking_room_is_known() -> None:
    found = PressureRateModel(rates(lab=-2.0, store=0.05, far=0.0), SITE, CLOSED).probabilities()
    assert found.by_compartment["lab"] > 0.99


def test_steady_pressures_are_no_leak_and_rising_ones_neither() -> None:
    assert PressureRateModel(rates(lab=0.0, store=0.02, far=-0.05), SITE).probabilities().no_leak > 0.5
    assert PressureRateModel(rates(lab=2.0, store=2.0, far=2.0), SITE).probabilities().no_leak > 0.5


def test_weather_that_all_feel_is_no_rooms_leak() -> None:
    """A fall everywhere, hatches closed, fits no single leak better than another."""
    found = PressureRateModel(rates(lab=-2.0, store=-2.0, far=-2.0), SITE, CLOSED).probabilities()
    assert max(found.by_compartment.values()) == pytest.approx(min(found.by_compartment.values()))


def test_nothing_measured_changes_nothing() -> None:
    found = PressureRateModel([], SITE).probabilities()
    assert found.no_leak == pytest.approx(0.5)
    assert sum(found.by_compartment.values()) == pytest.approx(0.5)


def test_the_likelihood_is_the_integral_over_losses() -> None:
    """One room: by hand, with numpy's trapezoids over the logarithm of the loss."""
    model = PressureRateModel(rates(far=-0.3), SITE, CLOSED)
    found = model.probabilities()
    log_loss = np.linspace(math.log(LOSSES_PA_S[0]), math.log(LOSSES_PA_S[-1]), 20_001)
    density = np.exp(-0.5 * ((-np.exp(log_loss) + 0.3) / 0.1) ** 2)
    leak = (
        float(np.trapezoid(density, log_loss) / (log_loss[-1] - log_loss[0]))
        if hasattr(np, "trapezoid")
        else float(np.mean(density))
    )
    none = math.exp(-0.5 * 9.0)
    # 161 losses, 12 % apart, where the peak is a third wide: the sum is the integral to a hundredth.
    assert found.by_compartment["far"] / found.no_leak == pytest.approx(leak / 3 / none, rel=0.02)


@settings(max_examples=40)
@given(loss=st.floats(1e-3, 100.0), seed=st.integers(0, 1000))
def test_the_derivative_is_that_of_differences_and_shuffling_changes_nothing(loss: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    measured = [PressureRate(room, float(random.normal()), 0.5) for room in ("lab", "store", "far")]
    model = PressureRateModel(measured, SITE)
    value, slope = model.residual("store", loss)
    step = 1e-6 * loss
    numeric = (model.residual("store", loss + step)[0] - model.residual("store", loss - step)[0]) / (2 * step)
    assert slope == pytest.approx(numeric, rel=1e-5, abs=1e-5)  # it is linear: rounding of 200 / 1e-9 alone
    assert np.all(np.isfinite(value))
    found = model.probabilities()
    again = PressureRateModel(measured[::-1], SITE).probabilities()
    assert found.no_leak == pytest.approx(again.no_leak)
    assert sum(found.by_compartment.values()) + found.no_leak == pytest.approx(1.0)


def test_what_is_no_measurement_is_refused() -> None:
    good = PressureRate("lab", -1.0, 0.1)
    for bad in (replace(good, sigma_pa_s=0.0), replace(good, compartment="attic")):
        with pytest.raises(ValueError, match="sigma must be positive"):
            PressureRateModel([bad], SITE)
