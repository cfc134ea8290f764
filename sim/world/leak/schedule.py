"""When a leak is how far open: the share of its area over time, in straight lines.

What the share does to a kind of leak is told by its `opened`.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Change:
    """From `at_s` on the open share moves in a straight line, in `over_s` seconds, to `share` of the area.

    Args:
        at_s: scenario time at which it begins, s.
        over_s: time it takes, s; 0 for at once.
        share: share of the area that is open afterwards, 0 to 1.
    """

    at_s: float
    over_s: float
    share: float

    def __post_init__(self) -> None:
        """Refuse a change that cannot be."""
        if not math.isfinite(self.at_s) or not 0.0 <= self.over_s < math.inf:
            raise ValueError(f"a leak cannot change at {self.at_s} s over {self.over_s} s")
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"an open share of {self.share} is outside 0 to 1")


@dataclass(frozen=True, slots=True)
class Opening:
    """The life of a leak: shut, then changed one or more times: opened, sealed, opened again.

    A change that begins before the last one is through takes over from the share reached by then.

    Args:
        changes: in the order of their times; no two begin at once.
    """

    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        """Refuse changes out of order."""
        for earlier, later in pairwise(self.changes):
            if not later.at_s > earlier.at_s:
                raise ValueError(f"the change at {later.at_s:g} s is not after the one at {earlier.at_s:g} s")

    def share(self, at_s: float) -> float:
        """Open share at scenario time `at_s` (s), 0 to 1; at a jump the share after it."""
        begun = bisect_right(self.changes, at_s, key=lambda change: change.at_s)
        reached = 0.0
        for index, change in enumerate(self.changes[:begun]):
            until_s = self.changes[index + 1].at_s if index + 1 < begun else at_s
            reached = _moved(reached, change, until_s)
        return reached

    @property
    def edges(self) -> tuple[float, ...]:
        """Times, s, ascending, at which the share jumps or its slope changes; between them it is a straight line."""
        times = set()
        for index, change in enumerate(self.changes):
            times.add(change.at_s)
            done_s = change.at_s + change.over_s
            if index + 1 == len(self.changes) or done_s < self.changes[index + 1].at_s:
                times.add(done_s)
        return tuple(sorted(times))

    @property
    def open_intervals(self) -> tuple[tuple[float, float | None], ...]:
        """When the share is not 0, as (start, end), s, ascending; None is no end. Only then can it be heard."""
        spans: list[tuple[float, float | None]] = []
        for start_s, end_s in pairwise((*self.edges, None)):
            if start_s is None or not self._is_open_between(start_s, end_s):
                continue
            if spans and spans[-1][1] == start_s and self._stays_open_at(start_s):
                spans[-1] = (spans[-1][0], end_s)
            else:
                spans.append((start_s, end_s))
        return tuple(spans)

    def _is_open_between(self, start_s: float, end_s: float | None) -> bool:
        """Whether anything is open inside a straight piece: its middle tells."""
        return self.share(start_s if end_s is None else 0.5 * (start_s + end_s)) > 0.0

    def _stays_open_at(self, at_s: float) -> bool:
        return self.share(at_s) > 0.0


def _moved(share: float, change: Change, at_s: float) -> float:
    """The share that `change` has reached at `at_s`, not before its begin, from `share` at its begin."""
    if at_s >= change.at_s + change.over_s:  # the very sum of `edges`, so that at the edge the end is reached
        return change.share
    return share + (change.share - share) * min((at_s - change.at_s) / change.over_s, 1.0)
