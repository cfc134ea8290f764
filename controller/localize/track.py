"""Fixes over time: each leak keeps one number and the best place known, until it is not heard any more."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from controller.localize.verdict import Fix, Verdict

SAME_LEAK_RADII = 2.0  # fixes whose 95 % regions, widened by this, touch are of one leak
MIN_APART_M = 0.10
CONFIRMATIONS = 2  # a place elsewhere is believed when it is found this often in a row
MAX_DOUBTS = 4  # verdicts in a row that do not find a leak: then its place is no longer vouched for
MOST_LEAKS = 8  # that are followed at once; more than are ever looked for


@dataclass(frozen=True, slots=True)
class Leak:
    """A leak that is followed: a number that it keeps and nobody else gets, the newest fix, and how often it was found.

    How often is no part of what it is.
    """

    number: int
    fix: Fix
    times: int = field(default=1, compare=False)


@dataclass(slots=True)
class _Followed:
    number: int
    fix: Fix
    found: int = 1
    doubts: int = 0


@dataclass(slots=True)
class Tracks:
    """All leaks that are being followed."""

    _followed: list[_Followed] = field(default_factory=list)
    _strangers: list[tuple[Fix, int]] = field(default_factory=list)  # not believed yet, and how often found in a row
    _last_number: int = 0

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """In the order in which they were believed: the first is the one that has been known for longest."""
        return tuple(Leak(one.number, one.fix, one.found) for one in self._followed)

    def take(self, verdicts: Sequence[Verdict]) -> tuple[Leak, ...]:
        """Follow the verdicts of one job; returns the leaks that are let go."""
        fixes = [verdict for verdict in verdicts if isinstance(verdict, Fix)]
        heard = self._heard_again(fixes)
        for one in self._followed:
            one.doubts = 0 if one.number in heard else one.doubts + 1
        believed = self._believed(fixes, any_fix=bool(heard or fixes))
        gone = [
            one
            for one in self._followed
            # A place that was found once and is contradicted by one that was confirmed was chance.
            if one.doubts >= MAX_DOUBTS or (believed and one.doubts and one.found < CONFIRMATIONS)
        ]
        self._followed = [one for one in self._followed if one not in gone]
        for fix in believed[: MOST_LEAKS - len(self._followed)]:
            self._last_number += 1
            self._followed.append(_Followed(self._last_number, fix))
        return tuple(Leak(one.number, one.fix) for one in gone)

    def forget(self) -> None:
        """The sound is over; numbers are not used again."""
        self._followed, self._strangers = [], []

    def _heard_again(self, fixes: list[Fix]) -> set[int]:
        """Give each leak the fix that is nearest to it, and take those out of `fixes`; numbers of the leaks."""
        pairs = sorted(
            (_apart_m(one.fix, fix), at, which)
            for at, one in enumerate(self._followed)
            for which, fix in enumerate(fixes)
            if _same(one.fix, fix)
        )
        taken: dict[int, int] = {}
        for _, at, which in pairs:
            if at not in taken and which not in taken.values():
                taken[at] = which
        for at, which in taken.items():
            # Fixes of one accumulation share their data: the newest holds all of it, averaging would count it twice.
            self._followed[at].fix = fixes[which]
            self._followed[at].found += 1
        fixes[:] = [fix for which, fix in enumerate(fixes) if which not in taken.values()]
        return {self._followed[at].number for at in taken}

    def _believed(self, fixes: Sequence[Fix], *, any_fix: bool) -> list[Fix]:
        """Of fixes that are of no known leak those that may be believed; the others wait to be found again."""
        new = [fix for fix in fixes if not any(_same(one.fix, fix) for one in self._followed)]
        # The first place of all is believed at once: waiting costs a capture, and nothing contradicts it.
        if not self._followed and new:
            self._strangers = [(fix, 1) for fix in new[1:]]
            return [new[0]]
        if not any_fix:
            return []  # a verdict without a fix neither confirms a stranger nor sends him away
        before, self._strangers, believed = self._strangers, [], []
        for fix in new:
            count = 1 + max((times for stranger, times in before if _same(stranger, fix)), default=0)
            if count >= CONFIRMATIONS:
                believed.append(fix)
            else:
                self._strangers.append((fix, count))
        return believed


def _apart_m(one: Fix, other: Fix) -> float:
    return float(np.linalg.norm(np.subtract(one.position_m, other.position_m)))


def _same(one: Fix, other: Fix) -> bool:
    return _apart_m(one, other) < max(MIN_APART_M, SAME_LEAK_RADII * (one.radius95_m + other.radius95_m))
