"""Parts of the C core alone: spectra against numpy, the siren's cadence and its watchdog; and that all of it builds."""

import ctypes

import numpy as np
import pytest

from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.commands import SirenPattern
from tests.support.firmware import built

SEGMENT = 1024
BINS = SEGMENT // 2
OPAQUE_BYTES = 1 << 16  # more than any struct of these
MS = 1_000_000


@pytest.fixture(scope="module")
def core() -> ctypes.CDLL:
    return ctypes.CDLL(str(built("checks") / "checks.so"))


def powers(core: ctypes.CDLL, samples: np.ndarray) -> np.ndarray:
    spectrum = ctypes.create_string_buffer(OPAQUE_BYTES)
    core.ln_spectrum_init(spectrum)
    counts = np.ascontiguousarray(samples, dtype=np.int16)
    found = np.zeros(BINS, dtype=np.float32)
    core.ln_spectrum_powers(spectrum, counts.ctypes.data_as(ctypes.c_void_p), found.ctypes.data_as(ctypes.c_void_p))
    return found


@pytest.mark.parametrize("loud", [1.0, 30.0, 9000.0])
def test_spectra_are_those_of_numpy(core: ctypes.CDLL, loud: float) -> None:
    samples = np.rint(np.random.default_rng(5).normal(100.0, loud, SEGMENT)).astype(np.int16)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SEGMENT) / SEGMENT)
    spectrum = np.fft.rfft((samples - samples.mean()) * window)
    expected = 2 * np.abs(spectrum[:BINS]) ** 2 / (SEGMENT * (window**2).sum())
    expected[0] = 0.0
    # Single precision: ten stages of rounding at 6e-8 of the largest, of which a power has twice the relative error.
    assert powers(core, samples) == pytest.approx(expected, rel=1e-4, abs=1e-6 * expected.max())


def test_a_full_scale_sine_has_half_its_square_in_its_band(core: ctypes.CDLL) -> None:
    sine = 32_767 * np.sin(2 * np.pi * 100.3 / SEGMENT * np.arange(SEGMENT))
    found = powers(core, np.rint(sine))
    assert found[95:107].sum() == pytest.approx(32_767**2 / 2, rel=1e-3)


@pytest.fixture
def siren(core: ctypes.CDLL) -> ctypes.Array[ctypes.c_char]:
    made = ctypes.create_string_buffer(OPAQUE_BYTES)
    core.ln_siren_tick.restype = core.ln_siren_alive.restype = ctypes.c_bool
    core.ln_siren_init(made, ctypes.c_uint64(0))
    return made


def sounding(core: ctypes.CDLL, siren: ctypes.Array[ctypes.c_char], pattern: SirenPattern) -> float:
    """The share of a minute in which the horn is on."""
    core.ln_siren_play(siren, ctypes.c_uint8(pattern), ctypes.c_uint64(0))
    ticks = [core.ln_siren_tick(siren, ctypes.c_uint64(at * 10 * MS)) for at in range(6000)]
    return sum(ticks) / len(ticks)


def test_the_graver_the_longer_it_sounds(core: ctypes.CDLL, siren: ctypes.Array[ctypes.c_char]) -> None:
    shares = [sounding(core, siren, pattern) for pattern in SirenPattern]
    assert shares == sorted(set(shares))
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_the_watchdog_is_fed_only_while_the_sirens_timer_runs(
    core: ctypes.CDLL, siren: ctypes.Array[ctypes.c_char]
) -> None:
    alive = []
    for at_ms in range(0, 5000, 100):
        if at_ms < 2000:
            core.ln_siren_tick(siren, ctypes.c_uint64(at_ms * MS))
        alive.append(core.ln_siren_alive(siren, ctypes.c_uint64(at_ms * MS)))
    assert all(alive[:29])  # the last tick at 1.9 s, and a second of patience
    assert not any(alive[30:])


def test_a_pattern_that_memory_lost_is_not_played_and_ends_the_feeding(
    core: ctypes.CDLL, siren: ctypes.Array[ctypes.c_char]
) -> None:
    core.ln_siren_play(siren, ctypes.c_uint8(SirenPattern.EMERGENCY), ctypes.c_uint64(0))
    assert core.ln_siren_tick(siren, ctypes.c_uint64(NS_PER_S))
    siren[0] = bytes([SirenPattern.WARNING])  # the pattern is the first byte of the struct
    assert not core.ln_siren_tick(siren, ctypes.c_uint64(NS_PER_S))
    assert not core.ln_siren_alive(siren, ctypes.c_uint64(NS_PER_S))


@pytest.mark.parametrize("target", ["rp2350", "lint"])
def test_the_board_builds_and_the_linter_finds_nothing(target: str) -> None:
    built(target)
