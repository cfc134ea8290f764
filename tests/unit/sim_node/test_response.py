"""Sections against closed forms of other authors, and minimum phase against the Hilbert transform."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.node.response import Response, Section, band_pass, bell, butterworth, high_pass, low_pass

CENTRE_HZ, Q = 30e3, 4.0


@pytest.mark.parametrize("peak_db", [-10.0, 6.0, 12.0])
def test_a_bell_is_its_peak_at_the_centre_and_nothing_far_away(peak_db: float) -> None:
    at = bell(CENTRE_HZ, Q, peak_db).transfer(np.array([0.0, CENTRE_HZ, 1e12]))
    assert 20 * np.log10(np.abs(at)) == pytest.approx([0.0, peak_db, 0.0], abs=1e-6)


def test_a_resonator_is_half_its_power_at_its_bandwidth() -> None:
    # The half-power points of a series RLC circuit: f0 (sqrt(1 + 1/(4 Q^2)) -+ 1/(2 Q)).
    edges = CENTRE_HZ * (math.sqrt(1 + 0.25 / Q**2) + np.array([-0.5, 0.5]) / Q)
    assert np.abs(band_pass(CENTRE_HZ, Q).transfer(edges)) ** 2 == pytest.approx([0.5, 0.5], rel=1e-12)


@pytest.mark.parametrize("order", [2, 4, 8])
def test_a_butterworth_is_as_flat_as_its_formula(order: int) -> None:
    frequency_hz = np.geomspace(1e3, 1e6, 40)
    power = np.abs(Response(butterworth(50e3, order)).transfer(frequency_hz)) ** 2
    assert power == pytest.approx(1 / (1 + (frequency_hz / 50e3) ** (2 * order)), rel=1e-9)


def test_high_and_low_pass_mirror_each_other() -> None:
    ratio = np.geomspace(0.1, 10, 21)
    assert np.abs(high_pass(1e4).transfer(1e4 * ratio)) == pytest.approx(np.abs(low_pass(1e4).transfer(1e4 / ratio)))


def test_the_phase_is_the_least_that_the_magnitude_allows() -> None:
    # The phase of a minimum-phase system is minus the Hilbert transform of its log magnitude (Bode 1945). Over a
    # logarithmic axis that is phase(f0) = (1/pi) int dln|H|/du ln coth(|u|/2) du, u = ln(f / f0): Bode's own form.
    response = Response((bell(28e3, 3.0, 9.0), low_pass(85e3)))
    u = np.linspace(-16, 16, 400_001, dtype=np.float64)
    step = u[1] - u[0]
    for asked_hz in (5e3, 25e3, 28e3, 40e3, 90e3):
        asked: NDArray[np.float64] = np.asarray(asked_hz * np.exp(u), dtype=np.float64)
        magnitude = np.log(np.abs(response.transfer(asked)))
        slope = np.diff(magnitude) / step
        middle = 0.5 * (u[1:] + u[:-1])
        phase = np.sum(slope * -np.log(np.tanh(np.abs(middle) / 2))) * step / np.pi
        # The kernel's logarithmic pole is cut at half a step: 1e-4 is left of it.
        assert np.angle(response.transfer(np.array([asked_hz]))[0]) == pytest.approx(phase, abs=1e-3)


def test_nothing_is_left_after_it_has_settled() -> None:
    response = Response((bell(20e3, 8.0, 12.0), band_pass(35e3, 2.0)))
    rate_hz, length = 4e6, 1 << 17
    frequency_hz = np.asarray(np.fft.rfftfreq(length, 1 / rate_hz), dtype=np.float64)
    ringing = np.fft.irfft(response.transfer(frequency_hz), n=length)
    later = math.ceil(response.settling_s * rate_hz)
    # What does not ring is the band-limited tip of the transform: it falls as 1 / n and is 1e-6 there.
    assert np.abs(ringing[later : length // 2]).max() < 1e-5 * np.abs(ringing).max()


@pytest.mark.parametrize(
    "bad", [(0.0, 1.0, (1.0, 0.0, 0.0)), (1.0, 0.0, (1.0, 0.0, 0.0)), (1.0, 1.0, (1.0, -1.0, 1.0))]
)
def test_what_is_no_resonator_is_refused(bad: tuple[float, float, tuple[float, float, float]]) -> None:
    with pytest.raises(ValueError, match=r"none|half plane"):
        Section(*bad)


def test_odd_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="order 3"):
        butterworth(1e3, 3)
