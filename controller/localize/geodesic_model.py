"""What a leak at a point of the hull would make differences of path over the skin be; they are measured in measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import STATE
from controller.localize.geodesics import Geodesics

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PathDifferences:
    """Measured differences of path (pairs,), m, of pairs (first, second) of sensors, by the nominal wavenumbers."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    difference_m: Floats
    sigma_m: Floats

    def only(self, keep: NDArray[np.bool_]) -> "PathDifferences":
        """Those of `keep` (pairs,)."""
        return PathDifferences(self.first[keep], self.second[keep], self.difference_m[keep], self.sigma_m[keep])


class GeodesicDelay:
    """Differences of the shortest ways over the skin, times one unknown factor: the state's fourth number.

    A skin that is a little thicker than the site says has wavenumbers that are smaller by one factor at all frequencies
    (thin plates: by its root), so all differences come out longer or shorter by it, (17) in docs/estimator.md.
    """

    def __init__(self, told: PathDifferences, ways: Geodesics, nodes: Sequence[str], sensor_sigma_m: float) -> None:
        """Take survey errors along the skin into each pair's variance.

        All pairs of n sensors share their errors; what they would know n / 2 times over is given back in the variance.
        """
        self._told, self._ways, self._nodes, self._sensor_sigma_m = told, ways, tuple(nodes), sensor_sigma_m
        count = len(set(told.first.tolist()) | set(told.second.tolist()))
        self._sigma = np.sqrt(max(count, 2) / 2.0 * (told.sigma_m**2 + 2.0 * sensor_sigma_m**2))

    @property
    def rows(self) -> tuple[str, ...]:
        """Owner of each difference: the node of its first sensor."""
        return tuple(self._nodes[i] for i in self._told.first)

    def without(self, node: str) -> "GeodesicDelay | None":
        """The differences among the other nodes' sensors."""
        other = np.array([owner != node for owner in self._nodes])
        keep = other[self._told.first] & other[self._told.second]
        if not keep.any():
            return None
        return GeodesicDelay(self._told.only(keep), self._ways, self._nodes, self._sensor_sigma_m)

    def residual(self, state: Floats) -> tuple[Floats, Floats]:
        """Whitened residual (pairs,) and its Jacobian (pairs, 4); only what moves along the skin changes it."""
        ways = self._ways.ways(state[None, :3])
        length, away = ways.length_m[0], ways.away[0]
        first, second = self._told.first, self._told.second
        difference = length[first] - length[second]
        jacobian = np.empty((len(first), STATE))
        jacobian[:, :3] = state[3] * (away[first] - away[second])
        jacobian[:, 3] = difference
        return (state[3] * difference - self._told.difference_m) / self._sigma, jacobian / self._sigma[:, None]
