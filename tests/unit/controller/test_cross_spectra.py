"""Accumulated cross-spectra against spectra computed directly; what is missing, forgotten, or of another length."""

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.measure.captures import Capture
from controller.measure.cross_spectra import BAND_HZ, SpectraAccumulator, SpectraSnapshot, _tapered
from tests.support.hearing import RATE_HZ, Listener, Source, box_site, wave_block

SITE = box_site(alone=("C", "D", "E"))  # the line is A and B
NOISE = (Source((1.0, 1.0, 0.0)),)


def listener(seed: int) -> Listener:
    return Listener(SITE, np.random.default_rng(seed))


def taken(accumulator: SpectraAccumulator, *captures: Capture) -> SpectraSnapshot:
    for capture in captures:
        accumulator.add(capture)
    snapshot = accumulator.snapshot()
    assert snapshot is not None
    return snapshot


def direct(capture: Capture, names: tuple[str, ...]) -> NDArray[np.complex128]:
    """Windowed spectra (sensors, bins of the band), unit white noise having unit power: numpy and nothing of ours."""
    blocks = capture.blocks.values()
    rows = {name: row for block in blocks for name, row in zip(block.sensors, block.pressure_pa, strict=True)}
    wave = np.stack([rows[name] for name in names]).astype(float)
    length = wave.shape[1]
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(int(0.05 * length)) + 0.5) / int(0.05 * length))
    window = np.concatenate([ramp, np.ones(length - 2 * len(ramp)), ramp[::-1]])
    frequency_hz = np.fft.rfftfreq(length, 1.0 / RATE_HZ)
    inside = (frequency_hz >= BAND_HZ[0]) & (frequency_hz < BAND_HZ[1])
    return np.asarray(np.fft.rfft(wave * window)[:, inside] / np.sqrt(np.sum(window**2)))


def test_means_are_those_of_direct_cross_spectra() -> None:
    ear = listener(1)
    group = ear.groups[0]
    captures = [ear.capture(NOISE) for _ in range(3)]
    snapshot = taken(SpectraAccumulator(group), *captures)
    spectra = [direct(capture, group.sensors) for capture in captures]
    first, second = group.pairs
    cross = np.mean([x[first] * x[second].conj() for x in spectra], axis=0)
    power = np.mean([np.abs(x) ** 2 for x in spectra], axis=0)
    # Single precision at the transform's input: 1e-6 of the largest value.
    assert snapshot.cross == pytest.approx(cross, abs=1e-5 * np.abs(cross).max())
    assert snapshot.power == pytest.approx(power, abs=1e-5 * power.max())
    assert snapshot.bursts == pytest.approx(np.full(len(first), 3.0))
    assert (snapshot.length, snapshot.rate_hz) == (4096, RATE_HZ)
    assert snapshot.first_bin * RATE_HZ / 4096 == pytest.approx(BAND_HZ[0])


def test_unit_white_noise_has_unit_power() -> None:
    ear = listener(2)
    snapshot = taken(SpectraAccumulator(ear.groups[0]), *(ear.capture(()) for _ in range(20)))
    # 8 microphones x 20 bursts x 1,664 bins of one degree of freedom each (neighbours correlate a little): 5 sd.
    assert snapshot.power.mean() == pytest.approx(1.0, abs=5 * 1.2 / np.sqrt(8 * 20 * 1664))


def test_the_taper_is_flat_and_has_half_weight_on_its_flanks() -> None:
    window = _tapered(1000)
    assert window[50:-50] == pytest.approx(np.ones(900))
    assert window.sum() == pytest.approx(950.0)
    assert window == pytest.approx(window[::-1])


def test_forgetting_weights_the_newest_most_and_keeps_means_unbiased() -> None:
    ear = listener(3)
    group = ear.groups[0]
    captures = [ear.capture(NOISE) for _ in range(3)]
    snapshot = taken(SpectraAccumulator(group, forgetting=0.5), *captures)
    first, second = group.pairs
    spectra = [direct(capture, group.sensors) for capture in captures]
    weights = np.array([0.25, 0.5, 1.0])
    cross = np.average([x[first] * x[second].conj() for x in spectra], axis=0, weights=weights)
    assert snapshot.cross == pytest.approx(cross, abs=1e-5 * np.abs(cross).max())
    # As much noise as the mean of (sum of weights)^2 / sum of squares equal bursts would have.
    assert snapshot.bursts == pytest.approx(np.full(len(first), weights.sum() ** 2 / (weights**2).sum()))


def test_bursts_tell_how_much_noise_is_left() -> None:
    """Whatever is forgotten: the power of noise in a mean cross-spectrum is one over the bursts that it claims."""
    ear = listener(12)
    snapshot = taken(SpectraAccumulator(ear.groups[0], forgetting=0.8), *(ear.capture(()) for _ in range(40)))
    assert snapshot.bursts[0] == pytest.approx((1 + 0.8) / (1 - 0.8), rel=1e-3)  # a long geometric series
    # 28 pairs x 1,664 bins of two degrees of freedom each, neighbours correlated a little: 4 sd.
    left = float(np.mean(np.abs(snapshot.cross) ** 2)) * snapshot.bursts[0]
    assert left == pytest.approx(1.0, abs=4 * 1.2 / np.sqrt(28 * 1664))


