"""The last touch on verdicts: what is said of a sound inside the room, and how probable each place is."""

import math
from collections.abc import Sequence
from dataclasses import replace

from controller.localize.hull_search import APART_M
from controller.localize.inside import Inside
from controller.localize.probability import weighed
from controller.localize.verdict import Candidate, Fix, NoFix, Reason, Verdict

MOST_SHOWN = 5


def off_hull(source: Inside, where: str | None, instead_of: Verdict) -> NoFix:
    """No fix: the sound comes from inside the room, from a machine that is known or from who knows what."""
    at = ", ".join(f"{value:.2f}" for value in source.position_m)
    place = Candidate(source.position_m, source.standing)
    shown = (place, *instead_of.candidates)[:MOST_SHOWN]
    if source.machine is not None:
        return NoFix(
            Reason.EQUIPMENT,
            f"what stands out ({source.standing:.0f} sigma) sounds at {source.machine} near ({at}) m as much as at any "
            "wall; switch it off for a while",
            shown,
            instead_of.bursts,
        )
    if source.known:
        return NoFix(
            Reason.EQUIPMENT,
            f"what stands out ({source.standing:.0f} sigma) is a machine inside the room near ({at}) m that sounded "
            "before and is louder now; switch it off for a while",
            shown,
            instead_of.bursts,
        )
    return NoFix(
        Reason.OFF_HULL,
        f"the sound comes from inside the room near ({at}) m{f', {where}' if where else ''}, "
        f"{100 * source.depth_m:.0f} cm from the wall: equipment that was switched on? If nothing there can be "
        "switched off, look for a leak behind what stands there",
        shown,
        instead_of.bursts,
    )


def told(fixes: Sequence[Fix], ended: NoFix | None) -> tuple[Verdict, ...]:
    """All verdicts with the probabilities of their candidates; places of other leaks are no rivals of one."""
    weighed_fixes = []
    for fix in fixes:
        taken = [other.position_m for other in fixes if other is not fix]
        rivals = [c for c in fix.candidates if all(math.dist(c.position_m, at) > APART_M for at in taken)]
        weighed_fixes.append(replace(fix, candidates=weighed(rivals)))
    return (*weighed_fixes, *(() if ended is None else (replace(ended, candidates=weighed(ended.candidates)),)))
