"""Where on the hull do all pairs agree? Steered response over a grid, coarse to fine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from controller.localize.verdict import Candidate
from controller.measure.correlation import Correlations
from firmware_bridge.site.hull import Hull, Points

COARSE_M = 0.04
APART_M = 0.10  # candidates closer than this are one
MAX_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class _Refinement:
    """One step from coarse to fine: the best `kept` cells at least `apart_m` apart become patches of `step_m`.

    A patch reaches as far as cells are apart, so that no cell is passed over because a better one is its neighbour.
    """

    step_m: float
    kept: int
    apart_m: float


# A peak is some 5 mm wide: the last step must not walk over it.
REFINEMENTS = (_Refinement(0.01, 40, 0.06), _Refinement(0.0025, 60, 0.0125))


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Places by how far they stand above the map, best first; `standing` in standard deviations of the map."""

    candidates: tuple[Candidate, ...]


class HullSearch:
    """Steered-response search over one hull; the coarse grid is made once."""

    def __init__(self, hull: Hull) -> None:
        """Lay the grid."""
        self._hull = hull
        self._grid = hull.grid(COARSE_M)

    def best(self, functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float) -> SearchResult:
        """Candidates for one source.

        A cell is scored by the highest correlation that any point in it could have (a sliding maximum over the lags
        that the cell spans), so a narrow peak between grid points is not stepped over. `tolerance_m` is how far a path
        difference may be off by the survey: a microphone 2 mm from where it should be turns a correlation of 60 kHz
        upside down, so even the finest score takes the best lag within it.
        """

        def steered(cell_m: float) -> list[_Steered]:
            return [_Steered(f, cell_m, tolerance_m, sound_speed_m_s) for f in functions]

        finest = steered(0.0)
        background = _score(finest, self._grid)
        centre = float(np.median(background))
        spread = max(1.4826 * float(np.median(np.abs(background - centre))), 1e-9)
        points = self._grid
        score = _score(steered(COARSE_M), points)
        for refinement in REFINEMENTS:
            cells = points[_top_indices(points, score, refinement.apart_m, refinement.kept)]
            points = self._patches(cells, refinement)
            last = refinement is REFINEMENTS[-1]
            score = _score(finest if last else steered(refinement.step_m), points)
        tops = _top_indices(points, score, APART_M, MAX_CANDIDATES)
        return SearchResult(tuple(Candidate(_as_tuple(points[i]), float((score[i] - centre) / spread)) for i in tops))

    def _patches(self, centres: Points, refinement: _Refinement) -> Points:
        """Fine points around each centre, on the hull (n, 3)."""
        reach = int(np.ceil(refinement.apart_m / refinement.step_m))
        steps = refinement.step_m * np.arange(-reach, reach + 1)
        normal = self._hull.outward(centres)
        helper = np.where(np.abs(normal[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
        first = np.cross(normal, helper)
        first /= np.linalg.norm(first, axis=1)[:, None]
        second = np.cross(normal, first)
        u, v = (grid.ravel() for grid in np.meshgrid(steps, steps))
        patch = centres[:, None] + u[None, :, None] * first[:, None] + v[None, :, None] * second[:, None]
        return self._hull.project(patch.reshape(-1, 3))


def predicted_delays(
    functions: Correlations, point_m: NDArray[np.float64], sound_speed_m_s: float
) -> NDArray[np.float64]:
    """Delay (pairs,) that a source at `point_m` makes in the correlation functions."""
    first, second = functions.group.pairs
    arrival = np.linalg.norm(point_m - functions.group.position_m, axis=1) / sound_speed_m_s - functions.mid_shift_s
    return np.asarray(arrival[first] - arrival[second])


class _Steered:
    """One group's correlation functions, made ready to be looked up for cells of a given size."""

    def __init__(self, functions: Correlations, cell_m: float, tolerance_m: float, sound_speed_m_s: float) -> None:
        self._functions = functions
        self._speed = sound_speed_m_s
        self._value = self._pooled(cell_m, tolerance_m)

    def score(self, points_m: Points) -> NDArray[np.float64]:
        """Sum over pairs (points,)."""
        group = self._functions.group
        distance = np.linalg.norm(points_m[:, None, :] - group.position_m[None, :, :], axis=2)
        lag = (distance / self._speed - self._functions.mid_shift_s) / self._functions.lag_step_s
        first, second = group.pairs
        total = np.zeros(len(points_m))
        last = self._value.shape[1] - 1
        for row, (i, j) in enumerate(zip(first, second, strict=True)):
            at = np.rint(lag[:, i] - lag[:, j]).astype(np.intp) + self._functions.zero
            total += self._value[row, np.clip(at, 0, last)]
        return total

    def _pooled(self, cell_m: float, tolerance_m: float) -> NDArray[np.float32]:
        """Sliding maximum over the lags that cell and tolerance span, less for microphones that stand together."""
        group = self._functions.group
        first, second = group.pairs
        apart = np.linalg.norm(group.position_m[first] - group.position_m[second], axis=1)
        # A move by s changes a delay by at most min(2 s, s b / r) / c; leaks nearer than 0.3 m to an array are rare.
        spread_s = (cell_m / np.sqrt(2.0) * np.minimum(1.2, apart / 0.3) + tolerance_m) / self._speed
        value = self._functions.value
        pooled = np.empty_like(value)
        for row, half in enumerate(np.ceil(spread_s / self._functions.lag_step_s).astype(int)):
            maximum_filter1d(value[row], 2 * int(half) + 1, output=pooled[row])
        return pooled


def _score(steered: Sequence[_Steered], points_m: Points) -> NDArray[np.float64]:
    """Sum over all groups (points,); each pair's noise has unit variance."""
    return np.asarray(np.sum([part.score(points_m) for part in steered], axis=0))


def _top_indices(points: Points, score: NDArray[np.float64], apart_m: float, count: int) -> list[int]:
    """Indices of the best points, each farther than `apart_m` from all better ones."""
    tops: list[int] = []
    left = score.copy()
    while len(tops) < count:
        top = int(left.argmax())
        if not np.isfinite(left[top]):
            break
        tops.append(top)
        left[np.linalg.norm(points - points[top], axis=1) < apart_m] = -np.inf
    return tops


def _as_tuple(point: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
