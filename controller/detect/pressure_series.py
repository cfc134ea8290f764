"""Does this series fall? One series of gas mass, tested for leaks at one grain of time.

What the series is made of is `pressure_volume`'s affair; which class an alarm deserves is policy's.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure_cabins import Cabin, CabinWeights
from controller.detect.pressure_gas import HEAT_RATIO, mean_left
from controller.detect.pressure_onsets import Onset, OnsetBank
from controller.detect.pressure_quiet import QuietFilter
from controller.detect.pressure_rate import RateTracker
from controller.detect.pressure_rough import Roughness
from firmware_bridge.units import S_PER_HOUR

MAX_VALUES = 2048  # remembered: 34 h of minutes
RISING_SIGMAS = 5.0  # gas is let in: what came before says nothing of what comes
LEAST_VALUES = 3  # of a fall that something else confirms
LEAST_STEPS = 1.9  # of a fall: after one step nobody knows when within it the fall began
LEAST_OF_STEPS = 1.5  # of rounding: one step may be a hair's breadth of pressure
ROUNDED = 0.41  # of a step: sigma of the difference of two rounded values
BETWEEN = 0.15  # of a step: sigma of when it began
OVER_SHARE = 0.3  # of what was believed: a leak that surely is less is over
OVER_SIGMAS = 1.5
# A fall is believed when luck lends it a hand: its variance is then so much more than the data say, later less.
# Measured: python -m benchmarks.accuracy.pressure_table coverage
LUCK = 0.5
PATIENCE = 6  # values for a fall to go on after it has become significant; else it was a step
SPARSE_S = 900.0  # values so far apart are not many, but each counts


@dataclass(frozen=True, slots=True)
class Grain:
    """How one grain of time is tested.

    Args:
        cabins: kinds of cabin without a leak, of which this is one.
        threshold_sigmas: of the most significant onset.
        least_pa: a fall of less is nothing, however significant.
        oldest_s: onsets older than this are not asked about.
        settle_s: time in which the gas takes on the walls' temperature.
        longest_gap_s: after a longer silence nobody knows what happened meanwhile.
        learns: by how much the cabin is rougher than these.
    """

    cabins: tuple[Cabin, ...]
    threshold_sigmas: float
    least_pa: float
    oldest_s: float
    longest_gap_s: float = 6 * S_PER_HOUR
    settle_s: float = 90.0
    learns: bool = True


@dataclass(frozen=True, slots=True)
class Loss:
    """What the series loses, Pa/s, positive, since when; `believed` once it has been significant."""

    age_s: float
    loss_pa_s: float
    sigma_pa_s: float
    believed: bool
    continuing: bool

    @property
    def sigmas(self) -> float:
        """Loss in its own standard deviations."""
        return self.loss_pa_s / self.sigma_pa_s


class LeakTest:
    """Tests a series value by value."""

    def __init__(self, grain: Grain) -> None:
        """Start without values."""
        self._grain = grain
        self._quiet = QuietFilter(*(cabin.quiet for cabin in grain.cabins))
        self._bank = OnsetBank(len(grain.cabins))
        self._weights = CabinWeights(grain.cabins)
        self._many = len(grain.cabins) > 1
        self._rough = Roughness(waves_taken=self._many)
        self._usual = grain.cabins[self._weights.usual].quiet
        self._tracker: RateTracker | None = None
        self._values: deque[tuple[float, float, float]] = deque(maxlen=MAX_VALUES)  # s, Pa alone, variance
        self._newest: tuple[float, float, float, float] | None = None  # s, Pa, variance, warmth
        self._best: Onset | None = None
        self._lost_pa = 0.0  # by the leak that is followed
        self._doubt = 0.0
        self._began_s = 0.0
        self._most_pa_s = 0.0
        self._first_sigma_pa_s, self._luck = 1.0, 0.0
        self._waiting = 0
        self.ended = False  # whether the newest value ended a leak
        self.step_pa = 0.0  # to which values are rounded: errors of rounding are not independent

    @property
    def roughness(self) -> float:
        """By how much this cabin is rougher than the settings say."""
        return self._rough.times * self._weights.roughness

    @property
    def seen_of_cabin(self) -> NDArray[np.float64]:
        """What was learned of the kind of cabin."""
        return self._weights.seen

    @seen_of_cabin.setter
    def seen_of_cabin(self, value: NDArray[np.float64]) -> None:
        self._weights.seen = value

    def sees_warmth(self, *, sees: bool) -> None:
        """Whether thermometers show what the gas's temperature does."""
        self._weights.sees_warmth = sees

    @property
    def loss(self) -> Loss | None:
        """What is believed; without that, the most significant onset."""
        if not self._values:
            return None
        if self._tracker is not None:
            age_s = max(self._values[-1][0] - self._began_s, 0.0)
            loss = self._tracker.loss_pa_s
            cooling = self._doubt * loss * mean_left(age_s, HEAT_RATIO * self._grain.settle_s)
            known = self._tracker.sigma_pa_s
            lucky = 1.0 + self._luck * min(1.0, known / self._first_sigma_pa_s) ** 2
            rounding = ROUNDED * self.step_pa / max(age_s, 1.0)
            sigma = math.hypot(known * self._rough.times * math.sqrt(lucky), cooling, rounding)
            return Loss(age_s, loss, sigma, believed=True, continuing=True)
        return None if self._best is None else self._unbelieved(self._best)

    def since(self, age_s: float) -> Loss | None:
        """The loss if a leak began so long ago, as something else has told."""
        onset = self._bank.nearest(age_s, self._weights.log_weight, self._weights.counts)
        if onset is None or self._tracker is not None or len(self._values) < LEAST_VALUES:
            return self.loss
        return self._unbelieved(onset)

    def believe(self) -> None:
        """Something else confirms the fall: follow it as a leak."""
        if self._tracker is None:
            self._start(self._best)

    def rebase(self) -> None:
        """Gas was moved that was no leak: start anew from the next value; what was learned of the cabin stays."""
        self._quiet.rebase()
        self._bank.clear()
        self._values.clear()
        self._rough.interrupt()
        self._tracker = self._best = None
        self._weights.rebase()
        self._lost_pa = 0.0
        self._waiting = 0

    def _restart(self) -> None:
        """Start anew from the newest value."""
        newest, last = self._newest, self._values[-1]
        self.rebase()
        if newest is not None:
            self._values.append(last)
            self._quiet.take(*newest[1:])

    def take(self, now_s: float, value_pa: float, variance_pa2: float, warmth_pa: float, doubt: float = 0.0) -> None:
        """The next value of the series, its variance, and what thermometers alone would have it be.

        `doubt` is the relative sigma of a loss of which only the first moments are known: gas cools as it expands.
        """
        self.ended = False
        dt_s = 0.0 if self._newest is None else now_s - self._newest[0]
        if self._newest is not None and dt_s <= 0.0:
            return
        if dt_s > self._grain.longest_gap_s:
            self.rebase()
        # Waves go on while nobody looks, also where all else begins anew.
        matrix = None if self._newest is None else self._quiet.move(dt_s)
        surprise = self._quiet.take(value_pa, variance_pa2, warmth_pa)
        first, self._newest = not self._values, (now_s, value_pa, variance_pa2, warmth_pa)
        likeliest = int(np.argmax(self._weights.log_weight)) if self._best is None else self._best.cabin
        alone_pa = value_pa - float(self._quiet.worth[likeliest]) * warmth_pa
        if self._many:
            alone_pa -= float(self._quiet.waves_pa[likeliest])
        self._doubt = doubt
        self._values.append((now_s, alone_pa, variance_pa2))
        if self._tracker is None and self._grain.learns:
            self._rough.take(now_s, alone_pa, variance_pa2, self._grain.cabins[likeliest].quiet)
        if matrix is None or first:
            return
        if self._tracker is not None:
            self._tracker.step(matrix, self._quiet.noise(dt_s), self._quiet.joins_drift_pa_s(dt_s), dt_s)
            self._tracker.take(value_pa, variance_pa2, warmth_pa, self._weights.log_weight)
            self._lost_pa += self._tracker.loss_pa_s * dt_s
            self._weights.learn(now_s, value_pa + self._lost_pa, variance_pa2, warmth_pa)
            self._end_if_over()
            return
        self._bank.step(matrix, dt_s, surprise, self._grain.oldest_s)
        self._weights.learn(now_s, value_pa, variance_pa2, warmth_pa)
        rising = self._bank.most_rising(self._weights.with_usual, self._weights.counts)
        if rising is not None and rising.sigmas < -RISING_SIGMAS:
            self._restart()
            return
        self._best = self._bank.best(self._weights.log_weight, self._weights.counts)
        self._begin_if_significant()

    def _begin_if_significant(self) -> None:
        onset = self._best
        if onset is None:
            return
        asked = self._grain.threshold_sigmas * self._rough.times
        least_pa = max(self._grain.least_pa, LEAST_OF_STEPS * self.step_pa)
        # However smooth the cabin seems, the usual one must not explain the fall, either.
        usual = self._bank.best(self._weights.with_usual, self._weights.counts) if self._many else onset
        sure = usual is not None and min(onset.sigmas, usual.sigmas) >= asked
        if not sure or onset.loss_pa_s * onset.age_s < least_pa:
            self._waiting = 0
            return
        if self._continues(onset):
            self._start(onset)
            return
        self._waiting += 1
        if self._waiting > PATIENCE:
            self._restart()

    def _unbelieved(self, onset: Onset) -> Loss:
        between = self._between_pa_s(onset)
        cooling = self._doubt * onset.loss_pa_s * mean_left(onset.age_s, HEAT_RATIO * self._grain.settle_s)
        rounding = ROUNDED * self.step_pa / max(onset.age_s, 1.0)
        sigma = math.hypot(onset.sigma_pa_s * self._rough.times, between, cooling, rounding)
        return Loss(onset.age_s, onset.loss_pa_s, sigma, believed=False, continuing=self._continues(onset))

    def _between_pa_s(self, onset: Onset) -> float:
        """Sigma from that it began between two values, where no onset is asked about."""
        step_s = self._values[-1][0] - self._values[-2][0] if len(self._values) > 1 else onset.age_s
        return BETWEEN * abs(onset.loss_pa_s) * step_s / onset.age_s

    def _start(self, onset: Onset | None) -> None:
        belief = self._bank.belief()
        if onset is None or belief is None:
            return
        between = self._between_pa_s(onset)
        belief = replace(belief, variance=belief.variance + between**2)
        self._tracker = RateTracker(self._quiet, belief, self._weights.log_weight, self._weights.counts)
        self._began_s = self._values[-1][0] - onset.age_s
        self._first_sigma_pa_s = self._tracker.sigma_pa_s
        self._luck = LUCK * min(1.0, (self._grain.threshold_sigmas / max(onset.sigmas, 1e-9)) ** 2)
        self._most_pa_s = onset.loss_pa_s
        self._waiting = 0
        self._rough.forget_since(self._began_s, self._grain.cabins[onset.cabin].quiet)

    def _end_if_over(self) -> None:
        tracker = self._tracker
        if tracker is None:
            return
        sigma = tracker.sigma_pa_s * self._rough.times
        if tracker.loss_pa_s > self._grain.threshold_sigmas * sigma:
            self._most_pa_s = tracker.loss_pa_s
        if tracker.loss_pa_s + 2.0 * sigma < OVER_SHARE * self._most_pa_s or tracker.loss_pa_s < -OVER_SIGMAS * sigma:
            tracker.give(self._quiet)
            self._restart()
            self.ended = True

    def _continues(self, onset: Onset) -> bool:
        """Whether the later half of the fall falls at least half as fast as the whole, within two of its sigmas."""
        now_s, now_pa, variance = self._values[-1]
        step_s = now_s - self._values[-2][0] if len(self._values) > 1 else math.inf
        if step_s < SPARSE_S and onset.age_s < LEAST_STEPS * step_s:
            return False
        middle_s = now_s - max(0.5 * onset.age_s, 1e-9)
        earlier = next((value for value in reversed(self._values) if value[0] <= middle_s), self._values[0])
        elapsed_s = now_s - earlier[0]
        if elapsed_s <= 0.0:
            return False
        usual, quiet = self._usual, self._grain.cabins[onset.cabin].quiet
        walk = max(one.walk_pa2_s + 2.0 * one.wander_pa**2 / one.wander_s for one in (usual, quiet))
        moved_pa2 = walk * elapsed_s + (quiet.sway_pa * min(elapsed_s / quiet.sway_s, 1.0)) ** 2 + variance + earlier[2]
        sigma = math.sqrt(moved_pa2) * self._rough.times / elapsed_s
        return (earlier[1] - now_pa) / elapsed_s >= 0.5 * onset.loss_pa_s - 2.0 * sigma
