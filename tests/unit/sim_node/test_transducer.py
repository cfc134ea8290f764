"""Fast front ends: sines through them, noise, quantisation, skew, clipping."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.node.band_levels import BandMeter
from sim.node.response import Response, bell, low_pass
from sim.node.transducer import FrontEnd, NoiseRise, overload_amplitude, self_noise_density

RATE_HZ = 192e3
SAMPLES = 16_384
QUIET = FrontEnd(gain=np.ones(1), noise_density=0.0, full_scale=20.0, bits=16, rate_hz=RATE_HZ)
SHAPED = Response((bell(28e3, 3.0, 9.0), low_pass(85e3)))


def sine(front_end: FrontEnd, frequency_hz: float, amplitude: float, samples: int = SAMPLES) -> NDArray[np.float64]:
    """A sine at every channel whose sample 0 of the burst has phase 0."""
    time_s = np.arange(-front_end.margin, samples + front_end.margin) / front_end.rate_hz
    return np.tile(amplitude * np.sin(2 * np.pi * frequency_hz * time_s), (len(front_end.gain), 1))


def phasor(counts: NDArray[np.int16], frequency_hz: float, scale: float) -> complex:
    """Amplitude and phase of the sine in a whole number of its periods."""
    return complex(np.mean(counts * np.exp(-2j * np.pi * frequency_hz * np.arange(len(counts)) / RATE_HZ)) * 2j * scale)


@pytest.mark.parametrize("place", [300, 1707, 2389, 5119, 7501])
def test_a_sine_comes_through_as_the_transfer_function_says(place: int) -> None:
    front_end = replace(QUIET, responses=(SHAPED,))
    frequency_hz = place * RATE_HZ / SAMPLES
    counts, saturated = front_end.counts(sine(front_end, frequency_hz, 5.0), np.random.default_rng(1))
    assert not saturated
    # Rounding to 6e-4 Pa leaves 6e-4 / sqrt(12 * 16384) * 2 = 3e-6 Pa of 5 Pa; eight sigmas of it. The places share no
    # factor with the length: where a period is a few samples, rounding repeats and adds up.
    heard = phasor(counts[0], frequency_hz, front_end.scale) / 5.0
    assert heard == pytest.approx(SHAPED.transfer(np.array([frequency_hz]))[0], abs=5e-6)


def test_skew_is_an_exact_delay_of_every_channel() -> None:
    front_end = replace(QUIET, gain=np.ones(4), skew_s=2e-6)
    random = np.random.default_rng(2)
    frequencies_hz, phases = random.uniform(5e3, 0.875 * RATE_HZ / 2, 50), random.uniform(0, 2 * np.pi, 50)

    def field(late_s: float) -> NDArray[np.float64]:
        time_s = np.arange(-front_end.margin, 2048 + front_end.margin) / RATE_HZ + late_s
        return np.sin(2 * np.pi * frequencies_hz[:, None] * time_s + phases[:, None]).sum(axis=0)

    filtered = front_end._filtered(np.tile(field(0.0), (4, 1)))
    expected = np.array([field(2e-6 * channel) for channel in range(4)])[:, front_end.margin : -front_end.margin]
    # Of rms 5: what the fading ends leak into a band up to 7/8 of Nyquist was found to be 2e-7.
    assert np.abs(filtered - expected).max() < 2e-6


def test_without_responses_nothing_more_is_captured_than_the_burst() -> None:
    assert QUIET.margin == 0


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_rounding_has_the_variance_of_a_step(bits: int) -> None:
    front_end = replace(QUIET, bits=bits)
    field = np.random.default_rng(3).uniform(-15.0, 15.0, (1, 40_000))
    counts, _ = front_end.counts(field, np.random.default_rng(4))
    error = counts * front_end.scale - field
    # The variance of a uniform error from 40,000 draws: sigma sqrt(0.8 / 40,000) = 0.45 %, five sigmas.
    assert np.var(error) == pytest.approx(front_end.scale**2 / 12, rel=0.023)


def test_effective_bits_are_the_noise_of_a_converter_of_so_few_bits() -> None:
    front_end = replace(QUIET, bits=12, effective_bits=8.7)
    counts, _ = front_end.counts(np.zeros((1, 40_000)), np.random.default_rng(5))
    step = 20.0 / 2**7.7
    assert np.var(counts * front_end.scale) == pytest.approx(step**2 / 12, rel=0.04)  # five sigmas sqrt(2 / 40,000)


def test_self_noise_has_its_level_in_its_band() -> None:
    front_end = replace(QUIET, noise_density=self_noise_density(37.0), full_scale=0.5)
    counts, _ = front_end.counts(np.zeros((8, SAMPLES)), np.random.default_rng(6))
    meter = BandMeter(front_end, [(20e3, 96e3)])
    spectrum = np.abs(np.fft.rfft(counts * front_end.scale, axis=1)) ** 2 * 2 / SAMPLES**2
    frequency_hz = np.fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
    measured = spectrum[:, (frequency_hz >= 20e3) & (frequency_hz < 96e3)].sum(axis=1).mean()
    # 37 dB in 80 kHz, here 76; 8 x 6485 bins: 0.44 % a sigma.
    expected = (20e-6 * 10 ** (37 / 20)) ** 2 * 76 / 80 + front_end.scale**2 / 12 * 76 / 96
    assert measured == pytest.approx(expected, rel=0.022)
    assert meter.expected(None)[0, 0] * front_end.scale**2 == pytest.approx(expected, rel=1e-6)


def test_shaped_noise_rises_above_its_corner() -> None:
    front_end = replace(QUIET, noise_density=1e-5, full_scale=0.2, noise_rise=NoiseRise(40e3, 2))
    counts, _ = front_end.counts(np.zeros((16, SAMPLES)), np.random.default_rng(7))
    density = np.mean(np.abs(np.fft.rfft(counts * front_end.scale, axis=1)) ** 2, axis=0) * 2 / (SAMPLES * RATE_HZ)
    frequency_hz = np.fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
    for low_hz, high_hz in ((5e3, 15e3), (35e3, 45e3), (75e3, 85e3)):
        inside = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
        expected = np.mean(1e-10 * (1 + (frequency_hz[inside] / 40e3) ** 4)) + front_end.scale**2 / 6 / RATE_HZ
        assert np.mean(density[inside]) == pytest.approx(expected, rel=0.05)  # 16 x 853 bins: 0.9 % a sigma


def test_at_overload_a_sine_is_distorted_by_a_tenth() -> None:
    amplitude = overload_amplitude(118.0)
    front_end = replace(QUIET, full_scale=60.0, overload=amplitude)

    def distortion(level: float) -> float:
        counts, _ = front_end.counts(sine(front_end, 32 * RATE_HZ / SAMPLES, level), np.random.default_rng(8))
        lines = np.abs(np.fft.rfft(counts[0]))[32 : 32 * 20 : 32]
        return float(np.sqrt(np.sum(lines[1:] ** 2)) / lines[0])

    assert distortion(amplitude) == pytest.approx(0.1, abs=0.001)
    assert distortion(amplitude / 10) < 0.001


def test_the_converter_ends_hard_and_says_so() -> None:
    counts, saturated = QUIET.counts(sine(QUIET, 1500.0, 30.0), np.random.default_rng(9))
    assert saturated
    assert (counts.min(), counts.max()) == (-32768, 32767)


def test_sensitivity_follows_temperature() -> None:
    front_end = replace(QUIET, gain_per_k=0.01)
    field = np.full((1, 4), 10.0)
    cold, warm = (front_end.counts(field, np.random.default_rng(1), kelvin)[0][0, 0] for kelvin in (293.15, 303.15))
    assert warm / cold == pytest.approx(1.1, abs=1e-3)


def test_levels_scatter_as_chi_square_about_what_waveforms_have() -> None:
    front_end = replace(QUIET, noise_density=1e-4, full_scale=0.5, responses=(SHAPED,))
    meter = BandMeter(front_end, [(20e3, 30e3), (90e3, 120e3), (100e3, 110e3)])
    field = np.array([[1e-3, 0.0, 1e-3]])
    drawn = np.array([meter.drawn(field, 0.01, random)[0] for random in map(np.random.default_rng, range(4000))])
    expected = meter.expected(field)[0]
    # 2 x 10 kHz x 10 ms = 200 freedoms: a tenth of scatter, known to 1.1 % from 4,000 draws.
    assert drawn[:, 0].mean() == pytest.approx(expected[0], rel=0.01)
    assert drawn[:, 0].std() == pytest.approx(0.1 * expected[0], rel=0.06)
    assert drawn[:, 2].max() == 0.0  # beyond Nyquist there is nothing


@pytest.mark.parametrize("wrong", [{"responses": (SHAPED, SHAPED)}, {"effective_bits": 17.0}])
def test_what_does_not_fit_together_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"2 responses|effective bits"):
        replace(QUIET, **wrong)  # type: ignore[arg-type]
