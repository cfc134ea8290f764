"""Logs of cabins that are made up, each kind by its own recipe; none uses a formula of the detector that they try.

What the detector says of them is `log_table`'s affair.
"""

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import PA_PER_MMHG, S_PER_DAY, S_PER_HOUR

FloatArray = NDArray[np.float64]
Recipe = Callable[[np.random.Generator, FloatArray], FloatArray]

SLOPES = Path(__file__).parents[2] / "tests" / "vectors" / "cabin_slopes.toml"
AIR_PA = 101_000.0
LEAST_PA = 20_000.0  # a log ends there
PROPELLANT_S = 600.0  # a feed's time


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of cabin and of log: what the pressure does at given times, Pa about a level, and how it is read."""

    name: str
    does: Recipe
    hours: float = 24.0
    every_s: float = 60.0
    step_pa: float = 1.0
    mess: bool = False


def spectral(random: np.random.Generator, at_s: FloatArray, times: float = 1.0) -> FloatArray:
    """Gaussian noise with the spectrum that a real cabin's log has, band by band, `times` as large.

    Below the lowest band, 3 hours, the density is held: what drifts for longer is another recipe's.
    """
    bands = tomllib.loads(SLOPES.read_text(encoding="utf-8"))["band"]
    step_s = 30.0
    count = 2 * math.ceil(at_s[-1] / step_s + 2)
    frequency_hz = np.fft.rfftfreq(count, step_s)[1:]
    centre_hz = [math.sqrt(band["low_hz"] * band["high_hz"]) for band in bands]
    density = np.exp(np.interp(np.log(frequency_hz), np.log(centre_hz), np.log([b["density_pa2_hz"] for b in bands])))
    density[frequency_hz > 6e-3] = 0.0  # the barometer's own noise and rounding
    size = np.sqrt(0.5 * density * count / step_s)
    parts = size * (random.standard_normal(size.size) + 1j * random.standard_normal(size.size)) / math.sqrt(2.0)
    values = np.fft.irfft(np.concatenate([[0.0], parts]), count)
    return np.asarray(times * np.interp(at_s, step_s * np.arange(count), values))


def still(random: np.random.Generator, at_s: FloatArray) -> FloatArray:
    """A barometer's noise, and a slow breath."""
    return np.asarray(3.0 * np.sin(math.tau * at_s / 20_000.0 + 6.0 * random.random()))


def heated(random: np.random.Generator, at_s: FloatArray, swing_pa: float = 100.0) -> FloatArray:
    """Sun and shade: the gas goes exponentially to one temperature and to the other, no thermometer; 60 to 120 min."""
    period_s, lag_s = random.uniform(3600.0, 7200.0), random.uniform(600.0, 3000.0)
    phase = (at_s / period_s + random.random()) % 1.0
    sunny, share = phase < 0.6, random.uniform(0.4, 0.65)
    sunny = phase < share
    up_s, down_s = share * period_s, (1.0 - share) * period_s
    high = -math.expm1(-up_s / lag_s) / -math.expm1(-period_s / lag_s)
    low = high * math.exp(-down_s / lag_s)
    rising = 1.0 - (1.0 - low) * np.exp(-phase * period_s / lag_s)
    falling = high * np.exp(-(phase - share) * period_s / lag_s)
    wave = np.where(sunny, rising, falling)
    wave = 2.0 * (wave - low) / (high - low) - 1.0
    return np.asarray(swing_pa * wave + spectral(random, at_s, 0.4))


def waved(random: np.random.Generator, at_s: FloatArray) -> FloatArray:
    """A clean wave of 100 Pa, 60 to 120 min."""
    wave = np.sin(math.tau * (at_s / random.uniform(3600.0, 7200.0) + random.random()))
    return np.asarray(100.0 * wave + spectral(random, at_s, 0.4))


def daily(random: np.random.Generator, at_s: FloatArray) -> FloatArray:
    """A day's wave of 100 Pa."""
    wave = np.sin(math.tau * (at_s / S_PER_DAY + random.random()))
    return np.asarray(100.0 * wave + spectral(random, at_s, 0.6))


