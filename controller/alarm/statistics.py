"""How much of people's attention the alarms took: the figures of EEMUA 191 and ISA-18.2.

Where the moves come from is no matter here.

Limits: EEMUA publication 191 (3rd edition) and ISA-18.2-2016 / IEC 62682, tables of performance figures.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from controller.alarm.debounce import CHATTER_RAISES
from controller.alarm.flood import FLOOD_BEGINS, FLOOD_ENDS, FLOOD_WINDOW_NS
from controller.alarm.table import QUIETED
from controller.alarm.types import AlarmClass, AlarmState
from firmware_bridge.units import NS_PER_S

WINDOW_S = FLOOD_WINDOW_NS / NS_PER_S
CHATTER_S = 60.0  # ISA-18.2: three or more times within a minute
STALE_S = 86_400.0  # and what stands on for more than a day
UNNOTICED = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED)
LISTED = 10  # of the most frequent alarms
# EEMUA 191: "very likely acceptable" on average, and the most that can be managed.
MEAN_PER_10_MIN, PEAK_PER_10_MIN = 1.0, 10
MEAN_PER_HOUR, MEAN_PER_DAY = 6.0, 144.0
MAX_FLOOD_SHARE = 0.01
MAX_STALE = 5
# ISA-18.2 for four priorities, gravest last as in AlarmClass: shares of all that were announced.
WANTED_SHARES = {
    AlarmClass.EMERGENCY: 0.01,
    AlarmClass.WARNING: 0.05,
    AlarmClass.CAUTION: 0.15,
    AlarmClass.ADVISORY: 0.80,
}
_NOT_ANNOUNCED = frozenset({"new evidence", "recovered"})


@dataclass(frozen=True, slots=True)
class Moved:
    """One move of one alarm; `at_s` is UTC in seconds, or any clock that runs through."""

    at_s: float
    key: str
    alarm_class: AlarmClass
    state: AlarmState
    cause: str

    @property
    def announced(self) -> bool:
        """Whether people were called by it."""
        return self.state is AlarmState.UNACKNOWLEDGED and self.cause not in _NOT_ANNOUNCED


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures over `span_s`. Shares are of 1; a figure that nothing is known of is None."""

    span_s: float
    announced: int
    mean_per_10_min: float | None
    mean_per_hour: float | None
    mean_per_day: float | None
    peak_per_10_min: int
    peak_per_hour: int
    flood_share: float | None
    floods: int
    standing: int
    stale: tuple[str, ...]
    quieted: int
    chattering: tuple[str, ...]
    by_class: dict[AlarmClass, int]
    most_frequent: tuple[tuple[str, int], ...]
    median_acknowledged_s: float | None

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is outside the limits; none in a good week."""
        found = []
        if self.mean_per_10_min is not None and self.mean_per_10_min > MEAN_PER_10_MIN:
            found.append(f"{self.mean_per_10_min:.2f} alarms in ten minutes, {MEAN_PER_10_MIN:g} is acceptable")
        if self.peak_per_10_min > PEAK_PER_10_MIN:
            found.append(f"{self.peak_per_10_min} alarms in the worst ten minutes, {PEAK_PER_10_MIN} can be managed")
        if self.flood_share is not None and self.flood_share > MAX_FLOOD_SHARE:
            found.append(
                f"{100 * self.flood_share:.1f} % of the time in flood, {100 * MAX_FLOOD_SHARE:g} % is acceptable"
            )
        if len(self.stale) > MAX_STALE:
            found.append(f"{len(self.stale)} stale alarms, fewer than {MAX_STALE} are acceptable")
        if self.chattering:
            found.append(f"chattering: {', '.join(self.chattering)}")
        return tuple(found)


def statistics(moves: Iterable[Moved], since_s: float, until_s: float) -> Statistics:
    """Figures of `moves` in their order, of which those before `since_s` only say how things stood.

    Args:
        moves: every move that is known, oldest first.
        since_s: begin of the span.
        until_s: its end, which is now for what stands.
    """
    last: dict[str, Moved] = {}
    began: dict[str, float] = {}
    announced: list[Moved] = []
    waits_s: list[float] = []
    called: dict[str, float] = {}
    for move in moves:
        if move.at_s > until_s:
            break
        before = last.get(move.key)
        last[move.key] = move
        if before is None or (before.state is AlarmState.NORMAL) != (move.state is AlarmState.NORMAL):
            began[move.key] = move.at_s
        if move.announced:
            called.setdefault(move.key, move.at_s)
        elif move.cause.startswith("by ") and move.key in called and move.at_s >= since_s:
            waits_s.append(move.at_s - called[move.key])
        if not move.announced and move.state not in UNNOTICED:
            called.pop(move.key, None)
        if move.announced and move.at_s >= since_s:
            announced.append(move)
    span_s = max(until_s - since_s, 0.0)
    times_s = sorted(move.at_s for move in announced)
    in_flood_s, floods = _floods(times_s, until_s)
    standing = [one for one in last.values() if one.state is not AlarmState.NORMAL and one.state not in QUIETED]
    by_class = Counter(move.alarm_class for move in announced)
    return Statistics(
        span_s=span_s,
        announced=len(announced),
        mean_per_10_min=_rate(len(announced), span_s, WINDOW_S),
        mean_per_hour=_rate(len(announced), span_s, 3600.0),
        mean_per_day=_rate(len(announced), span_s, 86_400.0),
        peak_per_10_min=_peak(times_s, WINDOW_S),
        peak_per_hour=_peak(times_s, 3600.0),
        flood_share=in_flood_s / span_s if span_s > 0 else None,
        floods=floods,
        standing=len(standing),
        stale=tuple(one.key for one in standing if until_s - began[one.key] > STALE_S),
        quieted=sum(1 for one in last.values() if one.state in QUIETED),
        chattering=_chattering(announced),
        by_class={alarm_class: by_class[alarm_class] for alarm_class in sorted(AlarmClass, reverse=True)},
        most_frequent=tuple(Counter(move.key for move in announced).most_common(LISTED)),
        median_acknowledged_s=median(waits_s) if waits_s else None,
    )


def _rate(count: int, span_s: float, per_s: float) -> float | None:
    """A mean over less than its own unit of time says nothing."""
    return count * per_s / span_s if span_s >= per_s else None


def _peak(times_s: Sequence[float], window_s: float) -> int:
    """The most that came within any window."""
    return max((bisect_right(times_s, at_s + window_s) - i for i, at_s in enumerate(times_s)), default=0)


def _floods(times_s: Sequence[float], until_s: float) -> tuple[float, int]:
    """Seconds in flood, and how many floods: from ten in ten minutes until fewer than five in ten."""
    steps = sorted([(at_s, 1) for at_s in times_s] + [(at_s + WINDOW_S, -1) for at_s in times_s])
    count, floods, began_s, total_s = 0, 0, 0.0, 0.0
    flooded = False
    for at_s, change in steps:
        count += change
        if not flooded and count >= FLOOD_BEGINS:
            flooded, began_s = True, at_s
            floods += 1
        elif flooded and count < FLOOD_ENDS:
            flooded = False
            total_s += min(at_s, until_s) - min(began_s, until_s)
    return total_s, floods


def _chattering(announced: Sequence[Moved]) -> tuple[str, ...]:
    times_s: dict[str, list[float]] = {}
    for move in announced:
        times_s.setdefault(move.key, []).append(move.at_s)
    return tuple(key for key, at_s in times_s.items() if _peak(at_s, CHATTER_S) >= CHATTER_RAISES)
