"""Correlation functions: the scale of pure noise at every lag, lags with their sign, heights, deaf microphones."""

import numpy as np
import pytest

from controller.measure.captures import Capture
from controller.measure.correlation import LAGS_A_PERIOD, Correlations, correlate
from controller.measure.spectra import BAND_HZ, LAG_MARGIN_S, LOWEST_SPEED_M_S
from tests.support.hearing import EXTRA, RATE_HZ, delayed, group_of, mean_of, wave_block

STEP_S = 1.0 / (RATE_HZ * np.ceil(LAGS_A_PERIOD * BAND_HZ[1] / RATE_HZ))


class Pair:
    """Bursts of a few microphones, not of a room: each source has its own delay at each of them."""

    def __init__(self, seed: int, microphones: int = 2, apart_m: float = 0.3) -> None:
        self.group = group_of([(apart_m * i, 0.0, 0.0) for i in range(microphones)])
        self._random = np.random.default_rng(seed)

    def functions(
        self, captures: int, *sources: tuple[float, tuple[float, ...]], samples: int = 4096, deaf: tuple[int, ...] = ()
    ) -> Correlations:
        """Of captures of unit noise plus sources given as (rms, delay at each microphone)."""
        heard, count = [], len(self.group.sensors)
        for _ in range(captures):
            pressure = self._random.standard_normal((count, samples))
            for rms, delays_s in sources:
                wave = rms * self._random.standard_normal(samples + EXTRA)
                pressure += np.stack([delayed(wave, delay_s)[EXTRA:] for delay_s in delays_s])
            pressure[list(deaf)] = 0.0
            heard.append(Capture(1, {"N": wave_block("N", self.group.sensors, pressure)}))
        mean = mean_of(self.group, heard)
        assert mean is not None
        return correlate(mean)


def peak_s(functions: Correlations, row: int = 0) -> float:
    return float((functions.value[row].argmax() - functions.zero) * functions.lag_step_s)


@pytest.mark.parametrize(("samples", "apart_m"), [(4096, 0.5), (4096, 0.05), (16_384, 0.5), (3000, 0.5)])
def test_pure_noise_has_unit_variance_at_every_lag(samples: int, apart_m: float) -> None:
    """Whatever the taper, the steps' window and the padding: the search compares lags with each other."""
    seeds = 12
    values = np.concatenate([Pair(s, 6, apart_m).functions(3, samples=samples).value for s in range(seeds)])
    variance = np.mean(values.astype(float) ** 2, axis=0)
    # 15 pairs of 12 runs: each lag's mean square has an sd of sqrt(2 / 180) = 0.105. The smoothed power that divides
    # is of 13 to 68 bins, which a taper joins by twos and threes: some percent too much, least in the longest bursts.
    bias = 0.02 + 192e3 / 800.0 / samples
    assert variance == pytest.approx(np.ones_like(variance), abs=5.5 * 0.105 + bias)
    middle = np.abs(np.arange(len(variance)) - len(variance) // 2) < len(variance) // 4
    for part in (middle, ~middle):
        independent = 180 * part.sum() * STEP_S * 2 * 78e3
        assert variance[part].mean() == pytest.approx(1.0, abs=bias + 4 * np.sqrt(2 / independent))


def test_the_scale_does_not_depend_on_how_many_bursts() -> None:
    spread = Pair(4).functions(16).value
    # One pair's 2.6 ms of lags hold 2 x 78e3 x 2.6e-3 = 400 values: sd of the mean square sqrt(2 / 400).
    assert float(np.mean(spread**2)) == pytest.approx(1.0, abs=5 * 0.07 + 0.06)


@pytest.mark.parametrize("delay_s", [0.0, 137e-6, -402.3e-6])
@pytest.mark.parametrize("samples", [4096, 16_384])
def test_a_delayed_copy_peaks_at_first_minus_second(delay_s: float, samples: int) -> None:
    functions = Pair(4).functions(4, (1.0, (1e-3 + delay_s, 1e-3)), samples=samples)
    # SNR 1 over 78 kHz x 85 ms: sigma far below a step; the peak's grid point is the nearest or its neighbour.
    assert peak_s(functions) == pytest.approx(delay_s, abs=STEP_S)
    # Its height is coherence x sqrt(2 x bins x bursts), coherence 1/2 at SNR 1, by what taper and steps' window keep
    # of it, which is more than 0.75 here.
    bins = 78e3 / RATE_HZ * samples
    height = 0.5 * np.sqrt(2 * bins * 4)
    assert 0.75 * height < functions.value.max() < 1.1 * height


def test_lags_reach_as_far_as_sound_can() -> None:
    functions = Pair(5).functions(1)
    assert functions.value.shape[1] == 2 * functions.zero + 1
    assert functions.lag_step_s == pytest.approx(STEP_S)
    assert functions.zero * STEP_S == pytest.approx(0.3 / LOWEST_SPEED_M_S + LAG_MARGIN_S, abs=2 * STEP_S)


def test_the_rms_frequency_is_that_of_a_flat_band() -> None:
    functions = Pair(6).functions(2)
    flat = np.sqrt((90e3**3 - 12e3**3) / (3 * 78e3))
    assert functions.rms_frequency_hz == pytest.approx(np.array([flat]), rel=2e-3)


def test_a_dead_microphone_gives_numbers_and_no_peak() -> None:
    functions = Pair(11, 3).functions(2, (1.0, (1e-3, 1e-3, 1e-3)), deaf=(1,))
    assert np.isfinite(functions.value).all()
    with_dead = [row for row, pair in enumerate(zip(*functions.group.pairs, strict=True)) if 1 in pair]
    assert np.abs(functions.value[with_dead]).max(initial=0.0) < 1e-3
