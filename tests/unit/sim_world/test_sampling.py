"""Samples of a frame between its points against the sum written out, and the shape of the band."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft

from sim.world.signal.sampling import band, frame_samples, phasor, shaping

RATE_HZ = 192e3


def written_out(
    spectrum: NDArray[np.complex128],
    length: int,
    places: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The trigonometric sum of a real frame, term by term."""
    bins = np.arange(spectrum.shape[1])
    turns = np.exp(2j * np.pi * np.multiply.outer(bins, places) / length)
    sums: NDArray[np.float64] = (spectrum @ turns).real * 2.0 / length
    return sums


@given(
    length=st.integers(40, 400).map(lambda half: 2 * half),
    first=st.floats(0.0, 20.0),
    step=st.one_of(st.just(1.0), st.floats(0.999, 1.001)),
    count=st.integers(1, 50),
    seed=st.integers(0, 1000),
)
def test_frame_samples_are_the_trigonometric_sum(
    length: int,
    first: float,
    step: float,
    count: int,
    seed: int,
) -> None:
    spectrum = fft.rfft(np.random.default_rng(seed).standard_normal((3, length)), axis=1)
    spectrum[:, [0, -1]] = 0.0
    values = frame_samples(spectrum, length, first, step, count)
    places: NDArray[np.float64] = first + step * np.arange(count, dtype=np.float64)
    assert values.shape == (3, count)
    assert values == pytest.approx(written_out(spectrum, length, places), abs=1e-9)


@given(step_rad=st.floats(-3.0, 3.0), count=st.integers(1, 2000))
def test_phasor_is_the_exponential(step_rad: float, count: int) -> None:
    assert phasor(step_rad, count) == pytest.approx(np.exp(1j * step_rad * np.arange(count)), abs=1e-11)


def test_band_is_flat_inside_and_empty_outside() -> None:
    frequency_hz = np.array([0.0, 1e3, 3e3, 5e3, 20e3, 84e3, 90e3, 96e3])
    assert band(frequency_hz, RATE_HZ) == pytest.approx([0, 0, 0.5, 1, 1, 1, 0.5, 0], abs=1e-9)


def test_shaping_gives_the_spectrum_and_is_the_same_for_every_length() -> None:
    def psd(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1e-9 * (20e3 / frequency_hz) ** 2

    # 96,000 and 9,600 samples share every 20 Hz bin of the shorter
    long, short = shaping(psd, RATE_HZ, 96_000), shaping(psd, RATE_HZ, 9600)
    assert short == pytest.approx(long[::10], rel=1e-9, abs=1e-12 * long.max())
    frequency_hz = fft.rfftfreq(9600, 1.0 / RATE_HZ)
    inside = (frequency_hz > 6e3) & (frequency_hz < 83e3)
    # unit white noise has the one-sided density 2 / rate
    density = short**2 * 2.0 / RATE_HZ
    assert density[inside] == pytest.approx(psd(frequency_hz[inside]), rel=1e-3)


def test_shaping_of_a_cut_spectrum_leaves_the_band_edges_empty() -> None:
    # what leaks to Nyquist cannot be delayed by part of a sample; without the fade it is 2e-4 of the peak
    response = shaping(lambda frequency_hz: np.where(frequency_hz < 21e3, 1e-6, 0.0), RATE_HZ, 9600)
    frequency_hz = fft.rfftfreq(9600, 1.0 / RATE_HZ)
    assert np.abs(response[frequency_hz > 94e3]).max() < 1e-8 * response.max()


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_shaping_refuses_a_spectrum_that_cannot_be(wrong: float) -> None:
    with pytest.raises(ValueError, match="spectrum"):
        shaping(lambda frequency_hz: np.full_like(frequency_hz, wrong), RATE_HZ, 9600)
