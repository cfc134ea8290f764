"""Correlation functions -> delays: one arrival time a microphone, from all pairs, with their covariance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.measure.coherence import CoherentGroup
from controller.measure.correlation import Correlations

WINDOW_S = 60e-6  # around the predicted delay: survey, sound speed and search step together stay inside
MIN_PEAK = 6.0  # of the noise's standard deviation: 90 lags in the window reach it once in 10^7
CLOSURE_SIGMAS = 4.0
CLOSURE_FLOOR_S = 4e-6  # a reflection close behind the direct sound pulls a peak by this much
SIGMA_FLOOR_S = 3e-7
MAX_REJECTIONS = 0.3  # of the pairs; beyond that the delays do not fit together


@dataclass(frozen=True, slots=True, eq=False)
class Tdoa:
    """Arrival times of one group relative to its first listed microphone.

    `position_m` (n, 3), `nodes` (n,), `delay_s` (n - 1,) of microphones 1.. relative to 0, `covariance_s2`
    (n - 1, n - 1) of the delay estimates alone; survey and clock errors are the forward model's to add.
    `clock_sigma_s` (n,) is how well each microphone's node is aligned with its group; a node's microphones share it.
    `pairs_rejected` contradicted the others; pairs that heard nothing, or only each other, are not counted.
    """

    group: CoherentGroup
    sensors: tuple[str, ...]
    nodes: tuple[str, ...]
    position_m: NDArray[np.float64]
    delay_s: NDArray[np.float64]
    covariance_s2: NDArray[np.float64]
    clock_sigma_s: NDArray[np.float64]
    pairs_used: int
    pairs_rejected: int


def measure_tdoa(functions: Correlations, predicted_s: NDArray[np.float64]) -> Tdoa | None:
    """Delays near the prediction (pairs,), or None where too few pairs of microphones hear the same sound.

    Several peaks a pair are considered only within the window around the prediction, which the search over the hull
    supplies from all pairs together: a reflection that beats the direct sound in one pair does not win there.
    """
    measured_s, sigma_s, usable = _peaks(functions, predicted_s)
    first, second = functions.group.pairs
    rejected = 0
    while True:
        connected = _largest_connected(first[usable], second[usable], len(functions.group.sensors))
        usable &= connected[first] & connected[second]
        members, used = np.flatnonzero(connected), int(usable.sum())
        if len(members) < 3 or used < 3 or rejected > MAX_REJECTIONS * (used + rejected):
            return None
        arrival_s, covariance_s2 = _arrivals(
            first[usable],
            second[usable],
            measured_s[usable],
            sigma_s[usable],
            members,
            count=len(functions.group.sensors),
        )
        expected_s = arrival_s[first] - arrival_s[second]
        misfit = np.abs(measured_s - expected_s) / np.maximum(CLOSURE_SIGMAS * sigma_s, CLOSURE_FLOOR_S)
        misfit[~usable] = 0.0
        worst = int(misfit.argmax())
        if misfit[worst] <= 1.0:
            break
        usable[worst] = False
        rejected += 1
    group = functions.group
    return Tdoa(
        group=group,
        sensors=tuple(group.sensors[i] for i in members),
        nodes=tuple(group.nodes[i] for i in members),
        position_m=group.position_m[members],
        delay_s=arrival_s[members[1:]] + (functions.mid_shift_s[members[1:]] - functions.mid_shift_s[members[0]]),
        covariance_s2=covariance_s2,
        clock_sigma_s=np.hypot(group.clock_sigma_s, functions.mid_sigma_s[members]),
        pairs_used=used,
        pairs_rejected=rejected,
    )


def _peaks(
    functions: Correlations, predicted_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """The highest value near each prediction: delay, sigma (infinite where nothing stands out), usable."""
    step_s, zero = functions.lag_step_s, functions.zero
    reach = round(WINDOW_S / step_s)
    centre = np.clip(np.rint(predicted_s / step_s).astype(int) + zero, reach + 1, functions.value.shape[1] - reach - 2)
    lags = centre[:, None] + np.arange(-reach, reach + 1)
    rows = np.arange(len(centre))
    top = lags[rows, np.take_along_axis(functions.value, lags, axis=1).argmax(axis=1)]
    before, at, behind = (functions.value[rows, top + shift].astype(float) for shift in (-1, 0, 1))
    curvature = before - 2 * at + behind
    shift = np.where(curvature < 0, 0.5 * (before - behind) / np.where(curvature < 0, curvature, -1.0), 0.0)
    usable = (at > MIN_PEAK) & (np.abs(shift) <= 1) & (np.abs(top - centre) < reach)
    # The delay's bound for a unit-noise correlation function of height h: 1 / (2 pi f_rms h) (Knapp & Carter 1976).
    sigma_s = np.full(len(centre), np.inf)
    sigma_s[usable] = np.hypot(
        SIGMA_FLOOR_S, 1.0 / (2 * np.pi * np.maximum(functions.rms_frequency_hz[usable], 1.0) * at[usable])
    )
    return (top - zero + shift) * step_s, sigma_s, usable


def _largest_connected(first: NDArray[np.intp], second: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    """Which microphones hang together in the largest set joined by usable pairs."""
    label = np.arange(count)
    for _ in range(count):
        low = np.minimum(label[first], label[second])
        before = label.copy()
        np.minimum.at(label, first, low)
        np.minimum.at(label, second, low)
        if np.array_equal(before, label):
            break
    return np.asarray(label == np.bincount(label, minlength=count).argmax())


def _arrivals(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    delay_s: NDArray[np.float64],
    sigma_s: NDArray[np.float64],
    members: NDArray[np.intp],
    *,
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted least squares: arrival times (all microphones; 0 at the first member) and their covariance."""
    column = {int(member): i - 1 for i, member in enumerate(members)}
    design = np.zeros((len(first), len(members) - 1))
    for row, (i, j) in enumerate(zip(first, second, strict=True)):
        if column[int(i)] >= 0:
            design[row, column[int(i)]] = 1.0
        if column[int(j)] >= 0:
            design[row, column[int(j)]] = -1.0
    weighted = design / sigma_s[:, None]
    # Delays of pairs that share a microphone share its noise: with all pairs of n microphones the information is
    # counted n / 2 times over, which the factor takes back.
    information = weighted.T @ weighted / max(1.0, len(members) / 2)
    covariance_s2 = np.asarray(np.linalg.inv(information), dtype=np.float64)
    solution = np.linalg.lstsq(weighted, delay_s / sigma_s, rcond=None)[0]
    arrival_s = np.zeros(count)
    arrival_s[members[1:]] = solution
    return arrival_s, covariance_s2
