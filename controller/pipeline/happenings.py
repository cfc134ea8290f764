"""What a step of the pipeline has to tell: values for outputs, journal and displays."""

from dataclasses import dataclass

from controller.alarm.types import Alarm, AlarmChange
from controller.detect.pressure import PressureTrend
from controller.health import NodePicture
from controller.localize.locate import LocateJob
from controller.localize.verdict import Fix, NoFix
from controller.measure.leak_size import LeakSize
from controller.tasking import Order
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


@dataclass(frozen=True, slots=True)
class LocateDone:
    """Comes back into the pipeline when a job is finished."""

    verdict: Fix | NoFix


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person acknowledges one occurrence of an alarm."""

    key: str
    occurrence: int
    by: str


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The broker came or went."""

    connected: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SensorReading:
    """The newest value of a slow sensor, for display."""

    sensor: str
    value: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything worth showing, at one instant."""

    now_ns: int
    site: str
    phase: str
    nodes: tuple[NodePicture, ...]
    pressures_pa: tuple[SensorReading, ...]
    loudness_db: tuple[SensorReading, ...]
    trend: PressureTrend | None
    size: LeakSize | None
    verdict: Fix | NoFix | None
    alarms: tuple[Alarm, ...]
    captures: int
    late_bursts: int
    incomplete_bursts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step decided. `job`, where present, is to be computed and come back as `LocateDone`."""

    happenings: tuple[Happening, ...]
    orders: tuple[Order, ...]
    job: LocateJob | None
    picture: Picture
