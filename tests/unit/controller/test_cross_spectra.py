"""Whitened cross-spectra: against products computed directly, forgetting, what is missing, the noise that is left."""

import numpy as np
import pytest

from controller.measure.captures import Capture
from controller.measure.cross_spectra import CrossAccumulator, CrossSpectra, step_taps
from controller.measure.spectra import BurstSpectra, burst_spectra
from tests.support.hearing import Listener, Source, box_site, mean_of

SITE = box_site(alone=("C", "D", "E"))  # the line is A and B
NOISE = (Source((1.0, 1.0, 0.0)),)
LONG = 16_384  # four bins a step


def listener(seed: int) -> Listener:
    return Listener(SITE, np.random.default_rng(seed))


def taken(ear: Listener, *captures: Capture, forgetting: float = 1.0) -> CrossSpectra:
    mean = mean_of(ear.groups[0], captures, forgetting)
    assert mean is not None
    return mean


def spectra_of(ear: Listener, capture: Capture) -> BurstSpectra:
    spectra = burst_spectra(ear.groups[0], capture)
    assert spectra is not None
    return spectra


def whitened(spectra: BurstSpectra) -> np.ndarray:
    """Each microphone's spectrum over the root of its power, smoothed over 800 Hz by a running mean."""
    bins = round(800.0 * spectra.layout.length / spectra.layout.rate_hz)
    power = np.abs(spectra.values.astype(complex)) ** 2
    around = np.pad(power, ((0, 0), (bins // 2, bins - 1 - bins // 2)), mode="symmetric")
    smooth = np.stack([np.convolve(row, np.ones(bins) / bins, mode="valid") for row in around])
    return np.asarray(spectra.values / np.sqrt(smooth))


def test_a_step_is_the_weighted_sum_over_its_bins() -> None:
    ear = listener(1)
    capture = ear.capture(NOISE, samples=LONG)
    spectra, mean = spectra_of(ear, capture), taken(ear, capture)
    layout = mean.layout
    assert layout.step == 4
    white, weights = whitened(spectra), np.array([0.5, 1.0, 1.0, 1.0, 0.5])
    for step in (0, 1, layout.steps // 2, layout.steps - 1):
        bins = white[:, 4 * step : 4 * step + 5]
        expected = (bins * weights) @ bins.conj().T
        assert mean.value[:, step] == pytest.approx(
            expected[mean.group.pairs], abs=2e-4 * float(np.abs(expected).max())
        )
    assert step_taps(layout).tolist() == weights.tolist()


def test_forgetting_weights_the_newest_most_and_keeps_means_unbiased() -> None:
    ear = listener(3)
    captures = [ear.capture(NOISE) for _ in range(3)]
    mean = taken(ear, *captures, forgetting=0.5)
    single = np.stack([taken(ear, capture).value for capture in captures])
    weights = np.array([0.25, 0.5, 1.0])
    assert mean.value == pytest.approx(
        np.average(single, axis=0, weights=weights), abs=1e-5 * float(np.abs(single).max())
    )
    # As much noise as the mean of (sum of weights)^2 / sum of squares equal bursts would have.
    assert mean.bursts == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


@pytest.mark.parametrize("samples", [4096, LONG])
def test_the_variance_of_pure_noise_is_what_it_claims(samples: int) -> None:
    ear = listener(12)
    mean = taken(ear, *(ear.capture((), samples=samples) for _ in range(12)), forgetting=0.8)
    left = np.mean(np.abs(mean.value) ** 2 / mean.variance[:, None])
    # 28 pairs x 1,660 steps; smoothing over 17 to 68 bins divides by a power that is known
    # to 1 / sqrt(bins): the mean of its inverse is larger by one part in the bins, at both microphones.
    smoothing = 800.0 * samples / 192e3
    assert left == pytest.approx(1.0, abs=2.5 / smoothing + 4 * 1.6 / np.sqrt(28 * 1660))


def test_a_node_that_missed_a_capture_keeps_its_own_mean() -> None:
    ear = listener(4)
    whole, half = ear.capture(NOISE), ear.capture(NOISE, nodes=("A",))
    mean = taken(ear, whole, half, forgetting=0.9)
    in_a = np.array([node == "A" for node in mean.group.nodes])
    first, second = mean.group.pairs
    both = in_a[first] & in_a[second]
    base = float(np.sum(step_taps(mean.layout) ** 2))
    assert mean.variance[both] == pytest.approx(np.full(both.sum(), base * (1 + 0.81) / 1.9**2))
    assert mean.variance[~both] == pytest.approx(np.full((~both).sum(), base))
    assert mean.value[~both] == pytest.approx(taken(ear, whole).value[~both], abs=1e-4)


def test_pairs_that_were_never_heard_together_know_nothing() -> None:
    ear = listener(5)
    mean = taken(ear, ear.capture(NOISE, nodes=("A",)))
    in_a = np.array([node == "A" for node in mean.group.nodes])
    first, second = mean.group.pairs
    both = in_a[first] & in_a[second]
    assert np.isinf(mean.variance[~both]).all()
    assert not mean.value[~both].any()


def test_nothing_heard_is_no_mean_and_what_was_taken_does_not_change() -> None:
    ear = listener(10)
    first, second = ear.capture(NOISE), ear.capture(NOISE)
    spectra = spectra_of(ear, first)
    accumulator = CrossAccumulator(ear.groups[0], spectra.layout, 0.5)
    assert accumulator.mean() is None
    accumulator.add(spectra)
    before = accumulator.mean()
    assert before is not None
    kept = before.value.copy(), before.variance.copy(), before.mid_shift_s.copy()
    accumulator.add(spectra_of(ear, second))
    value, variance, mid_shift_s = kept
    assert np.array_equal(before.value, value)
    assert np.array_equal(before.variance, variance)
    assert np.array_equal(before.mid_shift_s, mid_shift_s)
