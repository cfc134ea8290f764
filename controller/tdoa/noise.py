"""What errs, and how much: arrivals (shared by all delays of a sensor) or single delays, from all epochs together.

Delays that were made as differences of arrivals have correlated errors, delays that were measured pair by pair have
not. Counting the one as the other makes a covariance wrong by up to the number of sensors, so the share is estimated by
restricted maximum likelihood (Patterson and Thompson 1971) from residuals and loop closures (docs/solve.md eq. 6).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from controller.tdoa.epoch import Floats, Indices
from controller.tdoa.fit import Fit
from controller.tdoa.model import Model
from controller.tdoa.network import Branch, Network

SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99, 0.9999)
UNTOLD_SHARE = 0.5  # halfway, where a table is too short to tell
UNTOLD_GROWTH = 1.2  # keeps regions at 92 % and more for independent errors, 98 % for those of arrivals
ENOUGH = 30  # degrees of freedom that tell one share from another: their variances differ by a factor of two
ENOUGH_LOOPS = 3
CLOSED = 1e-3  # closures whose variance is so small a part of the arrivals' are the rounding of a file
MAX_SPLIT = 60  # sensors for which unequal sigmas are split into arrivals; beyond it each takes its least
PULL = 0.03  # toward the least, for what the delays leave open


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """`share` of a delay's variance comes from arrivals; `scale` times the declared variances is the variance.

    `freedom` degrees of freedom are behind the scale; infinite where it was declared.
    """

    share: float
    scale: float
    freedom: float
    sensor_sigma_m: float = 0.0
    growth: float = 1.0  # of covariances, where the share is a guess

    def variance(self, network: Network) -> Floats:
        """Of each arrival (m,) in m^2 against its group's mean."""
        shared = 0.5 * self.share * arrival_variance(network)
        loose = (1.0 - self.share) * np.diag(network.inverse)
        return np.asarray(self.scale * (shared + loose) + self.sensor_sigma_m**2)

    def covariance(self, network: Network) -> Floats:
        """Of the arrivals (m, m) in m^2; a common term for each group, which its offset takes up, makes it regular."""
        typical = float(np.median(1.0 / network.weight[network.weight > 0.0]))
        common = typical * (network.group[:, None] == network.group)
        shared = np.diag(0.5 * self.share * arrival_variance(network))
        own = np.eye(len(network.sensor)) * self.sensor_sigma_m**2
        return np.asarray(self.scale * (shared + (1.0 - self.share) * network.inverse + common) + own)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One fitted epoch, for the estimate."""

    branch: Branch
    found: Fit
    model: Model


def arrival_variance(network: Network) -> Floats:
    """Twice the variance (m,) that each arrival would have if arrivals alone made the declared delay variances."""
    good = network.weight > 0.0
    count = len(network.sensor)
    if not np.any(good):
        return np.ones(count)
    if network.own_variance is not None:
        return network.own_variance
    variance = 1.0 / network.weight[good]
    typical = float(np.median(variance))
    if np.ptp(variance) < 1e-6 * typical:
        return np.full(count, typical)
    first, second = network.first[good], network.second[good]
    least = np.full(count, np.inf)
    np.minimum.at(least, first, variance)
    np.minimum.at(least, second, variance)
    least[~np.isfinite(least)] = typical
    if network.loops <= 0:
        return _split_along_tree(first, second, variance, least)
    if count > MAX_SPLIT:
        return least
    rows = np.arange(len(variance))
    design = np.zeros((len(variance) + count, count))
    np.add.at(design, (rows, first), 0.5)
    np.add.at(design, (rows, second), 0.5)
    design[len(variance) :] = PULL * np.eye(count)
    weighted = design / np.concatenate([variance, least])[:, None]
    split, _ = nnls(weighted, np.concatenate([np.ones(len(variance)), np.full(count, PULL)]))
    return np.maximum(split, 0.05 * float(variance.min()))


def _split_along_tree(first: Indices, second: Indices, variance: Floats, least: Floats) -> Floats:
    """Sensors with most delays err as little as their best delay allows; what remains is the other end's."""
    own = least.copy()
    degree = np.bincount(np.concatenate([first, second]), minlength=len(least))
    settled = np.zeros(len(least), dtype=bool)
    left = list(range(len(variance)))
    while left:
        ends = [(settled[first[k]] or settled[second[k]], max(degree[first[k]], degree[second[k]]), -k) for k in left]
        at = left.pop(max(range(len(left)), key=lambda index: ends[index]))
        one, other = int(first[at]), int(second[at])
        if settled[other] or (not settled[one] and degree[other] > degree[one]):
            one, other = other, one
        settled[one] = True
        if not settled[other]:
            own[other] = max(2.0 * variance[at] - own[one], 0.25 * variance[at])
            settled[other] = True
    return own


