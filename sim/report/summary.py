"""The summary of a run in words: name and value of each line."""

from sim.run_record import FELL_BEHIND_S, RunRecord, slower
from sim.score import LeakScore

LONGEST_IN_MINUTES_H = 3.0


def rows(record: RunRecord) -> list[tuple[str, str]]:
    """What is shown at the end of a run."""
    score = record.score
    ended = [
        ("highest leak alarm", score.highest_class),
        ("false alarms", str(score.false_alarms)),
        *([("false fixes", str(score.false_fixes))] if score.false_fixes else []),
        *[("not as expected", wrong) for wrong in score.wrong],
        *[("controller's lines", told) for told in score.ignored],
        *_slowness(record),
    ]
    if score.leak is None:
        return ended
    return [
        ("leak to detection", _seconds(score.detected_s)),
        ("leak to fix", _seconds(score.fixed_s)),
        ("leak to alarm", _seconds(score.alarmed_s)),
        ("leak to confirmed alarm", _seconds(score.confirmed_s)),
        ("siren sounded after", _seconds(score.siren_s)),
        ("place", score.where or "-"),
        ("error of the fix", _centimetres(score.error_m)),
        ("95 % radius", _centimetres(score.radius95_m)),
        ("truth in 95 % region", {True: "yes", False: "no", None: "-"}[score.inside_95]),
        *[(f"leak {leak.name!r}", _found(leak)) for leak in score.leaks if len(score.leaks) > 1],
        *([("leaks found", f"{len(score.found)} of {len(score.leaks)}")] if len(score.leaks) > 1 else []),
        ("size said after", _seconds(score.sized_s)),
        ("hole", _against(score.hole_mm, score.true_hole_mm, "mm")),
        ("loss", _against(score.loss_kg_day, score.true_loss_kg_day, "kg/day", " at the starting pressure")),
        ("reserve time", _reserve(score.reserve_h)),
        *ended,
    ]


def summary_lines(record: RunRecord) -> list[str]:
    """The summary for a terminal."""
    shown = rows(record)
    width = max(len(name) for name, _ in shown)
    return [f"  {name:<{width}}  {value}" for name, value in shown]


def _slowness(record: RunRecord) -> list[tuple[str, str]]:
    """Said whatever the outcome: frames that were lost meanwhile are the machine's doing, not the rig's."""
    if record.worst_lag_s < FELL_BEHIND_S or record.speed is None:
        return []
    told = f"fell {record.worst_lag_s:.1f} s behind --speed {record.speed:g}; lost frames are its doing"
    return [("this machine", f"{told}: try --speed {slower(record.speed):g}")]


def _found(leak: LeakScore) -> str:
    if leak.fixed_s is None:
        return "not found"
    return f"right fix {leak.fixed_s:.1f} s after it opened, error {_centimetres(leak.error_m)}"


def _against(span: tuple[float, float, float | None] | None, truth: float | None, unit: str, when: str = "") -> str:
    """A value with its interval, and the truth; the latter outside the former is said, whichever way."""
    if truth is None:
        return _span(span, unit)
    told = f"{_span(span, unit)}; truth{when} {truth:.4g} {unit}"
    if span is None:
        return told
    _, low, high = span
    return told if low <= truth and (high is None or truth <= high) else f"{told}, outside the interval"


def _seconds(value: float | None) -> str:
    return "did not happen" if value is None else f"{value:.1f} s"


def _centimetres(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} cm"


def _span(span: tuple[float, float, float | None] | None, unit: str) -> str:
    if span is None:
        return "-"
    value, low, high = span
    return f"{value:.3g} {unit} ({low:.3g} to {'inf' if high is None else f'{high:.3g}'})"


def _reserve(hours: float | None) -> str:
    if hours is None:
        return "-"
    return f"{60.0 * hours:.0f} min" if hours < LONGEST_IN_MINUTES_H else f"{hours:.0f} h"
