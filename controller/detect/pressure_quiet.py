"""A cabin without a leak, as a state-space model: what its gas does by itself, and how surprising each new value is.

What a leak would add to it is tested in `pressure_onsets`; how barometers become one series is in `pressure_vote`.

All is in "Pa": REFERENCE_PA times the logarithm of gas mass, so that a leak of constant conductance is a straight line
(docs/pressure.md, equations 1 to 4).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import S_PER_DAY, S_PER_HOUR

FloatArray = NDArray[np.float64]

REFERENCE_PA = 101_325.0
ORBIT_S = 5562.0  # of a low orbit; sunlight comes and goes with it
WAVES_KEPT_S = 2 * S_PER_DAY  # in which amplitude and phase of a wave forget themselves
DRIFT_KEPT_S = S_PER_DAY  # in which the crew's net consumption may change
UNKNOWN_PA2 = 1e8  # variance of a level of which nothing is known; the first value says where it is
LEVEL, WANDER, ORBIT_COS, ORBIT_SIN, DAY_COS, DAY_SIN, DRIFT, WARMTH = range(8)
STATES = 8


@dataclass(frozen=True, slots=True)
class Quiet:
    """How restless the gas of a cabin is without a leak; sizes at 101,325 Pa.

    Args:
        wander_pa: rms of what comes and goes (vapour, carbon dioxide, puffs of valves).
        wander_s: time in which that forgets itself.
        walk_pa2_s: variance a second of what never comes back.
        orbit_pa: rms of the amplitude of a wave with the orbit.
        day_pa: rms of the amplitude of a wave with the crew's day.
        drift_pa_h: steady change to be expected, negative where more is breathed than fed.
        drift_sigma_pa_h: how well that is known.
        warmth: share of the thermometers' change that the pressure is expected to follow.
        warmth_sigma: how well that is known; the data teach it.
    """

    wander_pa: float = 11.0
    wander_s: float = 3600.0
    walk_pa2_s: float = 0.015
    orbit_pa: float = 8.0
    day_pa: float = 0.0
    drift_pa_h: float = -6.0
    drift_sigma_pa_h: float = 6.0
    warmth: float = 0.9
    warmth_sigma: float = 0.3


@dataclass(frozen=True, slots=True)
class Surprise:
    """What one value told the filter: the innovation, its variance, and the gain with which the state followed."""

    innovation_pa: float
    variance_pa2: float
    gain: FloatArray
    look: FloatArray

    @property
    def sigmas(self) -> float:
        """The innovation in its own standard deviations."""
        return self.innovation_pa / math.sqrt(self.variance_pa2)


class QuietFilter:
    """Kalman filter of the quiet cabin: level, wander, the orbit's wave, drift, and how far thermometers are right."""

    def __init__(self, quiet: Quiet) -> None:
        """Know nothing of the level, and of the rest what the settings say."""
        self._quiet = quiet
        self.mean: FloatArray = np.zeros(STATES)
        self.covariance: FloatArray = np.zeros((STATES, STATES))
        self._knows_level = False
        self._moves: dict[float, tuple[FloatArray, FloatArray]] = {}
        self.rebase()
        self.mean[WARMTH] = quiet.warmth
        self.covariance[WARMTH, WARMTH] = quiet.warmth_sigma**2

    def rebase(self) -> None:
        """Forget the level and how it came about; what thermometers are worth stays known."""
        self._knows_level = False
        quiet, kept = self._quiet, slice(WARMTH, WARMTH + 1)
        warmth, worth = float(self.mean[WARMTH]), self.covariance[kept, kept].copy()
        self.mean[:] = 0.0
        self.covariance[:] = 0.0
        self.mean[DRIFT] = quiet.drift_pa_h / S_PER_HOUR
        self.mean[WARMTH] = warmth
        self.covariance[kept, kept] = worth
        for state, variance in (
            (LEVEL, UNKNOWN_PA2),
            (WANDER, quiet.wander_pa**2),
            (ORBIT_COS, 0.5 * quiet.orbit_pa**2),
            (ORBIT_SIN, 0.5 * quiet.orbit_pa**2),
            (DAY_COS, 0.5 * quiet.day_pa**2),
            (DAY_SIN, 0.5 * quiet.day_pa**2),
            (DRIFT, (quiet.drift_sigma_pa_h / S_PER_HOUR) ** 2),
        ):
            self.covariance[state, state] = variance

    def move(self, dt_s: float) -> FloatArray:
        """Let `dt_s` pass; the transition matrix."""
        matrix, noise = self._move(dt_s)
        quiet = self._quiet
        expected = quiet.drift_pa_h / S_PER_HOUR
        kept = math.exp(-dt_s / DRIFT_KEPT_S)
        self.mean = matrix @ self.mean
        self.mean[DRIFT] += (1.0 - kept) * expected
        self.covariance = matrix @ self.covariance @ matrix.T + noise
        return matrix

    def noise(self, dt_s: float) -> FloatArray:
        """Covariance of what joins the state in `dt_s`."""
        return self._move(dt_s)[1]

    @property
    def worth(self) -> float:
        """Share of the thermometers' change that the pressure follows, as learned so far."""
        return float(self.mean[WARMTH])

    def take(self, value_pa: float, variance_pa2: float, warmth_pa: float) -> Surprise:
        """One value of the series, its own noise, and what the thermometers alone would have it be."""
        look = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, warmth_pa])
        if not self._knows_level:
            self._knows_level = True
            self.mean[LEVEL] = value_pa - float(look @ self.mean) + self.mean[LEVEL]
        toward = self.covariance @ look
        variance = float(look @ toward) + variance_pa2
        gain = toward / variance
        innovation = value_pa - float(look @ self.mean)
        self.mean += gain * innovation
        self.covariance -= np.outer(gain, toward)
        return Surprise(innovation, variance, gain, look)

    def _move(self, dt_s: float) -> tuple[FloatArray, FloatArray]:
        known = self._moves.get(dt_s)
        if known is not None:
            return known
        quiet = self._quiet
        matrix, noise = np.eye(STATES), np.zeros((STATES, STATES))
        kept = math.exp(-dt_s / quiet.wander_s) if quiet.wander_pa > 0.0 else 0.0
        matrix[WANDER, WANDER] = kept
        noise[WANDER, WANDER] = quiet.wander_pa**2 * -math.expm1(-2.0 * dt_s / quiet.wander_s)
        noise[LEVEL, LEVEL] = quiet.walk_pa2_s * dt_s
        matrix[LEVEL, DRIFT] = dt_s
        damp = math.exp(-dt_s / WAVES_KEPT_S)
        for cos, sin, period_s, size_pa in (
            (ORBIT_COS, ORBIT_SIN, ORBIT_S, quiet.orbit_pa),
            (DAY_COS, DAY_SIN, S_PER_DAY, quiet.day_pa),
        ):
            turn = math.tau * dt_s / period_s
            matrix[cos, cos] = matrix[sin, sin] = damp * math.cos(turn)
            matrix[cos, sin], matrix[sin, cos] = damp * math.sin(turn), -damp * math.sin(turn)
            noise[cos, cos] = noise[sin, sin] = 0.5 * size_pa**2 * (1.0 - damp**2)
        kept = math.exp(-dt_s / DRIFT_KEPT_S)
        matrix[DRIFT, DRIFT] = kept
        noise[DRIFT, DRIFT] = (quiet.drift_sigma_pa_h / S_PER_HOUR) ** 2 * (1.0 - kept**2)
        if len(self._moves) > 64:  # irregular samples: remember a few steps only
            self._moves.clear()
        self._moves[dt_s] = matrix, noise
        return matrix, noise
