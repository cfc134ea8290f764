"""Has a leak begun, and when? A bank of onsets, each tested on what the quiet cabin cannot explain.

A generalized likelihood ratio over onset times (Willsky and Jones 1976, IEEE Trans. Autom. Control 21, 108): a leak
since t0 adds a ramp to the series; what the filter makes of that ramp is known beforehand, so rate and significance for
each onset follow from sums over the innovations (docs/pressure.md, equations 5 to 8). What follows a leak once it is
believed is `pressure_rate`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure_quiet import LEVEL, STATES, Surprise

FloatArray = NDArray[np.float64]

HALVED_S = 900.0  # values further apart say nothing of what was between them
# Losses are not expected to be many times the most significant one: else an onset of a minute ago, of which nothing is
# known, would bring in any loss, and the interval would say nothing in the first hours of a small leak.
EXPECTED = 3.0
MAX_ONSETS = 96  # 24 h in steps of a tenth of the age, and the steps of the youngest


@dataclass(frozen=True, slots=True)
class Onset:
    """A leak that may have begun `age_s` ago: loss in Pa/s of the series, positive, and its sigma."""

    age_s: float
    loss_pa_s: float
    sigma_pa_s: float

    @property
    def sigmas(self) -> float:
        """Loss in its own standard deviations."""
        return self.loss_pa_s / self.sigma_pa_s


@dataclass(frozen=True, slots=True)
class Belief:
    """All onsets together, weighed by their likelihood: the loss, and how it goes with the filter's state."""

    loss_pa_s: float
    variance: float  # (Pa/s)^2
    state_shift: FloatArray  # (states,) to be added to the filter's mean, gas that has gone taken from the level
    state_variance: FloatArray  # (states, states)
    state_loss: FloatArray  # (states,) covariance of state and loss


class OnsetBank:
    """Onsets from the youngest to the oldest, stepped together with one `QuietFilter`."""

    def __init__(self) -> None:
        """No onset yet."""
        self.clear()

    def clear(self) -> None:
        """Forget all onsets: something moved the gas that was no leak."""
        self._age_s: FloatArray = np.zeros(0)
        self._answer: FloatArray = np.zeros((STATES, 0))  # of the filter to a ramp of -1 Pa/s
        self._sum: FloatArray = np.zeros(0)
        self._weight: FloatArray = np.zeros(0)

    def step(self, matrix: FloatArray, dt_s: float, surprise: Surprise, oldest_s: float = math.inf) -> None:
        """Go on by one value: `matrix` moved the filter over `dt_s`, and `surprise` is what it then learned.

        Onsets longer ago than `oldest_s` are forgotten.
        """
        # Two new onsets a step: at the last value, and half-way from there to this one.
        new_s = (dt_s, 0.5 * dt_s) if dt_s < HALVED_S else (dt_s,)
        none = np.zeros(len(new_s))
        self._age_s = np.append(self._age_s + dt_s, new_s)
        self._answer = np.append(self._answer, np.zeros((STATES, len(new_s))), axis=1)
        self._sum, self._weight = np.append(self._sum, none), np.append(self._weight, none)
        moved = matrix @ self._answer
        unexplained = -self._age_s - surprise.look @ moved
        self._answer = moved + surprise.gain[:, None] * unexplained[None, :]
        self._sum = self._sum + unexplained * (surprise.innovation_pa / surprise.variance_pa2)
        self._weight = self._weight + unexplained**2 / surprise.variance_pa2
        while self._age_s.size > MAX_ONSETS:
            self._thin()
        if self._age_s[0] > oldest_s and self._age_s.size > 1:
            self._keep(np.flatnonzero((self._age_s <= oldest_s) | (self._age_s == self._age_s[-1])))

    def best(self, least_age_s: float = 0.0) -> Onset | None:
        """The most significant onset that is at least so old."""
        usable = (self._weight > 0.0) & (self._age_s >= least_age_s)
        if not usable.any():
            return None
        score = np.where(usable, self._sum / np.sqrt(np.maximum(self._weight, 1e-300)), -np.inf)
        return self._onset(int(np.argmax(score)))

    def most_rising(self, least_age_s: float = 0.0) -> Onset | None:
        """The onset since which the series rose most significantly."""
        usable = (self._weight > 0.0) & (self._age_s >= least_age_s)
        if not usable.any():
            return None
        score = np.where(usable, self._sum / np.sqrt(np.maximum(self._weight, 1e-300)), np.inf)
        return self._onset(int(np.argmin(score)))

    def nearest(self, age_s: float) -> Onset | None:
        """The onset whose age comes nearest to one that is known from elsewhere."""
        usable = np.flatnonzero(self._weight > 0.0)
        if usable.size == 0:
            return None
        return self._onset(int(usable[np.argmin(np.abs(self._age_s[usable] - age_s))]))

    def belief(self) -> Belief | None:
        """The loss whatever the onset: a mixture, a wide prior on loss and a flat one on the onset (equation 8)."""
        usable = self._weight > 0.0
        best = self.best()
        if best is None:
            return None
        weight, answer = self._weight[usable], self._answer[:, usable].copy()
        answer[LEVEL] += self._age_s[usable]  # what has gone since each onset is gone from the level
        expected = max(EXPECTED * abs(best.loss_pa_s), best.sigma_pa_s) ** 2
        trust = expected / (expected + 1.0 / weight)
        loss, variance = trust * self._sum[usable] / weight, trust / weight
        gap = np.abs(np.gradient(self._age_s))[usable] if self._age_s.size > 1 else np.ones(1)
        score = self._sum[usable] ** 2 / weight * np.sign(loss)
        log_likelihood = 0.5 * trust * score + 0.5 * np.log(variance) + np.log(gap)
        share = np.exp(log_likelihood - log_likelihood.max())
        share /= share.sum()
        mean = float(share @ loss)
        shift = answer * loss
        mean_shift = shift @ share
        around, off = shift - mean_shift[:, None], loss - mean
        return Belief(
            loss_pa_s=mean,
            variance=float(share @ (variance + off**2)),
            state_shift=-mean_shift,
            state_variance=(answer * (share * variance)) @ answer.T + (around * share) @ around.T,
            state_loss=-(answer @ (share * variance) + around @ (share * off)),
        )

    def _onset(self, at: int) -> Onset:
        weight = float(self._weight[at])
        return Onset(float(self._age_s[at]), float(self._sum[at] / weight), 1.0 / math.sqrt(weight))

    def _thin(self) -> None:
        """Keep the oldest, the youngest, and between them what is a tenth apart in age."""
        age_s = self._age_s
        ratios = age_s[:-2] / np.maximum(age_s[2:], 1e-9)
        at = 1 + int(np.argmin(ratios))
        self._keep(np.delete(np.arange(age_s.size), at))

    def _keep(self, kept: NDArray[np.intp]) -> None:
        self._age_s, self._answer = self._age_s[kept], self._answer[:, kept]
        self._sum, self._weight = self._sum[kept], self._weight[kept]
