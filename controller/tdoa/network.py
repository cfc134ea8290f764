"""Who was compared with whom: delays joined into arrivals, and delays that contradict their closed loops. No positions.

A table of delays is d = B t + noise, B the incidence matrix of its graph. A source moves only the arrivals t, so their
least-squares estimate with its covariance holds all that the table says about it (docs/solve.md eq. 3), however many
pairs there are; what is left over, the closures of loops, tells bad pairs and the kind of noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import fdtrc, ndtri

from controller.tdoa.epoch import Epoch, Floats, Indices

TIE = 0.9999  # delays in one loop only share its misclosure: none of them can be told to be the bad one
MAX_BRANCHES = 6  # a hexagon; longer single loops are rare and their first six sides are tried
CLOSURE_SIGMAS = 4.5
MAX_CORNERS = 24  # sensors whose triangles are looked at: two thousand
LEAST_TRIANGLES = 8
QUARTER = 0.25
ROUNDING = 0.35  # of a step: its sigma is 0.29, and loops of rounded delays close to within one and a half
CHANCE = 1e-4  # for all delays of an epoch together: that the worst stands out as much where none is bad
LEAST_SHARE = 1e-7  # of the longest delay: files round there


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A graph of delays: `sensor` (m,) of the array; ends (n,) index it; `group` (m,) numbers its connected parts."""

    sensor: Indices
    first: Indices
    second: Indices
    weight: Floats
    group: Indices
    groups: int
    inverse: Floats
    own_variance: Floats | None = None  # twice each arrival's variance (m,) in m^2, where it was declared

    @property
    def loops(self) -> int:
        """How many delays more than a tree needs."""
        return int(np.sum(self.weight > 0.0)) - (len(self.sensor) - self.groups)

    def arrivals(self, delay: Floats) -> Floats:
        """Least-squares arrivals (m,), each connected part centred on zero, in the unit of `delay`."""
        weighted = np.where(self.weight > 0.0, delay, 0.0) * self.weight
        count = len(self.sensor)
        pushed = np.bincount(self.first, weighted, count) - np.bincount(self.second, weighted, count)
        return np.asarray(self.inverse @ pushed)

    def closures(self, delay: Floats, arrival: Floats) -> Floats:
        """What each delay (n,) has beyond the arrivals of its ends."""
        return np.asarray(delay - (arrival[self.first] - arrival[self.second]))

    def redundancy(self) -> Floats:
        """Part (n,) of each delay's noise that its closure shows: 1 - w (e_a - e_b)^T L+ (e_a - e_b)."""
        diagonal = np.diag(self.inverse)
        spread = diagonal[self.first] + diagonal[self.second] - 2.0 * self.inverse[self.first, self.second]
        return np.asarray(1.0 - self.weight * spread)


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One reading of an epoch: its network without the delays that contradict it, and arrivals (m,) in metres."""

    network: Network
    arrival_m: Floats
    bad: tuple[int, ...]
    closure_chi_square: float
    closure_freedom: int


def network_of(first: Indices, second: Indices, weight: Floats, own_variance: Floats | None = None) -> Network:
    """The network of delays from `first` to `second` (n,); a weight of zero leaves one out.

    `own_variance` (sensors of the array,) is twice that of each arrival, where it is known.
    """
    sensor, ends = np.unique(np.concatenate([first, second]), return_inverse=True)
    local = ends.astype(np.intp)
    return _joined(
        sensor.astype(np.intp),
        local[: len(first)],
        local[len(first) :],
        weight,
        own_variance[sensor] if own_variance is not None else None,
    )


def without(network: Network, bad: Indices) -> Network:
    """The network without some delays; sensors stay, perhaps alone."""
    weight = network.weight.copy()
    weight[bad] = 0.0
    return _joined(network.sensor, network.first, network.second, weight, network.own_variance)


def _joined(sensor: Indices, first: Indices, second: Indices, weight: Floats, own: Floats | None) -> Network:
    count = len(sensor)
    used = weight > 0.0
    links = coo_array((weight[used], (first[used], second[used])), shape=(count, count))
    groups, group = connected_components(links, directed=False)
    laplacian = np.zeros((count, count))
    for rows, columns, sign in ((first, first, 1), (second, second, 1), (first, second, -1), (second, first, -1)):
        np.add.at(laplacian, (rows, columns), sign * weight)
    same = group[:, None] == group
    mean = same / same.sum(axis=1)
    scale = float(laplacian.max(initial=0.0)) or 1.0
    inverse = np.linalg.inv(laplacian + scale * mean) - mean / scale  # as the pseudoinverse, and cheaper
    return Network(sensor, first, second, weight, group.astype(np.intp), int(groups), inverse, own)


def branches(network: Network, epoch: Epoch, speed_m_s: float, known_scale: float | None) -> list[Branch]:
    """Readings of the epoch in which all loops close; more than one where loops cannot tell which delay is bad.

    `network.weight` is 1 / sigma^2 in m^-2 where `known_scale` is 1; another scale multiplies these sigmas, and without
    any the closures' own median does.
    """
    delay_m = epoch.delay_s * speed_m_s
    least = LEAST_SHARE * float(np.abs(delay_m).max(initial=0.0))
    bad: list[int] = []
    while True:
        arrival = network.arrivals(delay_m)
        closure = network.closures(delay_m, arrival)
        good = network.weight > 0.0
        chi_square = float(np.sum(network.weight * closure**2))
        if network.loops <= 0:
            return [Branch(network, arrival, tuple(bad), 0.0, 0)]
        share = network.redundancy()
        told = good & (share > 1e-6)
        sigma = np.sqrt(np.maximum(share, 1e-12) / np.where(good, network.weight, 1.0))
        test = np.where(told, np.abs(closure) / np.maximum(sigma, least), 0.0)
        scale = 1.0 if known_scale == 1.0 else least / float(np.median(sigma[told]))
        if known_scale != 1.0:
            scale = max(scale, 1.4826 * float(np.median(test[told])) if known_scale is None else known_scale)
        doubtful = known_scale is None and _stands_out(test, chi_square, network.loops, least)
        if test.max() <= CLOSURE_SIGMAS * scale and not doubtful:
            return [Branch(network, arrival, tuple(bad), chi_square, network.loops)]
        tied = np.flatnonzero(test >= TIE * test.max())
        if len(tied) > 1 and network.loops == 1:
            split = [without(network, np.array([one], np.intp)) for one in tied[:MAX_BRANCHES]]
            return [
                Branch(part, part.arrivals(delay_m), (*bad, int(one)), 0.0, 0)
                for part, one in zip(split, tied, strict=False)
            ]
        worst = tied[:1] if len(test) < 300 else np.flatnonzero(test > 0.6 * test.max())
        bad += [int(one) for one in worst]
        network = without(network, worst.astype(np.intp))


def triangle_scale(network: Network, delays_m: Sequence[Floats]) -> float | None:
    """Sigma of a delay in m, as the better quarter of the triangles of a network's epochs closes; None for too few.

    A triangle of good delays misses closing by sqrt(3) sigma. Of pairs that are 20 % wrong half the triangles are good:
    a quantile of 25 % bears 70 % of bad ones and is then at most half too large.
    """
    number = {(int(a), int(b)): at for at, (a, b) in enumerate(zip(network.first, network.second, strict=True))}
    number_of = {**{(b, a): (at, -1.0) for (a, b), at in number.items()}, **{k: (v, 1.0) for k, v in number.items()}}
    found: list[tuple[int, int, int]] = []
    signs: list[tuple[float, float, float]] = []
    count = min(len(network.sensor), MAX_CORNERS)
    for a, b, c in combinations(range(count), 3):
        sides = [number_of.get(side) for side in ((a, b), (b, c), (c, a))]
        told = [side for side in sides if side is not None]
        if len(told) == 3:
            found.append((told[0][0], told[1][0], told[2][0]))
            signs.append((told[0][1], told[1][1], told[2][1]))
    if len(found) < LEAST_TRIANGLES:
        return None
    rows, sign = np.array(found), np.array(signs)
    quarter = [float(np.quantile(np.abs(np.sum(sign * d[rows], axis=1)), QUARTER)) for d in delays_m]
    scale = float(np.median(quarter)) / float(ndtri(0.5 + 0.5 * QUARTER)) / float(np.sqrt(3.0))
    return max(scale, ROUNDING * _step(np.concatenate(delays_m)))


def _step(delays_m: Floats) -> float:
    """What delays are whole multiples of (samples, or a file's last digit); zero where there is no such step."""
    sizes = np.unique(np.abs(delays_m))
    least = LEAST_SHARE * float(sizes[-1])
    gaps = np.diff(sizes)
    gaps = gaps[gaps > least]
    if not len(gaps):
        return 0.0
    step = float(gaps.min())
    off = np.abs(sizes / step - np.rint(sizes / step))
    return step if float(np.mean(off < 0.02)) > 0.95 and len(sizes) > 4 else 0.0


def _stands_out(test: Floats, chi_square: float, loops: int, least: float) -> bool:
    """Whether leaving the worst delay out lessens the closures more than chance does (an F test, scale unknown)."""
    if loops < 2:
        return False
    gain = float(test.max()) ** 2
    rest = max(chi_square - gain, least**2) / (loops - 1)
    return bool(fdtrc(1.0, loops - 1.0, gain / rest) < CHANCE / len(test)) and gain > least**2
