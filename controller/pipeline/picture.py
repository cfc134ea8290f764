"""The situation at one instant, immutable, for everybody who looks on."""

from dataclasses import dataclass

from controller.alarm.types import Alarm
from controller.detect.pressure import PressureTrend
from controller.health import NodePicture
from controller.isolate.advice import Advice
from controller.isolate.reserve_time import VolumeReserve
from controller.localize.track import Leak
from controller.localize.verdict import Verdict
from controller.measure.leak_size import LeakSize
from controller.quiet.window import QuietWindow


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of one node's sensor, or of the node as a whole, in the unit of the list that it stands in."""

    node: str
    sensor: str
    value: float


@dataclass(frozen=True, slots=True)
class HatchPicture:
    """How a hatch stands; `source` says how that is known: assumed, command, operator or sensor."""

    hatch: str
    open: bool
    source: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything worth showing. `phase` is learning, watching or leak.

    `verdict` is on the leak that has been known for longest, or why there is none; `leaks` are all that are followed.
    """

    now_ns: int
    site: str
    phase: str
    nodes: tuple[NodePicture, ...]
    pressures_pa: tuple[Reading, ...]
    loudness_db: tuple[Reading, ...]
    trend: PressureTrend | None
    size: LeakSize | None
    verdict: Verdict | None
    alarms: tuple[Alarm, ...]
    captures: int
    late_bursts: int
    incomplete_bursts: int
    leaks: tuple[Leak, ...] = ()
    reserves: tuple[VolumeReserve, ...] = ()  # of each connected volume that loses gas, the shortest first
    isolation: Advice | None = None  # the next step of a search by hatches
    quiet: QuietWindow | None = None  # what is to be off for now, so that a leak can be heard
    hatches: tuple[HatchPicture, ...] = ()
    quieted: tuple[Alarm, ...] = ()  # shelved, suppressed, out of service
