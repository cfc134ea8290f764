"""A plan in words and as plain values for JSON. Nothing is worked out here but sums for people."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from controller.plan.bound import UNTOLD_M
from controller.plan.map import Blind, Map
from controller.plan.plan import Plan
from firmware_bridge.site.landmarks import describe_position

WITHIN_M = (0.02, 0.10, 0.50)
SHOWN_SPOTS = 5
MAX_SPOTS = 100  # in JSON
WHY = {
    Blind.TOO_QUIET: "too quiet there",
    Blind.TOO_FEW: "too few microphones hear the same sound",
    Blind.TOO_VAGUE: "known to more than half a metre only",
    Blind.AMBIGUOUS: "another place sounds alike",
}


def where(plan: Plan, position_m: Sequence[float]) -> str:
    """A place by landmark, or by coordinates where there is none."""
    site = plan.site
    said = describe_position(position_m, site.landmarks, site.directions)
    return said or "(" + ", ".join(f"{value:.2f}" for value in position_m) + ") m"


def worst(plan: Plan) -> int:
    """Index of the place with the largest expected radius among those that are not blind; of all where none is."""
    drawn = plan.drawn
    seen = drawn.blind == Blind.NOT
    return int(np.argmax(np.where(seen | ~seen.any(), drawn.bounds.radius95_m, -1.0)))


def lines(plan: Plan) -> list[str]:
    """The plan for a terminal."""
    asked, drawn = plan.asked, plan.drawn
    nodes = sum(len(set(group.nodes)) for group in plan.groups)
    microphones = sum(len(group.sensors) for group in plan.groups)
    head = f"{plan.site.title}, {plan.compartment}: {drawn.area_m2:.1f} m² of hull, {nodes} nodes with {microphones} "
    head += f"microphones, {len(drawn.points_m)} places {_length(plan.spacing_m)} apart"
    leak = f"leak of {asked.leak.diameter_m * 1e3:g} mm at {asked.leak.pressure_pa / 1e3:.1f} kPa: "
    leak += f"{asked.leak.level_db:.0f} dB (±15) at 1 m; noise {asked.noise.level_db:g} dB in 20 to 100 kHz; "
    leak += f"{asked.listening.bursts:.0f} bursts of {asked.listening.burst_s * 1e3:.0f} ms"
    shares = ", ".join(f"{_length(r)} on {_share(drawn.share_within(r))}" for r in WITHIN_M)
    out = [head, leak, f"expected 95 % radius: within {shares} of the hull", f"  {_quantiles(drawn)}"]
    at = worst(plan)
    if drawn.blind[at] == Blind.NOT:
        place = where(plan, drawn.points_m[at].tolist())
        out.append(f"  worst place that is not blind: {_length(drawn.bounds.radius95_m[at])} {place}")
    out += _spot_lines(plan)
    before = plan.compared
    if plan.additions:
        out.append(f"one node more (now {_figures(before)}):")
        for i, more in enumerate(plan.additions, start=1):
            out.append(f"  {i}. {where(plan, more.centre_m)}, {_at(more.centre_m)}")
            out.append(f"     on {_line(plan)}: {_figures(more.wired)}")
            out.append(f"     alone: {_figures(more.alone)}")
    elif plan.asked.places:
        out.append("one node more would not help much anywhere")
    if plan.wirings:
        out.append(f"wired to {_line(plan)} as well:")
        out += [f"  {' and '.join(one.nodes)}: {_figures(one.drawn)}" for one in plan.wirings]
    if plan.losses:
        out.append("one node fewer, most missed first:")
        out += [f"  without {loss.node}: {_figures(loss.drawn)}" for loss in plan.losses]
    return out


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain values; lengths in metres, infinities as null."""
    asked, drawn, before = plan.asked, plan.drawn, plan.compared
    at = worst(plan)
    return {
        "site": plan.site.name,
        "compartment": plan.compartment,
        "area_m2": drawn.area_m2,
        "leak": {
            "diameter_m": asked.leak.diameter_m,
            "pressure_pa": asked.leak.pressure_pa,
            "level_db_1m": asked.leak.level_db,
        },
        "noise_db": asked.noise.level_db,
        "bursts": asked.listening.bursts,
        "summary": _figures_json(drawn),
        "worst": {
            "position_m": drawn.points_m[at].tolist(),
            "where": where(plan, drawn.points_m[at].tolist()),
            "radius95_m": _or_none(float(drawn.bounds.radius95_m[at])),
            "blind": Blind(int(drawn.blind[at])).name.lower(),
        },
        "blind_spots": [
            {
                "reason": spot.reason.name.lower(),
                "area_m2": spot.area_m2,
                "position_m": list(spot.centre_m),
                "where": where(plan, spot.centre_m),
            }
            for spot in plan.spots[:MAX_SPOTS]
        ],
        "compared": _figures_json(before),
        "additions": [
            {
                "position_m": list(more.centre_m),
                "where": where(plan, more.centre_m),
                "line": plan.line,
                "wired": _gain(more.wired, before),
                "alone": _gain(more.alone, before),
            }
            for more in plan.additions
        ],
        "wirings": [{"nodes": list(w.nodes), "line": plan.line, **_gain(w.drawn, before)} for w in plan.wirings],
        "losses": [{"node": loss.node, **_gain(loss.drawn, before)} for loss in plan.losses],
        "grid": {
            "spacing_m": plan.spacing_m,
            "position_m": np.round(drawn.points_m, 4).tolist(),
            "radius95_m": [_or_none(round(float(r), 5)) for r in drawn.bounds.radius95_m],
            "standing": np.round(drawn.bounds.standing, 1).tolist(),
            "blind": [Blind(int(b)).name.lower() for b in drawn.blind],
            "rival_sigmas": [_or_none(round(float(s), 2)) for s in drawn.rivals.sigmas],
        },
    }


