"""Cabins without a leak, as state-space models: what gas does by itself, and how surprising each new value is.

Which cabins are reckoned with is in `pressure_cabins`, what a leak would add in `pressure_onsets`; how barometers
become one series is in `pressure_vote`.

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
MOST_MOVES = 16  # transitions remembered: values come evenly, mostly
LEVEL, WANDER, SWAY, SWAY_RATE, ORBIT_COS, ORBIT_SIN, DAY_COS, DAY_SIN, DRIFT, WARMTH = range(10)
STATES = 10
LEARNED = (ORBIT_COS, ORBIT_SIN, DAY_COS, DAY_SIN, WARMTH)  # what stays known when gas was let in


@dataclass(frozen=True, slots=True)
class Quiet:
    """How restless the gas of a cabin is without a leak; sizes at 101,325 Pa.

    Args:
        wander_pa: rms of what comes and goes (vapour, carbon dioxide, puffs of valves).
        wander_s: time in which that forgets itself.
        walk_pa2_s: variance a second of what never comes back.
        sway_pa: rms of what comes and goes smoothly: gas that warms and cools.
        sway_s: time in which that forgets itself.
        orbit_pa: rms of the amplitude of a wave with the orbit.
        orbit_s: period of that wave.
        day_pa: rms of the amplitude of a second wave, the crew's day or what makes the first no sine.
        day_s: period of that.
        drift_pa_h: steady change to be expected, negative where more is breathed than fed.
        drift_sigma_pa_h: how well that is known.
        warmth: share of the thermometers' change that the pressure is expected to follow.
        warmth_sigma: how well that is known; the data teach it.
    """

    wander_pa: float = 11.0
    wander_s: float = 3600.0
    walk_pa2_s: float = 0.015
    sway_pa: float = 0.0
    sway_s: float = 3600.0
    orbit_pa: float = 8.0
    orbit_s: float = ORBIT_S
    day_pa: float = 0.0
    day_s: float = S_PER_DAY
    drift_pa_h: float = -6.0
    drift_sigma_pa_h: float = 6.0
    warmth: float = 0.9
    warmth_sigma: float = 0.3


@dataclass(frozen=True, slots=True)
class Surprise:
    """What one value told the filters of some cabins: innovations, their variances, and how the states followed."""

    innovation_pa: FloatArray  # (cabins,)
    variance_pa2: FloatArray  # (cabins,)
    gain: FloatArray  # (cabins, states)
    look: FloatArray  # (states,)

    @property
    def sigmas(self) -> FloatArray:
        """The innovations in their own standard deviations, (cabins,)."""
        return np.asarray(self.innovation_pa / np.sqrt(self.variance_pa2))


class QuietFilter:
    """Kalman filters of quiet cabins side by side: level, wander, sway, waves, drift, worth of thermometers."""

    def __init__(self, *cabins: Quiet) -> None:
        """Know nothing of the level, and of the rest what each of the `cabins` says."""
        self._expected_pa_s = np.array([quiet.drift_pa_h for quiet in cabins]) / S_PER_HOUR
        self._drift_sigma_pa_s = np.array([quiet.drift_sigma_pa_h for quiet in cabins]) / S_PER_HOUR
        self._sway_s, self._wander_s, self._orbit_s, self._day_s = (
            np.array([getattr(quiet, name) for quiet in cabins]) for name in ("sway_s", "wander_s", "orbit_s", "day_s")
        )
        self._sway_pa, self._wander_pa, self._orbit_pa, self._day_pa, self._walk_pa2_s = (
            np.array([getattr(quiet, name) for quiet in cabins])
            for name in ("sway_pa", "wander_pa", "orbit_pa", "day_pa", "walk_pa2_s")
        )
        self.mean: FloatArray = np.zeros((len(cabins), STATES))
        self.covariance: FloatArray = np.zeros((len(cabins), STATES, STATES))
        self._knows_level = False
        self._moves: dict[float, tuple[FloatArray, FloatArray]] = {}
        for wave, size_pa in ((ORBIT_COS, self._orbit_pa), (DAY_COS, self._day_pa)):
            for state in (wave, wave + 1):
                self.covariance[:, state, state] = 0.5 * size_pa**2
        self.mean[:, WARMTH] = [quiet.warmth for quiet in cabins]
        self.covariance[:, WARMTH, WARMTH] = [quiet.warmth_sigma**2 for quiet in cabins]
        self.rebase()

    def rebase(self) -> None:
        """Forget the level and how it came about; waves, and what thermometers are worth, stay known."""
        self._knows_level = False
        kept = np.ix_(range(len(self.mean)), LEARNED, LEARNED)
        mean, covariance = self.mean[:, LEARNED].copy(), self.covariance[kept].copy()
        self.mean[:] = 0.0
        self.covariance[:] = 0.0
        self.mean[:, LEARNED], self.covariance[kept] = mean, covariance
        self.mean[:, DRIFT] = self._expected_pa_s
        self.covariance[:, LEVEL, LEVEL] = UNKNOWN_PA2
        self.covariance[:, WANDER, WANDER] = self._wander_pa**2
        self.covariance[:, SWAY, SWAY] = self._sway_pa**2
        self.covariance[:, SWAY_RATE, SWAY_RATE] = (self._sway_pa / self._sway_s) ** 2
        self.covariance[:, DRIFT, DRIFT] = self._drift_sigma_pa_s**2

    def move(self, dt_s: float) -> FloatArray:
        """Let `dt_s` pass; the transition matrices (cabins, states, states)."""
        matrix, noise = self._move(dt_s)
        kept = math.exp(-dt_s / DRIFT_KEPT_S)
        self.mean = (matrix @ self.mean[..., None])[..., 0]
        self.mean[:, DRIFT] += (1.0 - kept) * self._expected_pa_s
        self.covariance = matrix @ self.covariance @ matrix.swapaxes(-1, -2) + noise
        return matrix

    def noise(self, dt_s: float) -> FloatArray:
        """Covariances of what joins the states in `dt_s`, (cabins, states, states)."""
        return self._move(dt_s)[1]

    def joins_drift_pa_s(self, dt_s: float) -> FloatArray:
        """By how much the drifts return in `dt_s` to what is expected of them, from none: (cabins,)."""
        return np.asarray(-math.expm1(-dt_s / DRIFT_KEPT_S) * self._expected_pa_s)

    @property
    def worth(self) -> FloatArray:
        """Share of the thermometers' change that the pressure follows, as learned so far, (cabins,)."""
        return self.mean[:, WARMTH]

    @property
    def waves_pa(self) -> FloatArray:
        """Where the waves stand now, (cabins,)."""
        return np.asarray(self.mean[:, ORBIT_COS] + self.mean[:, DAY_COS])

    def take(self, value_pa: float, variance_pa2: float, warmth_pa: float) -> Surprise:
        """One value of the series, its own noise, and what the thermometers alone would have it be."""
        look = looked_at(warmth_pa)
        if not self._knows_level:
            self._knows_level = True
            self.mean[:, LEVEL] += value_pa - self.mean @ look
        toward = self.covariance @ look
        variance = toward @ look + variance_pa2
        gain = toward / variance[:, None]
        innovation = value_pa - self.mean @ look
        self.mean += gain * innovation[:, None]
        self.covariance -= gain[:, :, None] * toward[:, None, :]
        return Surprise(innovation, variance, gain, look)

    def _move(self, dt_s: float) -> tuple[FloatArray, FloatArray]:
        known = self._moves.get(dt_s)
        if known is not None:
            return known
        cabins = len(self.mean)
        matrix, noise = np.tile(np.eye(STATES), (cabins, 1, 1)), np.zeros((cabins, STATES, STATES))
        matrix[:, WANDER, WANDER] = np.exp(-dt_s / self._wander_s)
        noise[:, WANDER, WANDER] = self._wander_pa**2 * -np.expm1(-2.0 * dt_s / self._wander_s)
        noise[:, LEVEL, LEVEL] = self._walk_pa2_s * dt_s
        # Matern's process of order 3/2: a sway that is as smooth as what heat does (Hartikainen and Sarkka 2010, MLSP).
        share = dt_s / self._sway_s
        kept_of_sway = np.exp(-share)
        sway = np.empty((cabins, 2, 2))
        sway[:, 0, 0], sway[:, 0, 1] = 1.0 + share, dt_s
        sway[:, 1, 0], sway[:, 1, 1] = -share / self._sway_s, 1.0 - share
        sway *= kept_of_sway[:, None, None]
        still = np.zeros((cabins, 2, 2))
        still[:, 0, 0], still[:, 1, 1] = self._sway_pa**2, (self._sway_pa / self._sway_s) ** 2
        matrix[:, SWAY : SWAY_RATE + 1, SWAY : SWAY_RATE + 1] = sway
        noise[:, SWAY : SWAY_RATE + 1, SWAY : SWAY_RATE + 1] = still - sway @ still @ sway.swapaxes(1, 2)
        matrix[:, LEVEL, DRIFT] = dt_s
        damp = math.exp(-dt_s / WAVES_KEPT_S)
        for cos, period_s, size_pa in (
            (ORBIT_COS, self._orbit_s, self._orbit_pa),
            (DAY_COS, self._day_s, self._day_pa),
        ):
            sin, turn = cos + 1, math.tau * dt_s / period_s
            matrix[:, cos, cos] = matrix[:, sin, sin] = damp * np.cos(turn)
            matrix[:, cos, sin], matrix[:, sin, cos] = damp * np.sin(turn), -damp * np.sin(turn)
            noise[:, cos, cos] = noise[:, sin, sin] = 0.5 * size_pa**2 * (1.0 - damp**2)
        kept = math.exp(-dt_s / DRIFT_KEPT_S)
        matrix[:, DRIFT, DRIFT] = kept
        noise[:, DRIFT, DRIFT] = self._drift_sigma_pa_s**2 * (1.0 - kept**2)
        if len(self._moves) >= MOST_MOVES:
            self._moves.clear()
        self._moves[dt_s] = matrix, noise
        return matrix, noise


def looked_at(warmth_pa: float) -> FloatArray:
    """How a barometer's value follows from the states (states,), where thermometers alone would have it `warmth_pa`."""
    look = np.zeros(STATES)
    look[[LEVEL, WANDER, SWAY, ORBIT_COS, DAY_COS]] = 1.0
    look[WARMTH] = warmth_pa
    return look
