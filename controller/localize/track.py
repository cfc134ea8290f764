"""Fixes over time: one leak keeps one place, the best known, until a new place has been confirmed."""

from dataclasses import dataclass

import numpy as np

from controller.localize.verdict import Fix, Verdict

SAME_LEAK_RADII = 2.0  # fixes whose 95 % regions, widened by this, touch are of one leak
MIN_APART_M = 0.10
CONFIRMATIONS = 2  # a place elsewhere is believed when it is found this often in a row
MAX_DOUBTS = 4  # verdicts without a fix in a row: then the place is no longer vouched for


@dataclass(slots=True)
class Track:
    """The leak that is being followed."""

    fix: Fix | None = None
    _rival: Fix | None = None
    _rival_count: int = 0
    _doubts: int = 0

    def take(self, verdict: Verdict) -> None:
        """Follow a new verdict."""
        if isinstance(verdict, Fix):
            self._doubts = 0
            self._take_fix(verdict)
            return
        self._doubts += 1
        if self._doubts >= MAX_DOUBTS:
            self.forget()

    def _take_fix(self, fix: Fix) -> None:
        if self.fix is None or _same(self.fix, fix):
            # Fixes of one accumulation share their data: the newest holds all of it, averaging would count it twice.
            self.fix, self._rival, self._rival_count = fix, None, 0
            return
        self._rival_count = self._rival_count + 1 if self._rival is not None and _same(self._rival, fix) else 1
        self._rival = fix
        if self._rival_count >= CONFIRMATIONS:
            self.fix, self._rival, self._rival_count = fix, None, 0

    def forget(self) -> None:
        """The leak is over."""
        self.fix, self._rival, self._rival_count, self._doubts = None, None, 0, 0


def _same(one: Fix, other: Fix) -> bool:
    apart_m = float(np.linalg.norm(np.subtract(one.position_m, other.position_m)))
    return apart_m < max(MIN_APART_M, SAME_LEAK_RADII * (one.radius95_m + other.radius95_m))
