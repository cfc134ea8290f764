"""A leak and a machine that was switched on: what tells them apart by sound, and what is said where nothing does."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import fft

from controller.detect.bands import EDGES_HZ, BandLevels
from controller.detect.onset import Loudness, OnsetDetector, Settings
from controller.localize.verdict import NoFix, Reason
from controller.pipeline.likeness import LATEST, WELL_INSIDE_M, Likeness, doubted
from firmware_bridge.units import s_to_ns
from tests.support.hearing import wave_block
from tests.support.verdicts import fix, no_fix


def tilt_of(density_db: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch) -> float | None:
    """Of a sound with such densities (dB, a hertz) on top of a floor of 20, 20 and 20 dB a hertz."""
    widths = np.diff(EDGES_HZ)
    floor = 10.0 * np.log10(10.0**2 * widths)
    loud = 10.0 * np.log10((10.0**2 + 10.0 ** (np.array(density_db) / 10.0)) * widths)
    detector = OnsetDetector(Settings())
    heard: Loudness | None = None
    for second in range(12):
        level_db = loud if second == 11 else floor + 0.01 * (second % 2)
        monkeypatch.setattr(
            "controller.detect.onset.band_levels", lambda _p, _r, at=level_db: BandLevels(np.tile(at, (4, 1)))
        )
        names = ("m0", "m1", "m2", "m3")
        heard = detector.hear(wave_block("A", names, np.zeros((4, 8)), burst_id=second, start_ns=s_to_ns(second)))
    assert heard is not None
    return heard.tilt_db


@pytest.mark.parametrize("density_db", [(20.0, 20.0, 20.0), (30.0, 24.0, 18.0), (15.0, 25.0, 35.0)])
def test_the_tilt_is_of_what_came_on_top_of_the_floor(
    density_db: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The floor's 0.005 dB of ripple are 1e-3 of its power: 0.04 dB of a density 5 dB below it, at worst."""
    assert tilt_of(density_db, monkeypatch) == pytest.approx(density_db[2] - density_db[0], abs=0.1)


def test_a_burst_at_the_floor_has_no_tilt(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tilt_of((-40.0, -40.0, -40.0), monkeypatch) is None


def burst(tilt_db: float | None, node: str = "A") -> Loudness:
    return Loudness(node, 0, True, 3.0, 20.0, above_floor=tilt_db is not None, tilt_db=tilt_db)


def test_a_jet_hisses_and_a_machine_does_not_and_a_knock_changes_neither() -> None:
    """A jet of 1 mm gains 6 dB an octave up to 63 kHz; a machine loses as much (docs/simulator.md)."""
    likeness = Likeness()
    assert not likeness.hissing()
    for _ in range(LATEST):
        likeness.take(burst(-12.0))
        likeness.take(burst(None))
    assert not likeness.hissing()
    likeness.take(burst(12.0))
    assert not likeness.hissing()
    for _ in range(LATEST):
        likeness.take(burst(6.0, "B"))
    assert likeness.hissing()  # a node that stands nearer hears more of what air takes
    likeness.forget()
    assert not likeness.hissing()


def test_far_away_air_takes_what_makes_a_jet_hiss() -> None:
    """Six metres more take 10 dB of the tilt: of a jet's 0 dB, 12 dB lower 6 m away; a machine's -12 go to -24."""
    likeness = Likeness()
    likeness.take(burst(-12.0))
    assert not likeness.hissing({"A": 3.0})
    assert likeness.hissing({"A": 7.0})
    likeness.forget()
    likeness.take(burst(-24.0))
    assert not likeness.hissing({"A": 7.0})


def test_one_band_alone_does_not_speak_against_a_leak() -> None:
    likeness = Likeness()
    likeness.take(Loudness("A", 0, True, 3.0, 20.0, above_floor=True, tilt_db=None))
    assert likeness.hissing()


@pytest.mark.parametrize("rate_hz", [192e3, 96e3, 110e3])
@pytest.mark.parametrize("octave_db", [3.0, -6.0])
def test_a_slower_rate_tells_a_jet_from_a_machine_as_well(rate_hz: float, octave_db: float) -> None:
    """Density rises or falls by so much an octave; 4 dB are what bands' widths and seams of filters change."""
    random = np.random.default_rng(3)
    detector = OnsetDetector(Settings())
    heard = None
    for second in range(12):
        sound = random.standard_normal((4, 16_384))
        if second == 11:
            spectrum = fft.rfft(10.0 * random.standard_normal((4, 16_384)))
            spectrum *= (np.maximum(fft.rfftfreq(16_384, 1 / rate_hz), 1e3) / 17e3) ** (octave_db / 6.02)
            sound += fft.irfft(spectrum)
        names = ("m0", "m1", "m2", "m3")
        block = wave_block("A", names, sound, burst_id=second, start_ns=s_to_ns(second), rate_hz=rate_hz)
        heard = detector.hear(block)
    assert heard is not None
    assert heard.tilt_db == pytest.approx(2 * octave_db, abs=4.0)


def test_a_rate_that_shows_one_band_tells_no_tilt() -> None:
    random = np.random.default_rng(3)
    detector = OnsetDetector(Settings())
    heard = None
    for second in range(12):
        sound = (10.0 if second == 11 else 1.0) * random.standard_normal((4, 16_384))
        names = ("m0", "m1", "m2", "m3")
        block = wave_block("A", names, sound, burst_id=second, start_ns=s_to_ns(second), rate_hz=60e3)
        heard = detector.hear(block)
    assert heard is not None
    assert heard.above_floor
    assert heard.tilt_db is None


def test_where_a_machine_in_front_of_the_wall_sounds_alike_nothing_is_fixed() -> None:
    far = replace(fix(where="by the hatch"), inside_m=WELL_INSIDE_M + 0.2)
    near = replace(fix(), inside_m=WELL_INSIDE_M - 0.01)
    (told,) = doubted((far, no_fix()))
    assert isinstance(told, NoFix)
    assert told.reason is Reason.AMBIGUOUS
    assert "by the hatch" in told.explanation
    assert "up to 45 cm" in told.explanation
    assert doubted((near, far, no_fix())) == (near, no_fix())
    assert doubted((fix(), no_fix())) == (fix(), no_fix())  # what the sound alone does not tell is no reason to doubt
