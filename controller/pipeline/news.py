"""Which verdicts are worth telling: people and journals drown in what merely jitters."""

import math

from controller.localize.verdict import Fix, NoFix, Verdict
from firmware_bridge.units import s_to_ns

TELL_AGAIN_S = 30.0
MOVED_RADII = 1.0  # of the 95 % region


class VerdictNews:
    """Remembers what was told; `told` is the verdict that all later ones have merely confirmed."""

    def __init__(self) -> None:
        """Nothing has been told yet."""
        self.told: Verdict | None = None
        self._told_ns = 0

    def tell(self, now_ns: int, verdict: Verdict) -> bool:
        """Whether `verdict` is news; it is then taken as told."""
        if self.told is None or self._differs(self.told, verdict):
            self.told = verdict
        elif now_ns - self._told_ns <= s_to_ns(TELL_AGAIN_S):
            return False
        self._told_ns = now_ns
        return True

    def forget(self) -> None:
        """What was told is over."""
        self.told = None

    @staticmethod
    def _differs(before: Verdict, after: Verdict) -> bool:
        if isinstance(before, Fix) and isinstance(after, Fix):
            return math.dist(before.position_m, after.position_m) > MOVED_RADII * before.radius95_m
        if isinstance(before, NoFix) and isinstance(after, NoFix):
            return before.reason is not after.reason
        return True
