"""Pressure of one connected volume: how it fell over any of several windows, against how restless a cabin is.

Model: the temperature-compensated pressure is a random walk (crew, feeds, scrubbers) plus white sensor noise plus, with
a leak, a steady fall. Under it the fall over a window L has variance D L + 2 R: D is a setting, R is learned.
The default D = 0.09 Pa2/s makes the spread of slopes over 5 to 60 minutes that of a public log of cabin pressure on
board the ISS (Astro Pi flight data, 2022: 68 Pa/h over 5 minutes, 48 over 10, 32 over 30, 23 over 60).
"""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np

from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import NS_PER_S

BLOCK_NS = 5 * NS_PER_S
WINDOWS_S = (60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3840.0, 7680.0, 15360.0)
MAX_BLOCKS = 4096  # kept at least; a little above the longest window
MIN_NOISE_PA = 0.05
STALE_NS = 3 * BLOCK_NS  # a sensor this far behind the newest tells of another window than the rest
STEADY_SIGMAS = 1.5  # halves of a window that differ by more are no steady fall
TEMPERATURE_MEMORY_S = 60.0  # a cheap thermometer's noise of 5 mK would be 1.7 Pa; the gas changes more slowly


@dataclass(frozen=True, slots=True)
class Settings:
    """How a fall is told from a restless cabin."""

    random_walk_pa2_s: float = 0.09
    threshold_sigmas: float = 5.5
    confirm_sigmas: float = 3.0


@dataclass(frozen=True, slots=True)
class Fall:
    """How the pressure fell over a window that ends now; `rate_pa_s` is negative in a leak."""

    window_s: float
    rate_pa_s: float
    sigma_pa_s: float
    pressure_pa: float

    @property
    def sigmas(self) -> float:
        """How many of its own standard deviations the fall is away from none; positive in a leak."""
        return -self.rate_pa_s / self.sigma_pa_s


@dataclass(slots=True)
class _Block:
    """Means over one block of time."""

    start_ns: int
    sum_pa: float = 0.0
    count: int = 0

    @property
    def mean_pa(self) -> float:
        return self.sum_pa / self.count


