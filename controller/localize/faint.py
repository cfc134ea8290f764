"""Where a faint sound may come from, by nodes that hear it each by itself: probability over the whole hull.

Single pairs of microphones tell nothing certain here and no sharp peaks across nodes tell places apart, so the place is
not measured and solved for; what all functions say of every place is weighed. Loud sounds are attempt's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from controller.localize.volume_search import Volume
from controller.measure.correlation import Correlations
from firmware_bridge.site.hull import Hull, Points

CELL_M = 0.02  # moves the delays of a node's 10 cm, a metre away, by 6 us: less than what a survey of 2 mm does
MOST_CELLS = 200_000  # 0.3 s; larger hulls have larger cells
CELL_SHARE = 0.3  # of its cell's width is how far, in standard deviations, a place is from the cell's middle
HEIGHTS = (2.0, 3.5, 5.0, 7.0, 10.0, 14.0)  # that a node's pairs may have, sigmas of noise, all alike likely before
ASTRAY = 0.2  # share of pairs that hear an echo rather than the leak, or nothing
LARGEST_EXPONENT = 60.0
HELD = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Faint:
    """The likeliest region of the hull.

    `position_m` (3,) is its mean, put on the wall, `covariance_m2` (3, 3) its spread, `radius95_m` holds 95 % of it,
    `probability` is that of the region against the rest of the hull.
    """

    position_m: NDArray[np.float64]
    covariance_m2: NDArray[np.float64]
    radius95_m: float
    probability: float


def weigh(
    functions: Sequence[Correlations], hull: Hull, sound_speed_m_s: float, microphone_sigma_m: float, reach_m: float
) -> Faint:
    """Weigh every place of the hull; the region reaches `reach_m` from the likeliest place.

    Args:
        functions: one a node.
        hull: whose wall the sound comes from, anywhere alike likely before.
        sound_speed_m_s: of the air.
        microphone_sigma_m: survey error of a microphone's coordinates.
        reach_m: a region that is larger is of no use.
    """
    cell_m = _cell_m(hull)
    places = hull.grid(cell_m)
    log_likelihood = np.zeros(len(places))
    for node in functions:
        log_likelihood += _of_node(node, places, sound_speed_m_s, microphone_sigma_m, cell_m)
    weight = np.exp(log_likelihood - log_likelihood.max())
    weight /= weight.sum()
    mode = places[int(weight.argmax())]
    near = np.linalg.norm(places - mode, axis=1) <= reach_m
    probability = float(weight[near].sum())
    share = weight[near] / probability
    mean = hull.project((share @ places[near])[None])[0]
    offset = places[near] - mean
    away = np.linalg.norm(offset, axis=1)
    order = np.argsort(away)
    held = min(int(np.searchsorted(np.cumsum(share[order]), HELD)), len(order) - 1)
    covariance = (share[:, None] * offset).T @ offset + np.eye(3) * (CELL_SHARE * cell_m) ** 2
    return Faint(mean, covariance, float(away[order[held]]) + cell_m / 2, probability)


def _cell_m(hull: Hull) -> float:
    """Width of the cells, that of a volume so that they fill it."""
    if isinstance(hull, Volume):
        return max(CELL_M, float(np.cbrt(hull.volume_m3 / MOST_CELLS)))
    return max(CELL_M, float(np.sqrt(hull.area_m2 / MOST_CELLS)))


def _of_node(
    functions: Correlations, places: Points, sound_speed_m_s: float, microphone_sigma_m: float, cell_m: float
) -> NDArray[np.float64]:
    """Log-likelihood ratio (places,) of what one node hears, (12) in docs/estimator.md."""
    group = functions.group
    first, second = group.pairs
    distance = np.linalg.norm(places[:, None] - group.position_m, axis=2)
    arrival = distance / (sound_speed_m_s * functions.lag_step_s)
    away_m = float(np.median(distance))
    heights = np.array(HEIGHTS)
    total = np.zeros((len(heights), len(places)))
    for row, (i, j) in enumerate(zip(first, second, strict=True)):
        value = functions.value[row].astype(float)
        if not value.any():
            continue
        apart_m = float(np.linalg.norm(group.position_m[i] - group.position_m[j]))
        # What survey and grid leave open of this pair's delay. All pairs of n microphones together know n / 2 times too
        # much of the survey's errors where each is given its own, 2 sigma^2; given n sigma^2, they know just as much.
        open_m = np.hypot(
            np.sqrt(len(group.sensors)) * microphone_sigma_m, CELL_SHARE * cell_m * apart_m / max(away_m, apart_m)
        )
        open_lags = float(open_m / (sound_speed_m_s * functions.lag_step_s))
        exponent = np.minimum(heights[:, None] * value - heights[:, None] ** 2 / 2, LARGEST_EXPONENT)
        likely = gaussian_filter1d(np.exp(exponent), open_lags, axis=1, mode="nearest")
        table = np.log((1.0 - ASTRAY) * likely + ASTRAY)
        lag = np.rint(arrival[:, i] - arrival[:, j]).astype(np.intp) + functions.zero
        total += table[:, np.clip(lag, 0, table.shape[1] - 1)]
    top = total.max(axis=0)
    return np.asarray(top + np.log(np.mean(np.exp(total - top), axis=0)))
