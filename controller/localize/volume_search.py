"""Where around the microphones do all pairs agree, if no hull is known? A volume to search, coarse to fine.

Cells are halved where the map is high. The correlation functions are smeared as far as a cell is wide, so that no peak
is stepped over; what is faintest drowns in that, and a hull, where one is known, also tells a third coordinate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.localize.hull_search import APART_M, MAX_CANDIDATES, SearchResult, highest
from controller.localize.steered import Places, Steered
from controller.localize.verdict import Candidate
from controller.measure.correlation import Correlations
from firmware_bridge.site.hull import Hull, Outline, Points

ENLARGED = 0.5  # of the microphones' box, in all: leaks are on walls, and microphones are not
LEAST_SIDE_M = 0.5
COARSE_M = 0.04
MOST_CELLS = 1_500_000  # a second, and 100 MB
KEPT = 4000  # cells that are halved
FINE_M = 0.0015
SMEARED = 0.6  # of a cell's width: a path difference changes so much over most of it
INSIDE_COARSE_M = 0.06
MOST_INSIDE_CELLS = 500_000
MOST_LOOKUPS = 30_000_000  # of a pair at a cell, in the coarse step inside a hull: a third of a second of one core
LEAST_INSIDE_CELLS = 20_000
LEAST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Volume:
    """A box without a wall: as a hull, every point of it counts as wall and none has a normal."""

    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]

    @classmethod
    def filled(cls, hull: Hull) -> "Volume":
        """The box around a hull."""
        (x, y, z), (u, v, w) = (corner.tolist() for corner in hull.corners_m)
        return cls((x, y, z), (u, v, w))

    @classmethod
    def around(cls, microphones_m: Points) -> "Volume":
        """The microphones' box, half as large again and nowhere flat."""
        low, high = microphones_m.min(axis=0), microphones_m.max(axis=0)
        half = np.maximum((1.0 + ENLARGED) * (high - low), LEAST_SIDE_M) / 2.0
        (x, y, z), (u, v, w) = ((low + high) / 2.0 - half).tolist(), ((low + high) / 2.0 + half).tolist()
        return cls((x, y, z), (u, v, w))

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Zero (n,): nothing binds."""
        return np.zeros(len(points_m))

    def outward(self, points_m: Points) -> Points:
        """Zero (n, 3): no direction is better known than others."""
        return np.zeros_like(points_m)

    def project(self, points_m: Points) -> Points:
        """The nearest points of the volume (n, 3)."""
        return np.clip(points_m, self.low_m, self.high_m)

    def grid(self, spacing_m: float) -> Points:
        """Cell centres (n, 3); spacing grows where there would be more than MOST_CELLS."""
        step = self.step_m(spacing_m)
        counts = [max(1, int(np.ceil((high - low) / step))) for low, high in zip(self.low_m, self.high_m, strict=True)]
        axes = [low + step * (np.arange(count) + 0.5) for low, count in zip(self.low_m, counts, strict=True)]
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)

    def step_m(self, spacing_m: float) -> float:
        """The spacing that `grid` takes."""
        return float(max(spacing_m, np.cbrt(self.volume_m3 / MOST_CELLS)))

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """The plan (n, 2): x and y."""
        return np.asarray(points_m)[:, :2]

    def outlines(self) -> tuple[Outline, ...]:
        """The plan's edge."""
        (x, y, _), (u, v, _) = self.low_m, self.high_m
        return (Outline("plan of what was searched", np.array([[x, y], [u, y], [u, v], [x, v], [x, y]])),)

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,)."""
        return np.array(self.low_m), np.array(self.high_m)

    @property
    def area_m2(self) -> float:
        """Of the box's sides."""
        x, y, z = (high - low for low, high in zip(self.low_m, self.high_m, strict=True))
        return 2.0 * (x * y + y * z + z * x)

    @property
    def volume_m3(self) -> float:
        """Of the box."""
        return float(np.prod(np.subtract(self.high_m, self.low_m)))


class VolumeSearch:
    """Steered-response search over a volume, or over what of it lies inside a hull."""

    def __init__(
        self, volume: Volume, coarse_m: float = COARSE_M, *, inside: Hull | None = None, kept: int = KEPT
    ) -> None:
        """Lay the coarse grid. Inside a hull, where what is sought is loud, ever fewer than `kept` cells are halved."""
        self._volume = volume
        self._step_m = volume.step_m(coarse_m)
        self._kept, self._fewer = kept, inside is not None
        cells = volume.grid(coarse_m)
        if inside is not None:
            cells = cells[inside.signed_distance_m(cells) < 0.0]
        self._cells: Places = np.ascontiguousarray(cells.T, dtype=np.float32)

    @classmethod
    def inside(cls, hull: Hull, pairs: int) -> "VolumeSearch":
        """Over what a hull encloses, the coarser the more pairs there are to be looked up."""
        cells = min(MOST_INSIDE_CELLS, max(LEAST_INSIDE_CELLS, MOST_LOOKUPS // max(pairs, 1)))
        coarse_m = max(INSIDE_COARSE_M, float(np.cbrt(hull.volume_m3 / cells)))
        kept = min(KEPT, max(LEAST_KEPT, MOST_LOOKUPS // (16 * max(pairs, 1))))  # eight cells each, near and far
        return cls(Volume.filled(hull), coarse_m, inside=hull, kept=kept)

    def best(self, functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float) -> SearchResult:
        """Candidates for one source, as HullSearch's."""
        step, cells, kept = self._step_m, self._cells, self._kept
        exact = Steered(functions, sound_speed_m_s, tolerance_m)
        while True:
            smeared_m = tolerance_m + SMEARED * step
            standing = Steered(functions, sound_speed_m_s, smeared_m).far(cells) + exact.near(cells)
            if len(standing) > kept:
                cells = cells[:, np.argpartition(-standing, kept)[:kept]]
            if self._fewer:
                kept = max(LEAST_KEPT, kept // 2)
            if step <= FINE_M:
                break
            step /= 2.0
            cells = halved(cells, step)
        standing = exact.far(cells)
        tops = highest(cells, standing, APART_M, MAX_CANDIDATES)
        inside = self._volume.project(cells[:, tops].T.astype(float))
        return SearchResult(
            tuple(
                Candidate((float(x), float(y), float(z)), float(standing[at]))
                for (x, y, z), at in zip(inside, tops, strict=True)
            )
        )

    def around(
        self,
        candidates: Sequence[Candidate],  # noqa: ARG002 - as HullSearch's: here the whole volume is searched anew
        functions: Sequence[Correlations],
        sound_speed_m_s: float,
        tolerance_m: float,
    ) -> SearchResult:
        """Candidates under another survey."""
        return self.best(functions, sound_speed_m_s, tolerance_m)


def halved(cells: Places, step_m: float) -> Places:
    """The eight cells (3, 8 n) of width `step_m` in each of `cells` (3, n)."""
    offsets = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float32) * (step_m / 2)
    return np.ascontiguousarray((cells[:, :, None] + offsets.T[:, None, :]).reshape(3, -1))
