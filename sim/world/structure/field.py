"""The shaking of a hull's skin at all contact sensors: one function of absolute time, for any thread.

A sensor's own response, noise and converter live with the node; sound in the air in `sim.world.sound`.

Every source is white noise on the grid n / sample rate, gated and shaped to the spectrum of its force as in the air; a
sensor feels it through H(f) = sum over ways and modes (`losses`) + tail (`reverberation`). A0 is slow at low
frequencies, so a frame begins as long before its first sample as the slowest wave of the band needs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtr

from sim.world.signal.keys import TAIL, noise_key, stream
from sim.world.signal.sampling import GUARD_S, RATE_ERROR_LIMIT, Psd, frame_samples, shaping
from sim.world.signal.waveform import gate, white_noise
from sim.world.structure.lamb import Mode
from sim.world.structure.losses import Losses, Waves, path_response
from sim.world.structure.paths import Joints, Shell, SurfacePath
from sim.world.structure.plate import Plate
from sim.world.structure.reverberation import Reverberation

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Strength = Callable[[FloatArray], FloatArray]

SAMPLE_RATE_HZ = (64e3, 2e6)  # less holds no band above its edges, more no front end has
LOW_HZ = (5e3, 10e3)  # nothing below the first, everything above the second: contact sensors begin there
HIGH_OF_LIMIT = (0.85, 0.95)  # the same at the top, as shares of the frequency at which the plate's third mode begins
HIGH_OF_NYQUIST = (0.875, 1.0)  # or of half the sample rate, whichever is lower
EDGE_HZ = 4e3  # least width of an edge: its ringing is over within 5 ms, half the guard
EDGE_SIGMAS = 12.5  # width of an edge in sigmas of its Gaussian step: 2e-10 remains outside
PATHS_MAX = 8  # ways kept for a source and a sensor, the shortest first
SPEED_POINTS = 256  # frequencies at which the slowest group speed is sought
TRANSFER_CACHE = 128  # transfer functions kept (source x sensor x frame length), 0.3 to 3 MB each
FRAME_CACHE = 8  # frame lengths of which both modes are kept
TAIL_CACHE = 128  # source x sensor, up to 2 MB each


@dataclass(frozen=True, slots=True)
class ForceSource:
    """Something that pushes the skin at a point: a leak, or the mount of a machine.

    Args:
        name: unique in its field; it names the source's stream of noise too, as that of a `SoundSource` does.
        position_m: place on the skin in the shell's frame, m.
        psd: one-sided spectral density of the normal force as a function of frequency, Hz -> N2/Hz, on arrays.
        start_s: absolute time at which it starts, s; minus infinity for ever before.
        stop_s: absolute time at which it stops, s; None for never.
        strength: factor on the force over absolute time, rising times (n,) in s -> (n,); None for 1. It must answer
            alike for one time whatever others are asked with it.
    """

    name: str
    position_m: tuple[float, float, float]
    psd: Psd
    start_s: float = -math.inf
    stop_s: float | None = None
    strength: Strength | None = None


@dataclass(frozen=True, slots=True)
class _Voice:
    """A source with its ways to every sensor and the key of its noise."""

    source: ForceSource
    paths: tuple[tuple[SurfacePath, ...], ...]
    key: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Skin:
    """All that is known of a hull as a plate; the tail is left out where `reverberation` is None."""

    shell: Shell
    plate: Plate
    losses: Losses = field(default_factory=Losses)
    joints: Joints = field(default_factory=Joints)
    reverberation: Reverberation | None = field(default_factory=Reverberation)
    wraps: int = 1


class StructureField:
    """Normal velocity of the skin at fixed contact sensors; only its caches ever change."""

    def __init__(
        self,
        skin: Skin,
        sources: Sequence[ForceSource],
        sensors_m: FloatArray,
        *,
        sample_rate_hz: float,
        seed: int | np.random.SeedSequence,
    ) -> None:
        """Find all ways and draw what is drawn once.

        Args:
            skin: shell, plate, losses.
            sources: everything that pushes, names unique.
            sensors_m: (m, 3) places on the skin in the shell's frame, m.
            sample_rate_hz: nominal rate of all nodes, 64 kHz to 2 MHz; the grid of the noise.
            seed: of the noise and the tails. With the seed, name and rate of a source of a `SoundField` the noise
                is the same there and here, so what is heard and what is felt are coherent.

        Raises:
            ValueError: an argument out of range, or a point off the skin.
        """
        sensors = np.array(sensors_m, dtype=np.float64)
        if sensors.ndim != 2 or sensors.shape[1] != 3:
            raise ValueError(f"sensor positions must be (m, 3), not {sensors.shape}")
        if len({source.name for source in sources}) != len(sources):
            raise ValueError("two sources share a name, so they would share their noise")
        if not SAMPLE_RATE_HZ[0] <= sample_rate_hz <= SAMPLE_RATE_HZ[1]:
            raise ValueError(f"cannot do {sample_rate_hz} Hz, only {SAMPLE_RATE_HZ[0]:g} to {SAMPLE_RATE_HZ[1]:g} Hz")
        self._skin, self._sample_rate_hz, self._sensors = skin, sample_rate_hz, len(sensors)
        self.band_hz = band_hz(skin.plate, sample_rate_hz)
        self._root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        self._voices = tuple(_voice(source, skin, sensors, self._root) for source in sources)
        self._guard = math.ceil(GUARD_S * sample_rate_hz)
        self._history = math.ceil(self._reach_s() * sample_rate_hz) + self._guard
        self._waves = lru_cache(FRAME_CACHE)(self._make_waves)
        self._transfer = lru_cache(TRANSFER_CACHE)(self._make_transfer)
        self._shaping = lru_cache(TRANSFER_CACHE)(self._make_shaping)
        self._tail = lru_cache(TAIL_CACHE)(self._make_tail)

    def capture(self, start_s: float, samples: int, channels: Sequence[int], rate_error: float = 0.0) -> FloatArray:
        """Normal velocity, m/s, (channels, samples), at sensors `channels` from absolute time `start_s`.

        Sample k is the velocity at start_s + k / (sample_rate * (1 + rate_error)), exactly, so captures that
        overlap agree, whoever takes them. The band is `band_hz`: nothing outside, edges of 5 kHz below and about
        an eighth above.

        Raises:
            ValueError: a rate error above 1000 ppm, no samples, or a channel without a sensor.
        """
        if samples < 1 or not abs(rate_error) <= RATE_ERROR_LIMIT:
            raise ValueError(f"cannot capture {samples} samples with a clock off by {rate_error}")
        if any(not 0 <= channel < self._sensors for channel in channels):
            raise ValueError(f"channels {tuple(channels)} are not all among {self._sensors} sensors")
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

    def _reach_s(self) -> float:
        """Time that the slowest wave of the band and the tail need."""
        grid_hz = np.linspace(*self.band_hz, SPEED_POINTS)
        speed_m_s = min(float(self._skin.plate.group_speed_m_s(mode, grid_hz).min()) for mode in Mode)
        ways = [way for voice in self._voices for way in voice.paths if way]
        longest_m = max((path.length_m for way in ways for path in way), default=0.0)
        direct_m = max((way[0].length_m for way in ways), default=0.0)
        ringing = self._skin.reverberation
        tail_s = 0.0 if ringing is None else direct_m / speed_m_s + ringing.duration_s(self.band_hz[0])
        return max(longest_m / speed_m_s, tail_s)

    def _frame_length(self, samples: int) -> int:
        """Samples of a frame: history, what the slowest clock may ask for, guard, up to a fast length."""
        asked = math.ceil(samples / (1.0 - RATE_ERROR_LIMIT)) + 1
        return int(fft.next_fast_len(self._history + asked + self._guard, real=True))

    def _emitted(self, index: int, first: int, length: int) -> ComplexArray | None:
        """Spectrum (bins,) of one source's force over a frame from grid place `first`; None in silence."""
        voice, rate_hz = self._voices[index], self._sample_rate_hz
        opened = gate(first, length, rate_hz, voice.source.start_s, voice.source.stop_s)
        if voice.source.strength is not None:
            opened = opened * voice.source.strength((first + np.arange(length)) / rate_hz)
        if not np.any(opened):
            return None
        emitted: ComplexArray = fft.rfft(white_noise(voice.key, first, length) * opened)
        return emitted * self._shaping(index, length)

    def _make_shaping(self, index: int, length: int) -> FloatArray:
        return shaping(self._voices[index].source.psd, self._sample_rate_hz, length)

    def _bins(self, length: int) -> slice:
        """The bins of a frame that lie inside the band."""
        low, high = (edge * length / self._sample_rate_hz for edge in self.band_hz)
        return slice(math.floor(low) + 1, math.ceil(high))

    def _make_waves(self, length: int) -> Waves:
        return Waves.of(self._skin.plate, fft.rfftfreq(length, 1.0 / self._sample_rate_hz)[self._bins(length)])

    def _make_transfer(self, index: int, channel: int, length: int) -> ComplexArray:
        """H (bins,) from the force of one source to one sensor, on the frequencies of a frame."""
        bins, waves = self._bins(length), self._waves(length)
        total = np.zeros(length // 2 + 1, dtype=np.complex128)
        for path in self._voices[index].paths[channel]:
            total[bins] += path_response(path, waves, self._skin.losses)
        ringing = self._skin.reverberation
        if ringing is not None and ringing.share > 0.0 and self._voices[index].paths[channel]:
            total[bins] += fft.rfft(self._tail(index, channel), n=length)[bins]
        total[bins] *= carried(self._skin.plate, self._sample_rate_hz, waves.frequency_hz)
        total.setflags(write=False)
        return total

    def _make_tail(self, index: int, channel: int) -> FloatArray:
        voice, skin = self._voices[index], self._skin
        if skin.reverberation is None:
            return np.zeros(1)
        generator = np.random.Generator(np.random.Philox(stream(self._root, voice.source.name, TAIL, channel)))
        direct_m = voice.paths[channel][0].length_m
        return skin.reverberation.tail(
            skin.plate, skin.shell.area_m2, direct_m, self.band_hz, self._sample_rate_hz, generator
        )


def band_hz(plate: Plate, sample_rate_hz: float) -> tuple[float, float]:
    """Lowest and highest frequency that a field on this plate carries, Hz: 5 kHz to Nyquist or 0.95 of A1's begin.

    Raises:
        ValueError: a plate so thick that nothing is left.
    """
    high_hz = _high_hz(plate, sample_rate_hz)
    if high_hz[1] - high_hz[0] < EDGE_HZ:
        raise ValueError(f"{plate.thickness_m * 1e3:g} mm of plate carry more than A0 and S0 at the frequencies of use")
    return LOW_HZ[0], high_hz[1]


def carried(plate: Plate, sample_rate_hz: float, frequency_hz: FloatArray) -> FloatArray:
    """Amplitude with which the field carries each frequency inside `band_hz`, 0 to 1, with Gaussian edges."""
    high_hz = _high_hz(plate, sample_rate_hz)
    rising = (frequency_hz - sum(LOW_HZ) / 2.0) / (LOW_HZ[1] - LOW_HZ[0])
    falling = (sum(high_hz) / 2.0 - frequency_hz) / (high_hz[1] - high_hz[0])
    return np.asarray(ndtr(EDGE_SIGMAS * rising) * ndtr(EDGE_SIGMAS * falling))


def _high_hz(plate: Plate, sample_rate_hz: float) -> tuple[float, float]:
    """Where the upper edge begins and ends."""
    nyquist_hz = sample_rate_hz / 2.0
    if HIGH_OF_LIMIT[1] * plate.limit_hz < HIGH_OF_NYQUIST[1] * nyquist_hz:
        return HIGH_OF_LIMIT[0] * plate.limit_hz, HIGH_OF_LIMIT[1] * plate.limit_hz
    return HIGH_OF_NYQUIST[0] * nyquist_hz, HIGH_OF_NYQUIST[1] * nyquist_hz


def _voice(source: ForceSource, skin: Skin, sensors_m: FloatArray, root: np.random.SeedSequence) -> _Voice:
    """Find a source's ways; its noise is that of the source of this name in the air."""
    place = np.array(source.position_m)
    ways = tuple(skin.shell.paths(place, sensor, skin.joints, skin.wraps)[:PATHS_MAX] for sensor in sensors_m)
    return _Voice(source, ways, noise_key(root, source.name))
