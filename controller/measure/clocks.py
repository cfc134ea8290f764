"""Nodes that only the time base holds together: their clocks' offsets at a place, and each node by itself."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from controller.measure.coherence import CoherentGroup
from controller.measure.correlation import Correlations

PLACE_S = 6e-5  # what a place that is not yet settled adds to the delays between nodes
REACH_SIGMAS = 4.0


def clock_offsets_s(functions: Correlations, predicted_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much later than its stamps say each microphone (sensors,) seems to hear, its node's offset; mean zero.

    All pairs of two nodes share the offset between them, so that their functions, each about its predicted delay
    (pairs,), add up. Nodes are joined one by one, those that agree best with the others first, by the likelihood of
    (11) in docs/estimator.md.
    """
    group = functions.group
    names = list(dict.fromkeys(group.nodes))
    owner = np.array([names.index(node) for node in group.nodes])
    sigma_s = float(np.hypot(np.sqrt(2.0) * group.clock_sigma_s, PLACE_S))
    reach = int(np.ceil(REACH_SIGMAS * sigma_s / functions.lag_step_s))
    gain = _gains(functions, predicted_s, owner, len(names), reach)
    prior = np.asarray(0.5 * (np.arange(-reach, reach + 1) * functions.lag_step_s / sigma_s) ** 2, dtype=float)
    offset = _joined(gain, prior, reach)
    offset_s = (offset - offset.mean()) * functions.lag_step_s
    return np.asarray(offset_s[owner], dtype=float)


def with_offsets(functions: Correlations, predicted_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predicted delays (pairs,) of a group by clock, the clocks' offsets at that place added."""
    first, second = functions.group.pairs
    offset_s = clock_offsets_s(functions, predicted_s)
    return np.asarray(predicted_s + offset_s[first] - offset_s[second])


def parted(functions: Correlations) -> tuple[Correlations, ...]:
    """The functions of each node by itself, as if nothing were known of the others' clocks."""
    group = functions.group
    first, second = group.pairs
    parts = []
    for node in dict.fromkeys(group.nodes):
        mine = np.array([owner == node for owner in group.nodes])
        within = mine[first] & mine[second]
        if not within.any():
            continue
        rows = np.flatnonzero(mine)
        alone = CoherentGroup(
            name=f"node {node}",
            sensors=tuple(group.sensors[row] for row in rows),
            nodes=(node,) * len(rows),
            position_m=group.position_m[rows],
            clock_sigma_s=0.0,
            late_s=tuple(group.late_s[row] for row in rows) if group.late_s else (),
        )
        parts.append(
            replace(
                functions,
                group=alone,
                value=functions.value[within],
                rms_frequency_hz=functions.rms_frequency_hz[within],
                mid_shift_s=functions.mid_shift_s[rows],
                mid_sigma_s=functions.mid_sigma_s[rows],
            )
        )
    return tuple(parts)


def _gains(
    functions: Correlations, predicted_s: NDArray[np.float64], owner: NDArray[np.intp], nodes: int, reach: int
) -> NDArray[np.float64]:
    """Log-likelihood (nodes, nodes, lags) of an offset of one node against another; 0 where they share no pair."""
    first, second = functions.group.pairs
    centre = np.rint(predicted_s / functions.lag_step_s).astype(np.intp) + functions.zero
    lags = np.arange(-reach, reach + 1)
    gain = np.zeros((nodes, nodes, len(lags)))
    heard = np.asarray(functions.value.any(axis=1))
    for one in range(nodes):
        for other in range(one + 1, nodes):
            total, count = np.zeros(len(lags)), 0
            for i, j, sign in ((one, other, 1), (other, one, -1)):
                rows = np.flatnonzero((owner[first] == i) & (owner[second] == j) & heard)
                at = np.clip(centre[rows, None] + sign * lags, 0, functions.value.shape[1] - 1)
                total += functions.value[rows[:, None], at].sum(axis=0)
                count += len(rows)
            if count:
                gain[one, other] = 0.5 * np.maximum(total, 0.0) ** 2 / count
                gain[other, one] = gain[one, other][::-1]
    return gain


def _joined(gain: NDArray[np.float64], prior: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Offsets (nodes,), lags, under which all nodes agree best, found greedily."""
    nodes = len(gain)
    offset = np.zeros(nodes)
    upper = np.triu(np.ones((nodes, nodes), dtype=bool), k=1)
    best = np.where(upper, (gain - prior).max(axis=2), -np.inf)
    one, other = np.unravel_index(int(best.argmax()), best.shape)
    placed = [int(one)]
    left = [int(other), *(n for n in range(nodes) if n not in (one, other))]
    while left:
        scores = {}
        for node in left if len(placed) > 1 else left[:1]:
            total = -prior.copy()
            for done in placed:  # gain[node, done] peaks at offset[node] - offset[done]
                total += _shifted(gain[node, done], int(offset[done]))
            scores[node] = (float(total.max()), int(total.argmax()) - reach)
        node = max(scores, key=lambda n: scores[n][0])
        offset[node] = scores[node][1]
        placed.append(node)
        left.remove(node)
    return offset


def _shifted(values: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    """`values` moved `by` places to later lags; zero where nothing is known."""
    moved = np.zeros_like(values)
    if by >= 0:
        moved[by:] = values[: len(values) - by]
    else:
        moved[:by] = values[-by:]
    return moved
