"""How well a leak in a box is found by nodes that share no trigger: error and stated radius, by signal and clocks.

Recordings as in `locate_table`: image sources, white sound, wall reflection 0.6, four nodes of four microphones, each
with a clock of its own. Run with: python -m benchmarks.accuracy.apart_table [cases]
"""

import math
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.cli.locate import RIVAL_SHARE, SURVEYS
from controller.localize.forward import SurveyErrors
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix, Verdict
from controller.measure.captures import Capture
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S
from tests.support.box_room import SIZE_M, SPEED_M_S, heard, microphones
from tests.support.hearing import wave_block
from tests.support.sites import parsed

CASES = 24
SAMPLES = 16_384
NODES = "ABCD"
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2
UNTOLD_M = 0.002  # what a site file would say; the views replace it
UNKNOWN_S = 2e-3  # how far clocks are off of which nobody knows anything

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Condition:
    """One row of the table; `clock_s` None: nobody knows how far the clocks are apart."""

    snr_db: float
    clock_s: float | None
    survey_m: float
    bursts: int = 1
    told: bool = True  # how good the survey is; else the views that `leakctl locate --mics` tries

    @property
    def name(self) -> str:
        """As in the table."""
        clock = "unknown" if self.clock_s is None else f"{1e6 * self.clock_s:g} us"
        survey = f"{1e3 * self.survey_m:g} mm{'' if self.told else ', untold'}"
        return f"{self.snr_db:+g} dB | {clock} | {survey} | {self.bursts}"


SIGNALS_DB = (10.0, 0.0, -10.0)
CONDITIONS = (
    *(
        Condition(snr_db, clock_s, survey_m)
        for survey_m in (1e-4, 2e-3)
        for clock_s in (None, 50e-6, 20e-6, 5e-6)
        for snr_db in SIGNALS_DB
    ),
    *(Condition(snr_db, None, 2e-3, told=False) for snr_db in SIGNALS_DB),
    Condition(-13.0, None, 2e-3),
    Condition(-16.0, None, 2e-3),
    Condition(-16.0, None, 2e-3, bursts=8),
    Condition(-20.0, None, 2e-3),
)


@dataclass(frozen=True)
class Trial:
    """One box: what was said, and how far from the truth."""

    verdict: Verdict
    leak_m: Floats

    @property
    def error_m(self) -> float:
        """Infinite where there is no fix."""
        at = self.verdict.position_m if isinstance(self.verdict, Fix) else (math.inf,) * 3
        return float(np.linalg.norm(np.subtract(at, self.leak_m)))

    @property
    def radius_m(self) -> float:
        """Stated, 95 %; infinite where there is no fix."""
        return self.verdict.radius95_m if isinstance(self.verdict, Fix) else math.inf


def main(cases: int) -> None:
    """Print the table."""
    print("| signal | clocks | survey | bursts | fixes | error, median / p90 cm | stated 95 % radius, median cm |"
          " inside | beyond 3 radii | why not |")  # fmt: skip
    print("| --- | --- | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |")
    for condition in CONDITIONS:
        print(f"| {condition.name} | {told(trial(condition, case) for case in range(cases))} |", flush=True)


def told(trials: Iterable[Trial]) -> str:
    """The columns on what was found."""
    tried = list(trials)
    fixes = [one for one in tried if isinstance(one.verdict, Fix)]
    why = Counter(one.verdict.reason.value for one in tried if not isinstance(one.verdict, Fix))
    reasons = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
    if not fixes:
        return f"0 / {len(tried)} | | | | | {reasons}"
    error, radius = np.array([one.error_m for one in fixes]), np.array([one.radius_m for one in fixes])
    return (
        f"{len(fixes)} / {len(tried)} | {100 * np.median(error):.1f} / {100 * np.quantile(error, 0.9):.1f} "
        f"| {100 * np.median(radius):.1f} | {np.mean(error < radius):.2f} | {np.sum(error > 3 * radius)} | {reasons}"
    )


def trial(condition: Condition, case: int) -> Trial:
    """One box, one leak, drawn by `case`."""
    random = np.random.default_rng([30, case])
    places = microphones(random)
    leak = _on_the_wall(random)
    clock_s = UNKNOWN_S if condition.clock_s is None else condition.clock_s
    late_s = np.repeat(clock_s * random.standard_normal(len(NODES)), 4)
    surveyed = places + condition.survey_m * random.standard_normal(places.shape)
    captures = []
    for burst in range(condition.bursts):
        sound = heard(random, leak, places, late_s=late_s, samples=SAMPLES)
        noise = np.sqrt(np.mean(sound**2) / 10 ** (condition.snr_db / 10))
        captures.append(_capture(burst, sound + noise * random.standard_normal(sound.shape), condition.clock_s))
    site = apart_site(surveyed, condition.survey_m if condition.told else UNTOLD_M)
    views = () if condition.told else tuple(SurveyErrors(mic, wall) for mic, wall in SURVEYS)
    settings = Settings() if condition.told else Settings(rival_support=RIVAL_SHARE)
    locator = Locator(site, "box", settings, views)
    return Trial(locator.locate(LocateJob(tuple(captures), (), TEMPERATURE_K)), leak)


def apart_site(places: Floats, sigma_m: float) -> Site:
    """The box with its nodes, none on a trigger line."""
    inside = np.clip(places, 0.001, SIZE_M - 0.001)
    nodes = [
        {
            "name": name,
            "uid": f"{row + 1:x}",
            "compartment": "box",
            "sensors": [
                {"name": f"{name}{k}", "quantity": "ultrasound", "channel": k, "position_m": [float(v) for v in place]}
                for k, place in enumerate(inside[4 * row : 4 * row + 4])
            ],
        }
        for row, name in enumerate(NODES)
    ]
    room = {"name": "box", "volume_m3": 10.0, "hull": {"shape": "box", "size_m": [float(v) for v in SIZE_M]}}
    survey = {"microphone_sigma_m": sigma_m, "hull_sigma_m": sigma_m}
    return parsed({"format": 1, "name": "box", "survey": survey, "compartments": [room], "nodes": nodes})


def _on_the_wall(random: np.random.Generator) -> Floats:
    place = random.uniform(0.05, SIZE_M - 0.05)
    axis = int(random.integers(3))
    place[axis] = SIZE_M[axis] * random.integers(2)
    return np.asarray(place)


def _capture(burst: int, sound: Floats, clock_s: float | None) -> Capture:
    sigma_ns = math.inf if clock_s is None else clock_s * NS_PER_S
    blocks = {}
    for row, name in enumerate(NODES):
        names = tuple(f"{name}{k}" for k in range(4))
        block = wave_block(name, names, sound[4 * row : 4 * row + 4], burst_id=burst, triggered=False)
        blocks[name] = replace(block, start_sigma_ns=sigma_ns)
    return Capture(burst, blocks)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
