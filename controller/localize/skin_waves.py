"""Where on the hull a leak shakes the skin, by contact sensors: a search over ways, then a solution, or why not.

A room by itself: airborne sound is locate's, and nothing here is asked for by it yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from controller.localize.forward import HullModel, Model, SoundSpeedModel
from controller.localize.geodesic_model import GeodesicDelay, PathDifferences
from controller.localize.geodesics import Geodesics
from controller.localize.region import radius95_m
from controller.localize.solver import Solution, solve
from controller.localize.verdict import NoFix, Reason
from controller.measure.path_functions import PathFunctions, path_functions
from controller.measure.plate import Mode, Skin
from firmware_bridge.samples import VibrationBlock
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Sensor

CELL_M = 0.03  # a peak of 20 to 80 kHz in 3 mm of aluminium is as wide
MOST_CELLS = 40_000
PLACES = 4  # that are tried, of each mode
WORTH_TRYING = 0.5  # of the best place's standing
ROUNDS = 3
APART_M = 0.15
MIN_STANDING = 7.5  # a million places reach 5.5 by chance; Rayleigh's tail is a little longer than a normal one's
RAYLEIGH_MEAN, RAYLEIGH_SIGMA = np.sqrt(np.pi) / 2.0, np.sqrt(1.0 - np.pi / 4.0)
LOUDEST = 12.0  # sigmas: one pair beside a loud wrap must not outvote the others
SCALE_SIGMA = 0.03  # of all path lengths: skins are 5 % thicker or thinner, and curvature and lining slow waves
MIN_VALUE = 14.0  # of a pair's peak: 30 places reach it by chance once in forty thousand pairs
WINDOW_M = 0.06
SETTLED_M = 0.003
GATE_SIGMAS = 4.0
SIGMA_FLOOR_M = 0.004
LEAST_SENSORS = 4
LEAST_SHARE = 0.5  # of the pairs must agree with the place
LEAST_ODDS = 100.0  # of the best place against any other
MAX_MISFIT = 3.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SkinFix:
    """A place on the hull, its covariance (3, 3), the radius that holds 95 %, and what speaks for it."""

    position_m: Floats
    covariance_m2: Floats
    radius95_m: float
    mode: Mode
    scale: float
    standing: float
    pairs_used: int
    pairs: int


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    solution: Solution
    support: int
    standing: float
    mode: Mode


class SkinLocator:
    """Finds what shakes one hull."""

    def __init__(self, hull: Hull, skin: Skin, sensors: Sequence[Sensor], *, sensor_sigma_m: float) -> None:
        """Find the ways from every cell of the hull; ValueError where its shape has none that are known."""
        self._hull, self._skin, self._sigma_m = hull, skin, sensor_sigma_m
        self._sensors = tuple(sensor for sensor in sensors if sensor.position_m is not None)
        self._ways = Geodesics(hull, np.array([sensor.position_m for sensor in self._sensors], dtype=float))
        self._cell_m = max(CELL_M, float(np.sqrt(hull.area_m2 / MOST_CELLS)))
        self._cells = hull.grid(self._cell_m)
        self._length_m = self._ways.ways(self._cells).length_m

    def locate(self, captures: Sequence[Sequence[VibrationBlock]]) -> SkinFix | NoFix:
        """The verdict on bursts that are coherent with each other, one of each node a capture."""
        reach_m = float(np.ptp(self._length_m, axis=1).max()) + WINDOW_M
        tried: list[_Tried] = []
        best = 0.0
        pairs = 0
        for mode in Mode:  # A0 first: it is most of what a leak makes
            functions = path_functions(captures, self._sensors, self._skin, mode, reach_m)
            if functions is None or len(functions.sensors) < LEAST_SENSORS:
                return NoFix(Reason.TOO_FEW_SENSORS, "fewer than four contact sensors feel the skin; look at the nodes")
            columns = np.array([[s.name for s in self._sensors].index(name) for name in functions.sensors])
            pairs = len(functions.pairs[0])
            for place, standing in self._search(functions, columns):
                best = max(best, standing)
                if standing >= max(MIN_STANDING, WORTH_TRYING * best):
                    solved = self._solve(functions, columns, place, standing)
                    tried += [] if solved is None else [solved]
        if best < MIN_STANDING:
            return NoFix(Reason.TOO_QUIET, f"no place of the skin stands out ({best:.1f} of {MIN_STANDING:g} sigma); "
                         "listen longer")  # fmt: skip
        tried = [one for one in tried if one.support >= LEAST_SHARE * pairs and one.solution.misfit <= MAX_MISFIT]
        if not tried:
            return NoFix(
                Reason.INCONSISTENT,
                "no place fits what most contact sensors feel; check the skin's thickness and the sensors' positions",
            )
        return self._judged(sorted(tried, key=lambda one: _cost(one, pairs)), pairs)

    def _judged(self, tried: list[_Tried], pairs: int) -> SkinFix | NoFix:
        winner = tried[0]
        at = self._hull.project(winner.solution.state[None, :3])[0]
        covariance = winner.solution.covariance[:3, :3]
        radius = float(radius95_m(covariance, self._hull.outward(at[None])[0]))
        rivals = [
            other
            for other in tried[1:]
            if _cost(other, pairs) - _cost(winner, pairs) < 2.0 * np.log(LEAST_ODDS) * max(1.0, winner.solution.misfit)
            and np.linalg.norm(other.solution.state[:3] - winner.solution.state[:3]) > max(APART_M, 2.0 * radius)
        ]
        if rivals:
            return NoFix(
                Reason.AMBIGUOUS,
                f"{1 + len(rivals)} places of the skin explain it almost alike ({winner.support} and "
                f"{rivals[0].support} pairs of sensors); another contact sensor would tell",
            )
        scale = float(winner.solution.state[3])
        return SkinFix(at, covariance, radius, winner.mode, scale, winner.standing, winner.support, pairs)

    def _search(self, functions: PathFunctions, columns: NDArray[np.intp]) -> list[tuple[Floats, float]]:
        """The places that stand out most, each with its standing."""
        first, second = functions.pairs
        half = max(1, round(0.7 * self._cell_m / functions.step_m))
        amplitude = (np.sqrt(functions.value) - RAYLEIGH_MEAN) / RAYLEIGH_SIGMA
        pooled = maximum_filter1d(np.minimum(amplitude, LOUDEST), 2 * half + 1, axis=1)
        # Of the largest of several values: what varies over the lags is what a chance hit has.
        middle = np.median(pooled, axis=1, keepdims=True)
        pooled = (pooled - middle) / np.maximum(1.4826 * np.median(np.abs(pooled - middle), axis=1, keepdims=True), 0.2)
        pooled = np.minimum(pooled, LOUDEST)
        total = np.zeros(len(self._cells))
        for row, (i, j) in enumerate(zip(first, second, strict=True)):
            lag = (self._length_m[:, columns[i]] - self._length_m[:, columns[j]]) / functions.step_m
            at = np.clip(np.rint(lag).astype(np.intp) + functions.zero, 0, pooled.shape[1] - 1)
            total += pooled[row, at]
        total /= np.sqrt(len(first))
        found: list[tuple[Floats, float]] = []
        for index in np.argsort(-total):
            place = self._cells[index]
            if all(np.linalg.norm(place - other) > APART_M for other, _ in found):
                found.append((place, float(total[index])))
                if len(found) == PLACES:
                    break
        return found

    def _solve(
        self, functions: PathFunctions, columns: NDArray[np.intp], place: Floats, standing: float
    ) -> _Tried | None:
        """Peaks about a place, a solution, and again about that; pairs that contradict it are left out."""
        state = np.append(place, 1.0)
        known: list[Model] = [HullModel(self._hull, self._sigma_m), SoundSpeedModel(1.0, SCALE_SIGMA)]
        nodes = [sensor.node for sensor in self._sensors]
        solution = None
        support = 0
        for _ in range(ROUNDS):
            told = self._peaks(functions, columns, state)
            while True:
                if len(told.first) < LEAST_SENSORS:
                    return None
                model = GeodesicDelay(told, self._ways, nodes, self._sigma_m)
                solution = solve([model, *known], state)
                if solution is None:
                    return None
                off = np.abs(model.residual(solution.state)[0])
                worst = float(off.max())
                if worst <= GATE_SIGMAS:
                    break
                told = told.only(off <= max(GATE_SIGMAS, 0.6 * worst))
            settled = bool(np.linalg.norm(solution.state[:3] - state[:3]) < SETTLED_M)
            state, support = solution.state, len(told.first)
            if settled:
                break
        return _Tried(solution, support, standing, functions.mode) if solution is not None else None

    def _peaks(self, functions: PathFunctions, columns: NDArray[np.intp], state: Floats) -> PathDifferences:
        """The highest value of each pair near what the state predicts, where it stands out of noise."""
        length = self._ways.ways(state[None, :3]).length_m[0] * state[3]
        first, second = columns[functions.pairs[0]], columns[functions.pairs[1]]
        reach = round(WINDOW_M / functions.step_m)
        centre = np.rint((length[first] - length[second]) / functions.step_m).astype(np.intp) + functions.zero
        centre = np.clip(centre, reach + 1, functions.value.shape[1] - reach - 2)
        lags = centre[:, None] + np.arange(-reach, reach + 1)
        rows = np.arange(len(first))
        top = lags[rows, functions.value[rows[:, None], lags].argmax(axis=1)]
        before, at, behind = (functions.value[rows, top + shift].astype(float) for shift in (-1, 0, 1))
        curve = np.minimum(before - 2.0 * at + behind, -1e-9)
        shift = np.clip(0.5 * (before - behind) / curve, -1.0, 1.0)
        # Of a matched filter's envelope: 1 / (spread of wavenumbers x root of twice the energy over noise).
        sigma = np.hypot(SIGMA_FLOOR_M, 1.0 / (functions.spread_rad_m * np.sqrt(2.0 * np.maximum(at, 1e-9))))
        usable = (at > MIN_VALUE) & (np.abs(top - centre) < reach)
        difference = (top - functions.zero + shift) * functions.step_m
        return PathDifferences(first[usable], second[usable], difference[usable], sigma[usable])


def _cost(tried: _Tried, pairs: int) -> float:
    """Twice the negative log-likelihood of a place: chi-square, pairs that were left out at the gate's value each."""
    return tried.solution.chi_square + GATE_SIGMAS**2 * (pairs - tried.support)
