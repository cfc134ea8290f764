"""A run's events against the truth: how late, how far off, how sure, and whether it is what was to be expected."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Site
from firmware_bridge.units import S_PER_DAY, S_PER_HOUR
from firmware_bridge.wire.commands import SirenPattern
from sim.heard import Alarm, Command, Detection, Fix, Heard, LeakRate, Other, Span
from sim.scenario.expect import ExpectTable
from sim.truth import TrueLeak

CHI_SQUARE_95_2D = 5.991
CLASSES = ("none", "advisory", "caution", "warning", "emergency")
CONFIRMED = CLASSES.index("warning")
QUIET = ExpectTable(fix="none", leak_alarm="none", at_most="none")  # where nothing leaks and nothing else was said


@dataclass(frozen=True, slots=True)
class LeakScore:
    """One leak: seconds from its own opening to the first right fix of it, and how far off the last one is.

    A fix is of the leak that is nearest to it of those that had opened, and right within `fix_within_m`; None where
    there was none.
    """

    name: str
    fixed_s: float | None
    error_m: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """One run against the truth; times are seconds after the first leak opened, None where it did not happen.

    `error_m` and its kin are those of the last fix, to the nearest leak that was open; `found` names the leaks of
    `leaks` that had a right fix. `hole_mm`, `loss_kg_day` and `reserve_h` are of the size that stood last at a time
    when it may be held against the truth (`judged_size`), said `sized_s` after the first leak opened. `ignored` tells
    lines of a known kind that could not be read. `wrong` says in words what was not as expected and is empty for a run
    that succeeded.
    """

    leak: str | None
    detected_s: float | None
    fixed_s: float | None
    alarmed_s: float | None
    confirmed_s: float | None
    siren_s: float | None
    error_m: float | None
    first_error_m: float | None
    radius95_m: float | None
    inside_95: bool | None
    where: str | None
    leaks: tuple[LeakScore, ...]
    found: tuple[str, ...]
    sized_s: float | None
    hole_mm: tuple[float, float, float | None] | None
    true_hole_mm: float | None
    loss_kg_day: tuple[float, float, float | None] | None
    true_loss_kg_day: float | None
    reserve_h: float | None
    highest_class: str
    false_alarms: int
    false_fixes: int
    ignored: tuple[str, ...]
    wrong: tuple[str, ...]
    success: bool


def complete(
    heard: Sequence[Heard], siren_log: Sequence[tuple[float, str, SirenPattern]], *, siren_expected: bool = True
) -> bool:
    """Whether everything that a run is to show has happened: detection, fix, confirmed alarm, siren."""
    confirmed = any(_leak_alarm(h) >= CONFIRMED for h in heard)
    fixed = any(isinstance(h.event, Fix) for h in heard)
    sounding = any(pattern >= SirenPattern.WARNING for _, _, pattern in siren_log)
    acknowledged = any(
        isinstance(h.event, Command) and h.event.command == "siren warning" and h.event.done for h in heard
    )
    return confirmed and fixed and (not siren_expected or (sounding and acknowledged))


def score(
    heard: Sequence[Heard],
    siren_log: Sequence[tuple[float, str, SirenPattern]],
    leaks: Sequence[TrueLeak],
    site: Site,
    *,
    siren_expected: bool,
    expected: ExpectTable | None = None,
    hatches_moved_s: float = math.inf,
) -> Score:
    """Judge a run in `site` against its leaks and what was to be expected.

    By default that is a fix and an alarm if anything leaks. From `hatches_moved_s` on, the leaks drain another volume
    than they did when they opened.
    """
    wanted = expected if expected is not None else ExpectTable() if leaks else QUIET
    leak = min(leaks, key=lambda one: one.opens_at_s, default=None)
    opened_s = leak.opens_at_s if leak else 0.0
    early = [h for h in heard if h.at_s < opened_s]
    after = [h for h in heard if h.at_s >= opened_s]
    false_fixes = [h for h in heard if isinstance(h.event, Fix) and _error_m(h, leaks) > wanted.fix_within_m]
    right_fixes = [h for h in heard if isinstance(h.event, Fix) and h not in false_fixes]
    fixes = [h for h in after if isinstance(h.event, Fix)]
    last, first = (fixes[-1], fixes[0]) if fixes else (None, None)
    sized_s, size = judged_size(after, leaks, hatches_moved_s)
    each = tuple(_leak_score(one, right_fixes, leaks) for one in leaks)
    sounded = [at_s for at_s, _, pattern in siren_log if pattern is not SirenPattern.SILENT and at_s >= opened_s]
    raised = [_leak_alarm(h) for h in after]
    highest = max(raised, default=0)
    allowed = 0 if leaks else CLASSES.index(wanted.at_most)
    false_alarms = sum(1 for h in early if _leak_alarm(h)) + (0 if leaks else sum(1 for one in raised if one > allowed))
    wrong = [
        *([f"{false_alarms} leak alarms without a leak"] if false_alarms else []),
        *_wrong_fixes(wanted, right=len(right_fixes), false=len(false_fixes)),
        *_wrong_alarms(wanted, highest),
        *(["the siren stayed silent"] if siren_expected and _calls_for_siren(wanted) and not sounded else []),
    ]
    last_fix = last.event if last is not None and isinstance(last.event, Fix) else None
    return Score(
        leak=leak.name if leak else None,
        detected_s=_first(after, opened_s, lambda h: isinstance(h.event, Detection | LeakRate)) if leaks else None,
        fixed_s=_first(after, opened_s, lambda h: isinstance(h.event, Fix)) if leaks else None,
        alarmed_s=_first(after, opened_s, lambda h: _leak_alarm(h) > 0) if leaks else None,
        confirmed_s=_first(after, opened_s, lambda h: _leak_alarm(h) >= CONFIRMED) if leaks else None,
        siren_s=sounded[0] - opened_s if sounded else None,
        error_m=_error_m(last, leaks) if last else None,
        first_error_m=_error_m(first, leaks) if first else None,
        radius95_m=last_fix.radius95_m if last_fix else None,
        inside_95=_inside_95(last_fix, last.at_s, leaks, site) if last and last_fix else None,
        where=last_fix.where if last_fix else None,
        leaks=each,
        found=tuple(one.name for one in each if one.fixed_s is not None),
        sized_s=sized_s - opened_s if sized_s is not None else None,
        hole_mm=_span(size.hole_diameter_m, 1000.0) if size else None,
        true_hole_mm=1000.0 * float(np.sqrt(sum(one.diameter_m**2 for one in leaks))) if leaks else None,
        loss_kg_day=_span(size.mass_rate_kg_s, S_PER_DAY) if size else None,
        true_loss_kg_day=S_PER_DAY * sum(one.mass_flow_kg_s for one in leaks) if leaks else None,
        reserve_h=_hours(size.reserve_s) if size else None,
        highest_class=CLASSES[highest],
        false_alarms=false_alarms,
        false_fixes=len(false_fixes),
        ignored=ignored(heard),
        wrong=tuple(wrong),
        success=not wrong,
    )


def judged_size(
    heard: Sequence[Heard], leaks: Sequence[TrueLeak], hatches_moved_s: float = math.inf
) -> tuple[float | None, LeakRate | None]:
    """When the size was said that is to be held against the truth, scenario s, and that size; None where none is.

    The truth is of all leaks open at the starting pressure. So it is the last size from before the first leak changed
    again (sealed or opened further) and before a hatch moved. Where none stood by then, as with a crack so small that
    it shows only behind a shut hatch, it is the last before the change; where nothing leaks, the last of all.
    """
    changed_s = min((change.at_s for leak in leaks for change in leak.opening.changes[1:]), default=math.inf)
    sizes = [(h.at_s, h.event) for h in heard if isinstance(h.event, LeakRate) and h.at_s <= changed_s]
    unmoved = [size for size in sizes if size[0] <= hatches_moved_s]
    standing = unmoved or sizes
    return standing[-1] if standing else (None, None)


def ignored(heard: Sequence[Heard]) -> tuple[str, ...]:
    """In words, how many lines of a known kind could not be read, and why."""
    counts = Counter((h.event.kind, h.event.wrong) for h in heard if isinstance(h.event, Other) and h.event.wrong)
    return tuple(f"{count} {kind} ignored: {wrong}" for (kind, wrong), count in counts.items())


def _leak_score(leak: TrueLeak, right_fixes: Sequence[Heard], leaks: Sequence[TrueLeak]) -> LeakScore:
    """How one leak was found; `right_fixes` are near some leak."""
    own = [h for h in right_fixes if isinstance(h.event, Fix) and nearest_leak(h.event, h.at_s, leaks) is leak]
    if not own:
        return LeakScore(leak.name, None, None)
    return LeakScore(leak.name, own[0].at_s - leak.opens_at_s, _error_m(own[-1], leaks))


def _wrong_fixes(wanted: ExpectTable, *, right: int, false: int) -> list[str]:
    wrong = [f"{false} fixes away from any leak"] if false else []
    if wanted.fix == "none" and right:
        wrong.append(f"{right} fixes where none can be had")
    if wanted.fix == "right" and not right:
        wrong.append(f"no fix within {100 * wanted.fix_within_m:g} cm")
    return wrong


def _wrong_alarms(wanted: ExpectTable, highest: int) -> list[str]:
    if highest < CLASSES.index(wanted.leak_alarm):
        return [f"leak alarm reached {CLASSES[highest]}, not {wanted.leak_alarm}"]
    if highest > CLASSES.index(wanted.at_most):
        return [f"leak alarm reached {CLASSES[highest]}, {wanted.at_most} at most is right"]
    return []


def _calls_for_siren(wanted: ExpectTable) -> bool:
    """A siren is for warnings and emergencies; lesser alarms may be silent."""
    return CLASSES.index(wanted.leak_alarm) >= CONFIRMED


def _first(heard: Sequence[Heard], opened_s: float, wanted: Callable[[Heard], bool]) -> float | None:
    return next((h.at_s - opened_s for h in heard if wanted(h)), None)


def _leak_alarm(heard: Heard) -> int:
    """Class (place in CLASSES) of a leak alarm that was raised or raised further; 0 for anything else."""
    event = heard.event
    standing = isinstance(event, Alarm) and event.key == "leak" and event.state == "unacknowledged"
    return CLASSES.index(event.alarm_class) if isinstance(event, Alarm) and standing else 0


def _open_at(at_s: float, leaks: Sequence[TrueLeak]) -> list[TrueLeak]:
    """Leaks that had opened by then; one that was sealed is remembered, for a fix may stand."""
    return [leak for leak in leaks if leak.opens_at_s <= at_s]


def nearest_leak(fix: Fix, at_s: float, leaks: Sequence[TrueLeak]) -> TrueLeak | None:
    """The leak nearest to a fix of those that had opened by then."""
    return min(_open_at(at_s, leaks), key=lambda leak: _apart_m(fix, leak), default=None)


def _apart_m(fix: Fix, leak: TrueLeak) -> float:
    return float(np.linalg.norm(np.subtract(fix.position_m, leak.position_m)))


def _error_m(heard: Heard, leaks: Sequence[TrueLeak]) -> float:
    """Distance of a fix to the nearest leak; infinity where nothing leaks."""
    assert isinstance(heard.event, Fix)  # noqa: S101 - called with fixes only
    leak = nearest_leak(heard.event, heard.at_s, leaks)
    return float("inf") if leak is None else _apart_m(heard.event, leak)


def tangent_basis(hull: Hull, position_m: Sequence[float]) -> NDArray[np.float64]:
    """Two unit vectors (2, 3) that span the hull's tangent plane at a point."""
    normal = hull.outward(np.array([position_m], dtype=float))[0]
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first)])


