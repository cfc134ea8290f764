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
ENOUGH = 12.0  # standing that neither chance nor a faint sound's echo reaches: then nothing else needs to be looked at
AROUND_M = 0.03
ENOUGH_SHORT = 12  # pairs: two nodes of four microphones; fewer tell too little of where to look
CLEAR = 20.0  # standing of a coarse cell beyond which noise plays no part
ECHO = 0.4  # of the best cell's standing: less is no rival
PATCHES = 30  # of the fine grid that are looked at more closely still
APART_M = 0.10  # candidates closer than this are one
MAX_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Places by how far they stand above noise, best first; `standing` in standard deviations of the map."""

    candidates: tuple[Candidate, ...]


class HullSearch:
    """Steered-response search over one hull; coarse grids are made once."""

    def __init__(self, hull: Hull) -> None:
        """Search this hull."""
        self._hull = hull
        self._grids: dict[float, Places] = {}

    def best(self, functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float) -> SearchResult:
        """Candidates for one source; `tolerance_m` is how far a path difference may be off by the survey."""
        steered = Steered(functions, sound_speed_m_s, tolerance_m)
        cell_m = _cell_m(tolerance_m)
        if cell_m not in self._grids:
            self._grids[cell_m] = _rows(self._hull.grid(cell_m))
        cells = self._grids[cell_m]
        if steered.short_pairs >= ENOUGH_SHORT:
            coarse = steered.near(cells)
        else:
            coarse = Steered(functions, sound_speed_m_s, tolerance_m, cell_m).far(cells)
        # Peaks of exact functions are narrower than a fine step. What is faint would drown if they were widened.
        widened = tolerance_m < FINE_M / 2 and float(coarse.max()) > CLEAR
        closer = Steered(functions, sound_speed_m_s, FINE_M / 2) if widened else steered
        places, standing = self._look_closely(closer, cells, coarse, cell_m)
        return self._settled(steered, places[:, highest(places, standing, FINE_M, PATCHES)])

    def around(
        self,
        candidates: Sequence[Candidate],
        functions: Sequence[Correlations],
        sound_speed_m_s: float,
        tolerance_m: float,
    ) -> SearchResult:
        """Candidates near those that another survey or speed made stand out: what is loud moves by millimetres."""
        steered = Steered(functions, sound_speed_m_s, tolerance_m)
        places = _rows(np.array([candidate.position_m for candidate in candidates]))
        return self._settled(steered, self._best_near(steered, places, AROUND_M, FINE_M)[0])

    def _settled(self, steered: Steered, places: Places) -> SearchResult:
        """The highest points around `places` (3, n), to the finest step, apart from each other and on the hull."""
        found, height = self._best_near(steered, places, 0.7 * FINE_M, FINEST_M)
        apart = highest(found, height, APART_M, MAX_CANDIDATES)
        # Of exact functions a flank may be all that a fine step saw, and the peak lie a step and a half farther on.
        found, height = self._best_near(steered, found[:, apart], 1.6 * FINE_M, FINEST_M)
        apart = highest(found, height, APART_M, MAX_CANDIDATES)
        on_hull = self._hull.project(found[:, apart].T.astype(float))
        return SearchResult(
            tuple(Candidate(_as_tuple(p), float(height[i])) for p, i in zip(on_hull, apart, strict=True))
        )

    def _look_closely(
        self, steered: Steered, cells: Places, coarse: NDArray[np.float32], cell_m: float
    ) -> tuple[Places, NDArray[np.float32]]:
        """The best fine place (3, n) of each of the `cells` that was looked at, highest first; its standing (n,)."""
        most = min(len(coarse), max(1, round(SHARES[-1] * len(coarse))))
        order = np.argpartition(-coarse, most - 1)[:most]
        order = order[np.argsort(-coarse[order], kind="stable")]
        places, standings, done = [], [], 0
        for share in SHARES:
            upto = min(most, max(done + 1, round(share * len(coarse))))
            inside = order[done:upto]
            if coarse[order[0]] > CLEAR:  # of what is loud, weaker places are echoes
                inside = inside[coarse[inside] > ECHO * coarse[order[0]]]
            if not len(inside):
                break
            place, standing = self._best_near(steered, cells[:, inside], cell_m / 2, FINE_M)
            places.append(place)
            standings.append(standing)
            done = upto
            if standings[-1].max() > ENOUGH:
                break
        return np.concatenate(places, axis=1), np.concatenate(standings)

    def _best_near(
        self, steered: Steered, centres: Places, half_m: float, step_m: float
    ) -> tuple[Places, NDArray[np.float32]]:
        """The highest point (3, n) of a square patch in the tangent plane of each centre, and its standing (n,).

        A patch is a few centimetres: the hull bends by a tenth of a millimetre within it, and what reaches beyond an
        edge is put back at the end.
        """
        steps = np.arange(-half_m + step_m / 2, half_m, step_m, dtype=np.float32)
        u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
        first, second = (_rows(axis) for axis in _tangents(self._hull, centres.T.astype(float)))
        patch: Places = centres[:, :, None] + first[:, :, None] * u + second[:, :, None] * v
        each = np.arange(centres.shape[1])
        standing = steered.far(patch.reshape(3, -1)).reshape(len(each), -1)
        peak = standing.argmax(axis=1)
        return patch[:, each, peak], standing[each, peak]


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


def _cell_m(tolerance_m: float) -> float:
    """A coarse grid's step: short pairs see sound move four times less than it does."""
    return min(max(COARSE_M, 4.0 * tolerance_m), 2.0 * COARSE_M)


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
