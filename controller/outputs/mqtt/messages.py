"""Payloads that are made for MQTT alone; all others are the journal's entries. Publishing them is next door's."""

import math

import msgspec

from controller.alarm.keys import LEAK
from controller.alarm.table import ACTIVE
from controller.alarm.types import Alarm
from controller.isolate.reserve_time import VolumeReserve
from controller.journal.entries import FixEntry
from controller.outputs.output import Shown
from controller.pipeline.picture import Picture
from firmware_bridge.session.states import DELIVERING


class StatusMessage(msgspec.Struct, frozen=True):
    """Payload of `status`: whether a controller is connected; false is also its last will."""

    online: bool


class ReserveMessage(msgspec.Struct, frozen=True):
    """Reserve time of one connected volume, s; null for no end. `assumed` since a hatch moved and until data say so."""

    rooms: tuple[str, ...]
    volume_m3: float
    reserve_s: float | None
    low_s: float | None
    high_s: float | None
    assumed: bool


class StateMessage(msgspec.Struct, frozen=True):
    """Payload of `state`: the whole situation in one retained message."""

    utc: str
    phase: str
    alarm_class: str | None
    leak: bool
    nodes_up: tuple[str, ...]
    nodes_down: tuple[str, ...]
    pressures_pa: dict[str, float]
    reserve_s: float | None
    reserves: tuple[ReserveMessage, ...] = ()


class ReservesMessage(msgspec.Struct, frozen=True):
    """Payload of `reserve`: reserve times of all volumes that lose gas, the shortest first; empty while none does."""

    reserves: tuple[ReserveMessage, ...]


class Trouble(msgspec.Struct, frozen=True):
    """One alarm on the system itself, in short."""

    key: str
    alarm_class: str
    state: str
    text: str


class HealthMessage(msgspec.Struct, frozen=True):
    """Payload of `health`: how the leak locator itself is; `troubles` are alarms on it, the gravest first.

    `events_waiting` alarm events has no broker acknowledged yet, `events_dropped` made way since the start;
    `commands_refused` counts commands since the start that were refused at the door.
    """

    utc: str
    well: bool
    nodes_up: tuple[str, ...]
    nodes_down: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    events_waiting: int
    events_dropped: int
    commands_refused: int


class LeaksMessage(msgspec.Struct, frozen=True):
    """Payload of `leaks`: the newest fix of every leak that is followed, the one known for longest first."""

    leaks: tuple[FixEntry, ...]


class CallingMessage(msgspec.Struct, frozen=True):
    """Payload of `calling`: for lamps and horns. The gravest class that stands, and that nobody took notice of."""

    alarm_class: str | None
    calling: str | None


class ReplyMessage(msgspec.Struct, frozen=True):
    """Payload of `reply/<id>`: what became of the command with that id; `utc` is the controller's clock."""

    id: str
    action: str
    accepted: bool
    text: str
    utc: str


def calling_of(shown: Shown) -> CallingMessage:
    """What a lamp or a horn shows, whoever drives it."""
    standing, calling = shown.standing(), shown.calling()
    return CallingMessage(
        None if standing is None else standing.name.lower(), None if calling is None else calling.name.lower()
    )


def state_of(utc: str, picture: Picture) -> StateMessage:
    """The situation in short."""
    reserve_s = picture.size.reserve_s.value if picture.size else None
    up, down = _nodes(picture)
    return StateMessage(
        utc=utc,
        phase=picture.phase,
        alarm_class=picture.alarms[0].alarm_class.name.lower() if picture.alarms else None,
        leak=any(alarm.key == LEAK and alarm.state in ACTIVE for alarm in picture.alarms),
        nodes_up=up,
        nodes_down=down,
        pressures_pa={r.sensor: round(r.value, 2) for r in picture.pressures_pa if math.isfinite(r.value)},
        reserve_s=None if reserve_s is None else _finite(reserve_s),
        reserves=reserves_of(picture).reserves,
    )


def reserves_of(picture: Picture) -> ReservesMessage:
    """Reserve times alone."""
    return ReservesMessage(tuple(_reserve(one) for one in picture.reserves))


def health_of(utc: str, picture: Picture, *, waiting: int, dropped: int, refused: int) -> HealthMessage:
    """How the locator itself is."""
    up, down = _nodes(picture)
    troubles = tuple(_trouble(alarm) for alarm in picture.alarms if alarm.key != LEAK)
    return HealthMessage(utc, not troubles and not down, up, down, troubles, waiting, dropped, refused)


def _nodes(picture: Picture) -> tuple[tuple[str, ...], tuple[str, ...]]:
    up = tuple(node.node for node in picture.nodes if node.state in DELIVERING)
    return up, tuple(node.node for node in picture.nodes if node.state not in DELIVERING)


def _trouble(alarm: Alarm) -> Trouble:
    return Trouble(alarm.key, alarm.alarm_class.name.lower(), alarm.state.value, alarm.text)


def _reserve(one: VolumeReserve) -> ReserveMessage:
    span = one.reserve_s
    value, low, high = (_finite(seconds) for seconds in (span.value, span.low, span.high))
    return ReserveMessage(one.rooms, one.volume_m3, value, low, high, one.assumed)


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
