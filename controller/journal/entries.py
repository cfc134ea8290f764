"""The journal's entries, which are also the lines of `--json` and the payloads of MQTT events. Version 1.

Absent values are null; in an interval, null stands for infinity, which JSON cannot say.
"""

import math
from typing import Any

import msgspec

from controller.alarm.types import AlarmChange
from controller.localize.verdict import Fix, NoFix
from controller.measure.leak_size import Interval
from controller.pipeline.happenings import (
    Happening,
    Learned,
    Located,
    PressureFalls,
    PressureSteady,
    SoundOnset,
    SoundOver,
)
from firmware_bridge.session.events import CommandOutcome, StateChanged
from firmware_bridge.wire.commands import Command, Siren

VERSION = 1


class Span(msgspec.Struct, frozen=True):
    """A value with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class Place(msgspec.Struct, frozen=True):
    """A candidate position (m) and how far it stands out of the map, in standard deviations."""

    position_m: tuple[float, float, float]
    standing: float


class LeftOut(msgspec.Struct, frozen=True):
    """Evidence that was rejected."""

    node: str
    why: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every entry has: version, running number, UTC, seconds since the controller's start."""

    version: int = VERSION
    seq: int
    utc: str
    t_s: float


class NoteEntry(Entry, tag="note", frozen=True, kw_only=True):
    """Something about the controller itself: start, stop, a fault of its own."""

    text: str


class NodeEntry(Entry, tag="node", frozen=True, kw_only=True):
    """A conversation with a node changed its state."""

    link: str
    node: str | None
    state: str
    reason: str
    uid: str | None
    firmware: str | None


class LearnedEntry(Entry, tag="learned", frozen=True, kw_only=True):
    """The noise floor is known; from here on ultrasonic leaks are detected."""

    nodes: tuple[str, ...]


class DetectionEntry(Entry, tag="detection", frozen=True, kw_only=True):
    """Ultrasound stands above the floor; `since_t_s` is the start of the first burst that showed it."""

    nodes: tuple[str, ...]
    rise_db: float
    rise_sigmas: float
    since_t_s: float


class DetectionOverEntry(Entry, tag="detection_over", frozen=True, kw_only=True):
    """No ultrasound above the floor for a while."""

    nodes: tuple[str, ...]


class FixEntry(Entry, tag="fix", frozen=True, kw_only=True):
    """Where the leak is: site frame, m; covariance 3 x 3, m²; the radius holds the leak at 95 %."""

    position_m: tuple[float, float, float]
    covariance_m2: tuple[tuple[float, ...], ...]
    radius95_m: float
    compartment: str
    where: str | None
    standing: float
    misfit: float
    sound_speed_m_s: float
    nodes_used: tuple[str, ...]
    rejected: tuple[LeftOut, ...]
    candidates: tuple[Place, ...]
    bursts: int


class NoFixEntry(Entry, tag="no_fix", frozen=True, kw_only=True):
    """Why the place cannot be told."""

    reason: str
    explanation: str
    candidates: tuple[Place, ...]
    bursts: int


class LeakRateEntry(Entry, tag="leak_rate", frozen=True, kw_only=True):
    """What the falling pressure says: all losses positive."""

    window_s: float
    sigmas: float
    pressure_pa: float
    rate_pa_s: Span
    rate_mmhg_h: Span
    mass_rate_kg_s: Span
    hole_diameter_m: Span
    reserve_s: Span
    connected_volume_m3: float
    sensors: tuple[str, ...]
    agreeing: tuple[str, ...]


class PressureSteadyEntry(Entry, tag="pressure_steady", frozen=True, kw_only=True):
    """Pressure no longer falls significantly."""


class AlarmEntry(Entry, tag="alarm", frozen=True, kw_only=True):
    """An alarm moved, or its text did."""

    key: str
    alarm_class: str
    state: str
    before: str
    cause: str
    text: str
    evidence: tuple[str, ...]
    occurrence: int
    acknowledged_by: str | None


class CommandEntry(Entry, tag="command", frozen=True, kw_only=True):
    """What became of a command to a node."""

    node: str
    command: str
    done: bool
    text: str


AnyEntry = (
    NoteEntry
    | NodeEntry
    | LearnedEntry
    | DetectionEntry
    | DetectionOverEntry
    | FixEntry
    | NoFixEntry
    | LeakRateEntry
    | PressureSteadyEntry
    | AlarmEntry
    | CommandEntry
)


