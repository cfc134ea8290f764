"""Events at random times: valves, Velcro and knocks as a Poisson process that any stretch of time can ask about.

Every hour has its own counter in a generator keyed by the source, so the events of an hour are known without
those before it. What carries their sound to microphones is `field`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import SOUND_REFERENCE_PA

FloatArray = NDArray[np.float64]

Kind = Literal["valve", "velcro", "knock"]

HOUR_S = 3600.0
HOUR_STREAM, CRACKLE_STREAM = 1, 2  # words of the counter beside the noise's own, which is 0
COUNTER_MASK = 2**64 - 1
MOST_PER_HOUR = 36_000.0  # ten a second; more is a steady noise
LONGEST_S = 10.0  # of a nominal event; the longest drawn is twice that
DURATION_SPREAD = (0.5, 2.0)  # durations are spread evenly on a logarithmic scale
LEVEL_SPREAD_DB = 3.0  # standard deviation between events, cut off at three of them
ATTACK_S = {"valve": 2e-3, "velcro": 10e-3, "knock": 50e-6}  # rise, half a cosine
CRACKLE_S = 1e-3  # Velcro's hooks let go a few at a time: the power changes anew every millisecond
PEAK_HZ = {"valve": 25e3, "velcro": 8e3, "knock": 2e3}


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when it starts, how long it takes, and its pressure relative to the nominal one."""

    start_s: float
    duration_s: float
    amplitude: float


