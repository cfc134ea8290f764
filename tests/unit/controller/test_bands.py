"""Band levels against closed forms of a sine and of white noise."""

from itertools import pairwise

import numpy as np
import pytest

from controller.detect.bands import EDGES_HZ, SEGMENT, band_levels
from firmware_bridge.units import SOUND_REFERENCE_PA

RATE_HZ = 192_000.0
SAMPLES = 16_384
SILENCE_DB = 10 * np.log10(1e-20 / SOUND_REFERENCE_PA**2)


def db(mean_square_pa2: float) -> float:
    return float(10 * np.log10(mean_square_pa2 / SOUND_REFERENCE_PA**2))


@pytest.mark.parametrize(("frequency_hz", "band"), [(18e3, 0), (36e3, 1), (70e3, 2)])
def test_a_sine_has_the_level_of_its_mean_square_in_its_band(frequency_hz: float, band: int) -> None:
    time_s = np.arange(SAMPLES) / RATE_HZ
    wave = (0.3 * np.sin(2 * np.pi * frequency_hz * time_s + 0.4))[None].astype(np.float32)
    level_db = band_levels(wave, RATE_HZ).level_db
    assert level_db.shape == (1, 3)
    # Parseval: a segment's windowed mean square is A²/2 but for a term at twice the frequency, which a Hann window of
    # more than 90 periods suppresses below 1e-6; what the window puts beyond the band's edges, 30 bins away, is less.
    assert level_db[0, band] == pytest.approx(db(0.3**2 / 2), abs=1e-3)
    others = np.delete(level_db[0], band)
    assert np.all(others < level_db[0, band] - 60)  # Hann side lobes fall with 18 dB an octave


def test_white_noise_has_the_level_of_its_share_of_the_band() -> None:
    random = np.random.default_rng(1)
    noise = 0.05 * random.standard_normal((32, SAMPLES))
    level_db = band_levels(noise.astype(np.float32), RATE_HZ).level_db
    mean_square = np.mean(10 ** (level_db / 10), axis=0) * SOUND_REFERENCE_PA**2
    for band, (low, high) in enumerate(pairwise(EDGES_HZ)):
        expected = 0.05**2 * (high - low) / (RATE_HZ / 2)
        # A band of width B over a time T holds 2 B T degrees of freedom: sd = 1 / sqrt(B T channels), and the Hann
        # segments' uneven weights cost a few per cent of that. Five of them; the band's edges lie on bins.
        sigma = 1.1 / np.sqrt((high - low) * SAMPLES / RATE_HZ * len(noise))
        assert mean_square[band] / expected == pytest.approx(1.0, abs=5 * sigma)


def test_doubling_the_sound_adds_six_decibels() -> None:
    noise = np.random.default_rng(2).standard_normal((2, SAMPLES)).astype(np.float32)
    rise_db = band_levels(2 * noise, RATE_HZ).level_db - band_levels(noise, RATE_HZ).level_db
    assert rise_db == pytest.approx(np.full((2, 3), 20 * np.log10(2.0)), abs=1e-4)


def test_silence_has_a_level_and_not_an_infinity() -> None:
    level_db = band_levels(np.zeros((1, SAMPLES), dtype=np.float32), RATE_HZ).level_db
    assert level_db == pytest.approx(np.full((1, 3), SILENCE_DB))


def test_a_band_above_half_the_rate_holds_nothing() -> None:
    noise = np.random.default_rng(3).standard_normal((1, SAMPLES)).astype(np.float32)
    level_db = band_levels(noise, 64_000.0).level_db
    assert level_db[0, 2] == pytest.approx(SILENCE_DB)
    # The middle band ends at Nyquist, 32 kHz: 8 of 32 kHz, as in the derivation above.
    sigma_db = 10 / np.log(10) * 1.1 / np.sqrt(8e3 * SAMPLES / 64e3)
    assert level_db[0, 1] == pytest.approx(db(8.0 / 32.0), abs=5 * sigma_db)


@pytest.mark.parametrize(("samples", "rate_hz"), [(SEGMENT - 1, RATE_HZ), (SAMPLES, 40_000.0)])
def test_what_cannot_be_judged_is_refused(samples: int, rate_hz: float) -> None:
    with pytest.raises(ValueError, match="burst of"):
        band_levels(np.zeros((1, samples), dtype=np.float32), rate_hz)
