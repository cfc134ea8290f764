"""Advice -> entries: what a search by hatches and a quiet window look like when they are written down."""

import math
from typing import Any

from controller.isolate.advice import Advice
from controller.journal.entries import HatchMove, IsolationEntry, QuietWindowEntry
from controller.quiet.window import QuietWindow


def isolation_entry(advice: Advice, head: dict[str, Any]) -> IsolationEntry:
    """One step of a search; `head` is what every entry has."""
    return IsolationEntry(
        **head,
        step=advice.step.value,
        why=advice.why,
        moves=tuple(HatchMove(m.hatch, m.opens, m.by_motor, m.equalise) for m in advice.moves),
        outcomes=advice.outcomes,
        shut=tuple(sorted(advice.shut)),
        watch_s=_rounded(advice.watch_s),
        hold_s=_rounded(advice.hold_s),
        bits=None if advice.bits is None else round(advice.bits, 3),
        compartment=advice.compartment,
        probabilities={room: round(share, 4) for room, share in advice.probabilities},
        no_leak=round(advice.no_leak, 4),
    )


def quiet_entry(window: QuietWindow, head: dict[str, Any]) -> QuietWindowEntry:
    """What is asked to be off; `head` is what every entry has."""
    return QuietWindowEntry(
        **head,
        compartment=window.compartment,
        equipment=window.equipment,
        commanded=window.commanded,
        duration_s=round(window.duration_s, 1),
        bursts=window.bursts,
        gain_db=round(window.gain_db, 1),
        enough=window.enough,
        why=window.why,
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None or not math.isfinite(seconds) else round(seconds, 1)