@dataclass(frozen=True, slots=True)
class Bursts:
    """A place where something happens now and then.

    Args:
        kind: valve (a hiss that lasts), velcro (a crackle that lasts), knock (a click that dies away).
        rate_per_h: mean number of events in an hour.
        level_db: mean level at 1 m, dB re 20 uPa, in the octave about 20 kHz while an event is at its loudest.
        duration_s: nominal duration; of a knock, the time in which it dies away by 60 dB.

    Raises:
        ValueError: an unknown kind or a number out of range.
    """

    kind: Kind
    rate_per_h: float
    level_db: float
    duration_s: float

    def __post_init__(self) -> None:
        """Refuse what is no event."""
        if self.kind not in ATTACK_S:
            raise ValueError(f"no such burst as {self.kind!r}: it is one of {', '.join(ATTACK_S)}")
        if not 0.0 <= self.rate_per_h <= MOST_PER_HOUR:
            raise ValueError(f"{self.rate_per_h} events an hour are outside 0 to {MOST_PER_HOUR:g}")
        if not 1e-3 <= self.duration_s <= LONGEST_S or not math.isfinite(self.level_db):
            raise ValueError(f"a burst of {self.duration_s} s at {self.level_db} dB is outside 1 ms to {LONGEST_S:g} s")

    def pressure_psd_pa2_hz(self, frequency_hz: FloatArray) -> FloatArray:
        """One-sided spectral density at 1 m at the loudest moment, Pa2/Hz, same shape as `frequency_hz`.

        x^2 / (1 + 2/3 x^5) about the kind's peak for valve and Velcro (jet-like), 1 / (1 + x^2) for a knock.
        """
        octave = np.geomspace(20e3 / math.sqrt(2.0), 20e3 * math.sqrt(2.0), 65)
        shape = self._shape(octave)
        inside = float(np.sum(0.5 * (shape[1:] + shape[:-1]) * np.diff(octave)))
        scale = SOUND_REFERENCE_PA**2 * math.pow(10.0, self.level_db / 10.0) / inside
        return scale * self._shape(frequency_hz)

    def _shape(self, frequency_hz: FloatArray) -> FloatArray:
        ratio = np.asarray(frequency_hz) / PEAK_HZ[self.kind]
        if self.kind == "knock":
            return np.asarray(1.0 / (1.0 + np.square(ratio)))
        return np.asarray(np.square(ratio) / (1.0 + 2.0 / 3.0 * ratio**5))

    def events(self, key: tuple[int, int], begin_s: float, end_s: float) -> tuple[Event, ...]:
        """All events that sound at some time between two absolute times, s, by their start."""
        found = []
        first = math.floor((begin_s - DURATION_SPREAD[1] * self.duration_s) / HOUR_S)
        for hour in range(first, math.floor(end_s / HOUR_S) + 1):
            random = _generator(key, HOUR_STREAM, hour)
            count = int(random.poisson(self.rate_per_h))
            starts_s = hour * HOUR_S + HOUR_S * random.random(count)
            durations_s = self.duration_s * DURATION_SPREAD[0] * np.power(
                DURATION_SPREAD[1] / DURATION_SPREAD[0], random.random(count)
            )  # fmt: skip
            levels_db = LEVEL_SPREAD_DB * np.clip(random.standard_normal(count), -3.0, 3.0)
            found += [
                Event(float(start), float(duration), math.pow(10.0, float(level) / 20.0))
                for start, duration, level in zip(starts_s, durations_s, levels_db, strict=True)
                if start < end_s and start + duration > begin_s
            ]
        return tuple(sorted(found, key=lambda event: event.start_s))

    def amplitude(
        self,
        key: tuple[int, int],
        first: int,
        count: int,
        sample_rate_hz: float,
    ) -> FloatArray | float:
        """Factor (count,) of the pressure at grid places first, first + 1, ...; 0.0 where nothing happens."""
        begin_s, end_s = first / sample_rate_hz, (first + count) / sample_rate_hz
        events = self.events(key, begin_s, end_s)
        if not events:
            return 0.0
        power = np.zeros(count)
        for event in events:  # events are strangers: their powers add
            low = max(0, math.floor((event.start_s - begin_s) * sample_rate_hz))
            high = min(count, math.ceil((event.start_s + event.duration_s - begin_s) * sample_rate_hz) + 1)
            time_s = (first + np.arange(low, high)) / sample_rate_hz - event.start_s
            power[low:high] += np.square(event.amplitude * self._envelope(time_s, event.duration_s))
        if self.kind == "velcro":
            power *= _crackle(key, first, count, sample_rate_hz)
        loud: FloatArray = np.sqrt(power)
        return loud

    def _envelope(self, time_s: FloatArray, duration_s: float) -> FloatArray:
        """Pressure 0 to 1 at times after the start: up in the attack, then level or dying, and down at the end."""
        rise = 0.5 - 0.5 * np.cos(math.pi * np.clip(time_s / ATTACK_S[self.kind], 0.0, 1.0))
        fall_s = 0.2 * duration_s
        fall = 0.5 - 0.5 * np.cos(math.pi * np.clip((duration_s - time_s) / fall_s, 0.0, 1.0))
        if self.kind == "knock":
            fall = fall * np.power(10.0, -3.0 * np.maximum(time_s, 0.0) / duration_s)
        envelope: FloatArray = rise * fall
        return envelope


def _generator(key: tuple[int, int], stream: int, block: int) -> np.random.Generator:
    counter = np.array([0, 0, block & COUNTER_MASK, stream], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64), counter=counter))


def _crackle(key: tuple[int, int], first: int, count: int, sample_rate_hz: float) -> FloatArray:
    """Power factor (count,) of mean 1: exponential draws a millisecond apart, joined by straight lines."""
    opening = math.floor(first / sample_rate_hz / CRACKLE_S / 1000.0)
    closing = math.floor((first + count) / sample_rate_hz / CRACKLE_S / 1000.0) + 1
    draws = np.concatenate([
        _generator(key, CRACKLE_STREAM, block).standard_exponential(1000) for block in range(opening, closing + 1)
    ])  # fmt: skip
    place = (first + np.arange(count)) / sample_rate_hz / CRACKLE_S - 1000.0 * opening
    power: FloatArray = np.interp(place, np.arange(len(draws)), draws)
    return power
