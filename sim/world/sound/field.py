"""The sound of all sources at all microphones of a room: one function of absolute time, for any thread.

The microphones' own noise and the converter live with the node; structure-borne sound is not here yet.

Every source is white noise on the grid n / sample rate, gated, filtered to its spectrum, plus its lines; a
microphone hears it through H(f) = sum over paths of gain * reflection^bounces * exp(-absorption * length
- j 2 pi f length / c). All filters end, or fade below 1e-9, within the guard, so a frame that starts early
enough holds the linear convolution; between grid points its trigonometric polynomial is the sound.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.signal.sampling import GUARD_S, Psd, band, frame_samples, phasor, shaping
from sim.world.signal.waveform import Tone, gate, white_noise
from sim.world.sound.machine import Line
from sim.world.sound.room import Paths, Room

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

RATE_ERROR_LIMIT = 1e-3  # a crystal that far off is broken; the frame keeps room for it
SAMPLE_RATE_LOW_HZ = 32e3  # below it the edges of the band would meet
TRANSFER_CACHE = 256  # transfer functions kept (source x microphone x frame length), about 0.3 MB each
SHAPING_CACHE = 64  # source x frame length


@dataclass(frozen=True, slots=True)
class SoundSource:
    """Something that sounds at a point.

    Args:
        name: unique in its field; it names the source's stream of noise too, which no other source changes.
        position_m: place in the room's frame, m.
        psd: one-sided spectral density at 1 m as a function of frequency, Hz -> Pa2/Hz, on arrays.
        start_s: absolute time at which it starts, s; minus infinity for ever before.
        stop_s: absolute time at which it stops, s; None for never.
        lines: its tones; those at or above the Nyquist frequency are not heard.
    """

    name: str
    position_m: tuple[float, float, float]
    psd: Psd
    start_s: float
    stop_s: float | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class _Voice:
    """A source with its ways to the microphones and its own draws."""

    source: SoundSource
    paths: Paths
    key: tuple[int, int]
    tones: tuple[Tone, ...]


class SoundField:
    """Sound pressure at fixed microphones in a room of uniform, still air; only its caches ever change."""

    def __init__(
        self,
        room: Room,
        air: Air,
        sources: Sequence[SoundSource],
        microphones_m: FloatArray,
        *,
        sample_rate_hz: float,
        seed: int | np.random.SeedSequence,
        reflections: int = 2,
        wall_reflection: float = 0.6,
    ) -> None:
        """Find all paths and draw what is drawn once.

        Args:
            room: gives the paths.
            air: gives speed and absorption.
            sources: everything that sounds, names unique.
            microphones_m: (m, 3) places in the room's frame, m.
            sample_rate_hz: nominal rate of all nodes, at least 32 kHz; the grid of the noise.
            seed: of the noise and the lines.
            reflections: bounces up to which paths are followed.
            wall_reflection: pressure amplitude left by a bounce, 0 to 1, at all frequencies.

        Raises:
            ValueError: an argument out of range or a point outside the room.
        """
        microphones = np.array(microphones_m, dtype=np.float64)
        if microphones.ndim != 2 or microphones.shape[1] != 3:
            raise ValueError(f"microphone positions must be (m, 3), not {microphones.shape}")
        if len({source.name for source in sources}) != len(sources):
            raise ValueError("two sound sources share a name, so they would share their noise")
        if sample_rate_hz < SAMPLE_RATE_LOW_HZ or not 0.0 <= wall_reflection <= 1.0:
            raise ValueError(f"cannot do {sample_rate_hz} Hz with a wall reflection of {wall_reflection}")
        self._air = air
        self._sample_rate_hz = sample_rate_hz
        self._wall_reflection = wall_reflection
        self._microphones = len(microphones)
        root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        self._voices = tuple(
            _voice(source, room.paths(np.array(source.position_m), microphones, reflections), root)
            for source in sources
        )
        longest_m = max((_longest_m(voice.paths) for voice in self._voices), default=0.0)
        self._guard = math.ceil(GUARD_S * sample_rate_hz)
        self._history = math.ceil(longest_m / air.sound_speed_m_s * sample_rate_hz) + self._guard
        self._transfer = lru_cache(TRANSFER_CACHE)(self._make_transfer)
        self._shaping = lru_cache(SHAPING_CACHE)(self._make_shaping)

    def capture(
        self,
        start_s: float,
        samples: int,
        channels: Sequence[int],
        rate_error: float = 0.0,
    ) -> FloatArray:
        """Sound pressure, Pa, (channels, samples), at microphones `channels` from absolute time `start_s`.

        Sample k is the sound at start_s + k / (sample_rate * (1 + rate_error)), exactly, so captures that
        overlap agree, whoever takes them. The band is that of `sampling.band`: 5 kHz to 7/8 of Nyquist.
        A day from zero a float holds time to 15 ps.

        Raises:
            ValueError: a rate error above 1000 ppm, no samples, or a channel without a microphone.
        """
        if samples < 1 or not abs(rate_error) <= RATE_ERROR_LIMIT:
            raise ValueError(f"cannot capture {samples} samples with a clock off by {rate_error}")
        if any(not 0 <= channel < self._microphones for channel in channels):
            raise ValueError(f"channels {tuple(channels)} are not all among {self._microphones} microphones")
        length = self._frame_length(samples)
        place = start_s * self._sample_rate_hz
        first = math.floor(place) - self._history
        spectrum = np.zeros((len(channels), length // 2 + 1), dtype=np.complex128)
        for index in range(len(self._voices)):
            emitted = self._emitted(index, first, length)
            if emitted is None:
                continue
            for row, channel in enumerate(channels):
                spectrum[row] += emitted * self._transfer(index, channel, length)
        return frame_samples(spectrum, length, place - first, 1.0 / (1.0 + rate_error), samples)

    def _frame_length(self, samples: int) -> int:
        """Samples of a frame: history, what the slowest clock may ask for, guard, up to a fast length."""
        asked = math.ceil(samples / (1.0 - RATE_ERROR_LIMIT)) + 1
        return int(fft.next_fast_len(self._history + asked + self._guard, real=True))

    def _emitted(self, index: int, first: int, length: int) -> ComplexArray | None:
        """Spectrum (bins,) of one source at 1 m over a frame from grid place `first`; None in silence."""
        voice, rate_hz = self._voices[index], self._sample_rate_hz
        opened = gate(first, length, rate_hz, voice.source.start_s, voice.source.stop_s)
        if isinstance(opened, float) and opened == 0.0:
            return None
        emitted: ComplexArray = fft.rfft(white_noise(voice.key, first, length) * opened)
        emitted *= self._shaping(index, length)
        tones = [tone for tone in voice.tones if tone.line.frequency_hz < rate_hz / 2.0]
        if tones:
            lines = sum((tone.samples(first, length, rate_hz) for tone in tones), np.zeros(length))
            emitted += fft.rfft(lines * opened) * band(fft.rfftfreq(length, 1.0 / rate_hz), rate_hz)
        return emitted

    def _make_shaping(self, index: int, length: int) -> FloatArray:
        return shaping(self._voices[index].source.psd, self._sample_rate_hz, length)

    def _make_transfer(self, index: int, channel: int, length: int) -> ComplexArray:
        """H (bins,) from one source at 1 m to one microphone, on the frequencies of a frame."""
        paths = self._voices[index].paths
        absorption = self._air.absorption_np_m(fft.rfftfreq(length, 1.0 / self._sample_rate_hz))
        turn = -2.0 * math.pi * self._sample_rate_hz / (length * self._air.sound_speed_m_s)
        total = np.zeros(len(absorption), dtype=np.complex128)
        for length_m, bounces, gain in zip(
            paths.length_m[channel], paths.bounces[channel], paths.gain[channel], strict=True
        ):
            if math.isfinite(length_m):
                amplitude = gain * self._wall_reflection**bounces
                total += amplitude * np.exp(-absorption * length_m) * phasor(turn * length_m, len(total))
        total.setflags(write=False)
        return total


def _voice(source: SoundSource, paths: Paths, root: np.random.SeedSequence) -> _Voice:
    """Draw a source's key and tones from the seed and its name alone."""
    seed = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, *source.name.encode()))
    key_seed, tone_seed = seed.spawn(2)
    low, high = (int(word) for word in key_seed.generate_state(2, np.uint64))
    generator = np.random.Generator(np.random.Philox(tone_seed))
    return _Voice(source, paths, (low, high), tuple(Tone.drawn(line, generator) for line in source.lines))


def _longest_m(paths: Paths) -> float:
    return float(np.max(paths.length_m, where=np.isfinite(paths.length_m), initial=0.0))
