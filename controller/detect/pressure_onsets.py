"""Has a leak begun, and when? A bank of onsets, each tested on what the quiet cabins cannot explain.

A generalized likelihood ratio over onset times (Willsky and Jones 1976, IEEE Trans. Autom. Control 21, 108): a leak
since t0 adds a ramp to the series; what each filter makes of that ramp is known beforehand, so rate and significance
for each onset follow from sums over the innovations (docs/pressure.md, equations 5 to 8). How restless the cabin is, is
weighed in `pressure_cabins`; what follows a leak once it is believed is `pressure_rate`.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure_quiet import LEVEL, STATES, Surprise

FloatArray = NDArray[np.float64]

HALVED_S = 900.0  # values further apart say nothing of what was between them
# Losses are not expected to be many times the most significant one: else an onset of a minute ago, of which nothing is
# known, would bring in any loss, and the interval would say nothing in the first hours of a small leak.
EXPECTED = 3.0
LEAST_AGAINST = 1.0  # of a square of sigmas: less is nothing
MAX_ONSETS = 96  # 24 h in steps of a tenth of the age, and the steps of the youngest
MAX_ONSETS_OF_MANY = 64  # of many cabins: in steps of a seventh


@dataclass(frozen=True, slots=True)
class Onset:
    """A leak that may have begun `age_s` ago: loss in Pa/s of the series, positive, and its sigma.

    `cabin` is the number of the cabin in which it is most likely; the sigma counts that the cabin is not known.
    """

    age_s: float
    loss_pa_s: float
    sigma_pa_s: float
    cabin: int = 0

    @property
    def sigmas(self) -> float:
        """Loss in its own standard deviations."""
        return self.loss_pa_s / self.sigma_pa_s


@dataclass(frozen=True, slots=True)
class Belief:
    """Of each cabin, all onsets together, weighed by their likelihood: the loss, and how it goes with the states."""

    loss_pa_s: FloatArray  # (cabins,)
    variance: FloatArray  # (cabins,) (Pa/s)^2
    state_shift: FloatArray  # (cabins, states) for the filters' means; gas that has gone is gone from the level
    state_variance: FloatArray  # (cabins, states, states)
    state_loss: FloatArray  # (cabins, states) covariance of state and loss
    gain: FloatArray  # (cabins,) logarithm of the likelihood of the likeliest leak over that of none


class OnsetBank:
    """Onsets from the youngest to the oldest, stepped together with one `QuietFilter`."""

    def __init__(self, cabins: int = 1) -> None:
        """No onset yet, in so many cabins."""
        self._cabins = cabins
        self._most = MAX_ONSETS if cabins == 1 else MAX_ONSETS_OF_MANY
        # Of the filters to a ramp of -1 Pa/s since each onset; and where they are moved to.
        self._answers, self._moved = np.zeros((2, cabins, STATES, self._most + 2))
        self.clear()

    def clear(self) -> None:
        """Forget all onsets: something moved the gas that was no leak."""
        self._age_s: FloatArray = np.zeros(0)
        self._sum: FloatArray = np.zeros((self._cabins, 0))
        self._weight: FloatArray = np.zeros((self._cabins, 0))

    def step(self, matrix: FloatArray, dt_s: float, surprise: Surprise, oldest_s: float = math.inf) -> None:
        """Go on by one value: `matrix` moved the filters over `dt_s`, and `surprise` is what they then learned.

        Onsets longer ago than `oldest_s` are forgotten.
        """
        # Two new onsets a step: at the last value, and half-way from there to this one.
        new_s = (dt_s, 0.5 * dt_s) if dt_s < HALVED_S else (dt_s,)
        known = self._age_s.size
        count = known + len(new_s)
        self._age_s = np.append(self._age_s + dt_s, new_s)
        moved, answer = self._moved[:, :, :count], self._answers[:, :, :count]
        answer[:, :, known:] = 0.0
        np.matmul(matrix, answer, out=moved)
        unexplained = -self._age_s - np.einsum("s,ksn->kn", surprise.look, moved)
        np.multiply(surprise.gain[:, :, None], unexplained[:, None, :], out=answer)
        answer += moved
        none = np.zeros((self._cabins, len(new_s)))
        self._sum, self._weight = np.append(self._sum, none, axis=1), np.append(self._weight, none, axis=1)
        self._sum += unexplained * (surprise.innovation_pa / surprise.variance_pa2)[:, None]
        self._weight += unexplained**2 / surprise.variance_pa2[:, None]
        if self._age_s.size > self._most:
            self._thin()
        if self._age_s[0] > oldest_s and self._age_s.size > 1:
            self._keep(np.flatnonzero((self._age_s <= oldest_s) | (self._age_s == self._age_s[-1])))

    def best(self, log_weight: FloatArray | None = None, counts: float = 1.0) -> Onset | None:
        """The most significant onset.

        `log_weight` (cabins,) is how likely each cabin is without one; likelihoods are believed as far as `counts`.
        """
        return self._likeliest(1.0, log_weight, counts)

    def most_rising(self, log_weight: FloatArray | None = None, counts: float = 1.0) -> Onset | None:
        """The onset since which the series rose most significantly."""
        return self._likeliest(-1.0, log_weight, counts)

    def nearest(self, age_s: float, log_weight: FloatArray | None = None, counts: float = 1.0) -> Onset | None:
        """The onset whose age comes nearest to one that is known from elsewhere, whatever the cabin."""
        usable = np.flatnonzero((self._weight > 0.0).all(axis=0))
        if usable.size == 0:
            return None
        at = int(usable[np.argmin(np.abs(self._age_s[usable] - age_s))])
        prior = np.zeros(self._cabins) if log_weight is None else log_weight
        total, weight = self._sum[:, at], self._weight[:, at]
        onset = self._onset(prior, total / np.sqrt(weight), np.full(self._cabins, at), counts)
        likely = prior + 0.5 * counts * np.maximum(total, 0.0) ** 2 / weight
        share = np.exp(likely - likely.max())
        share /= share.sum()
        loss = float(share @ (total / weight))
        sigma = math.sqrt(float(share @ (1.0 / weight + (total / weight - loss) ** 2)))
        return replace(onset, loss_pa_s=loss, sigma_pa_s=max(sigma, abs(loss) / max(abs(onset.sigmas), 1.0)))

    def belief(self) -> Belief | None:
        """The loss whatever the onset: a mixture, a wide prior on loss and a flat one on the onset (equation 8)."""
        usable = (self._weight > 0.0).all(axis=0)
        if not usable.any():
            return None
        weight, total, age_s = self._weight[:, usable], self._sum[:, usable], self._age_s[usable]
        answer = self._answers[:, :, np.flatnonzero(usable)]
        answer[:, LEVEL] += age_s  # what has gone since each onset is gone from the level
        likeliest = np.argmax(total / np.sqrt(weight), axis=1)[:, None]
        best_weight = np.take_along_axis(weight, likeliest, axis=1)
        best_loss = np.take_along_axis(total, likeliest, axis=1) / best_weight
        expected = np.maximum((EXPECTED * best_loss) ** 2, 1.0 / best_weight)
        trust = expected / (expected + 1.0 / weight)
        loss, variance = trust * total / weight, trust / weight
        gap = np.abs(np.gradient(self._age_s))[usable] if self._age_s.size > 1 else np.ones(1)
        gain = 0.5 * trust * total**2 / weight * np.sign(loss)
        log_likelihood = gain + 0.5 * np.log(variance) + np.log(gap)
        share = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        mean = (share * loss).sum(axis=1)
        shift = answer * loss[:, None, :]
        mean_shift = (shift * share[:, None, :]).sum(axis=2)
        around, off = shift - mean_shift[:, :, None], loss - mean[:, None]
        of_noise = answer * (share * variance)[:, None, :]
        return Belief(
            loss_pa_s=mean,
            variance=(share * (variance + off**2)).sum(axis=1),
            state_shift=-mean_shift,
            state_variance=of_noise @ answer.swapaxes(1, 2) + (around * share[:, None, :]) @ around.swapaxes(1, 2),
            state_loss=-(of_noise.sum(axis=2) + (around * (share * off)[:, None, :]).sum(axis=2)),
            gain=gain.max(axis=1),
        )

    def _likeliest(self, sign: float, log_weight: FloatArray | None, counts: float) -> Onset | None:
        """The cabin and onset that explain the series best, against the cabin that does so without (equation 7)."""
        usable = (self._weight > 0.0).all(axis=0)
        if not usable.any():
            return None
        prior = np.zeros(self._cabins) if log_weight is None else log_weight
        score = np.where(usable, sign * self._sum / np.sqrt(np.maximum(self._weight, 1e-300)), -np.inf)
        at = np.argmax(score, axis=1)
        return self._onset(prior, score[np.arange(self._cabins), at], at, counts)

    def _onset(self, log_weight: FloatArray, sigmas: FloatArray, at: NDArray[np.intp], counts: float) -> Onset:
        """In the cabin that explains the series best with a leak; as significant as for the cabin that is best without.

        A cabin excuses a fall as far as it explains it without a leak, and is not less likely, a leak given, than the
        likeliest (equation 7).
        """
        over = np.maximum(sigmas, 0.0) ** 2
        likely = log_weight + 0.5 * counts * over
        cabin = int(np.argmax(likely))
        loss = float(self._sum[cabin, at[cabin]] / self._weight[cabin, at[cabin]])
        sigma = 1.0 / math.sqrt(float(self._weight[cabin, at[cabin]]))
        if self._cabins > 1:
            against = over + 2.0 * (likely[cabin] - likely)
            sigma = max(sigma, abs(loss) / math.sqrt(max(float(against.min()), LEAST_AGAINST)))
        return Onset(float(self._age_s[at[cabin]]), loss, sigma, cabin)

    def _thin(self) -> None:
        """Keep the oldest, the youngest, and between them what is a tenth apart in age."""
        kept = np.arange(self._age_s.size)
        while kept.size > self._most:
            age_s = self._age_s[kept]
            ratios = age_s[:-2] / np.maximum(age_s[2:], 1e-9)
            kept = np.delete(kept, 1 + int(np.argmin(ratios)))
        self._keep(kept)

    def _keep(self, kept: NDArray[np.intp]) -> None:
        self._answers[:, :, : kept.size] = self._answers[:, :, kept]
        self._age_s, self._sum, self._weight = self._age_s[kept], self._sum[:, kept], self._weight[:, kept]