class PressureHistory:
    """Temperature-compensated block means of one pressure sensor."""

    def __init__(self, settings: Settings) -> None:
        """Start empty."""
        self._settings = settings
        self._blocks: list[_Block] = []
        self._reference_k: float | None = None
        self._smoothed_k: float | None = None
        self._last_temperature_ns = 0
        self.last_pa: float | None = None

    def take_temperature(self, block: ScalarBlock) -> None:
        """Follow the temperature of the same node, smoothed."""
        for time_ns, value in zip(block.time_ns, block.value, strict=True):
            if self._smoothed_k is None or self._reference_k is None:
                self._smoothed_k = self._reference_k = float(value)
            else:
                elapsed_s = max(int(time_ns) - self._last_temperature_ns, 0) / NS_PER_S
                share = -math.expm1(-elapsed_s / TEMPERATURE_MEMORY_S)
                self._smoothed_k += share * (float(value) - self._smoothed_k)
            self._last_temperature_ns = int(time_ns)

    def take_pressure(self, block: ScalarBlock) -> None:
        """Add values (n,) Pa."""
        ratio = 1.0
        if self._reference_k is not None and self._smoothed_k is not None:
            ratio = self._reference_k / self._smoothed_k
        for time_ns, value in zip(block.time_ns, block.value, strict=True):
            start_ns = int(time_ns) // BLOCK_NS * BLOCK_NS
            if not self._blocks or start_ns > self._blocks[-1].start_ns:
                self._blocks.append(_Block(start_ns))
                if len(self._blocks) > 2 * MAX_BLOCKS:
                    del self._blocks[:MAX_BLOCKS]
            if start_ns == self._blocks[-1].start_ns:  # a late value of a finished block is not worth a second pass
                self._blocks[-1].sum_pa += float(value) * ratio
                self._blocks[-1].count += 1
            self.last_pa = float(value)

    @property
    def newest_ns(self) -> int | None:
        """Start of the newest block."""
        return self._blocks[-1].start_ns if self._blocks else None

    @property
    def temperature_k(self) -> float | None:
        """Smoothed temperature, where this sensor's node has one."""
        return self._smoothed_k

    @property
    def frozen(self) -> bool:
        """Whether the last minute's block means are all the same, as only a stuck or a very coarse sensor's are."""
        means = [block.mean_pa for block in self._blocks[-14:-1]]
        return len(means) >= 12 and min(means) == max(means)

    def fall_over(self, window_s: float) -> Fall | None:
        """The fall over the last `window_s`; None while less is known or there is a gap at its start."""
        if len(self._blocks) < 3:
            return None
        last = self._blocks[-2]  # the newest block is still filling
        wanted_ns = last.start_ns - round(window_s * NS_PER_S)
        first = self._blocks[bisect_left(self._blocks, wanted_ns - BLOCK_NS // 2, key=lambda block: block.start_ns)]
        if first.start_ns >= last.start_ns or first.start_ns - wanted_ns > BLOCK_NS:
            return None
        elapsed_s = (last.start_ns - first.start_ns) / NS_PER_S
        noise_pa = self._block_noise_pa()
        sigma_pa = math.sqrt(self._settings.random_walk_pa2_s * elapsed_s + 2 * noise_pa**2)
        rate_pa_s = (last.mean_pa - first.mean_pa) / elapsed_s
        return Fall(elapsed_s, rate_pa_s, sigma_pa / elapsed_s, last.mean_pa)

    def _block_noise_pa(self) -> float:
        """White noise of one block mean, from second differences of the last minute (a steady slope cancels)."""
        means = np.array([block.mean_pa for block in self._blocks[-14:-1]])
        if means.size < 6:
            return 1.0
        second = means[2:] - 2 * means[1:-1] + means[:-2]
        return max(MIN_NOISE_PA, 1.4826 * float(np.median(np.abs(second))) / math.sqrt(6.0))


@dataclass(frozen=True, slots=True)
class PressureTrend:
    """What the pressure sensors of one connected volume say together.

    `fall` is the most significant one; of a significant one that over the longest window in which it was steady.
    `agreeing` are the sensors that fall by half the asked significance by themselves; `watched` all that could be
    asked; `continuing` says that the later half of the window still falls, so that it is not over.
    """

    fall: Fall
    watched: tuple[str, ...]
    agreeing: tuple[str, ...]
    significant: bool
    continuing: bool


def judge(
    histories: dict[str, PressureHistory], settings: Settings, *, since_s: float | None = None
) -> PressureTrend | None:
    """The most significant fall over the standard windows, or over the last `since_s` where an onset is known.

    With a known onset one hypothesis is tested instead of many at all times, so less is asked of it. A sensor that fell
    silent while others speak is not asked.
    """
    newest_ns = max((h.newest_ns for h in histories.values() if h.newest_ns is not None), default=0)
    histories = {
        name: h for name, h in histories.items() if h.newest_ns is not None and newest_ns - h.newest_ns <= STALE_NS
    }
    windows = WINDOWS_S if since_s is None else (since_s,)
    asked = settings.threshold_sigmas if since_s is None else settings.confirm_sigmas
    best: PressureTrend | None = None
    for window_s in windows:
        falls = {name: fall for name, history in histories.items() if (fall := history.fall_over(window_s))}
        # A stuck sensor sees no fall; beside one that moves it has no vote, and the other is then a lone one.
        falls = {name: fall for name, fall in falls.items() if not histories[name].frozen} or falls
        if not falls:
            continue
        joint = _median_fall(tuple(falls.values()))
        # Sensors of one volume share its weather, not their own noise: each must at least not contradict the rest.
        agreeing = tuple(name for name, fall in falls.items() if fall.sigmas > asked / 2)
        continuing = _continues(joint, [histories[name].fall_over(window_s / 2) for name in falls])
        significant = joint.sigmas > asked and continuing
        trend = PressureTrend(joint, tuple(falls), agreeing, significant=significant, continuing=continuing)
        if best is None or (trend.continuing, trend.fall.sigmas) > (best.continuing, best.fall.sigmas):
            best = trend
    if best is None or not best.significant or since_s is not None:
        return best
    return replace(best, fall=_steady([histories[name] for name in best.watched], best.fall))


def _steady(histories: list[PressureHistory], fall: Fall) -> Fall:
    """The fall over the longest window, up to that of `fall`, in which it was steady: the rate as it is now.

    The most significant window may reach back before the leak began, by up to its half, and tell 30 % too low a rate.
    """
    for window_s in reversed([w for w in WINDOWS_S if w <= fall.window_s + BLOCK_NS / NS_PER_S]):
        wholes = [whole for history in histories if (whole := history.fall_over(window_s)) is not None]
        halves = [half for history in histories if (half := history.fall_over(window_s / 2)) is not None]
        if not wholes or not halves:
            continue
        fall, half = _median_fall(tuple(wholes)), _median_fall(tuple(halves))
        # The whole holds the half: of a random walk their rates differ with the difference of their variances.
        apart_pa_s = STEADY_SIGMAS * math.sqrt(max(half.sigma_pa_s**2 - fall.sigma_pa_s**2, 0.0))
        if abs(half.rate_pa_s - fall.rate_pa_s) <= apart_pa_s:
            break
    return fall


def _continues(fall: Fall, later: list[Fall | None]) -> bool:
    """Whether the later half of the window falls at least half as fast as the whole, within two of its sigmas.

    A leak that was sealed an hour ago is still in the fall over two hours.
    """
    known = [half for half in later if half is not None]
    if not known:
        return True
    half = _median_fall(tuple(known))
    return half.rate_pa_s < fall.rate_pa_s / 2 + 2 * half.sigma_pa_s


def _median_fall(falls: tuple[Fall, ...]) -> Fall:
    """One lying sensor of three or more cannot move the median; of two, the smaller fall is believed."""
    ordered = sorted(falls, key=lambda fall: fall.sigmas)
    return ordered[(len(ordered) - 1) // 2]
