"""The sound of all sources at all microphones of a room: one function of absolute time, for any thread.

The microphones' own noise and the converter live with the node; structure-borne sound is in `sim.world.structure`.

Every source is white noise on the grid n / sample rate times its loudness, filtered to its spectrum, plus its
lines; a microphone hears it through an impulse response of finite length: every way's delay, spreading, losses
and beam, and the diffuse tail. The source's own filter is finite too, so a frame that starts early enough holds
the linear convolution; between grid points its trigonometric polynomial is the sound.
"""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.signal.loudness import Switching
from sim.world.signal.sampling import GUARD_S, RATE_ERROR_LIMIT, band, frame_samples, shaping
from sim.world.signal.waveform import white_noise
from sim.world.sound.kept import Kept
from sim.world.sound.paths import WALL_SKIN_M
from sim.world.sound.rack import Rack
from sim.world.sound.room import Room
from sim.world.sound.source import SoundSource, Voice
from sim.world.sound.tail import Diffuse, tail_response
from sim.world.sound.tracing import lattice
from sim.world.sound.transfer import Surroundings, Ways, impulse_responses

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

SAMPLE_RATE_LOW_HZ = 32e3  # below it the edges of the band would meet
TRANSFER_BYTES = 256 << 20  # of transfer functions: 60 of them for 16 microphones at 192 kHz and 16,384 samples
EMITTED_BYTES = 32 << 20  # of sources' spectra: the nodes of a rig ask for the same moment one after the other
OPEN_STEP_M = 0.01  # a source on a wall radiates where this step leads away from it
OPEN_DIRECTIONS = 256


