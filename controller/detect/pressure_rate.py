"""Follows a leak that is believed: its rate as one state more of the quiet cabin's filter, and whether it still leaks.

Whether there is one is decided in `pressure_onsets`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure_onsets import Belief
from controller.detect.pressure_quiet import DRIFT, LEVEL, STATES, WARMTH, QuietFilter
from firmware_bridge.units import S_PER_HOUR

FloatArray = NDArray[np.float64]

LOSS = STATES
CHANGE_PER_RTHOUR = 0.01  # a hole's rate changes by this share in an hour: it grows, ice forms, air cools
DRIFT_ALLOWANCE = 0.5  # of the cumulative sums, in sigmas: half of the change that they find soonest
CHANGED = 12.0  # of the cumulative sums: with 0.5 once in 13 days of 30 s steps of white noise (Siegmund), and no harm
MOST_SURPRISE = 8.0  # sigmas; one value more surprising than this is worth no more


class RateTracker:
    """The loss now, with its sigma; a change of the hole widens the interval until new data have narrowed it again."""

    def __init__(self, quiet: QuietFilter, belief: Belief) -> None:
        """Start where the bank of onsets has got to."""
        self._mean: FloatArray = np.array([*(quiet.mean + belief.state_shift), belief.loss_pa_s])
        covariance = np.zeros((STATES + 1, STATES + 1))
        covariance[:STATES, :STATES] = quiet.covariance + belief.state_variance
        covariance[:STATES, LOSS] = covariance[LOSS, :STATES] = belief.state_loss
        covariance[LOSS, LOSS] = belief.variance
        self._covariance: FloatArray = covariance
        self._faster = self._slower = 0.0

    @property
    def loss_pa_s(self) -> float:
        """Loss, Pa/s of the series; negative where it rises."""
        return float(self._mean[LOSS])

    @property
    def sigma_pa_s(self) -> float:
        """Its standard deviation."""
        return math.sqrt(max(float(self._covariance[LOSS, LOSS]), 1e-30))

    def step(self, matrix: FloatArray, noise: FloatArray, drift_pa_s: float, dt_s: float) -> None:
        """Let `dt_s` pass, by the quiet filter's transition and noise; `drift_pa_s` is what joins the drift."""
        moves = np.eye(STATES + 1)
        moves[:STATES, :STATES] = matrix
        moves[LEVEL, LOSS] = -dt_s
        self._mean = moves @ self._mean
        self._mean[DRIFT] += drift_pa_s
        self._covariance = moves @ self._covariance @ moves.T
        self._covariance[:STATES, :STATES] += noise
        change = CHANGE_PER_RTHOUR * self.loss_pa_s
        self._covariance[LOSS, LOSS] += change**2 * dt_s / S_PER_HOUR

    def take(self, value_pa: float, variance_pa2: float, warmth_pa: float) -> None:
        """One value, as the quiet filter's."""
        look = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, warmth_pa, 0.0])
        toward = self._covariance @ look
        variance = float(look @ toward) + variance_pa2
        innovation = value_pa - float(look @ self._mean)
        self._mean += toward / variance * innovation
        self._covariance -= np.outer(toward / variance, toward)
        sigmas = max(-MOST_SURPRISE, min(MOST_SURPRISE, innovation / math.sqrt(variance)))
        self._slower = max(0.0, self._slower + sigmas - DRIFT_ALLOWANCE)
        self._faster = max(0.0, self._faster - sigmas - DRIFT_ALLOWANCE)
        if max(self._slower, self._faster) > CHANGED:
            self._learn_anew(innovation, variance)

    def _learn_anew(self, innovation_pa: float, variance_pa2: float) -> None:
        """The leak is not what it was: keep what thermometers are worth, and let the next values say how fast."""
        self._faster = self._slower = 0.0
        self._covariance[LOSS, :] = self._covariance[:, LOSS] = 0.0
        self._covariance[LOSS, LOSS] = self.loss_pa_s**2 + self.sigma_pa_s**2
        self._covariance[LEVEL, LEVEL] += innovation_pa**2 + variance_pa2
        self._covariance[WARMTH, LEVEL] = self._covariance[LEVEL, WARMTH] = 0.0