def _spot_lines(plan: Plan) -> list[str]:
    drawn = plan.drawn
    if not plan.spots:
        return ["no blind spots"]
    total = drawn.blind_share * drawn.area_m2
    out = [f"blind spots: {_area(total)}, {_share(drawn.blind_share)} of the hull"]
    out += [
        f"  {_area(spot.area_m2)} around {where(plan, spot.centre_m)}: {WHY[spot.reason]}"
        for spot in plan.spots[:SHOWN_SPOTS]
    ]
    rest = plan.spots[SHOWN_SPOTS:]
    if rest:
        out.append(f"  and {len(rest)} smaller, {_area(sum(spot.area_m2 for spot in rest))} together")
    return out


def _line(plan: Plan) -> str:
    """What to wire to: a trigger line, or a node that has none yet."""
    kind, _, name = plan.line.partition(" ")
    return f"trigger line {name}" if kind == "line" else f"a trigger line with {name}"


def _figures(drawn: Map) -> str:
    blind = f", {_area(drawn.blind_share * drawn.area_m2)} blind" if drawn.blind_share else ""
    return f"{_quantiles(drawn)}, {_share(drawn.share_within(0.10))} to 10 cm{blind}"


def _quantiles(drawn: Map) -> str:
    median, ninety = drawn.quantile_m(0.5), drawn.quantile_m(0.9)
    if not math.isfinite(median):
        return "more than half is blind"
    return f"median {_length(median)}" + (f", 90 % within {_length(ninety)}" if math.isfinite(ninety) else "")


def _figures_json(drawn: Map) -> dict[str, Any]:
    return {
        "share_within_2cm": drawn.share_within(0.02),
        "share_within_10cm": drawn.share_within(0.10),
        "share_within_50cm": drawn.share_within(0.50),
        "median_m": _or_none(drawn.quantile_m(0.5)),
        "p90_m": _or_none(drawn.quantile_m(0.9)),
        "blind_m2": drawn.blind_share * drawn.area_m2,
    }


def _gain(drawn: Map, before: Map) -> dict[str, Any]:
    gained = drawn.share_within(0.10) - before.share_within(0.10)
    return {**_figures_json(drawn), "gain_share_within_10cm": gained}


def _length(length_m: float) -> str:
    if length_m < 0.01:
        return f"{length_m * 1e3:.2g} mm"
    return f"{length_m * 1e2:.2g} cm" if length_m < 1.0 else f"{length_m:.1f} m"


def _area(area_m2: float) -> str:
    return f"{area_m2:.0f} m²" if area_m2 >= 10.0 else f"{area_m2:.2g} m²"


def _share(share: float) -> str:
    """Never 100 % or 0 % of what is not all or nothing."""
    if 0.0 < share < 0.01:
        return "less than 1 %"
    return f"{min(share * 100.0, 99.0 if share < 1.0 else 100.0):.0f} %"


def _at(position_m: Sequence[float]) -> str:
    return "at (" + ", ".join(f"{value:.2f}" for value in position_m) + ") m"


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) and value < UNTOLD_M else None
