"""Does this series fall? One series of gas mass, tested for leaks at one grain of time.

What the series is made of is `pressure_volume`'s affair; which class an alarm deserves is policy's.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

from controller.detect.pressure_gas import HEAT_RATIO, mean_left
from controller.detect.pressure_onsets import Onset, OnsetBank
from controller.detect.pressure_quiet import DRIFT_KEPT_S, ORBIT_S, Quiet, QuietFilter
from controller.detect.pressure_rate import RateTracker
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
ROUGH_S = 900.0  # roughness is learned from second differences over this
ROUGH_PRIOR = 12  # values that the settings are worth
ROUGH_VALUES = 96  # remembered: a day
MOST_ROUGH = 9.0  # of one square: gas that is moved is not roughness
MEDIAN_OF_SQUARE = 0.455  # of chi-square with one degree of freedom
SPARSE_S = 900.0  # values so far apart are not many, but each counts


@dataclass(frozen=True, slots=True)
class Grain:
    """How one grain of time is tested.

    Args:
        quiet: the cabin without a leak.
        threshold_sigmas: of the most significant onset.
        least_pa: a fall of less is nothing, however significant.
        oldest_s: onsets older than this are not asked about.
        settle_s: time in which the gas takes on the walls' temperature.
        learns: how rough the cabin is.
        longest_gap_s: after a longer silence nobody knows what happened meanwhile.
    """

    quiet: Quiet
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
        self._quiet = QuietFilter(grain.quiet)
        self._bank = OnsetBank()
        self._tracker: RateTracker | None = None
        self._values: deque[tuple[float, float, float]] = deque(maxlen=MAX_VALUES)  # s, Pa without warmth, variance
        self._doubt = 0.0
        self._began_s = 0.0
        self._most_pa_s = 0.0
        self._first_sigma_pa_s, self._luck = 1.0, 0.0
        self._waiting = 0
        self.ended = False  # whether the newest value ended a leak
        self.step_pa = 0.0  # to which values are rounded: errors of rounding are not independent
        self._rough: deque[tuple[float, float]] = deque(maxlen=ROUGH_VALUES)  # when; square over what is expected
        self._rough_means: deque[float] = deque(maxlen=3)
        self._rough_sum, self._rough_count, self._rough_from_s = 0.0, 0, -math.inf
        self._roughness = 1.0

    @property
    def roughness(self) -> float:
        """By how much this cabin is rougher than the settings say, at least 1; sigmas are stretched by it."""
        return self._roughness

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
            sigma = math.hypot(known * self._roughness * math.sqrt(lucky), cooling, rounding)
            return Loss(age_s, loss, sigma, believed=True, continuing=True)
        onset = self._bank.best()
        if onset is None:
            return None
        return self._unbelieved(onset)

    def since(self, age_s: float) -> Loss | None:
        """The loss if a leak began so long ago, as something else has told."""
        onset = self._bank.nearest(age_s)
        if onset is None or self._tracker is not None or len(self._values) < LEAST_VALUES:
            return self.loss
        return self._unbelieved(onset)

    def believe(self) -> None:
        """Something else confirms the fall: follow it as a leak."""
        if self._tracker is None:
            self._start(self._bank.best())

    def rebase(self) -> None:
        """Gas was moved that was no leak: start anew from the next value; what was learned of the cabin stays."""
        self._quiet.rebase()
        self._bank.clear()
        self._values.clear()
        self._rough_means.clear()
        self._rough_count = 0
        self._tracker = None
        self._waiting = 0

    def take(self, now_s: float, value_pa: float, variance_pa2: float, warmth_pa: float, doubt: float = 0.0) -> None:
        """The next value of the series, its variance, and what thermometers alone would have it be.

        `doubt` is the relative sigma of a loss of which only the first moments are known: gas cools as it expands.
        """
        self.ended = False
        if self._values and now_s - self._values[-1][0] > self._grain.longest_gap_s:
            self.rebase()
        first = not self._values
        dt_s = 0.0 if first else now_s - self._values[-1][0]
        if not first and dt_s <= 0.0:
            return
        matrix = self._quiet.move(dt_s) if not first else None
        surprise = self._quiet.take(value_pa, variance_pa2, warmth_pa)
        worth, self._doubt = self._quiet.worth, doubt
        self._values.append((now_s, value_pa - worth * warmth_pa, variance_pa2))
        if self._grain.learns and self._tracker is None:
            self._learn_roughness(now_s, value_pa - worth * warmth_pa)
        if matrix is None:
            return
        self._bank.step(matrix, dt_s, surprise, self._grain.oldest_s)
        if self._tracker is not None:
            quiet = self._grain.quiet
            drift = (1.0 - math.exp(-dt_s / DRIFT_KEPT_S)) * quiet.drift_pa_h / S_PER_HOUR
            self._tracker.step(matrix, self._quiet.noise(dt_s), drift, dt_s)
            self._tracker.take(value_pa, variance_pa2, warmth_pa)
            self._end_if_over()
            return
        rising = self._bank.most_rising()
        if rising is not None and rising.sigmas < -RISING_SIGMAS:
            last = self._values[-1]
            self.rebase()
            self._values.append(last)
            self._quiet.take(value_pa, variance_pa2, warmth_pa)
            return
        self._begin_if_significant()

    def _begin_if_significant(self) -> None:
        onset = self._bank.best()
        if onset is None:
            return
        asked = self._grain.threshold_sigmas * self._roughness
        least_pa = max(self._grain.least_pa, LEAST_OF_STEPS * self.step_pa)
        if onset.sigmas < asked or onset.loss_pa_s * onset.age_s < least_pa:
            self._waiting = 0
            return
        if self._continues(onset):
            self._start(onset)
            return
        self._waiting += 1
        if self._waiting > PATIENCE:
            last = self._values[-1]
            self.rebase()
            self._values.append(last)
            self._quiet.take(last[1] + 0.0, last[2], 0.0)

    def _unbelieved(self, onset: Onset) -> Loss:
        between = self._between_pa_s(onset)
        cooling = self._doubt * onset.loss_pa_s * mean_left(onset.age_s, HEAT_RATIO * self._grain.settle_s)
        rounding = ROUNDED * self.step_pa / max(onset.age_s, 1.0)
        sigma = math.hypot(onset.sigma_pa_s * self._roughness, between, cooling, rounding)
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
        self._tracker = RateTracker(self._quiet, replace(belief, variance=belief.variance + between**2))
        self._began_s = self._values[-1][0] - onset.age_s
        self._first_sigma_pa_s = self._tracker.sigma_pa_s
        self._luck = LUCK * min(1.0, (self._grain.threshold_sigmas / max(onset.sigmas, 1e-9)) ** 2)
        self._most_pa_s = onset.loss_pa_s
        self._waiting = 0
        # What the beginning of the leak did to the second differences is no roughness either.
        while self._rough and self._rough[-1][0] > self._began_s:
            self._rough.pop()
        self._weigh_roughness()

    def _end_if_over(self) -> None:
        tracker = self._tracker
        if tracker is None:
            return
        sigma = tracker.sigma_pa_s * self._roughness
        if tracker.loss_pa_s > self._grain.threshold_sigmas * sigma:
            self._most_pa_s = tracker.loss_pa_s
        if tracker.loss_pa_s + 2.0 * sigma < OVER_SHARE * self._most_pa_s or tracker.loss_pa_s < -OVER_SIGMAS * sigma:
            last = self._values[-1]
            self.rebase()
            self._values.append(last)
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
        quiet = self._grain.quiet
        walk = quiet.walk_pa2_s + 2.0 * quiet.wander_pa**2 / quiet.wander_s
        sigma = math.sqrt(walk * elapsed_s + variance + earlier[2]) * self._roughness / elapsed_s
        return (earlier[1] - now_pa) / elapsed_s >= 0.5 * onset.loss_pa_s - 2.0 * sigma

    def _learn_roughness(self, now_s: float, value_pa: float) -> None:
        """Second differences of means over a quarter of an hour, in which a steady fall cancels, against the model."""
        if now_s >= self._rough_from_s + ROUGH_S:
            if self._rough_count and now_s < self._rough_from_s + 2 * ROUGH_S:
                self._rough_means.append(self._rough_sum / self._rough_count)
                if len(self._rough_means) == 3:
                    first, second, third = self._rough_means
                    ratio = (first - 2.0 * second + third) ** 2 / self._second_difference_pa2()
                    self._rough.append((now_s, min(ratio, MOST_ROUGH)))
            else:
                self._rough_means.clear()
            self._rough_from_s, self._rough_sum, self._rough_count = now_s, 0.0, 0
            self._weigh_roughness()
        self._rough_sum += value_pa
        self._rough_count += 1

    def _weigh_roughness(self) -> None:
        count = len(self._rough)
        middle = sorted(ratio for _, ratio in self._rough)[count // 2] / MEDIAN_OF_SQUARE if count else 1.0
        self._roughness = max(1.0, math.sqrt((ROUGH_PRIOR + count * middle) / (ROUGH_PRIOR + count)))

    def _second_difference_pa2(self) -> float:
        """Its variance by the model: means of a wander, a walk and the orbit's wave (equation 9)."""
        quiet = self._grain.quiet
        walk = quiet.walk_pa2_s * ROUGH_S
        kept = math.exp(-ROUGH_S / quiet.wander_s)
        wander = quiet.wander_pa**2 * (6.0 - 8.0 * kept + 2.0 * kept**2)
        noise = 6.0 * self._values[-1][2] / max(self._rough_count, 1) if self._values else 0.0
        turn = math.tau * ROUGH_S / ORBIT_S
        orbit_pa = 2.0 * (1.0 - math.cos(turn)) * math.sin(0.5 * turn) / (0.5 * turn) * quiet.orbit_pa
        return walk + wander + noise + 0.5 * orbit_pa**2