class SoundField:
    """Sound pressure at fixed microphones in a room of still air; only its caches ever change."""

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
        racks: Sequence[Rack] = (),
        temperature_gradient_k_m: tuple[float, float, float] = (0.0, 0.0, 0.0),
        late_reverberation: bool = False,
        moist_speed: bool = False,
    ) -> None:
        """Find all paths and draw what is drawn once.

        Args:
            room: gives the paths.
            air: gives speed and absorption; its temperature is that in the room's middle.
            sources: everything that sounds, names unique.
            microphones_m: (m, 3) places in the room's frame, m.
            sample_rate_hz: nominal rate of all nodes, at least 32 kHz; the grid of the noise.
            seed: of the noise, the lines, the events and the tails.
            reflections: bounces up to which paths are followed.
            wall_reflection: pressure amplitude left by a bounce, 0 to 1, at all frequencies.
            racks: boxes that stand in the way.
            temperature_gradient_k_m: change of temperature with place, K/m; it changes travel times only.
            late_reverberation: whether a diffuse tail follows the paths that are followed.
            moist_speed: whether humidity quickens sound, as it does.

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
        self._surroundings = Surroundings(
            room, air, reflections, wall_reflection, tuple(racks), temperature_gradient_k_m, moist_speed
        )
        self._sample_rate_hz = sample_rate_hz
        self._late = late_reverberation and wall_reflection > 0.0
        self._microphones_m = microphones
        root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        self._voices = tuple(Voice.drawn(source, root) for source in sources)
        self._ways = tuple(
            self._surroundings.ways(np.array(voice.source.position_m), microphones) for voice in self._voices
        )
        longest_s = max((float(ways.delay_s.max(initial=0.0)) for ways in self._ways), default=0.0)
        if self._late:
            longest_s = max(longest_s, self._diffuse.length_s(air))
        self._guard = math.ceil(GUARD_S * sample_rate_hz)
        self._history = math.ceil(longest_s * sample_rate_hz) + self._guard + 2
        self._switchings: list[tuple[Switching, ...]] = [()] * len(self._voices)
        self._heard: list[tuple[FloatArray, int] | None] = [None] * len(self._voices)
        self._transfers: Kept[ComplexArray] = Kept(TRANSFER_BYTES)
        self._spectra: Kept[ComplexArray] = Kept(EMITTED_BYTES)
        self._shapes: Kept[FloatArray] = Kept(EMITTED_BYTES)

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
        count = len(self._microphones_m)
        if any(not 0 <= channel < count for channel in channels):
            raise ValueError(f"channels {tuple(channels)} are not all among {count} microphones")
        length = self._frame_length(samples)
        place = start_s * self._sample_rate_hz
        first = math.floor(place) - self._history
        spectrum = np.zeros((len(channels), length // 2 + 1), dtype=np.complex128)
        part = np.empty(length // 2 + 1, dtype=np.complex128)
        for index, voice in enumerate(self._voices):
            switchings = self._switchings[index]
            loudness = voice.source.loudness(voice.key, first, length, self._sample_rate_hz, switchings)
            if isinstance(loudness, float) and loudness == 0.0:
                continue
            emitted = self._spectra.get(
                (index, first, length, switchings), partial(self._emitted, index, first, length, loudness)
            )
            transfer = self._transfer(index, length)
            for row, channel in enumerate(channels):
                np.multiply(emitted, transfer[channel], out=part)
                spectrum[row] += part
        return frame_samples(spectrum, length, place - first, 1.0 / (1.0 + rate_error), samples)

    def switch(self, name: str, on: bool, at_s: float) -> None:
        """Switch the source of that name from absolute time `at_s` on, s; what it was before stays as it was.

        Calls come in the order of their times, from one thread; other threads may capture what is past.

        Raises:
            ValueError: no such source, or a time before that of the last call.
        """
        index = self._index(name)
        before = self._switchings[index]
        if before and at_s < before[-1][0]:
            raise ValueError(f"{name!r} was switched at {before[-1][0]:g} s already, after {at_s:g} s")
        if on != (before[-1][1] if before else True):
            self._switchings[index] = (*before, (at_s, on))

    def response(self, name: str) -> tuple[FloatArray, float, Ways]:
        """How the microphones hear the source of that name: what a click of it at 1 m becomes.

        Returns:
            Impulse responses (microphones, n) on the sample grid, Pa for 1 Pa at 1 m; when the first sample is
            against the emission, s, negative; and the ways that sound takes, without the diffuse tail.

        Raises:
            ValueError: no such source.
        """
        index = self._index(name)
        response, lead = self._make_response(index)
        return response, -lead / self._sample_rate_hz, self._ways[index]

    def _index(self, name: str) -> int:
        names = [voice.source.name for voice in self._voices]
        if name not in names:
            raise ValueError(f"no source {name!r} here; there are {', '.join(names) or 'none'}")
        return names.index(name)

    @property
    def _diffuse(self) -> Diffuse:
        around = self._surroundings
        return Diffuse(around.room.volume_m3, around.room.surface_m2, around.wall_reflection, around.reflections)

    def _frame_length(self, samples: int) -> int:
        """Samples of a frame: history, what the slowest clock may ask for, guard, up to a fast length."""
        asked = math.ceil(samples / (1.0 - RATE_ERROR_LIMIT)) + 1
        return int(fft.next_fast_len(self._history + asked + self._guard, real=True))

    def _emitted(self, index: int, first: int, length: int, loudness: FloatArray | float) -> ComplexArray:
        """Spectrum (bins,) of one source at 1 m over a frame from grid place `first`."""
        voice, rate_hz = self._voices[index], self._sample_rate_hz
        shape = self._shapes.get((index, length), lambda: shaping(voice.source.psd, rate_hz, length))
        emitted: ComplexArray = fft.rfft(white_noise(voice.key, first, length) * loudness)
        emitted *= shape
        tones = [tone for tone in voice.tones if tone.line.frequency_hz < rate_hz / 2.0]
        if tones:
            lines = sum((tone.samples(first, length, rate_hz) for tone in tones), np.zeros(length))
            emitted += fft.rfft(lines * loudness)
        return emitted

    def _transfer(self, index: int, length: int) -> ComplexArray:
        """H (microphones, bins) from one source at 1 m, on the frequencies of a frame."""
        return self._transfers.get((index, length), lambda: self._make_transfer(index, length))

    def _make_transfer(self, index: int, length: int) -> ComplexArray:
        kept = self._heard[index]
        response, lead = self._make_response(index) if kept is None else kept
        self._heard[index] = (response, lead)
        frame = np.zeros((len(response), length))
        frame[:, : response.shape[1] - lead] = response[:, lead:]
        frame[:, length - lead :] = response[:, :lead]
        transfer: ComplexArray = fft.rfft(frame, axis=1)
        return transfer

    def _make_response(self, index: int) -> tuple[FloatArray, int]:
        """Impulse responses (m, n) of one source, its tail included, and the place of the emission in them."""
        voice, around, rate_hz = self._voices[index], self._surroundings, self._sample_rate_hz
        count, beam = len(self._microphones_m), voice.source.directivity
        response, lead = impulse_responses(self._ways[index], count, around.air, rate_hz, beam)
        if not self._late:
            return response, lead
        random = np.random.Generator(np.random.Philox(voice.tail_seed))
        offsets_m = self._microphones_m - self._microphones_m.mean(axis=0)
        tail = tail_response(self._diffuse, around.air, offsets_m, rate_hz, self._open_share(index), random)
        size = int(fft.next_fast_len(lead + tail.shape[1] + lead, real=True))
        frequency_hz = fft.rfftfreq(size, 1.0 / rate_hz)
        passed = band(frequency_hz, rate_hz)
        if beam is not None:
            passed *= np.sqrt(beam.mean_square(2.0 * math.pi * frequency_hz / around.air.sound_speed_m_s))
        padded = np.zeros((count, size))
        padded[:, lead : lead + tail.shape[1]] = tail
        tail = fft.irfft(fft.rfft(padded, axis=1) * passed, n=size, axis=1)[:, : 2 * lead + tail.shape[1]]
        both = np.zeros((count, max(response.shape[1], tail.shape[1])))
        both[:, : response.shape[1]] += response
        both[:, : tail.shape[1]] += tail
        return both, lead

    def _open_share(self, index: int) -> float:
        """Share of all directions into which a source radiates: on a wall half of them, in an edge a quarter."""
        room, place = self._surroundings.room, np.array(self._voices[index].source.position_m)
        if float(room.clearance_m(place[None])[0]) >= WALL_SKIN_M:
            return 1.0
        around = place + OPEN_STEP_M * lattice(OPEN_DIRECTIONS, None)
        return float(np.mean(room.clearance_m(around) > room.clearance_m(place[None])[0]))
