"""Happenings -> entries: how the pipeline's values are written down. The entries themselves are next door."""

import math
from typing import Any

import msgspec

from controller.alarm.types import AlarmChange
from controller.journal.entries import (
    AlarmEntry,
    AnyEntry,
    CommandEntry,
    DetectionEntry,
    DetectionOverEntry,
    FixEntry,
    LeakRateEntry,
    LearnedEntry,
    LeftOut,
    NodeEntry,
    NoFixEntry,
    Place,
    PressureSteadyEntry,
    Span,
)
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
