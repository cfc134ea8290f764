"""Correlation functions: the scale of pure noise, lags with their sign, and machines taken out by the baseline."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.measure.captures import Capture
from controller.measure.coherence import CoherentGroup
from controller.measure.correlation import LAG_MARGIN_S, UPSAMPLING, Correlations, correlate
from controller.measure.cross_spectra import SpectraAccumulator, SpectraSnapshot, _tapered
from tests.support.hearing import EXTRA, RATE_HZ, SAMPLES, SPEED_M_S, delayed, group_of, wave_block

STEP_S = 1.0 / (RATE_HZ * UPSAMPLING)
FLAT_VARIANCE = (0.9 + 0.1 * 35 / 128) / (0.9 + 0.1 * 3 / 8) ** 2  # N sum(w^4) / sum(w^2)^2 of a 5 % cosine taper


def tapered_variance(lags: NDArray[np.int_]) -> NDArray[np.float64]:
    """Variance of white noise at whole-sample lags: tapered bursts overlap the less the later one of them is."""
    squared = _tapered(SAMPLES) ** 2
    return np.array([SAMPLES * squared @ np.roll(squared, lag) for lag in lags]) / squared.sum() ** 2


class Pair:
    """Bursts of a few microphones, not of a room: each source has its own delay at each of them."""

    def __init__(self, seed: int, microphones: int = 2) -> None:
        self.group = group_of([(0.3 * i, 0.0, 0.0) for i in range(microphones)])
        self._random = np.random.default_rng(seed)

    def snapshot(
        self, captures: int, *sources: tuple[float, tuple[float, ...]], group: CoherentGroup | None = None
    ) -> SpectraSnapshot:
        """Means over captures of unit noise plus sources given as (rms, delay at each microphone)."""
        accumulator = SpectraAccumulator(group or self.group)
        count = len(self.group.sensors)
        for _ in range(captures):
            pressure = self._random.standard_normal((count, SAMPLES))
            for rms, delays_s in sources:
                wave = rms * self._random.standard_normal(SAMPLES + EXTRA)
                pressure += np.stack([delayed(wave, delay_s)[EXTRA:] for delay_s in delays_s])
            accumulator.add(Capture(1, {"N": wave_block("N", self.group.sensors, pressure)}))
        snapshot = accumulator.snapshot()
        assert snapshot is not None
        return snapshot


def peak_s(functions: Correlations, row: int = 0) -> float:
    return float((functions.value[row].argmax() - functions.zero) * functions.lag_step_s)


def near(functions: Correlations, delay_s: float, row: int = 0) -> NDArray[np.float32]:
    """The values within a sample of a delay."""
    at = functions.zero + round(delay_s / functions.lag_step_s)
    return functions.value[row, at - UPSAMPLING : at + UPSAMPLING + 1]


def test_pure_noise_has_unit_variance_at_every_lag() -> None:
    captures = 4
    values = np.concatenate([correlate(Pair(s, 6).snapshot(captures), None, SPEED_M_S).value for s in range(12)])
    variance = np.mean(values.astype(float) ** 2, axis=0)
    lags = (np.arange(len(variance)) - len(variance) // 2) // UPSAMPLING
    expected = tapered_variance(lags)
    assert expected[len(variance) // 2] == pytest.approx(FLAT_VARIANCE, rel=1e-3)
    # 15 pairs of 12 runs: each lag's mean square has an sd of sqrt(2 / 180) = 0.105; the smoothed power that divides is
    # known to 1 / sqrt(65 x 4), 6 %, at both microphones, which biases by less than 1 %. Over all lags: a band of
    # 78 kHz gives 2 x 78e3 independent values a second, so 9 ms hold 1,400, and 180 x 1,400 have an sd of 0.3 %.
    assert variance == pytest.approx(expected, abs=5 * 0.105)
    assert variance.mean() == pytest.approx(expected.mean(), abs=0.01 + 4 * 0.003)
    assert values.mean() == pytest.approx(0.0, abs=0.02)


def test_the_scale_does_not_depend_on_levels_nor_on_how_many_bursts() -> None:
    quiet, loud = Pair(3).snapshot(1), Pair(3).snapshot(16)
    louder = replace(loud, cross=loud.cross * 1e4, power=loud.power * 1e4)
    assert correlate(louder, None, SPEED_M_S).value == pytest.approx(correlate(loud, None, SPEED_M_S).value, rel=1e-4)
    for snapshot in (quiet, loud):
        # One pair's 2.3 ms of lags hold 2 x 78e3 x 2.3e-3 = 370 values: sd of the mean square sqrt(2 / 370).
        spread = np.mean(correlate(snapshot, None, SPEED_M_S).value ** 2)
        assert spread == pytest.approx(FLAT_VARIANCE, abs=5 * 0.074)


@pytest.mark.parametrize("delay_s", [0.0, 137e-6, -402.3e-6])
def test_a_delayed_copy_peaks_at_first_minus_second(delay_s: float) -> None:
    first_s, second_s = 1e-3 + delay_s, 1e-3
    functions = correlate(Pair(4).snapshot(4, (1.0, (first_s, second_s))), None, SPEED_M_S)
    # SNR 1 over 78 kHz x 85 ms: sigma far below a step; the peak's grid point is the nearest or its neighbour.
    assert peak_s(functions) == pytest.approx(delay_s, abs=STEP_S)
    # Its height is coherence x sqrt(2 x bins x bursts), coherence 1/2 at SNR 1; between two grid points a peak of
    # 60 kHz loses at most 1 - cos(2 pi 60e3 x step / 2) = 3 %; noise of 1.1 beside 57 and the part of the burst that
    # the delay takes out of the overlap are less.
    bins = 78e3 / RATE_HZ * SAMPLES
    assert functions.value.max() == pytest.approx(0.5 * np.sqrt(2 * bins * 4), rel=0.15)


def test_lags_reach_as_far_as_sound_can() -> None:
    functions = correlate(Pair(5).snapshot(1), None, SPEED_M_S)
    assert functions.value.shape[1] == 2 * functions.zero + 1
    assert functions.lag_step_s == pytest.approx(STEP_S)
    assert functions.zero * STEP_S == pytest.approx(0.3 / SPEED_M_S + LAG_MARGIN_S, abs=STEP_S)


def test_the_rms_frequency_is_that_of_a_flat_band() -> None:
    functions = correlate(Pair(6).snapshot(2), None, SPEED_M_S)
    flat = np.sqrt((90e3**3 - 12e3**3) / (3 * 78e3))
    assert functions.rms_frequency_hz == pytest.approx(np.array([flat]), rel=1e-3)


def test_a_machine_in_the_baseline_is_taken_out_and_the_leak_stays() -> None:
    pair = Pair(7)
    machine, leak = (1.0, (1.3e-3, 1.0e-3)), (1.0, (1.0e-3, 1.2e-3))
    before, now = pair.snapshot(16, machine), pair.snapshot(4, machine, leak)
    plain = correlate(now, None, SPEED_M_S)
    assert near(plain, 0.3e-3).max() > 15
    assert near(plain, -0.2e-3).max() > 15
    clean = correlate(now, before, SPEED_M_S)
    assert peak_s(clean) == pytest.approx(-0.2e-3, abs=STEP_S)
    assert near(clean, -0.2e-3).max() > 15
    # What is left of the machine is the difference of two estimates of one peak. Each has, besides unit noise (and its
    # quarter from four times the bursts), the scatter of the machine's own power, peak / sqrt(bins x bursts) = 0.4.
    assert np.abs(near(clean, 0.3e-3)).max() < 5 * np.sqrt(1 + 1 / 4 + 2 * 0.4**2)


def test_lags_without_a_machine_are_left_alone() -> None:
    pair = Pair(8)
    before, now = pair.snapshot(16), pair.snapshot(4, (0.5, (1.0e-3, 1.1e-3)))
    assert before.cross.shape == now.cross.shape
    silent = replace(before, cross=np.zeros_like(before.cross))  # the same powers, and no correlation to take out
    taken, untouched = (correlate(now, b, SPEED_M_S).value for b in (before, silent))
    changed = taken != untouched
    # Four sigmas of a Gaussian: 6e-5 of the lags by chance, of 1,800; neighbours within a period go together.
    assert changed.mean() < 0.01


def test_bins_that_only_machines_fill_count_for_nothing() -> None:
    """The leak sounds below 40 kHz only: above, the baseline explains all and noise must not come in."""
    pair = Pair(9)
    before, now = pair.snapshot(64), pair.snapshot(64)
    low = now.first_bin + np.arange(now.power.shape[1]) < 40e3 / RATE_HZ * SAMPLES
    now = replace(now, power=np.where(low, 2.0, 1.0) * before.power)
    rms_hz = correlate(now, before, SPEED_M_S).rms_frequency_hz
    # The weighted band is 12 to 40 kHz; the smoothing over 65 bins (3 kHz) frays its upper edge by half of that.
    assert rms_hz == pytest.approx(np.array([np.sqrt((40e3**3 - 12e3**3) / (3 * 28e3))]), rel=0.05)


def test_neither_microphone_of_a_pair_comes_first() -> None:
    """One hears the leak better than the other: both shares count, and exchanging the two mirrors the lags."""
    pair = Pair(12)
    before, now = pair.snapshot(32), pair.snapshot(8, (1.0, (1.1e-3, 1.0e-3)))
    uneven = replace(now, power=now.power * np.array([[1.0], [1.5]]))
    exchanged = [replace(snap, cross=snap.cross.conj(), power=snap.power[::-1]) for snap in (uneven, before)]
    straight = correlate(uneven, before, SPEED_M_S)
    mirrored = correlate(exchanged[0], exchanged[1], SPEED_M_S)
    assert mirrored.value == pytest.approx(straight.value[:, ::-1], abs=1e-4 * float(straight.value.max()))
    assert mirrored.rms_frequency_hz == pytest.approx(straight.rms_frequency_hz)


@pytest.mark.parametrize("foreign", ["length", "rate"])
def test_a_baseline_of_another_kind_is_not_used(foreign: str) -> None:
    pair = Pair(10)
    now, before = pair.snapshot(2, (1.0, (1e-3, 1e-3))), pair.snapshot(8, (1.0, (1e-3, 1e-3)))
    other = replace(before, length=2 * SAMPLES) if foreign == "length" else replace(before, rate_hz=RATE_HZ / 2)
    assert np.array_equal(correlate(now, other, SPEED_M_S).value, correlate(now, None, SPEED_M_S).value)
    assert not np.array_equal(correlate(now, before, SPEED_M_S).value, correlate(now, None, SPEED_M_S).value)


def test_a_dead_microphone_gives_numbers_and_no_peak() -> None:
    snapshot = Pair(11).snapshot(2)
    power = snapshot.power.copy()
    power[1] = 0.0
    functions = correlate(replace(snapshot, power=power, cross=np.zeros_like(snapshot.cross)), snapshot, SPEED_M_S)
    assert np.array_equal(functions.value, np.zeros_like(functions.value))
    assert np.all(np.isfinite(functions.rms_frequency_hz))
