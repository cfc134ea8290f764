"""Happenings -> entries: how the pipeline's values are written down. The entries themselves are next door."""

import math
from typing import Any

import msgspec

from controller.alarm.requests import (
    MAX_MARK,
    MAX_NAME,
    MAX_REASON,
    Acknowledge,
    Answer,
    EndInhibition,
    Inhibit,
    Request,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from controller.alarm.types import AlarmChange
from controller.journal.advising import isolation_entry, quiet_entry
from controller.journal.entries import (
    AlarmEntry,
    AnyEntry,
    CommandEntry,
    DetectionEntry,
    DetectionOverEntry,
    FixEntry,
    HatchEntry,
    LeakGoneEntry,
    LeakRateEntry,
    LearnedEntry,
    LeftOut,
    NodeEntry,
    NoFixEntry,
    OperatorEntry,
    Place,
    PressureSteadyEntry,
    QuietOverEntry,
    Span,
)
from controller.localize.verdict import Fix, NoFix
from controller.measure.leak_size import Interval
from controller.pipeline.events import BeginQuiet, EndQuiet, QuietRequest
from controller.pipeline.happenings import (
    Happening,
    HatchStands,
    IsolationAdvised,
    LeakGone,
    Learned,
    Located,
    PressureFalls,
    PressureSteady,
    QuietAnswer,
    QuietAsked,
    QuietOver,
    SoundOnset,
    SoundOver,
)
from firmware_bridge.session.events import CommandOutcome, StateChanged
from firmware_bridge.wire.commands import Command, Siren, Switch

QUIET_KEY = "quiet_window"  # what a request for quiet is of, where others name their alarm
_ACTIONS: dict[type[Request | QuietRequest], str] = {
    Acknowledge: "acknowledge",
    Reset: "reset",
    Shelve: "shelve",
    Unshelve: "unshelve",
    Inhibit: "inhibit",
    EndInhibition: "end_inhibition",
    TakeOutOfService: "take_out_of_service",
    ReturnToService: "return_to_service",
    BeginQuiet: "begin_quiet",
    EndQuiet: "end_quiet",
}


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
        case Located(verdict, leak):
            return _located(verdict, leak, head)
        case LeakGone(leak, fix):
            return LeakGoneEntry(**head, leak=leak, position_m=fix.position_m, where=fix.where)
        case PressureFalls():
            return _leak_rate(happening, head)
        case PressureSteady():
            return PressureSteadyEntry(**head)
        case HatchStands(hatch, opened, source):
            return HatchEntry(**head, hatch=hatch, open=opened, source=source)
        case IsolationAdvised(advice):
            return isolation_entry(advice, head)
        case QuietAsked(window):
            return quiet_entry(window, head)
        case QuietOver(equipment, found, told):
            return QuietOverEntry(**head, equipment=equipment, found=found, told=told)
        case AlarmChange():
            return _alarm(happening, head, stamp.origin_ns)
        case Answer() | QuietAnswer():
            return _operator(happening, head)
        case CommandOutcome(node, _, command, done, text):
            return CommandEntry(**head, node=node, command=_command(command), done=done, text=text)


def _located(verdict: Fix | NoFix, leak: int | None, head: dict[str, Any]) -> FixEntry | NoFixEntry:
    candidates = tuple(Place(c.position_m, round(c.standing, 2), c.probability) for c in verdict.candidates)
    if isinstance(verdict, NoFix):
        return NoFixEntry(
            **head,
            reason=verdict.reason.value,
            explanation=verdict.explanation,
            candidates=candidates,
            bursts=verdict.bursts,
            elsewhere=verdict.elsewhere,
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
        leak=1 if leak is None else leak,
        probability=verdict.probability,
        elsewhere=verdict.elsewhere,
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
        rooms=trend.rooms,
    )


def _alarm(change: AlarmChange, head: dict[str, Any], origin_ns: int) -> AlarmEntry:
    alarm, quiet = change.alarm, change.alarm.suppression
    until_ns = quiet.until_ns if quiet else None
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
        priority=alarm.alarm_class.priority,
        raised_t_s=round((alarm.raised_ns - origin_ns) / 1e9, 3),
        members=tuple(sorted(alarm.members)),
        present=alarm.present,
        suppressed_by=quiet.by if quiet else None,
        reason=quiet.reason if quiet else None,
        up_to=quiet.up_to.name.lower() if quiet else None,
        until_t_s=None if until_ns is None else round((until_ns - origin_ns) / 1e9, 3),
    )


def _operator(answer: Answer | QuietAnswer, head: dict[str, Any]) -> OperatorEntry:
    """What was refused may hold anything: it is cut, so that nobody fills a disk by asking."""
    request = answer.request
    reason = getattr(request, "reason", None)
    if isinstance(request, BeginQuiet):
        reason = ", ".join(request.equipment) or None
    duration_s = getattr(request, "duration_s", None)
    return OperatorEntry(
        **head,
        action=_ACTIONS[type(request)],
        key=getattr(request, "key", QUIET_KEY)[:MAX_NAME],
        by=request.by[:MAX_NAME],
        accepted=answer.accepted,
        text=answer.text,
        occurrence=getattr(request, "occurrence", None),
        duration_s=duration_s if duration_s is not None and math.isfinite(duration_s) else None,
        reason=None if reason is None else reason[:MAX_REASON],
        asked_utc=request.asked_utc[:MAX_MARK] or None,
        request_id=request.request_id[:MAX_MARK] or None,
    )


def _command(command: Command) -> str:
    name = type(command).__name__.lower()
    if isinstance(command, Switch):
        return f"{name} {command.output} {'on' if command.on else 'off'}"
    return f"{name} {command.pattern.name.lower()}" if isinstance(command, Siren) else name


def _span(interval: Interval) -> Span:
    return Span(*(value if math.isfinite(value) else None for value in (interval.value, interval.low, interval.high)))
