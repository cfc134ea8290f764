"""Everything a report shows, collected while a run goes on, and judged when it is over."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.site.survey import Site
from sim.heard import Heard
from sim.plant.plant import Plant
from sim.scenario.gas import CloseEvent, OpenEvent, ThrottleEvent
from sim.scenario.scenario import ScenarioTable
from sim.score import Score, score
from sim.truth import TrueLeak, true_leaks

MAX_SAMPLES = 4096  # of a trace: more than a picture has columns
FELL_BEHIND_S = 0.5  # scenario seconds; demos that lost no frame stayed below 0.3 s, one that lost half reached 1.3 s
MAX_HEARD = 100_000  # events kept; a controller that says more than one a second for a day has gone wrong anyway


@dataclass(frozen=True, slots=True)
class PressureSample:
    """True pressure in the watched compartment at a scenario time."""

    at_s: float
    pressure_pa: float


class PressureTrace:
    """Pressure over a run of any length in bounded memory: where it is full, every other sample goes."""

    def __init__(self) -> None:
        """Start empty."""
        self._samples: list[PressureSample] = []
        self._stride = 1
        self._skipped = 0

    @property
    def samples(self) -> tuple[PressureSample, ...]:
        """What was kept, evenly spread."""
        return tuple(self._samples)

    def add(self, at_s: float, pressure_pa: float) -> None:
        """Take a sample; every one of a series that is evenly spaced."""
        self._skipped += 1
        if self._skipped < self._stride:
            return
        self._skipped = 0
        self._samples.append(PressureSample(at_s, pressure_pa))
        if len(self._samples) >= MAX_SAMPLES:
            del self._samples[::2]
            self._stride *= 2


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One finished run."""

    scenario: ScenarioTable
    site: Site
    seed: int
    speed: float | None  # times real time; None in virtual time
    compartment: str
    leaks: tuple[TrueLeak, ...]
    heard: Sequence[Heard]
    pressure: Sequence[PressureSample]
    score: Score
    worst_lag_s: float  # how far the rig fell behind its own clock at worst, scenario seconds


def slower(speed: float) -> float:
    """A speed at which a machine that cannot keep up with `speed` (times real time) may well."""
    return max(round(speed / 3.0), 1)


def has_siren(scenario: ScenarioTable, site: Site) -> bool:
    """Whether a siren is plugged in."""
    return any(node.siren and node.name in scenario.links for node in site.nodes)


def watched_compartment(scenario: ScenarioTable, site: Site) -> str:
    """The compartment that a report shows: the first leak's, else the first that is listened to, else the first."""
    if scenario.leaks:
        return scenario.leaks[0].compartment
    listened = (node.compartment for node in site.nodes if site.microphones_m(node).size)
    return next(listened, site.compartments[0].name)


def hatches_moved_s(scenario: ScenarioTable, site: Site) -> float:
    """When, after a leak opened, a hatch of the volume that it drains first moves, s; infinity for never."""
    moved: list[float] = []
    for leak in scenario.leaks:
        drained = site.connected_compartments(leak.compartment)
        hatches = {hatch.name for hatch in site.hatches if drained & set(hatch.between)}
        moved += [
            event.at_s
            for event in scenario.events
            if isinstance(event, OpenEvent | CloseEvent | ThrottleEvent)
            and event.hatch in hatches
            and event.at_s > leak.opens_at_s
        ]
    return min(moved, default=math.inf)


def judged(
    scenario: ScenarioTable,
    site: Site,
    plant: Plant,
    heard: Sequence[Heard],
    pressure: PressureTrace,
    *,
    seed: int,
    speed: float | None,
    worst_lag_s: float = 0.0,
) -> RunRecord:
    """The record of a run that has ended, with its score."""
    leaks = true_leaks(scenario)
    compartment = watched_compartment(scenario, site)
    verdict = score(
        heard,
        plant.siren_log,
        leaks,
        site,
        siren_expected=has_siren(scenario, site),
        expected=scenario.expect,
        hatches_moved_s=hatches_moved_s(scenario, site),
    )
    return RunRecord(
        scenario=scenario,
        site=site,
        seed=seed,
        speed=speed,
        compartment=compartment,
        leaks=leaks,
        heard=heard,
        pressure=pressure.samples,
        score=verdict,
        worst_lag_s=worst_lag_s,
    )
