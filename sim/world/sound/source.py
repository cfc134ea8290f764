"""What sounds at a point, and the draws that belong to it alone.

How machines and events sound is said in `machine` and `bursts`; how it reaches microphones in `field`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.signal.keys import TAIL, TONES, noise_key, stream
from sim.world.signal.loudness import Interval, LevelTable, Switching, check_intervals, powered, switched
from sim.world.signal.sampling import Psd
from sim.world.sound.bursts import Bursts
from sim.world.sound.directivity import Directivity
from sim.world.sound.tone import Line, Tone

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SoundSource:
    """Something that sounds at a point.

    Args:
        name: unique in its field; it names the source's stream of noise too, which no other source changes.
        position_m: place in the room's frame, m.
        psd: one-sided spectral density at 1 m (on the axis) as a function of frequency, Hz -> Pa2/Hz, on arrays.
        start_s: absolute time at which it starts, s; minus infinity for ever before.
        stop_s: absolute time at which it stops, s; None for never.
        lines: its tones; those at or above the Nyquist frequency are not heard.
        later: further intervals (start s, stop s or None) in which it sounds.
        level_db: how its level, lines included, moves over time; None for steady.
        bursts: events in which alone it sounds, while it is on; None for steadily.
        directivity: its beam; None for alike all around.

    Raises:
        ValueError: intervals that overlap or run backwards.
    """

    name: str
    position_m: tuple[float, float, float]
    psd: Psd
    start_s: float
    stop_s: float | None = None
    lines: tuple[Line, ...] = ()
    later: tuple[Interval, ...] = ()
    level_db: LevelTable | None = None
    bursts: Bursts | None = None
    directivity: Directivity | None = None

    def __post_init__(self) -> None:
        """Refuse intervals that contradict each other."""
        check_intervals(self.intervals)

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """All intervals in which it sounds."""
        return ((self.start_s, self.stop_s), *self.later)

    def loudness(
        self,
        key: tuple[int, int],
        first: int,
        count: int,
        sample_rate_hz: float,
        switchings: tuple[Switching, ...] = (),
    ) -> FloatArray | float:
        """Factor (count,) of its pressure from grid place `first` on, one number where constant; 0.0 is silence."""
        opened = switched(self.intervals, first, count, sample_rate_hz)
        if switchings:
            opened = opened * switched(powered(switchings), first, count, sample_rate_hz)
        if isinstance(opened, float) and opened == 0.0:
            return 0.0
        if self.bursts is not None:
            happening = self.bursts.amplitude(key, first, count, sample_rate_hz)
            if isinstance(happening, float) and happening == 0.0:
                return 0.0
            opened = opened * happening
        return opened if self.level_db is None else opened * self.level_db.amplitude(first, count, sample_rate_hz)


@dataclass(frozen=True, slots=True)
class Voice:
    """A source with its own draws: the key of its noise, its tones, the seed of its reverberation."""

    source: SoundSource
    key: tuple[int, int]
    tones: tuple[Tone, ...]
    tail_seed: np.random.SeedSequence

    @staticmethod
    def drawn(source: SoundSource, root: np.random.SeedSequence) -> "Voice":
        """Draw from the seed and the source's name alone."""
        name = source.name
        generator = np.random.Generator(np.random.Philox(stream(root, name, TONES)))
        tones = tuple(Tone.drawn(line, generator) for line in source.lines)
        return Voice(source, noise_key(root, name), tones, stream(root, name, TAIL))
