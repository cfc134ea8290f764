"""Follows a leak that is believed: its rate as one state more of the quiet cabins' filters, and whether it still leaks.

Whether there is one is decided in `pressure_onsets`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure_onsets import Belief
from controller.detect.pressure_quiet import DRIFT, LEVEL, STATES, WARMTH, QuietFilter, Surprise, looked_at
from firmware_bridge.units import S_PER_HOUR

FloatArray = NDArray[np.float64]

LOSS = STATES
CHANGE_PER_RTHOUR = 0.01  # a hole's rate changes by this share in an hour: it grows, ice forms, air cools
DRIFT_ALLOWANCE = 0.5  # of the cumulative sums, in sigmas: half of the change that they find soonest
CHANGED = 12.0  # of the cumulative sums: with 0.5 once in 13 days of 30 s steps of white noise (Siegmund), and no harm
MOST_SURPRISE = 8.0  # sigmas; one value more surprising than this is worth no more
FAINT = 1e-12  # a cabin so unlikely says nothing of the rate


class RateTracker:
    """The loss now, with its sigma; a change of the hole widens the interval until new data have narrowed it again."""

    def __init__(
        self, quiet: QuietFilter, belief: Belief, log_weight: FloatArray | None = None, counts: float = 1.0
    ) -> None:
        """Start where the bank of onsets has got to.

        `log_weight` (cabins,) is how likely each cabin is without a leak, `counts` how far likelihoods are believed.
        """
        cabins = len(quiet.mean)
        self._mean: FloatArray = np.column_stack([quiet.mean + belief.state_shift, belief.loss_pa_s])
        covariance = np.zeros((cabins, STATES + 1, STATES + 1))
        covariance[:, :STATES, :STATES] = quiet.covariance + belief.state_variance
        covariance[:, :STATES, LOSS] = covariance[:, LOSS, :STATES] = belief.state_loss
        covariance[:, LOSS, LOSS] = belief.variance
        self._covariance: FloatArray = covariance
        self._gain = counts * belief.gain
        self._faster, self._slower = np.zeros(cabins), np.zeros(cabins)
        self._weigh(np.zeros(cabins) if log_weight is None else log_weight)

    @property
    def loss_pa_s(self) -> float:
        """Loss, Pa/s of the series; negative where it rises."""
        return float(self._share @ self._mean[:, LOSS])

    @property
    def sigma_pa_s(self) -> float:
        """Its standard deviation."""
        apart = self._mean[:, LOSS] - self.loss_pa_s
        return math.sqrt(max(float(self._share @ (self._covariance[:, LOSS, LOSS] + apart**2)), 1e-30))

    def step(self, matrix: FloatArray, noise: FloatArray, drift_pa_s: FloatArray, dt_s: float) -> None:
        """Let `dt_s` pass, by the quiet filters' transitions and noise; `drift_pa_s` is what joins the drifts."""
        moves = np.tile(np.eye(STATES + 1), (len(self._mean), 1, 1))
        moves[:, :STATES, :STATES] = matrix
        moves[:, LEVEL, LOSS] = -dt_s
        self._mean = (moves @ self._mean[..., None])[..., 0]
        self._mean[:, DRIFT] += drift_pa_s
        self._covariance = moves @ self._covariance @ moves.swapaxes(1, 2)
        self._covariance[:, :STATES, :STATES] += noise
        change = CHANGE_PER_RTHOUR * self._mean[:, LOSS]
        self._covariance[:, LOSS, LOSS] += change**2 * dt_s / S_PER_HOUR

    def take(
        self, value_pa: float, variance_pa2: float, warmth_pa: float, log_weight: FloatArray | None = None
    ) -> Surprise:
        """One value, as the quiet filters'; what each cabin thought of it."""
        look = np.append(looked_at(warmth_pa), 0.0)
        toward = self._covariance @ look
        variance = toward @ look + variance_pa2
        innovation = value_pa - self._mean @ look
        gain = toward / variance[:, None]
        self._mean += gain * innovation[:, None]
        self._covariance -= gain[:, :, None] * toward[:, None, :]
        sigmas = np.clip(innovation / np.sqrt(variance), -MOST_SURPRISE, MOST_SURPRISE)
        self._slower = np.maximum(0.0, self._slower + sigmas - DRIFT_ALLOWANCE)
        self._faster = np.maximum(0.0, self._faster - sigmas - DRIFT_ALLOWANCE)
        for cabin in np.flatnonzero(np.maximum(self._slower, self._faster) > CHANGED).tolist():
            self._learn_anew(cabin, float(innovation[cabin]), float(variance[cabin]))
        if log_weight is not None:
            self._weigh(log_weight)
        return Surprise(innovation, variance, gain[:, :STATES], look[:STATES])

    def give(self, quiet: QuietFilter) -> None:
        """Leave with the quiet filters what was learned of the cabins."""
        quiet.mean[:] = self._mean[:, :STATES]
        quiet.covariance[:] = self._covariance[:, :STATES, :STATES]

    def _weigh(self, log_weight: FloatArray) -> None:
        """How likely each cabin is, if there is a leak."""
        total = log_weight + self._gain
        share = np.exp(total - total.max())
        share[share < FAINT] = 0.0
        self._share: FloatArray = share / share.sum()

    def _learn_anew(self, cabin: int, innovation_pa: float, variance_pa2: float) -> None:
        """The leak is not what it was: keep what thermometers are worth, and let the next values say how fast."""
        self._faster[cabin] = self._slower[cabin] = 0.0
        covariance = self._covariance[cabin]
        covariance[LOSS, LOSS] += self._mean[cabin, LOSS] ** 2
        widened = covariance[LOSS, LOSS]
        covariance[LOSS, :] = covariance[:, LOSS] = 0.0
        covariance[LOSS, LOSS] = widened
        covariance[LEVEL, LEVEL] += innovation_pa**2 + variance_pa2
        covariance[WARMTH, LEVEL] = covariance[LEVEL, WARMTH] = 0.0
