"""Which verdicts are worth telling: people and journals drown in what merely jitters."""

import math

from controller.localize.track import Leak
from controller.localize.verdict import Fix, NoFix, Verdict
from firmware_bridge.units import s_to_ns

TELL_AGAIN_S = 30.0
MOVED_RADII = 1.0  # of the 95 % region
SHARPENED = 0.5  # a region that shrank to this share is news, too


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
            moved = math.dist(before.position_m, after.position_m) > MOVED_RADII * before.radius95_m
            return moved or after.radius95_m < SHARPENED * before.radius95_m
        if isinstance(before, NoFix) and isinstance(after, NoFix):
            return before.reason is not after.reason
        return True


class LeakNews:
    """The same for every leak that is followed, each by its number, and for the reason why there is none."""

    def __init__(self) -> None:
        """Nothing has been told yet."""
        self._leaks: dict[int, VerdictNews] = {}
        self._none = VerdictNews()

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """Leaks with the fixes that were told of them, the one that has been known for longest first."""
        told = {number: news.told for number, news in self._leaks.items()}
        return tuple(Leak(number, fix) for number, fix in told.items() if isinstance(fix, Fix))

    @property
    def verdict(self) -> Verdict | None:
        """On the first leak, or why there is none."""
        leaks = self.leaks
        return leaks[0].fix if leaks else self._none.told

    def tell(self, now_ns: int, leak: Leak) -> bool:
        """Whether this is news of the leak; it is then taken as told."""
        self._none.forget()
        return self._leaks.setdefault(leak.number, VerdictNews()).tell(now_ns, leak.fix)

    def tell_none(self, now_ns: int, verdict: NoFix) -> bool:
        """Whether the reason why no leak has a place is news; it is then taken as told."""
        return self._none.tell(now_ns, verdict)

    def gone(self, leak: Leak) -> None:
        """A leak is not followed any more."""
        self._leaks.pop(leak.number, None)

    def forget(self) -> None:
        """The sound is over."""
        self._leaks.clear()
        self._none.forget()
