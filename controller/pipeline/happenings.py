"""What a step of the pipeline has to tell: values for outputs, journal and displays."""

from dataclasses import dataclass

from controller.alarm.types import AlarmChange
from controller.detect.pressure import PressureTrend
from controller.localize.verdict import Fix, NoFix
from controller.measure.leak_size import LeakSize
from firmware_bridge.session.events import CommandOutcome, StateChanged


@dataclass(frozen=True, slots=True)
class Learned:
    """The noise floor of all delivering array nodes is known."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SoundOnset:
    """Ultrasound stands above the floor; `first_ns` is the start of the first burst that showed it."""

    nodes: tuple[str, ...]
    rise_db: float
    rise_sigmas: float
    first_ns: int


@dataclass(frozen=True, slots=True)
class SoundOver:
    """No node has stood above its floor for a while."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """A verdict worth telling: the first, a changed one, or a reminder."""

    verdict: Fix | NoFix


@dataclass(frozen=True, slots=True)
class PressureFalls:
    """Pressure falls significantly; again when the estimate has sharpened."""

    trend: PressureTrend
    size: LeakSize


@dataclass(frozen=True, slots=True)
class PressureSteady:
    """Pressure no longer falls significantly."""


Happening = (
    StateChanged
    | CommandOutcome
    | Learned
    | SoundOnset
    | SoundOver
    | Located
    | PressureFalls
    | PressureSteady
    | AlarmChange
)
