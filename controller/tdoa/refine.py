"""Many starts brought down at once: robust least squares over rows of (arrivals, state). It does not judge them."""

from dataclasses import dataclass

import numpy as np

from controller.tdoa.epoch import Floats
from controller.tdoa.model import Model

ROUNDS = 16
TIGHT = 2.5  # scales: the loss ends there, as Geman and McClure's whose pull fades beyond it
GIVE_UP = 1e-9  # damping below it is none


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """States (rows, dims), offsets (rows, groups) and residuals (rows, m) in metres."""

    state: Floats
    offset: Floats
    residual: Floats


def offsets(residual: Floats, groups: Floats) -> Floats:
    """Median residual of each group (rows, groups); `groups` (m, groups) is one-hot."""
    return np.stack([np.median(residual[:, members > 0.0], axis=1) for members in groups.T], axis=1)


def refine(model: Model, start: Floats, arrival_m: Floats, scale_m: Floats, groups: Floats, majority: int) -> Refined:
    """Robust states near `start` (rows, dims) for `arrival_m` (rows, m).

    Each row's loss is as wide as its `majority`-th smallest residual says, and never widens again: a start that most
    sensors agree with ignores the others from the first step, a poor one sees them all (graduated non-convexity).
    """
    state = start
    steps = model.steps
    weight_of = 1.0 / scale_m
    miss = arrival_m - model.paths(state)
    offset = offsets(miss, groups)
    residual = miss - offset @ groups.T
    wide = _width(residual * weight_of, majority)
    damping = np.full(len(state), 1e-2)
    floor = 1e-12
    for _ in range(ROUNDS):
        ratio = (residual * weight_of / wide[:, None]) ** 2
        weight = weight_of**2 / (1.0 + ratio) ** 2
        matrix = np.concatenate([model.slopes(state), np.broadcast_to(groups, (len(state), *groups.shape))], axis=2)
        weighted = np.swapaxes(matrix * weight[:, :, None], 1, 2)
        normal = weighted @ matrix
        diagonal = np.einsum("pkk->pk", normal)
        diagonal *= 1.0 + damping[:, None]
        diagonal += floor * diagonal.max(axis=1, keepdims=True) + 1e-300
        step = np.linalg.solve(normal, weighted @ residual[:, :, None])[:, :, 0]
        trial = model.moved(state, step[:, :steps])
        trial_offset = offset + step[:, steps:]
        trial_residual = arrival_m - model.paths(trial) - trial_offset @ groups.T
        trial_ratio = (trial_residual * weight_of / wide[:, None]) ** 2
        better = np.sum(trial_ratio / (1.0 + trial_ratio), axis=1) <= np.sum(ratio / (1.0 + ratio), axis=1)
        take = better[:, None]
        state = np.where(take, trial, state)
        offset = np.where(take, trial_offset, offset)
        residual = np.where(take, trial_residual, residual)
        damping = np.where(better, np.maximum(damping * 0.1, GIVE_UP), damping * 10.0)
        wide = np.minimum(wide, _width(residual * weight_of, majority))
    return Refined(state, offset, residual)


def _width(scaled: Floats, majority: int) -> Floats:
    ordered = np.partition(np.abs(scaled), majority - 1, axis=1)
    return np.maximum(1.5 * ordered[:, majority - 1], TIGHT)
