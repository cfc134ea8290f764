"""How honest fixes are: what tests/statistical judges, as a table.

    python -m benchmarks.accuracy.honesty [SHARE]

SHARE of the trials that are run in full (1, the default, takes an hour of one core). Truth differs from the site file
by what that states: microphones 2 mm, hull 3 mm, air 1 K, where nothing else is said.
"""

import sys
from collections import Counter
from collections.abc import Iterable

import numpy as np

from controller.localize.verdict import Fix, NoFix
from tests.support.bounds import bound_m2
from tests.support.ears import FAULTS, HEARABLE, faulty
from tests.support.silence import machines_alone, noise_alone
from tests.support.tally import HEAD, tally, tangents
from tests.support.trials import BoxTrial, Doubt, Setting, boxes

TRIALS, WINDOWS, RIGS = 150, 1000, 40
CAREFUL = Doubt(microphone_m=3e-4)
BOXES = (
    Setting("box, +10 dB", 10.0),
    Setting("box, 0 dB", 0.0),
    Setting("box, -10 dB", -10.0),
    Setting("box, -10 dB, microphones to 0.3 mm", -10.0, doubt=CAREFUL),
    Setting("box, -15 dB, microphones to 0.3 mm", -15.0, doubt=CAREFUL),
    Setting("box, -20 dB, ten bursts, microphones to 0.3 mm", -20.0, bursts=10, doubt=CAREFUL),
)
FREE = (
    Setting("free field, +10 dB", 10.0, order=0),
    Setting("free field, 0 dB", 0.0, order=0),
    Setting("free field, 0 dB, all exact", 0.0, order=0, doubt=Doubt(0.0, 0.0, 0.0)),
)


def main(share: float) -> None:
    """Print the tables."""
    trials = max(round(TRIALS * share), 4)
    print(HEAD)
    for setting in BOXES:
        print(tally(setting.name, boxes(setting, range(trials))).row, flush=True)
    for name in ("ms09-2018", "two-leaks"):
        print(tally(f"site of {name}", faulty(name, "nothing", range(trials))).row, flush=True)
    print("\n| free field | fixes | root mean squared error over the Cramér-Rao bound |\n| --- | ---: | ---: |")
    for setting in FREE:
        ratios = list(_over_bound(boxes(setting, range(trials)), setting))
        print(f"| {setting.name} | {len(ratios)} | {np.sqrt(np.mean(ratios)):.2f} |", flush=True)
    windows = max(round(WINDOWS * share), 10)
    print("\n| no leak | windows | false fixes | said |\n| --- | ---: | ---: | --- |")
    _silent("noise alone", noise_alone(windows))
    for name in ("ms09-2018", "two-leaks"):
        _silent(f"machines of {name}", machines_alone(name, windows))
    print(
        "\n| site | fault | fixes / rigs | beyond the radius | beyond three radii |\n| --- | --- | ---: | ---: | ---: |"
    )
    rigs = max(round(RIGS * share), 3)
    for name in HEARABLE:
        for fault in FAULTS:
            told = tally(name, faulty(name, fault, range(rigs)))
            outside = int(np.sum(told.radii > 1.0))
            print(f"| {name} | {fault} | {told.fixes} / {rigs} | {outside} | {told.far} |", flush=True)


def _over_bound(trials: Iterable[BoxTrial], setting: Setting) -> Iterable[float]:
    """Squared errors over the bound's trace."""
    for trial in trials:
        if isinstance(trial.verdict, Fix):
            error_m = tangents(trial.normal).T @ np.subtract(trial.verdict.position_m, trial.leak_m)
            yield float(error_m @ error_m / np.trace(bound_m2(trial, setting)))


def _silent(name: str, verdicts: Iterable[Fix | NoFix]) -> None:
    said = Counter("fix" if isinstance(verdict, Fix) else str(verdict.reason) for verdict in verdicts)
    reasons = ", ".join(f"{reason} {count}" for reason, count in said.most_common())
    print(f"| {name} | {sum(said.values())} | {said['fix']} | {reasons} |", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
