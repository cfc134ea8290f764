"""The situation at one instant, immutable, for everybody who looks on."""

from dataclasses import dataclass

from controller.alarm.types import Alarm
from controller.detect.pressure import PressureTrend
from controller.health import NodePicture
from controller.localize.verdict import Verdict
from controller.measure.leak_size import LeakSize


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of one node's sensor, or of the node as a whole, in the unit of the list that it stands in."""

    node: str
    sensor: str
    value: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything worth showing. `phase` is learning, watching or leak."""

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
