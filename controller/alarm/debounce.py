"""Conditions -> conditions: on-delay, off-delay, deadband, and a longer hold for what chatters. No alarm here."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.alarm.types import AlarmClass, Condition
from firmware_bridge.units import NS_PER_S, s_to_ns

CHATTER_RAISES = 3  # in the window: what comes so often is held together, as one alarm
CHATTER_WINDOW_NS = 600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Settings:
    """How long something must be so, or not be so, before it counts. Detectors have confirmed it already."""

    on_delay_s: float = 0.0  # an emergency never waits
    off_delay_s: float = 0.5  # two steps; what comes and goes more slowly is for the hold below
    chatter_hold_s: float = 60.0  # instead of the off-delay, for what came three times in ten minutes


@dataclass(slots=True)
class _Track:
    condition: Condition
    since_ns: int
    last_ns: int
    passing: bool = False
    starts_ns: deque[int] = field(default_factory=lambda: deque(maxlen=CHATTER_RAISES))


class Debounce:
    """Keeps time for every key; keys are as few as alarms are."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is so yet."""
        self._settings = settings
        self._tracks: dict[str, _Track] = {}

    def step(self, now_ns: int, conditions: Iterable[Condition]) -> list[Condition]:
        """The conditions that count at `now_ns`; of several with one key the gravest."""
        met: dict[str, Condition] = {}
        for condition in conditions:
            known = met.get(condition.key)
            if known is None or _weight(condition) >= _weight(known):
                met[condition.key] = condition
        for key, condition in met.items():
            self._met(now_ns, key, condition)
        for key, track in self._tracks.items():
            if key not in met:
                self._missing(now_ns, track)
        return [track.condition for track in self._tracks.values() if track.passing]

    def _met(self, now_ns: int, key: str, condition: Condition) -> None:
        track = self._tracks.get(key)
        if condition.only_holds:
            if track is not None and track.passing:
                track.last_ns = now_ns  # as it was said last: what lies in the deadband has no class of its own
            elif track is not None:
                self._missing(now_ns, track)
            return
        if track is None:
            track = self._tracks[key] = _Track(condition, now_ns, now_ns)
        elif not track.passing and track.last_ns < track.since_ns:
            track.since_ns = now_ns
        track.condition, track.last_ns = condition, now_ns
        waited_ns = now_ns - track.since_ns
        if track.passing or (
            condition.alarm_class < AlarmClass.EMERGENCY and waited_ns < s_to_ns(self._settings.on_delay_s)
        ):
            return
        track.passing = True
        track.starts_ns.append(now_ns)

    def _missing(self, now_ns: int, track: _Track) -> None:
        if track.passing and now_ns - track.last_ns < s_to_ns(self._hold_s(now_ns, track)):
            return
        track.passing = False
        track.last_ns = track.since_ns - 1  # whatever comes next, begins anew

    def _hold_s(self, now_ns: int, track: _Track) -> float:
        recent = [start_ns for start_ns in track.starts_ns if now_ns - start_ns < CHATTER_WINDOW_NS]
        chatters = len(recent) >= CHATTER_RAISES
        return max(self._settings.chatter_hold_s if chatters else 0.0, self._settings.off_delay_s)


def _weight(condition: Condition) -> tuple[bool, AlarmClass]:
    return not condition.only_holds, condition.alarm_class
