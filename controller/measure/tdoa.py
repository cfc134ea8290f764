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
LEAST_TOGETHER = 3.0  # sigmas by which the pairs of two nodes must agree on a faint sound to count
OWN_MEAN = 4  # pairs of two nodes whose mean height tells how well these two hear
LOUD = 4.0  # height beyond which a node hears a sound by itself
LEAST_LOPSIDED = 6.0  # sigmas by which nodes that hear nothing by themselves must agree with those that are loud
LEAST_SHARE = 0.05  # of the height of the nodes that hear best: less is no evidence
MIN_STEERED = 5.0  # the same for all that count: the search's own bar is higher, for it has looked at many places
LEAST_ACROSS = 0.35  # of what nodes must hear together, given what they hear by themselves; a poor survey takes some
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
            group=functions.group,
        )
        expected_s = arrival_s[first] - arrival_s[second]
        misfit = np.abs(measured_s - expected_s) / np.maximum(CLOSURE_SIGMAS * sigma_s, CLOSURE_FLOOR_S)
        misfit[~usable] = 0.0
        worst = int(misfit.argmax())
        if misfit[worst] <= 1.0:
            break
        usable[worst] = False
        rejected += 1
    return _tdoa(functions, members, arrival_s, covariance_s2, used, rejected)


def steered_tdoa(functions: Correlations, predicted_s: NDArray[np.float64]) -> Tdoa | None:
    """Delays as the search found them from all pairs together, where each pair by itself is lost in noise.

    How well a pair tells its delay follows from the mean value that all pairs of the same two nodes have at the
    predicted delays (pairs,), less what noise adds to it; nodes that hear nothing together count for nothing. None
    where fewer than three microphones are left, or nodes that hear the sound by themselves do not hear it together.
    """
    group = functions.group
    first, second = group.pairs
    value = value_at(functions, predicted_s)
    height = heights(functions, value)
    across = ~group.same_node
    members = np.flatnonzero(_largest_connected(first[height > 0.0], second[height > 0.0], len(group.sensors)))
    used = (height > 0.0) & np.isin(first, members) & np.isin(second, members)
    if len(members) < 3 or (across.any() and not np.any(used & across)):
        return None
    if value[used].sum() < MIN_STEERED * np.sqrt(used.sum()):
        return None
    # Nodes that hear a sound with heights a and b by themselves hear it together with sqrt(a b): a sound from there
    # that is none across nodes comes from elsewhere.
    own = np.array([np.max(height[(first == i) | (second == i)] * ~across[(first == i) | (second == i)], initial=0.0)
                    for i in range(len(group.sensors))])  # fmt: skip
    expected = np.sqrt(own[first] * own[second])[across]
    doubt = 3.0 * np.sqrt(max(int(np.sum(expected > 0.0)), 1))
    if value[across][expected > 0.0].sum() < LEAST_ACROSS * expected.sum() - doubt:
        return None
    sigma_s = np.hypot(SIGMA_FLOOR_S, 1.0 / (2 * np.pi * functions.rms_frequency_hz[used] * height[used]))
    arrival_s, covariance_s2 = _arrivals(first[used], second[used], predicted_s[used], sigma_s, members, group=group)
    return _tdoa(functions, members, arrival_s, covariance_s2, int(used.sum()), 0)


def heights(functions: Correlations, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a pair may be trusted to have heard (pairs,): the mean over all pairs of its two nodes, 0 where none did.

    Nodes of one microphone have too few pairs for a mean of their own and share one.
    """
    group = functions.group
    first, second = group.pairs
    node = np.unique(group.nodes, return_inverse=True)[1]
    block = np.minimum(node[first], node[second]) * len(node) + np.maximum(node[first], node[second])
    few = np.bincount(block, minlength=len(node) ** 2)[block] < OWN_MEAN
    block[few] = len(node) ** 2
    heard = np.asarray(functions.value.any(axis=1))
    height = np.zeros(len(first))
    for each in np.unique(block[heard]):
        rows = np.flatnonzero(heard & (block == each))
        mean = float(value[rows].mean())
        if mean * np.sqrt(len(rows)) > LEAST_TOGETHER:
            height[rows] = np.sqrt(mean**2 - 1.0 / len(rows))
    # Where one node is loud and others hear nothing by themselves, the search had a whole bearing to find a place on
    # which one of them agrees by chance: then they must agree all together.
    alone = np.zeros(len(node))
    np.maximum.at(alone, node[first[group.same_node]], height[group.same_node])
    lopsided = heard & (np.minimum(alone[node[first]], alone[node[second]]) <= 0.0) & (alone.max() > LOUD)
    if value[lopsided].sum() < LEAST_LOPSIDED * np.sqrt(lopsided.sum()):
        height[lopsided] = 0.0
    return np.where(height > LEAST_SHARE * height.max(initial=0.0), height, 0.0)


def value_at(functions: Correlations, delay_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The functions' values (pairs,) at a delay each."""
    lag = np.rint(delay_s / functions.lag_step_s).astype(np.intp) + functions.zero
    inside = np.clip(lag, 0, functions.value.shape[1] - 1)
    return functions.value[np.arange(len(inside)), inside].astype(float)


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


def _tdoa(
    functions: Correlations,
    members: NDArray[np.intp],
    arrival_s: NDArray[np.float64],
    covariance_s2: NDArray[np.float64],
    used: int,
    rejected: int,
) -> Tdoa:
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
    group: CoherentGroup,
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
    # counted n / 2 times over, with `times` - 1 pairs for each of them half of `times`, which the factor takes back.
    times = 1.0 + group.pair_share * (len(members) - 1)
    information = weighted.T @ weighted / max(1.0, times / 2)
    covariance_s2 = np.asarray(np.linalg.inv(information), dtype=np.float64)
    solution = np.linalg.lstsq(weighted, delay_s / sigma_s, rcond=None)[0]
    arrival_s = np.zeros(len(group.sensors))
    arrival_s[members[1:]] = solution
    return arrival_s, covariance_s2