def estimate(samples: Sequence[Sample], sigma_known: bool, share: float | None, own_m: float) -> NoiseModel:
    """The noise of a table; `share` where it is declared, `own_m` is what the survey of the sensors adds."""
    growth = 1.0
    loops = sum(s.branch.closure_freedom for s in samples)
    freedom = sum(s.found.freedom for s in samples) + loops
    if share is None and loops >= ENOUGH_LOOPS and freedom > loops:
        rest, closed = _halves(samples, own_m)
        if closed / loops < CLOSED * rest / (freedom - loops):
            share, freedom = SHARES[-1], freedom - loops  # loops that close by construction tell nothing of the scale
            samples = [replace(s, branch=replace(s.branch, closure_chi_square=0.0, closure_freedom=0)) for s in samples]
    if share is None and freedom < ENOUGH and loops < ENOUGH_LOOPS:
        share, growth = UNTOLD_SHARE, UNTOLD_GROWTH
    best = (np.inf, UNTOLD_SHARE, 1.0)
    for one in SHARES if share is None else (min(share, SHARES[-1]),):
        trial = NoiseModel(one, 1.0, np.inf, own_m)
        chi_square, spread = 0.0, 0.0
        kept: dict[tuple[int, bytes], tuple[Floats, float]] = {}
        for sample in samples:
            part, deviance = _terms(sample, trial, kept)
            chi_square, spread = chi_square + part, spread + deviance
        scale = max(chi_square / max(freedom, 1), 1e-300)
        deviance = spread + (chi_square if sigma_known else freedom * np.log(scale))
        if deviance < best[0]:
            best = (deviance, one, scale)
    if sigma_known:
        return NoiseModel(best[1], 1.0, np.inf, own_m, growth)
    return NoiseModel(best[1], best[2], float(freedom), own_m, growth)


def _halves(samples: Sequence[Sample], own_m: float) -> tuple[float, float]:
    """Chi-square of the arrivals, were all errors theirs, and of the closures."""
    trial = NoiseModel(SHARES[-1], 1.0, np.inf, own_m)
    rest = sum(
        _terms(sample, trial, {})[0] - sample.branch.closure_chi_square / (1.0 - trial.share) for sample in samples
    )
    return rest, sum(sample.branch.closure_chi_square for sample in samples)


def _terms(
    sample: Sample, trial: NoiseModel, kept: dict[tuple[int, bytes], tuple[Floats, float]]
) -> tuple[float, float]:
    """Chi-square of one epoch and what its determinants add to the deviance."""
    branch, found = sample.branch, sample.found
    network, used = branch.network, found.used
    key = (id(network), used.tobytes())
    if key not in kept:
        covariance = trial.covariance(network)[np.ix_(used, used)]
        kept[key] = np.asarray(np.linalg.inv(covariance), np.float64), float(np.linalg.slogdet(covariance)[1])
    inverse, log_determinant = kept[key]
    members = network.group[used]
    groups = np.asarray(members[:, None] == np.unique(members)[None, :], dtype=np.float64)
    matrix = np.hstack([sample.model.slopes(found.state[None, :])[0, used], groups])
    normal = matrix.T @ inverse @ matrix
    pulled = inverse @ found.residual_m[used]
    seen = matrix.T @ pulled
    chi_square = float(found.residual_m[used] @ pulled - seen @ np.linalg.lstsq(normal, seen, rcond=None)[0])
    loose = 1.0 - trial.share
    deviance = log_determinant + float(np.linalg.slogdet(normal)[1]) + branch.closure_freedom * np.log(loose)
    return chi_square + branch.closure_chi_square / loose, deviance