def sluggish(random: np.random.Generator, at_s: FloatArray) -> FloatArray:
    """Gas that warms and cools as heat loads come and go, 40 Pa, through two lags of half an hour: no thermometer."""
    step_s, lag_s = 60.0, 1800.0
    count = math.ceil(at_s[-1] / step_s) + 2
    kept, slow, values = math.exp(-step_s / lag_s), 0.0, np.zeros(count + 600)
    load = random.standard_normal(count + 600)
    at = 0.0
    for row, kick in enumerate(load):
        slow = kept * slow + (1.0 - kept) * kick
        at = kept * at + (1.0 - kept) * slow
        values[row] = at
    values = 40.0 * values[600:] / 0.065  # rms of the recipe
    return np.asarray(np.interp(at_s, step_s * np.arange(count), values))


def fed(random: np.random.Generator, at_s: FloatArray) -> FloatArray:
    """The real spectrum; people breathe 8 Pa/h, and gas is let in when 100 Pa are missing."""
    missing = 8.0 * at_s / S_PER_HOUR + 100.0 * random.random()
    since_s = (missing % 100.0) / 8.0 * S_PER_HOUR
    fed_pa = np.where(since_s < PROPELLANT_S, 100.0 * (1.0 - since_s / PROPELLANT_S), 0.0)
    return np.asarray(-(missing % 100.0) - fed_pa + spectral(random, at_s))


KINDS = (
    Kind("still", still),
    Kind("as the real one", spectral),
    Kind("four times as rough", lambda random, at_s: spectral(random, at_s, 4.0)),
    Kind("wave, 60 to 120 min", waved),
    Kind("sun and shade", heated),
    Kind("sun and shade, 5 s", heated, hours=12.0, every_s=5.0),
    Kind("day's wave", daily, hours=48.0),
    Kind("sluggish", sluggish),
    Kind("fed", fed),
    Kind("whole mmHg", spectral, step_pa=PA_PER_MMHG),
    Kind("tenths of mmHg, 1 Hz", spectral, hours=6.0, every_s=1.0, step_pa=0.1 * PA_PER_MMHG),
    Kind("messy", spectral, step_pa=10.0, mess=True),
)


@dataclass(frozen=True, slots=True)
class MadeLog:
    """Times, readings with NaN where a cell is empty, and the truth."""

    time_s: FloatArray
    pressure_pa: FloatArray
    onset_s: float
    closed_s: float
    slope_pa_s: float  # of the leak alone when it was last open


def made(kind: Kind, rate_pa_h: float, random: np.random.Generator, leak: str) -> MadeLog:
    """One log; `leak` opens in its "middle", or before its "start", or is "closed" again after a sixth of it."""
    span_s = kind.hours * S_PER_HOUR
    at_s = np.arange(0.0, span_s, kind.every_s)
    if kind.mess:
        at_s = np.cumsum(random.uniform(5.0, 120.0, size=int(span_s / 60.0)))
    onset_s = 0.0 if leak == "start" else random.uniform(0.35, 0.55) * span_s
    closed_s = onset_s + span_s / 6.0 if leak == "closed" else math.inf
    open_s = np.clip(at_s, onset_s, closed_s) - onset_s
    level_pa = AIR_PA + random.uniform(-2000.0, 2000.0)
    still_pa = level_pa + kind.does(random, at_s)
    per_s = rate_pa_h / S_PER_HOUR / AIR_PA
    true_pa = still_pa * np.exp(-per_s * open_s)
    read_pa = true_pa + 1.0 * random.standard_normal(at_s.size)
    read_pa = kind.step_pa * np.rint(read_pa / kind.step_pa)
    breathable = true_pa > LEAST_PA
    at_s, read_pa, true_pa = at_s[breathable], read_pa[breathable], true_pa[breathable]
    if kind.mess:
        at_s, read_pa = _messed(at_s, read_pa, random)
    return MadeLog(at_s, read_pa, onset_s, closed_s, -per_s * float(true_pa[-1]))


def _messed(at_s: FloatArray, read_pa: FloatArray, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """A gap of an hour, empty cells, spikes, rows twice and out of order."""
    read_pa = read_pa.copy()
    read_pa[random.random(at_s.size) < 0.02] = math.nan
    spikes = random.random(at_s.size) < 0.005
    read_pa[spikes] += random.choice([-2000.0, 500.0, 3000.0], size=int(spikes.sum()))
    gap_s = random.uniform(0.1, 0.3) * at_s[-1]
    rows = np.flatnonzero((at_s < gap_s) | (at_s > gap_s + S_PER_HOUR))
    rows = np.concatenate([rows, random.choice(rows, rows.size // 20)])
    random.shuffle(rows)
    return at_s[rows], read_pa[rows]