def test_a_node_that_missed_a_capture_keeps_its_own_mean() -> None:
    ear = listener(4)
    group = ear.groups[0]
    whole, half = ear.capture(NOISE), ear.capture(NOISE, nodes=("A",))
    snapshot = taken(SpectraAccumulator(group, forgetting=0.9), whole, half)
    first, second = group.pairs
    owner = np.array(group.nodes)
    within_a = (owner[first] == "A") & (owner[second] == "A")
    assert snapshot.bursts[within_a] == pytest.approx(np.full(within_a.sum(), 1.9**2 / (1 + 0.81)))
    assert snapshot.bursts[~within_a] == pytest.approx(np.ones((~within_a).sum()))
    spectra = direct(whole, group.sensors)
    cross = spectra[first] * spectra[second].conj()
    assert snapshot.cross[~within_a] == pytest.approx(cross[~within_a], abs=1e-5 * np.abs(cross).max())


def test_bursts_that_missed_the_trigger_are_not_correlated_across_nodes() -> None:
    ear = listener(5)
    group = ear.groups[0]
    blocks = dict(ear.capture(NOISE).blocks)
    loose = blocks["B"]
    blocks["B"] = wave_block("B", loose.sensors, loose.pressure_pa.astype(float), triggered=False)
    snapshot = taken(SpectraAccumulator(group), Capture(1, blocks))
    _, second = group.pairs
    with_b = np.array(group.nodes)[second] == "B"
    assert snapshot.bursts[with_b] == pytest.approx(np.zeros(with_b.sum()))
    assert snapshot.bursts[~with_b] == pytest.approx(np.ones((~with_b).sum()))
    (alone,) = (group for group in ear.groups if group.name == "node C")
    blocks["C"] = wave_block("C", blocks["C"].sensors, blocks["C"].pressure_pa.astype(float), triggered=False)
    assert (
        taken(SpectraAccumulator(alone), Capture(1, blocks)).bursts.min() == 1.0
    )  # within a node no trigger is needed


def test_a_burst_of_another_length_or_rate_is_left_out_and_counted() -> None:
    """One odd burst must not undo what the others have gathered."""
    ear = listener(6)
    accumulator = SpectraAccumulator(ear.groups[0])
    before = taken(accumulator, ear.capture(NOISE), ear.capture(NOISE))
    odd = taken(accumulator, ear.capture(NOISE, samples=8192))
    assert (odd.length, accumulator.unfit) == (4096, 2)
    assert np.array_equal(odd.cross, before.cross)
    blocks = dict(ear.capture(NOISE).blocks)
    other = blocks["B"]
    blocks["B"] = wave_block("B", other.sensors, other.pressure_pa.astype(float), rate_hz=RATE_HZ / 2)
    after = taken(accumulator, Capture(4, blocks))
    assert (after.rate_hz, accumulator.unfit) == (RATE_HZ, 3)
    assert after.bursts.max() == 3.0
    assert after.bursts.min() == 2.0


def test_the_longest_burst_of_the_first_capture_sets_the_length() -> None:
    ear = listener(7)
    blocks = dict(ear.capture(NOISE).blocks)
    short = blocks["B"]
    blocks["B"] = wave_block("B", short.sensors, short.pressure_pa[:, :3000].astype(float))
    accumulator = SpectraAccumulator(ear.groups[0])
    assert taken(accumulator, Capture(1, blocks)).length == 4096
    assert accumulator.unfit == 1


def test_a_slow_crystal_shifts_the_middle_of_its_bursts() -> None:
    ear = listener(8)
    blocks = dict(ear.capture(NOISE).blocks)
    slow = blocks["B"]
    rate_hz = RATE_HZ * (1 - 20e-6)
    blocks["B"] = wave_block("B", slow.sensors, slow.pressure_pa.astype(float), rate_hz=rate_hz)
    snapshot = taken(SpectraAccumulator(ear.groups[0]), Capture(1, blocks))
    assert snapshot.rate_hz == RATE_HZ
    assert snapshot.mid_shift_s[:4] == pytest.approx(np.zeros(4), abs=1e-15)
    # Sample 2048 is taken after 2048 slow periods: 20 ppm of 10.7 ms.
    assert snapshot.mid_shift_s[4:] == pytest.approx(np.full(4, 20e-6 * 2048 / RATE_HZ), rel=1e-4)


def test_nothing_heard_is_no_snapshot() -> None:
    ear = listener(9)
    accumulator = SpectraAccumulator(ear.groups[0])
    assert accumulator.snapshot() is None
    accumulator.add(ear.capture(NOISE, nodes=("C", "D")))
    assert accumulator.snapshot() is None
    assert accumulator.bursts == 0.0


def test_a_snapshot_does_not_change_with_what_comes_later() -> None:
    ear = listener(10)
    accumulator = SpectraAccumulator(ear.groups[0], forgetting=0.5)
    before = taken(accumulator, ear.capture(NOISE))
    copies = [before.cross.copy(), before.power.copy(), before.bursts.copy(), before.mid_shift_s.copy()]
    taken(accumulator, ear.capture(NOISE))
    for kept, copy in zip((before.cross, before.power, before.bursts, before.mid_shift_s), copies, strict=True):
        assert np.array_equal(kept, copy)