def hull_of_fix(fix: Fix, site: Site, leak: TrueLeak | None) -> Hull | None:
    """The hull that a fix lies on: of the compartment that it names, else of that of `leak`; None where none is known.

    What a fix names is the word of whom is scored: it need not be in the site.
    """
    hulls = {room.name: room.hull for room in site.compartments}
    named = hulls.get(fix.compartment) if fix.compartment is not None else None
    return named if named is not None or leak is None else hulls.get(leak.compartment)


def _inside_95(fix: Fix, at_s: float, leaks: Sequence[TrueLeak], site: Site) -> bool | None:
    """Whether the nearest leak lies in the fix's 95 % ellipse on its hull."""
    leak = nearest_leak(fix, at_s, leaks)
    hull = hull_of_fix(fix, site, leak)
    if leak is None or hull is None:
        return None
    basis = tangent_basis(hull, fix.position_m)
    away = basis @ np.subtract(leak.position_m, fix.position_m)
    covariance = basis @ np.array(fix.covariance_m2) @ basis.T
    return bool(away @ np.linalg.solve(covariance, away) <= CHI_SQUARE_95_2D)


def _span(span: Span, factor: float) -> tuple[float, float, float | None] | None:
    if span.value is None:
        return None
    return span.value * factor, (span.low or 0.0) * factor, None if span.high is None else span.high * factor


def _hours(span: Span) -> float | None:
    return None if span.value is None else span.value / S_PER_HOUR
