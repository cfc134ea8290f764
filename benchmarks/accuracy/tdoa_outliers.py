"""How far off positions from delays are, with and without gross outliers; the scenes of the tests of `controller/tdoa`.

    python -m benchmarks.accuracy.tdoa_outliers [TRIALS]

Eight sensors on the walls of a cylinder of 2.2 m by 4 m, a source within it, 343 m/s, 5 µs of noise; every trial has
sensors, source and outlier of its own and is solved alone, without hull, with sigma declared and with sigma unknown.
"""

import sys
from dataclasses import dataclass

import numpy as np

from controller.tdoa.epoch import Epoch, Floats, SensorArray
from controller.tdoa.solve import Settings, solve

RADIUS_M, LENGTH_M, SENSORS = 1.1, 4.0, 8
SPEED_M_S, SIGMA_S = 343.0, 5e-6
OFF_S = (0.2e-3, 2e-3)
SEED = 7


@dataclass(frozen=True, slots=True)
class Scene:
    """Which delays there are, what errs, and what is wrong: nothing, one delay, or the arrival at one sensor."""

    pairs: str = "reference"
    noise: str = "delays"
    wrong: str = "delay"


SCENES = {
    "7 delays, none wrong": Scene(wrong="nothing"),
    "7 delays, one wrong": Scene(),
    "7 differences of arrivals, one wrong": Scene(noise="arrivals"),
    "7 differences of arrivals, one arrival wrong": Scene(noise="arrivals", wrong="arrival"),
    "28 pairs, one wrong": Scene(pairs="all"),
    "28 differences of arrivals, one wrong": Scene(pairs="all", noise="arrivals"),
    "28 differences of arrivals, one arrival (seven delays) wrong": Scene("all", "arrivals", "arrival"),
}


def on_walls(draw: np.random.Generator, count: int) -> Floats:
    """Points spread evenly over side and ends of the cylinder."""
    side = LENGTH_M / (LENGTH_M + RADIUS_M)  # its part of the surface: 2 pi r l of 2 pi r (l + r)
    angle = draw.uniform(0.0, 2.0 * np.pi, count)
    upon_side = draw.uniform(size=count) < side
    radius = np.where(upon_side, RADIUS_M, RADIUS_M * np.sqrt(draw.uniform(size=count)))
    along = np.where(upon_side, draw.uniform(0.0, LENGTH_M, count), LENGTH_M * draw.integers(0, 2, count))
    return np.column_stack([along, radius * np.cos(angle), radius * np.sin(angle)])


def within(draw: np.random.Generator, count: int) -> Floats:
    """Points spread evenly through the cylinder."""
    angle, radius = draw.uniform(0.0, 2.0 * np.pi, count), RADIUS_M * np.sqrt(draw.uniform(size=count))
    return np.column_stack([draw.uniform(0.0, LENGTH_M, count), radius * np.cos(angle), radius * np.sin(angle)])


def make_epoch(draw: np.random.Generator, scene: Scene, sensors_m: Floats, source_m: Floats, *, known: bool) -> Epoch:
    """One epoch's delays, with a sigma of SIGMA_S each."""
    count = len(sensors_m)
    arrival = np.linalg.norm(sensors_m - source_m, axis=1) / SPEED_M_S
    if scene.noise == "arrivals":
        arrival = arrival + draw.normal(0.0, SIGMA_S / np.sqrt(2.0), count)
    off_s = draw.uniform(*OFF_S) * draw.choice([-1.0, 1.0])
    if scene.wrong == "arrival":
        arrival[draw.integers(count)] += off_s
    first, second = (
        np.triu_indices(count, 1) if scene.pairs == "all" else (np.arange(1, count), np.zeros(count - 1, int))
    )
    delay = arrival[first] - arrival[second]
    if scene.noise == "delays":
        delay = delay + draw.normal(0.0, SIGMA_S, len(delay))
    if scene.wrong == "delay":
        delay[draw.integers(len(delay))] += off_s
    rows = len(delay)
    sigma = np.full(rows, SIGMA_S if known else np.nan)
    return Epoch("", 0.0, first.astype(np.intp), second.astype(np.intp), delay, sigma, np.arange(rows) + 2)


def errors_m(scene: Scene, trials: int, seed: int, *, known: bool) -> Floats:
    """Distance from the source of each trial's fix; infinite where there is none."""
    draw = np.random.default_rng(seed)
    errors = np.full(trials, np.inf)
    for trial in range(trials):
        sensors = on_walls(draw, SENSORS)
        source = within(draw, 1)[0]
        epoch = make_epoch(draw, scene, sensors, source, known=known)
        array = SensorArray(tuple(f"m{at}" for at in range(SENSORS)), sensors)
        best = solve(array, [epoch], Settings(SPEED_M_S)).answers[0].best
        if best is not None:
            errors[trial] = float(np.linalg.norm(np.array(best.where) - source))
    return errors


def main(trials: int) -> None:
    """Print the table."""
    print("| delays | sigma | median, cm | p90, cm | over 10 cm or no fix |\n|---|---|---|---|---|")
    for name, scene in SCENES.items():
        for known in (True, False):
            errors = 100.0 * errors_m(scene, trials, SEED, known=known)
            lost = float(np.mean(errors > 10.0))
            median, p90 = np.quantile(errors, [0.5, 0.9], method="lower")
            print(
                f"| {name} | {'declared' if known else 'unknown'} | {median:.2f} | {p90:.2f} | {lost:.1%} |", flush=True
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
