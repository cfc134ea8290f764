"""Where on the hull do all pairs agree? Steered response, coarse to fine.

Short baselines within nodes make peaks of some centimetres, so a coarse grid finds where to look; baselines across
nodes make peaks of 5 mm, which a fine grid must not step over. Fine grids are laid where the coarse map is high, best
first, until something stands out beyond doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.localize.steered import Places, Steered
from controller.localize.verdict import Candidate
from controller.measure.correlation import Correlations
from firmware_bridge.site.hull import Hull, Points

COARSE_M = 0.025  # a node's microphones, 10 cm apart, see a leak 1 m away move by this much at 90 kHz
FINE_M = 0.005
FINEST_M = 0.001
SHARES = (0.02, 0.08, 0.2)  # of the coarse map that are looked at closely, in turn
ENOUGH = 9.0  # standing that no chance reaches: then nothing else needs to be looked at
PATCHES = 30  # of the fine grid that are looked at more closely still
APART_M = 0.10  # candidates closer than this are one
MAX_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Places by how far they stand above noise, best first; `standing` in standard deviations of the map."""

    candidates: tuple[Candidate, ...]


class HullSearch:
    """Steered-response search over one hull; the coarse grid is made once."""

    def __init__(self, hull: Hull) -> None:
        """Lay the grid: about a cell in COARSE_M^2."""
        self._hull = hull
        self._grid = hull.grid(COARSE_M)
        self._cells = _rows(self._grid)
        self._first, self._second = (_rows(axis) for axis in _tangents(hull, self._grid))

    def best(self, functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float) -> SearchResult:
        """Candidates for one source; `tolerance_m` is how far a path difference may be off by the survey."""
        steered = Steered(functions, sound_speed_m_s, tolerance_m)
        places, standing, cells = self._look_closely(steered)
        top = highest(places, standing, FINE_M, PATCHES)
        around = self._patches(places[:, top], cells[top], FINE_M / 2 + FINEST_M, FINEST_M)
        finest = steered.far(around.reshape(3, -1)).reshape(len(top), -1)
        peak = finest.argmax(axis=1)
        found = around.reshape(3, len(top), -1)[:, np.arange(len(top)), peak]
        height = finest[np.arange(len(top)), peak]
        apart = highest(found, height, APART_M, MAX_CANDIDATES)
        on_hull = self._hull.project(found[:, apart].T.astype(float))
        return SearchResult(
            tuple(Candidate(_as_tuple(p), float(height[i])) for p, i in zip(on_hull, apart, strict=True))
        )

    def _look_closely(self, steered: Steered) -> tuple[Places, NDArray[np.float32], NDArray[np.intp]]:
        """The best fine place (3, n) of each coarse cell that was looked at, its standing (n,) and its cell (n,)."""
        near = steered.near(self._cells)
        most = min(len(near), max(1, round(SHARES[-1] * len(near))))
        order = np.argpartition(-near, most - 1)[:most]
        order = order[np.argsort(-near[order], kind="stable")]
        places, standings, done = [], [], 0
        for share in SHARES:
            upto = min(most, max(done + 1, round(share * len(near))))
            cells = order[done:upto]
            if not len(cells):
                break
            fine = self._patches(self._cells[:, cells], cells, COARSE_M / 2, FINE_M)
            standing = steered.far(fine.reshape(3, -1)).reshape(len(cells), -1)
            peak = standing.argmax(axis=1)
            places.append(fine.reshape(3, len(cells), -1)[:, np.arange(len(cells)), peak])
            standings.append(standing[np.arange(len(cells)), peak])
            done = upto
            if standings[-1].max() > ENOUGH:
                break
        return np.concatenate(places, axis=1), np.concatenate(standings), order[:done]

    def _patches(self, centres: Places, cells: NDArray[np.intp], half_m: float, step_m: float) -> Places:
        """Square patches (3, n, points) in the tangent planes of `cells` around `centres` (3, n).

        A patch is a centimetre or two: the hull bends by a tenth of a millimetre within it, and what reaches beyond an
        edge is put back at the end.
        """
        steps = np.arange(-half_m + step_m / 2, half_m, step_m, dtype=np.float32)
        u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
        first, second = self._first[:, cells], self._second[:, cells]
        patch: Places = centres[:, :, None] + first[:, :, None] * u + second[:, :, None] * v
        return patch


def standing_at(
    candidates: Sequence[Candidate], functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float
) -> NDArray[np.float32]:
    """How far the candidates' places (n,) stand out of other functions than those that they were found in."""
    places = _rows(np.array([candidate.position_m for candidate in candidates], dtype=float).reshape(-1, 3))
    return Steered(functions, sound_speed_m_s, max(tolerance_m, FINE_M)).far(places)


def predicted_delays(
    functions: Correlations, point_m: NDArray[np.float64], sound_speed_m_s: float
) -> NDArray[np.float64]:
    """Delay (pairs,) that a source at `point_m` makes in the correlation functions."""
    first, second = functions.group.pairs
    arrival = np.linalg.norm(point_m - functions.group.position_m, axis=1) / sound_speed_m_s - functions.mid_shift_s
    return np.asarray(arrival[first] - arrival[second])


def _rows(points: Points) -> Places:
    return np.ascontiguousarray(points.T, dtype=np.float32)


def _tangents(hull: Hull, points: Points) -> tuple[Points, Points]:
    """Two unit vectors that span the tangent plane at each point."""
    normal = hull.outward(points)
    helper = np.where(np.abs(normal[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return first, np.cross(normal, first)


def highest(places: Places, height: NDArray[np.float32], apart_m: float, count: int) -> list[int]:
    """Indices of the highest places, each farther than `apart_m` from all higher ones."""
    tops: list[int] = []
    for index in np.argsort(-height, kind="stable"):
        taken = places[:, tops] - places[:, index, None]
        if not tops or float((taken**2).sum(axis=0).min()) > apart_m**2:
            tops.append(int(index))
            if len(tops) == count:
                break
    return tops


def _as_tuple(point: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
