"""From a robust start to a judged fit: generalized least squares, and arrivals that do not belong left out one by one.

The test of each arrival is Baarda's (1968): its residual over the residual's own sigma, correlations and leverage
included. Which of several fits is the answer is not decided here.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from controller.tdoa.epoch import Floats, Indices
from controller.tdoa.model import Model

GATE_SIGMAS = 4.0
GATE_CHANCE = 1e-3  # two-sided, of Student's t, where sigma is as little known as the residuals
ROUNDS = 12
SNOOPS = 12
SINGULAR = 1e13  # condition of the scaled normal matrix: half the digits of the result are noise


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Covariance (m, m) of arrivals in m^2; `freedom` is behind its scale (infinite: declared)."""

    covariance_m2: Floats
    freedom: float = np.inf

    def gate(self, left: int) -> float:
        """Sigmas beyond which an arrival does not belong; `left` degrees of freedom."""
        if np.isinf(self.freedom):
            return GATE_SIGMAS
        return max(GATE_SIGMAS, float(-stdtrit(max(1.0, self.freedom + left - 1.0), GATE_CHANCE / 2.0)))


@dataclass(frozen=True, slots=True, eq=False)
class SpeedDoubt:
    """Prior sigma of the relative speed; zero where the speed is known."""

    sigma: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A state (dims,) with the covariance of its steps in the noise's scale, and what it leaves.

    `residual_m` (m,) is of all arrivals, `predicted` (m,) in sigmas, `used` (m,) which count. `ratio` is the reciprocal
    of the speed against the assumed one.
    """

    state: Floats
    covariance: Floats
    ratio: float
    residual_m: Floats
    predicted: Floats
    used: Indices
    chi_square: float
    freedom: int
    cofactor: Floats


def fit(
    model: Model, start: Floats, arrival_m: Floats, group: Indices, noise: Noise, doubt: SpeedDoubt, used: Indices
) -> Fit | None:
    """The fit from `start` (dims,) with `used` arrivals (indices); None where they do not fix the state."""
    covariance = noise.covariance_m2[np.ix_(used, used)]
    try:
        factor = np.linalg.inv(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        return None
    members = group[used]
    groups = np.asarray(members[:, None] == np.unique(members)[None, :], dtype=np.float64)
    steps, free = model.steps, doubt.sigma > 0.0
    extra = groups.shape[1] + int(free)
    if len(used) < steps + groups.shape[1]:
        return None
    state, ratio = start[None, :], 1.0
    paths = model.paths(state)[0, used]
    matrix = np.zeros((len(used), steps + extra))
    cost, damping = np.inf, 0.0
    normal = np.eye(steps + extra)
    linear = factor @ groups
    solve_offset = np.linalg.pinv(linear)
    for _ in range(ROUNDS):
        matrix[:, :steps] = model.slopes(state)[0, used] * ratio
        matrix[:, steps : steps + groups.shape[1]] = groups
        if free:
            matrix[:, -1] = paths
        white = factor @ matrix
        miss = factor @ (arrival_m[used] - ratio * paths)
        left = miss - linear @ (solve_offset @ miss)
        if not np.isfinite(cost):
            cost = _cost(left, ratio, doubt)
        normal, gradient = white.T @ white, white.T @ left
        if free:
            normal[-1, -1] += doubt.sigma**-2
            gradient[-1] -= (ratio - 1.0) * doubt.sigma**-2
        diagonal = np.diag(normal).copy()
        trial, trial_ratio, trial_paths, trial_cost = state, ratio, paths, np.inf
        for _ in range(6):
            try:
                step = np.linalg.solve(normal + np.diag(diagonal * damping + 1e-14 * diagonal.max()), gradient)
            except np.linalg.LinAlgError:
                return None
            trial = model.moved(state, step[None, :steps])
            trial_ratio = ratio + (float(step[-1]) if free else 0.0)
            trial_paths = model.paths(trial)[0, used]
            trial_miss = factor @ (arrival_m[used] - trial_ratio * trial_paths)
            trial_left = trial_miss - linear @ (solve_offset @ trial_miss)
            trial_cost = _cost(trial_left, trial_ratio, doubt)
            if trial_cost <= cost + 1e-12:
                break
            damping = max(damping * 10.0, 1e-3)
        if trial_cost > cost + 1e-12:
            break
        gain = cost - trial_cost
        state, ratio, paths, cost, damping = trial, trial_ratio, trial_paths, trial_cost, damping * 0.1
        if gain < 1e-7 * (1.0 + cost):
            break
    return _judged(model, state, ratio, arrival_m, group, noise, normal, factor, matrix, used, cost, doubt)


def _cost(left: Floats, ratio: float, doubt: SpeedDoubt) -> float:
    return float(left @ left) + (((ratio - 1.0) / doubt.sigma) ** 2 if doubt.sigma > 0.0 else 0.0)


def _judged(
    model: Model,
    state: Floats,
    ratio: float,
    arrival_m: Floats,
    group: Indices,
    noise: Noise,
    normal: Floats,
    factor: Floats,
    matrix: Floats,
    used: Indices,
    cost: float,
    doubt: SpeedDoubt,
) -> Fit | None:
    """Covariances, and how far every arrival is from where the others expect it, in sigmas."""
    size = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    scaled = normal / np.outer(size, size)
    if not np.all(np.isfinite(scaled)) or np.linalg.cond(scaled) > SINGULAR:
        return None
    cofactor = np.linalg.inv(scaled) / np.outer(size, size)
    inverse = factor.T @ factor
    paths = model.paths(state)[0]
    miss = arrival_m - ratio * paths
    labels = np.unique(group[used])
    offset = np.zeros(len(arrival_m))
    residual = miss.copy()
    white_groups = factor @ np.asarray(group[used][:, None] == labels[None, :], dtype=np.float64)
    offset_of = np.linalg.lstsq(white_groups, factor @ miss[used], rcond=None)[0]
    for label, value in zip(labels, offset_of, strict=True):
        offset[group == label] = value
    residual = miss - offset
    pulled = inverse @ residual[used]
    projector = inverse - inverse @ matrix @ cofactor @ matrix.T @ inverse
    shown = np.diag(projector)
    predicted = np.full(len(arrival_m), np.inf)
    told = shown > 1e-9 * np.diag(inverse)
    predicted[used] = np.where(told, np.abs(pulled) / np.sqrt(np.where(told, shown, 1.0)), 0.0)
    others = np.setdiff1d(np.flatnonzero(np.isin(group, labels)), used)
    if len(others):
        row = np.zeros((len(others), matrix.shape[1]))
        row[:, : model.steps] = model.slopes(state)[0, others] * ratio
        row[:, model.steps : model.steps + len(labels)] = group[others][:, None] == labels[None, :]
        if doubt.sigma > 0.0:
            row[:, -1] = paths[others]
        link = noise.covariance_m2[np.ix_(others, used)] @ inverse
        lever = row - link @ matrix
        own = np.diag(noise.covariance_m2)[others] - np.sum(link * noise.covariance_m2[np.ix_(others, used)], axis=1)
        variance = own + np.sum((lever @ cofactor) * lever, axis=1)
        predicted[others] = np.abs(residual[others] - link @ residual[used]) / np.sqrt(np.maximum(variance, 1e-300))
    freedom = len(used) - model.steps - len(labels)
    steps = model.steps
    return Fit(state[0], cofactor[:steps, :steps], ratio, residual, predicted, used, cost, freedom, cofactor)


def snooped(
    model: Model, start: Floats, arrival_m: Floats, group: Indices, noise: Noise, doubt: SpeedDoubt, used: Indices
) -> Fit | None:
    """The fit in which every arrival that belongs counts and none that does not."""
    current = fit(model, start, arrival_m, group, noise, doubt, used)
    expelled: set[int] = set()
    for _ in range(SNOOPS):
        if current is None:
            return None
        gate = noise.gate(current.freedom)
        outside = np.setdiff1d(np.arange(len(arrival_m)), current.used)
        back = [int(i) for i in outside if current.predicted[i] <= gate and int(i) not in expelled]
        worst = int(current.used[np.argmax(current.predicted[current.used])])
        if back:
            wanted = np.sort(np.concatenate([current.used, np.array(back, np.intp)]))
        elif current.predicted[worst] > _inner_gate(current, noise) and current.freedom > 1:
            expelled.add(worst)
            wanted = current.used[current.used != worst]
        else:
            return current
        current = fit(model, current.state, arrival_m, group, noise, doubt, wanted)
    return current


def _inner_gate(current: Fit, noise: Noise) -> float:
    """The gate for an arrival that shares in the scale: with few degrees of freedom its ratio is bounded."""
    if np.isinf(noise.freedom):
        return GATE_SIGMAS
    return noise.gate(current.freedom)


def scaled_by(found: Fit, factor: float) -> Fit:
    """The fit as noise of `factor` times the variance shows it."""
    return replace(
        found,
        covariance=found.covariance * factor,
        cofactor=found.cofactor * factor,
        chi_square=found.chi_square / factor,
        predicted=found.predicted / np.sqrt(factor),
    )
