"""What a step of the pipeline has to tell: values for outputs, journal and displays."""

from dataclasses import dataclass

from controller.alarm.requests import Answer
from controller.alarm.types import AlarmChange
from controller.detect.pressure import PressureTrend
from controller.isolate.advice import Advice
from controller.localize.verdict import Fix, NoFix
from controller.measure.leak_size import LeakSize
from controller.pipeline.events import QuietRequest
from controller.quiet.window import QuietWindow
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
    """A verdict worth telling: the first, a changed one, or a reminder; `leak` is the number of what a fix is of."""

    verdict: Fix | NoFix
    leak: int | None = None


@dataclass(frozen=True, slots=True)
class LeakGone:
    """A leak is heard no more, while others are, or while no place can be told any more."""

    leak: int
    fix: Fix


@dataclass(frozen=True, slots=True)
class PressureFalls:
    """Pressure falls significantly; again when the estimate has sharpened."""

    trend: PressureTrend
    size: LeakSize


@dataclass(frozen=True, slots=True)
class PressureSteady:
    """Pressure no longer falls significantly."""


@dataclass(frozen=True, slots=True)
class HatchStands:
    """A hatch was opened or shut; `source` says how that is known: command, operator or sensor."""

    hatch: str
    open: bool
    source: str


@dataclass(frozen=True, slots=True)
class IsolationAdvised:
    """The next step of a search by hatches."""

    advice: Advice


@dataclass(frozen=True, slots=True)
class QuietAsked:
    """Machines drown out what pressure says must be there: people, or relays, are to switch them off for a while."""

    window: QuietWindow


@dataclass(frozen=True, slots=True)
class QuietOver:
    """They may be switched on again; `told` is one sentence on what the quiet has shown."""

    equipment: tuple[str, ...]
    found: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class QuietAnswer:
    """What became of a person's request for quiet, or for its end."""

    request: QuietRequest
    accepted: bool
    text: str


Happening = (
    StateChanged
    | CommandOutcome
    | Learned
    | SoundOnset
    | SoundOver
    | Located
    | LeakGone
    | PressureFalls
    | PressureSteady
    | HatchStands
    | IsolationAdvised
    | QuietAsked
    | QuietOver
    | QuietAnswer
    | AlarmChange
    | Answer
)
