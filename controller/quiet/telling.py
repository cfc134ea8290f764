"""What a quiet window has shown, in one sentence for people: a place, or down to what leak nothing was heard."""

import numpy as np

from controller.localize.verdict import Fix, NoFix, Reason, Verdict
from controller.measure.coherence import coherent_groups
from controller.quiet.limit import least_leak
from controller.quiet.search import QuietHeard
from controller.quiet.window import LEAST_GAIN_DB, QuietWindow
from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import KELVIN_OFFSET, Quantity

HULL_STEP_M = 0.25  # of the grid on which the place farthest from all arrays is looked for
MACHINES = frozenset({Reason.EQUIPMENT, Reason.OFF_HULL})


def in_words(site: Site, window: QuietWindow, heard: QuietHeard, burst_s: float, pressure_pa: float) -> str:
    """What the window has shown; `burst_s` is the length of a burst, `pressure_pa` the cabin's."""
    if heard.bursts == 0 or heard.noise_db is None:
        return "no burst of the quiet came in, so nothing can be said; look at the array nodes"
    verdict = heard.verdict
    if heard.found and isinstance(verdict, Fix):
        where = verdict.where or "at ({:.2f}, {:.2f}, {:.2f}) m".format(*verdict.position_m)
        return f"found {where}, within {100 * verdict.radius95_m:.0f} cm (95 %), in {heard.bursts} bursts of quiet"
    least = _least(site, window, heard, burst_s, pressure_pa)
    if heard.fell_db is not None and window.equipment and heard.fell_db < LEAST_GAIN_DB:
        return (
            f"it became {max(heard.fell_db, 0.0):.0f} dB quieter only: was what was to be off switched off? "
            f"In {heard.bursts} bursts {least}"
        )
    said = f"in {heard.bursts} bursts of quiet {least}"
    if isinstance(verdict, NoFix) and verdict.reason in MACHINES:
        return f"{said}; what still sounds is equipment: {verdict.explanation}"
    return said


def _least(site: Site, window: QuietWindow, heard: QuietHeard, burst_s: float, pressure_pa: float) -> str:
    hull = site.compartment(window.compartment).hull
    arrays = [site.microphones_m(node).mean(axis=0) for node in _arrays(site, window)]
    if hull is None or not arrays or heard.noise_db is None:
        return "nothing was located"
    wall = hull.grid(HULL_STEP_M)
    away_m = float(np.min([np.linalg.norm(wall - middle, axis=1) for middle in arrays], axis=0).max())
    pairs = sum(len(group.pairs[0]) for group in coherent_groups(site, window.compartment))
    least = least_leak(
        heard.noise_db,
        heard.bursts * burst_s,
        away_m,
        pressure_pa,
        site.air.temperature_c + KELVIN_OFFSET,
        pairs=pairs,
        loudest=_loudest(heard.verdict),
    )
    if least is None:
        return "nothing would have been heard beside what still sounds"
    return (
        f"nothing was heard down to a hiss of {least.level_db:.0f} dB at 1 m, {away_m:.1f} m from an array: as loud as "
        f"a round hole of {1e3 * least.hole_m:.2g} mm, {least.kg_h:.2g} kg/h, usually is, and one of "
        f"{least.quiet_kg_h:.2g} kg/h at the quietest; a crack may be silent"
    )


def _loudest(verdict: Verdict | None) -> float:
    return max((candidate.standing for candidate in verdict.candidates), default=0.0) if verdict is not None else 0.0


def _arrays(site: Site, window: QuietWindow) -> list[Node]:
    return [
        node for node in site.nodes if node.compartment == window.compartment and node.of_quantity(Quantity.ULTRASOUND)
    ]