class Stamp(msgspec.Struct, frozen=True):
    """Running number and times for one entry; `origin_ns` is the loop time of the controller's start."""

    seq: int
    utc: str
    t_s: float
    origin_ns: int


def entry_of(happening: Happening, stamp: Stamp) -> AnyEntry:
    """The entry that tells a happening."""
    head: dict[str, Any] = {"seq": stamp.seq, "utc": stamp.utc, "t_s": round(stamp.t_s, 3)}
    match happening:
        case StateChanged(link, node, state, reason, identity):
            uid = f"{identity.uid:x}" if identity else None
            firmware = identity.firmware if identity else None
            return NodeEntry(**head, link=link, node=node, state=state.value, reason=reason, uid=uid, firmware=firmware)
        case Learned(nodes):
            return LearnedEntry(**head, nodes=nodes)
        case SoundOnset():
            since_s = (happening.first_ns - stamp.origin_ns) / 1e9
            return DetectionEntry(
                **head,
                nodes=happening.nodes,
                rise_db=round(happening.rise_db, 2),
                rise_sigmas=round(happening.rise_sigmas, 1),
                since_t_s=round(since_s, 3),
            )
        case SoundOver(nodes):
            return DetectionOverEntry(**head, nodes=nodes)
        case Located(verdict):
            return _located(verdict, head)
        case PressureFalls():
            return _leak_rate(happening, head)
        case PressureSteady():
            return PressureSteadyEntry(**head)
        case AlarmChange():
            return _alarm(happening, head)
        case CommandOutcome(node, _, command, done, text):
            return CommandEntry(**head, node=node, command=_command(command), done=done, text=text)


def _located(verdict: Fix | NoFix, head: dict[str, Any]) -> FixEntry | NoFixEntry:
    candidates = tuple(Place(c.position_m, round(c.standing, 2)) for c in verdict.candidates)
    if isinstance(verdict, NoFix):
        return NoFixEntry(
            **head,
            reason=verdict.reason.value,
            explanation=verdict.explanation,
            candidates=candidates,
            bursts=verdict.bursts,
        )
    return FixEntry(
        **head,
        position_m=verdict.position_m,
        covariance_m2=verdict.covariance_m2,
        radius95_m=verdict.radius95_m,
        compartment=verdict.compartment,
        where=verdict.where,
        standing=verdict.standing,
        misfit=verdict.misfit,
        sound_speed_m_s=verdict.sound_speed_m_s,
        nodes_used=verdict.nodes_used,
        rejected=tuple(LeftOut(r.node, r.why) for r in verdict.rejected),
        candidates=candidates,
        bursts=verdict.bursts,
    )


def _leak_rate(happening: PressureFalls, head: dict[str, Any]) -> LeakRateEntry:
    trend, size = happening.trend, happening.size
    return LeakRateEntry(
        **head,
        window_s=trend.fall.window_s,
        sigmas=round(trend.fall.sigmas, 2),
        pressure_pa=trend.fall.pressure_pa,
        rate_pa_s=_span(size.rate_pa_s),
        rate_mmhg_h=_span(size.rate_mmhg_h),
        mass_rate_kg_s=_span(size.mass_rate_kg_s),
        hole_diameter_m=_span(size.hole_diameter_m),
        reserve_s=_span(size.reserve_s),
        connected_volume_m3=size.connected_volume_m3,
        sensors=trend.watched,
        agreeing=trend.agreeing,
    )


def _alarm(change: AlarmChange, head: dict[str, Any]) -> AlarmEntry:
    alarm = change.alarm
    return AlarmEntry(
        **head,
        key=alarm.key,
        alarm_class=alarm.alarm_class.name.lower(),
        state=alarm.state.value,
        before=change.before.value,
        cause=change.cause,
        text=alarm.text,
        evidence=alarm.evidence,
        occurrence=alarm.occurrence,
        acknowledged_by=alarm.acknowledged_by,
    )


def _command(command: Command) -> str:
    name = type(command).__name__.lower()
    return f"{name} {command.pattern.name.lower()}" if isinstance(command, Siren) else name


def _span(interval: Interval) -> Span:
    return Span(*(value if math.isfinite(value) else None for value in (interval.value, interval.low, interval.high)))


def to_json(entry: AnyEntry) -> bytes:
    """One line without its end."""
    return msgspec.json.encode(entry)


_DECODER: msgspec.json.Decoder[AnyEntry] = msgspec.json.Decoder(AnyEntry)


def from_json(line: bytes) -> AnyEntry:
    """The entry of one line; msgspec.DecodeError where it is none."""
    return _DECODER.decode(line)
