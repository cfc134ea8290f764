"""A run's events against the truth: how late, how far off, how sure. Events are the controller's public JSON lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull
from firmware_bridge.wire.commands import SirenPattern
from sim.truth import TrueLeak

CHI_SQUARE_95_2D = 5.991
FIX_WITHIN_M = 0.10
CLASSES = ("advisory", "caution", "warning", "emergency")


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of the controller and the scenario time at which it came."""

    at_s: float
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """One run against the truth; times are seconds after the leak opened, None where it did not happen."""

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
    hole_mm: tuple[float, float, float | None] | None
    true_hole_mm: float | None
    loss_kg_day: tuple[float, float, float | None] | None
    true_loss_kg_day: float | None
    reserve_h: float | None
    false_alarms: int
    success: bool


def complete(
    heard: Sequence[Heard], siren_log: Sequence[tuple[float, str, SirenPattern]], *, siren_expected: bool = True
) -> bool:
    """Whether everything that a run is to show has happened: detection, fix, confirmed alarm, siren."""
    confirmed = any(_is_leak_alarm(h.event, at_least="warning") for h in heard)
    fixed = any(h.event["kind"] == "fix" for h in heard)
    sounding = any(pattern >= SirenPattern.WARNING for _, _, pattern in siren_log)
    acknowledged = any(
        h.event["kind"] == "command" and h.event["command"] == "siren warning" and h.event["done"] for h in heard
    )
    return confirmed and fixed and (not siren_expected or (sounding and acknowledged))


def score(
    heard: Sequence[Heard],
    siren_log: Sequence[tuple[float, str, SirenPattern]],
    leaks: Sequence[TrueLeak],
    hull: Hull | None,
    *,
    siren_expected: bool,
) -> Score:
    """Judge a run with at most one leak that counts, the first of the scenario."""
    leak = leaks[0] if leaks else None
    opened_s = leak.opens_at_s if leak else float("inf")
    early = sum(1 for h in heard if h.at_s < opened_s and (h.event["kind"] == "fix" or _is_leak_alarm(h.event)))
    after = [h for h in heard if h.at_s >= opened_s]
    fixes = [h for h in after if h.event["kind"] == "fix"]
    last = fixes[-1].event if fixes else None
    sizes = [h.event for h in after if h.event["kind"] == "leak_rate"]
    size = sizes[-1] if sizes else None
    sounded = [
        at_s - opened_s for at_s, _, pattern in siren_log if pattern is not SirenPattern.SILENT and at_s >= opened_s
    ]
    alarmed_s = _first(after, opened_s, _is_leak_alarm)
    error_m = _distance_m(last, leak)
    found = alarmed_s is not None and error_m is not None and error_m <= FIX_WITHIN_M
    siren_fine = bool(sounded) or not siren_expected
    return Score(
        leak=leak.name if leak else None,
        detected_s=_first(after, opened_s, lambda event: event["kind"] in {"detection", "leak_rate"}),
        fixed_s=_first(after, opened_s, lambda event: event["kind"] == "fix"),
        alarmed_s=alarmed_s,
        confirmed_s=_first(after, opened_s, lambda event: _is_leak_alarm(event, at_least="warning")),
        siren_s=sounded[0] if sounded else None,
        error_m=error_m,
        first_error_m=_distance_m(fixes[0].event if fixes else None, leak),
        radius95_m=last["radius95_m"] if last else None,
        inside_95=_inside_95(last, leak, hull),
        where=last["where"] if last else None,
        hole_mm=_span(size, "hole_diameter_m", 1000.0),
        true_hole_mm=1000.0 * leak.diameter_m if leak else None,
        loss_kg_day=_span(size, "mass_rate_kg_s", 86400.0),
        true_loss_kg_day=86400.0 * leak.mass_flow_kg_s if leak else None,
        reserve_h=size["reserve_s"]["value"] / 3600.0 if size and size["reserve_s"]["value"] is not None else None,
        false_alarms=early,
        success=early == 0 and (found and siren_fine if leak else alarmed_s is None),
    )


def _first(heard: Sequence[Heard], opened_s: float, wanted: Any) -> float | None:  # noqa: ANN401 - a predicate
    return next((h.at_s - opened_s for h in heard if wanted(h.event)), None)


def _is_leak_alarm(event: Mapping[str, Any], at_least: str = "advisory") -> bool:
    return (
        event["kind"] == "alarm"
        and event["key"] == "leak"
        and event["state"] == "unacknowledged"
        and CLASSES.index(event["alarm_class"]) >= CLASSES.index(at_least)
    )


def _distance_m(fix: Mapping[str, Any] | None, leak: TrueLeak | None) -> float | None:
    if fix is None or leak is None:
        return None
    return float(np.linalg.norm(np.subtract(fix["position_m"], leak.position_m)))


def tangent_basis(hull: Hull, position_m: Sequence[float]) -> NDArray[np.float64]:
    """Two unit vectors (2, 3) that span the hull's tangent plane at a point."""
    normal = hull.outward(np.array([position_m], dtype=float))[0]
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first)])


def _inside_95(fix: Mapping[str, Any] | None, leak: TrueLeak | None, hull: Hull | None) -> bool | None:
    """Whether the truth lies in the fix's 95 % ellipse on the hull."""
    if fix is None or leak is None or hull is None:
        return None
    basis = tangent_basis(hull, fix["position_m"])
    away = basis @ np.subtract(leak.position_m, fix["position_m"])
    covariance = basis @ np.array(fix["covariance_m2"]) @ basis.T
    return bool(away @ np.linalg.solve(covariance, away) <= CHI_SQUARE_95_2D)


def _span(size: Mapping[str, Any] | None, key: str, factor: float) -> tuple[float, float, float | None] | None:
    if size is None or size[key]["value"] is None:
        return None
    low, high = size[key]["low"], size[key]["high"]
    return size[key]["value"] * factor, (low or 0.0) * factor, None if high is None else high * factor
