"""Rendering airborne sound: a burst of sixteen microphones beside the Fourier transforms that it cannot do without."""

from collections.abc import Callable

import numpy as np
from scipy import fft

from benchmarks.measuring import Row, timed
from sim.world.air import Air
from sim.world.sound.field import SoundField
from sim.world.sound.room import BoxRoom
from sim.world.sound.source import SoundSource

BURST = 16_384
RATE_HZ = 192_000.0
MICROPHONES = 16
ROOM = BoxRoom(4.0, 3.0, 2.5)
REFLECTIONS = 5  # 231 images
DRIFT = 12e-6


def rows() -> list[Row]:
    """Capture at the nominal rate and with a drifting clock, steady and the first time, with and without a tail."""
    dry, wet = _field(late=False), _field(late=True)
    frame, wet_frame = dry._frame_length(BURST), wet._frame_length(BURST)
    images = len(dry._ways[0].receiver) // MICROPHONES
    amount = f"{MICROPHONES} x {BURST:,} samples, {images} images, frame {frame:,}"
    return [
        Row("FFTs of a capture", timed(_plain(frame)), f"1 real forward, {MICROPHONES} real inverse of {frame:,}"),
        Row("capture", timed(_capturing(dry, 0.0)), amount, against="FFTs of a capture"),
        Row("FFTs with a drifting clock", timed(_chirped(frame)), f"1 real, 1 + 2 x {MICROPHONES} complex (chirp)"),
        Row("capture, drifting clock", timed(_capturing(dry, DRIFT)), amount, against="FFTs with a drifting clock"),
        Row("FFTs of a capture with tail", timed(_plain(wet_frame)), f"the same, of {wet_frame:,}"),
        Row("capture with tail", timed(_capturing(wet, 0.0)), "", against="FFTs of a capture with tail"),
        Row("first capture", timed(_first(late=False), 3), f"paths and H of {images} images", against="capture"),
        Row("first capture with tail", timed(_first(late=True), 3), "paths, H and tail", against="capture"),
    ]


def _field(*, late: bool) -> SoundField:
    random = np.random.default_rng(1)
    microphones_m = random.uniform([0.2, 0.2, 0.2], [3.8, 2.8, 2.3], (MICROPHONES, 3))
    source = SoundSource("hiss", (1.1, 0.7, 1.3), lambda f: np.full_like(f, 1e-8), -np.inf)
    return SoundField(
        ROOM, Air(295.15, 99_330.0, 0.45), [source], microphones_m,
        sample_rate_hz=RATE_HZ, seed=1, reflections=REFLECTIONS, late_reverberation=late,
    )  # fmt: skip


def _capturing(field: SoundField, drift: float) -> Callable[[], object]:
    started = iter(range(1_000_000))  # another moment each time, so that no spectrum is had from a cache
    return lambda: field.capture(1.0 + 0.5 * next(started), BURST, range(MICROPHONES), drift)


def _first(*, late: bool) -> Callable[[], object]:
    return lambda: _field(late=late).capture(1.0, BURST, range(MICROPHONES))


def _plain(frame: int) -> Callable[[], object]:
    random = np.random.default_rng(2)
    noise = random.standard_normal(frame)
    spectra = fft.rfft(random.standard_normal((MICROPHONES, frame)), axis=1)
    return lambda: (fft.rfft(noise), fft.irfft(spectra, n=frame, axis=1))


def _chirped(frame: int) -> Callable[[], object]:
    random = np.random.default_rng(3)
    noise, bins = random.standard_normal(frame), frame // 2 + 1
    size = int(fft.next_fast_len(bins + BURST - 1))
    spectra = random.standard_normal((MICROPHONES, bins)) + 1j * random.standard_normal((MICROPHONES, bins))
    mirror = np.resize(spectra, size)

    def work() -> object:
        turned = fft.fft(spectra, n=size, axis=1)
        return fft.rfft(noise), fft.fft(mirror), fft.ifft(turned, axis=1)

    return work
