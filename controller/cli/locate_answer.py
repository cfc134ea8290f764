"""What `leakctl locate` tells: one object for machines, sentences for people. Nothing is located here."""

from collections.abc import Sequence
from typing import Any

import click

from controller.localize.verdict import Candidate, Fix, NoFix, Verdict


def answer(verdicts: Sequence[Verdict], elapsed_ms: float, notes: Sequence[str]) -> dict[str, Any]:
    """The object that docs/locate.schema.json describes."""
    fixes = [verdict for verdict in verdicts if isinstance(verdict, Fix)]
    last = verdicts[-1]
    missing = last if isinstance(last, NoFix) else None
    return {
        "status": "fix" if fixes else "no_fix",
        "reason": None if fixes or missing is None else str(missing.reason),
        "explanation": None if missing is None else missing.explanation,
        "leaks": [_leak(fix) for fix in fixes],
        "candidates": _candidates(missing.candidates) if missing is not None and not fixes else [],
        "elsewhere": missing.elsewhere if missing is not None and not fixes else None,
        "bursts": last.bursts,
        "elapsed_ms": round(elapsed_ms, 1),
        "warnings": list(notes),
    }


def _leak(fix: Fix) -> dict[str, Any]:
    """One leak."""
    return {
        "position_m": list(fix.position_m),
        "covariance_m2": [list(row) for row in fix.covariance_m2],
        "radius95_m": fix.radius95_m,
        "probability": fix.probability,
        "elsewhere": fix.elsewhere,
        "standing": fix.standing,
        "misfit": fix.misfit,
        "sound_speed_m_s": fix.sound_speed_m_s,
        "where": fix.where,
        "nodes_used": list(fix.nodes_used),
        "candidates": _candidates(fix.candidates),
    }


def _candidates(found: tuple[Candidate, ...]) -> list[dict[str, Any]]:
    return [
        {"position_m": list(one.position_m), "standing": one.standing, "probability": one.probability or 0.0}
        for one in found
    ]


def show(told: dict[str, Any]) -> None:
    """Print it for people."""
    for number, leak in enumerate(told["leaks"], start=1):
        at = ", ".join(f"{value:.3f}" for value in leak["position_m"])
        where = f", {leak['where']}" if leak["where"] else ""
        click.echo(
            f"leak {number}: ({at}) m{where}; 95 % within {100 * leak['radius95_m']:.1f} cm; "
            f"probability {leak['probability']:.2f}; {leak['standing']:.0f} sigma"
        )
    if told["explanation"]:
        click.echo(f"{'no further fix' if told['leaks'] else 'no fix'}: {told['explanation']}")
    for number, one in enumerate(told["candidates"][:3], start=1):
        at = ", ".join(f"{value:.2f}" for value in one["position_m"])
        click.echo(f"  perhaps {number}: ({at}) m, {one['standing']:.1f} sigma, probability {one['probability']:.2f}")
    click.echo(f"{told['bursts']} bursts' worth of sound, {told['elapsed_ms']:.0f} ms")
    for note in told["warnings"]:
        click.echo(f"leakctl: {note}", err=True)
