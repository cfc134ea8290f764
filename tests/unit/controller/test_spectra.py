"""Spectra of bursts against transforms computed directly; what is missing, loose, odd or slow; layouts of the band."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from controller.measure.captures import Capture
from controller.measure.spectra import (
    BAND_HZ,
    HIGHEST_SHARE,
    LOWEST_SPEED_M_S,
    BurstSpectra,
    burst_spectra,
    layout_for,
    tapered,
)
from tests.support.hearing import RATE_HZ, Listener, Source, box_site, group_of, wave_block

SITE = box_site(alone=("C", "D", "E"))  # the line is A and B
NOISE = (Source((1.0, 1.0, 0.0)),)


def listener(seed: int) -> Listener:
    return Listener(SITE, np.random.default_rng(seed))


def heard(ear: Listener, capture: Capture) -> BurstSpectra:
    spectra = burst_spectra(ear.groups[0], capture)
    assert spectra is not None
    return spectra


def direct(capture: Capture, spectra: BurstSpectra) -> NDArray[np.complex128]:
    """Windowed spectra (sensors, bins), unit white noise having unit power: numpy and nothing of ours."""
    blocks = capture.blocks.values()
    rows = {name: row for block in blocks for name, row in zip(block.sensors, block.pressure_pa, strict=True)}
    wave = np.stack([rows[name] for name in spectra.group.sensors]).astype(float)
    length, flank = wave.shape[1], spectra.layout.taper
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(flank) + 0.5) / flank)
    window = np.concatenate([ramp, np.ones(length - 2 * flank), ramp[::-1]])
    found = np.fft.rfft(wave * window, n=spectra.layout.length) / np.sqrt(np.sum(window**2))
    return np.asarray(found[:, spectra.layout.first_bin : spectra.layout.first_bin + spectra.layout.bins])


def test_spectra_are_the_transforms_of_windowed_bursts() -> None:
    ear = listener(1)
    capture = ear.capture(NOISE)
    spectra = heard(ear, capture)
    # Single precision at the transform's input: 1e-6 of the largest value.
    expected = direct(capture, spectra)
    assert spectra.values == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())
    assert spectra.present.all()
    assert spectra.layout.step_hz[0] >= BAND_HZ[0]
    assert spectra.layout.step_hz[-1] <= BAND_HZ[1]


def test_unit_white_noise_has_unit_power() -> None:
    ear = listener(2)
    power = np.mean([np.abs(heard(ear, ear.capture(())).values) ** 2 for _ in range(20)])
    # 8 microphones x 20 bursts x 1,650 bins of one degree of freedom each (neighbours correlate by the taper): 5 sd.
    assert power == pytest.approx(1.0, abs=5 * 1.6 / np.sqrt(8 * 20 * 1650))


def test_the_taper_is_flat_and_has_half_weight_on_its_flanks() -> None:
    window = tapered(1000, 50)
    assert window[50:-50] == pytest.approx(np.ones(900))
    assert window.sum() == pytest.approx(950.0, rel=1e-6)
    assert window == pytest.approx(window[::-1])


def test_a_node_that_missed_a_capture_is_absent() -> None:
    ear = listener(4)
    spectra = heard(ear, ear.capture(NOISE, nodes=("A",)))
    assert spectra.present.tolist() == [node == "A" for node in ear.groups[0].nodes]
    assert not spectra.values[~spectra.present].any()


def test_bursts_that_missed_the_trigger_are_not_coherent_across_nodes() -> None:
    ear = listener(5)
    blocks = dict(ear.capture(NOISE).blocks)
    for name in ("B", "C"):
        loose = blocks[name]
        blocks[name] = wave_block(name, loose.sensors, loose.pressure_pa.astype(float), triggered=False)
    capture = Capture(1, blocks)
    assert heard(ear, capture).present.sum() == 4
    (alone,) = (group for group in ear.groups if group.name == "node C")
    within = burst_spectra(alone, capture)
    assert within is not None  # within a node no trigger is needed
    assert within.present.all()


def test_a_burst_of_another_length_or_rate_is_left_out() -> None:
    ear = listener(6)
    layout = heard(ear, ear.capture(NOISE)).layout
    assert burst_spectra(ear.groups[0], ear.capture(NOISE, samples=8192), layout) is None
    blocks = dict(ear.capture(NOISE).blocks)
    other = blocks["B"]
    blocks["B"] = wave_block("B", other.sensors, other.pressure_pa.astype(float), rate_hz=RATE_HZ / 2)
    odd = burst_spectra(ear.groups[0], Capture(4, blocks), layout)
    assert odd is not None
    assert odd.present.sum() == 4


def test_a_slow_crystal_shifts_the_middle_of_its_bursts() -> None:
    ear = listener(8)
    blocks = dict(ear.capture(NOISE).blocks)
    slow = blocks["B"]
    blocks["B"] = wave_block("B", slow.sensors, slow.pressure_pa.astype(float), rate_hz=RATE_HZ * (1 - 20e-6))
    spectra = heard(ear, Capture(1, blocks))
    assert spectra.mid_shift_s[:4] == pytest.approx(np.zeros(4), abs=1e-15)
    # Sample 2048 is taken after 2048 slow periods: 20 ppm of 10.7 ms.
    assert spectra.mid_shift_s[4:] == pytest.approx(np.full(4, 20e-6 * 2048 / RATE_HZ), rel=1e-4)


def test_nothing_heard_is_none() -> None:
    ear = listener(9)
    assert burst_spectra(ear.groups[0], ear.capture(NOISE, nodes=("C", "D"))) is None
    assert burst_spectra(ear.groups[0], Capture(1, {})) is None


@settings(max_examples=60)
@given(
    samples=st.integers(256, 70_000),
    rate_hz=st.sampled_from([64e3, 96e3, 192e3, 250e3, 500e3]),
    widest_m=st.floats(0.01, 30.0),
)
def test_layouts_hold_every_delay_and_stay_within_the_band(samples: int, rate_hz: float, widest_m: float) -> None:
    layout = layout_for(samples, rate_hz, widest_m)
    if layout is None:  # bursts of a few periods have no bins in the band
        return
    longest = widest_m / LOWEST_SPEED_M_S * rate_hz
    assert layout.length // layout.step >= 2 * longest
    assert layout.length % layout.step == 0
    assert layout.length >= layout.samples == samples
    assert 2 * layout.taper <= samples
    assert layout.first_bin >= 0
    assert layout.first_bin + layout.bins <= layout.length // 2 + 1
    assert layout.step_hz[0] >= BAND_HZ[0]
    assert layout.step_hz[-1] <= min(BAND_HZ[1], HIGHEST_SHARE * rate_hz)


def test_channels_sampled_one_after_the_other_are_put_back_to_the_start() -> None:
    """A tone that each channel samples later: by its phase, worked out with numpy, all spectra are the first one's."""
    late_s = np.array([0.0, 2e-6, 4e-6, 6e-6])
    tone_hz, samples = 41e3, 4096
    time_s = np.arange(samples) / RATE_HZ
    wave = np.cos(2 * np.pi * tone_hz * (time_s + late_s[:, None]))
    group = replace(group_of(np.eye(4, 3).tolist()), late_s=tuple(late_s))
    spectra = burst_spectra(group, Capture(1, {"N": wave_block("N", group.sensors, wave)}))
    assert spectra is not None
    peak = int(np.abs(spectra.values[0]).argmax())
    # The tone lies within half a bin (47 Hz) of the bin whose phase is turned: 6 us x 24 Hz x 2 pi = 9e-4 rad.
    assert np.angle(spectra.values[:, peak] / spectra.values[0, peak]) == pytest.approx(0.0, abs=1e-3)
    plain = burst_spectra(replace(group, late_s=()), Capture(1, {"N": wave_block("N", group.sensors, wave)}))
    assert plain is not None
    turned = np.angle(plain.values[:, peak] / plain.values[0, peak])
    assert turned == pytest.approx(2 * np.pi * tone_hz * late_s, abs=2e-3)
