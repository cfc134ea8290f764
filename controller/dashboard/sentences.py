"""One line of plain language for each entry, for logs and terminals without a live view."""

from controller.journal.entries import (
    AlarmEntry,
    AnyEntry,
    CommandEntry,
    DetectionEntry,
    DetectionOverEntry,
    FixEntry,
    HatchEntry,
    IsolationEntry,
    LeakGoneEntry,
    LeakRateEntry,
    LearnedEntry,
    NodeEntry,
    NoFixEntry,
    NoteEntry,
    OperatorEntry,
    PressureSteadyEntry,
    QuietOverEntry,
    QuietWindowEntry,
    ReadingsEntry,
    Span,
)
from firmware_bridge.units import S_PER_DAY, S_PER_HOUR


def sentence(entry: AnyEntry) -> str:
    """The entry in words, without its time."""
    match entry:
        case NoteEntry():
            return entry.text
        case NodeEntry():
            return f"{entry.node or entry.link}: {entry.state} ({entry.reason})"
        case LearnedEntry():
            return f"noise floor learned at {', '.join(entry.nodes)}; watching"
        case DetectionEntry():
            return f"ultrasound up {entry.rise_db:.1f} dB ({entry.rise_sigmas:.0f} sigma) at {', '.join(entry.nodes)}"
        case DetectionOverEntry():
            return "ultrasound is back at its floor"
        case FixEntry():
            x, y, z = entry.position_m
            return (
                f"leak {entry.leak} at ({x:.3f}, {y:.3f}, {z:.3f}) m ± {100 * entry.radius95_m:.1f} cm (95 %)"
                + (f", {entry.where}" if entry.where else "")
                + "".join(f"; left out {left.node}: {left.why}" for left in entry.rejected)
            )
        case LeakGoneEntry():
            where = entry.where or "at ({:.2f}, {:.2f}, {:.2f}) m".format(*entry.position_m)
            return f"leak {entry.leak} is heard no more, {where}"
        case NoFixEntry():
            return f"no fix ({entry.reason}): {entry.explanation}"
        case LeakRateEntry():
            return (
                f"pressure falls {_span(entry.rate_mmhg_h, 1)} mmHg/h ({entry.sigmas:.1f} sigma): "
                f"{_span(entry.mass_rate_kg_s, S_PER_DAY)} kg/day, hole {_span(entry.hole_diameter_m, 1000)} mm, "
                f"reserve time {duration(entry.reserve_s.value)} "
                f"({duration(entry.reserve_s.low)} to {duration(entry.reserve_s.high)})"
            )
        case PressureSteadyEntry():
            return "pressure no longer falls significantly"
        case HatchEntry():
            return f"hatch {entry.hatch} is {'open' if entry.open else 'shut'} ({entry.source})"
        case IsolationEntry():
            moves = ", ".join(("open " if move.opens else "shut ") + move.hatch for move in entry.moves)
            return f"SEARCH {entry.step}{f' ({moves})' if moves else ''}: {entry.why}"
        case QuietWindowEntry():
            return f"QUIET asked: {entry.why}"
        case QuietOverEntry():
            told = entry.told or ("the leak is located" if entry.found else "")
            return f"quiet over{f', {told}' if told else ''}: {', '.join(entry.equipment) or 'machines'} may run"
        case AlarmEntry():
            return f"ALARM {entry.alarm_class.upper()} {entry.state}: {entry.text} ({entry.cause})"
        case OperatorEntry():
            what = "" if entry.action in {"begin_quiet", "end_quiet"} else f" {entry.key}"
            asked = f"{entry.by} asked to {entry.action.replace('_', ' ')}{what}"
            return f"{asked}: {'done' if entry.accepted else 'REFUSED'}, {entry.text}"
        case ReadingsEntry():
            return f"{len(entry.values)} sensors read every {entry.period_s:g} s: {', '.join(entry.values)}"
        case CommandEntry():
            return f"{entry.node} {'acknowledged' if entry.done else 'did NOT carry out'} {entry.command}: {entry.text}"


def duration(seconds: float | None) -> str:
    """A time span for people; None is without end."""
    if seconds is None:
        return "no end"
    if seconds >= 2 * S_PER_DAY:
        return f"{seconds / S_PER_DAY:.1f} days"
    if seconds >= 2 * S_PER_HOUR:
        return f"{seconds / S_PER_HOUR:.1f} h"
    return f"{seconds / 60:.0f} min"


def _span(span: Span, factor: float) -> str:
    low, value, high = (None if v is None else v * factor for v in (span.low, span.value, span.high))
    return f"{_number(value)} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    return "inf" if value is None else f"{value:.3g}"
