"""What a sound is like: a jet that hisses, or a machine that hums; on the wall, or perhaps in front of it."""

import math
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from controller.detect.onset import Loudness
from controller.localize.inside import LEAST_DEPTH_M
from controller.localize.verdict import Fix, NoFix, Reason, Verdict
from firmware_bridge.site.survey import Site

# A hole of up to 3 mm makes more sound in a hertz at 60 kHz than at 18 (Strouhal number 0.2 at the throat); machines
# fall by 6 dB an octave and more. A wider hole shows by its loss before by its sound.
LEAST_TILT_DB = -6.0
AIR_TILT_DB_M = 1.7  # that air takes more at 66 kHz than at 18, at 20 °C and 50 % of humidity (ISO 9613-1)
NEAR_M = 3.0  # as far as that, and with reflections, LEAST_TILT_DB has room for what air takes
LATEST = 9  # bursts of a node: a knock among them does not matter
NOWHERE: Mapping[str, float] = {}
NEAR_MACHINE_M = 1.0  # of a fix: people look at it first
WELL_INSIDE_M = LEAST_DEPTH_M + 0.10  # in front of the wall: there is room for a machine


class Likeness:
    """Tilts of the latest bursts of one sound, node by node."""

    def __init__(self) -> None:
        """Nothing was heard."""
        self._tilts: dict[str, deque[float]] = {}
        self._untold = False

    def take(self, loudness: Loudness) -> None:
        """One burst; only what stands above the floor tells anything."""
        self._untold |= loudness.above_floor and loudness.tilt_db is None
        if loudness.tilt_db is not None:
            self._tilts.setdefault(loudness.node, deque(maxlen=LATEST)).append(loudness.tilt_db)

    def forget(self) -> None:
        """Another sound begins."""
        self._tilts.clear()
        self._untold = False

    def hissing(self, away_m: Mapping[str, float] = NOWHERE) -> bool:
        """Whether the sound is as high as a jet's at some node, or no node can tell for want of bands.

        `away_m` is how far the nodes are from where it comes, as far as that is known: air takes the high ones first.
        """
        if not self._tilts:
            return self._untold
        return any(
            float(np.median(tilts)) > LEAST_TILT_DB - AIR_TILT_DB_M * max(away_m.get(node, 0.0) - NEAR_M, 0.0)
            for node, tilts in self._tilts.items()
        )


def doubted(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts while no pressure falls: where a machine in front of the wall sounds alike, nothing is fixed."""
    sure = [verdict for verdict in verdicts if not _may_be_inside(verdict)]
    doubtful = [verdict for verdict in verdicts if isinstance(verdict, Fix) and _may_be_inside(verdict)]
    if doubtful and not any(isinstance(verdict, Fix) for verdict in sure):
        return (_unsure(doubtful[0]),)
    return tuple(sure)


def _may_be_inside(verdict: Verdict) -> bool:
    return isinstance(verdict, Fix) and verdict.inside_m is not None and verdict.inside_m > WELL_INSIDE_M


def _unsure(fix: Fix) -> NoFix:
    where = fix.where or "({:.2f}, {:.2f}, {:.2f}) m".format(*fix.position_m)
    return NoFix(
        Reason.AMBIGUOUS,
        f"a leak {where}, or equipment up to {100 * (fix.inside_m or 0.0):.0f} cm in front of that wall, and pressure "
        "shows no leak: was something switched on there? If not, look for a leak",
        fix.candidates,
        fix.bursts,
    )


def machine_near(site: Site, verdict: Verdict | None) -> str | None:
    """The machine of the site file that stands nearest to a fix, if one stands near."""
    if not isinstance(verdict, Fix):
        return None
    near = [
        (math.dist(machine.position_m, verdict.position_m), machine.name)
        for machine in site.machines
        if machine.compartment == verdict.compartment and machine.position_m is not None
    ]
    away_m, name = min(near, default=(math.inf, ""))
    return name if away_m < NEAR_MACHINE_M else None
