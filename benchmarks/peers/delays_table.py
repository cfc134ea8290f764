"""Positions from delays one of which is wrong: `leakctl solve`'s solver beside those of sidereon and opensoundscape."""

import numpy as np

from benchmarks.accuracy.tdoa_outliers import SENSORS, SIGMA_S, SPEED_M_S, Scene, make_epoch, on_walls, within
from benchmarks.peers.arrivals import from_arrivals
from benchmarks.peers.asked import Floats, missing, wanted
from controller.tdoa.epoch import SensorArray
from controller.tdoa.solve import Settings, solve

TRIALS, SEED = 500, 8
SCENE = Scene()  # seven delays against one sensor, one of them wrong


def errors_m(trials: int) -> dict[str, Floats]:
    """Distance from the source by solver, infinite where it gives none."""
    draw = np.random.default_rng(SEED)
    array = tuple(f"m{at}" for at in range(SENSORS))
    others = {"sidereon, Cauchy loss": "sidereon", "opensoundscape least squares": "opensoundscape"}
    found: dict[str, list[float]] = {"ours (`leakctl solve`)": []}
    found |= {name: [] for name, package in others.items() if missing(package) is None}
    for _ in range(trials):
        sensors, source = on_walls(draw, SENSORS), within(draw, 1)[0]
        epoch = make_epoch(draw, SCENE, sensors, source, known=True)
        arrival_s = np.append(0.0, epoch.delay_s)
        best = solve(SensorArray(array, sensors), [epoch], Settings(SPEED_M_S)).answers[0].best
        found["ours (`leakctl solve`)"].append(
            float(np.linalg.norm(np.array(best.where) - source)) if best is not None else np.inf
        )
        if "sidereon, Cauchy loss" in found:
            place = from_arrivals(sensors, arrival_s, SPEED_M_S, SIGMA_S)
            found["sidereon, Cauchy loss"].append(float(np.linalg.norm(place - source)))
        if "opensoundscape least squares" in found:
            localize = wanted("opensoundscape.localization").localization_algorithms.least_squares_localize
            found["opensoundscape least squares"].append(
                float(np.linalg.norm(localize(sensors, arrival_s, SPEED_M_S) - source))
            )
    return {name: np.nan_to_num(np.array(errors), nan=np.inf) for name, errors in found.items()}


def table(errors: dict[str, Floats]) -> str:
    """Markdown."""
    lines = ["| seven delays, one wrong | median, cm | p90, cm |", "| --- | ---: | ---: |"]
    for name, each in errors.items():
        middle, most = 100.0 * np.quantile(each, [0.5, 0.9], method="lower")
        lines.append(f"| {name} | {middle:.2f} | {most:.2f} |")
    return "\n".join(lines)
