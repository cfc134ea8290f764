"""The summary of a run in words: name and value of each line."""

from sim.run_record import RunRecord

FELL_BEHIND_S = 1.0
LONGEST_IN_MINUTES_H = 3.0


def rows(record: RunRecord) -> list[tuple[str, str]]:
    """What is shown at the end of a run."""
    score = record.score
    ended = [
        ("highest leak alarm", score.highest_class),
        ("false alarms", str(score.false_alarms)),
        *([("false fixes", str(score.false_fixes))] if score.false_fixes else []),
        *[("not as expected", wrong) for wrong in score.wrong],
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
        ("hole", f"{_span(score.hole_mm, 'mm')}; truth {score.true_hole_mm:.2f} mm"),
        ("loss", f"{_span(score.loss_kg_day, 'kg/day')}; truth {score.true_loss_kg_day:.3g} kg/day"),
        ("reserve time", _reserve(score.reserve_h)),
        *ended,
    ]


def summary_lines(record: RunRecord) -> list[str]:
    """The summary for a terminal."""
    shown = rows(record)
    width = max(len(name) for name, _ in shown)
    return [f"  {name:<{width}}  {value}" for name, value in shown]


def _slowness(record: RunRecord) -> list[tuple[str, str]]:
    """Said only where it may explain a failure: the machine, not the rig, was the problem."""
    if record.score.success or record.worst_lag_s < FELL_BEHIND_S or record.speed is None:
        return []
    return [
        ("this machine", f"fell {record.worst_lag_s:.1f} s behind the rig's clock; try --speed {record.speed / 3:.0f}")
    ]


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
