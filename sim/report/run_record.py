"""Everything a report shows, collected while a run goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.site.survey import Site
from sim.scenario.scenario import ScenarioTable
from sim.score import Heard, Score
from sim.truth import TrueLeak


@dataclass(frozen=True, slots=True)
class PressureSample:
    """True pressure in the leaking compartment at a scenario time."""

    at_s: float
    pressure_pa: float


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One finished run."""

    scenario: ScenarioTable
    site: Site
    seed: int
    speed: float
    compartment: str
    leaks: tuple[TrueLeak, ...]
    heard: Sequence[Heard]
    pressure: Sequence[PressureSample]
    score: Score
    worst_lag_s: float  # how far the rig fell behind its own clock at worst, scenario seconds
