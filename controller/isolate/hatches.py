"""How the hatches stand, and how that is known: from the site file, a command, an operator, or a sensor."""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from controller.isolate.station import Station
from firmware_bridge.units import NS_PER_S

SHUT_BELOW = 0.02  # of a hatch sensor's share
AJAR = 0.05  # from here on its rooms are level within seconds, as through an open one; between, it stays what it was
SENSOR_SPEAKS_NS = 60 * NS_PER_S  # a sensor that was heard within this time is asked, not people
# Each move begins every judgement on pressure anew: a switch that bounces would hide any leak. Three times open and
# shut in an hour is more than a search by hatches asks of one.
CHATTER_MOVES, CHATTER_NS = 6, 3600 * NS_PER_S
CALM_NS = 600 * NS_PER_S  # the same for so long ends it


class Source(IntEnum):
    """How the stand of a hatch is known, the higher the surer."""

    ASSUMED = 0
    COMMAND = 1
    OPERATOR = 2
    SENSOR = 3


@dataclass(frozen=True, slots=True)
class Stand:
    """How one hatch stands since when, and how that is known."""

    shut: bool
    since_ns: int
    source: Source


class HatchBoard:
    """All hatches of a station; they begin as they normally stand."""

    def __init__(self, station: Station) -> None:
        """As the site file says."""
        self.stands = {
            passage.name: Stand(passage.name in station.normally_shut, 0, Source.ASSUMED)
            for passage in station.passages
        }
        self._sensed_ns: dict[str, int] = {}
        self._said: dict[tuple[str, Source], bool] = {}  # shut, as each said last
        self._moves_ns: dict[tuple[str, Source], deque[int]] = {}

    @property
    def shut(self) -> frozenset[str]:
        """Names of the hatches that are shut."""
        return frozenset(name for name, stand in self.stands.items() if stand.shut)

    def sense(self, now_ns: int, hatch: str, share: float) -> bool:
        """A sensor's open share, 0 to 1; whether the hatch stands otherwise now."""
        if hatch not in self.stands or not -0.1 <= share <= 1.1:
            return False
        self._sensed_ns[hatch] = now_ns
        before = self.stands[hatch].shut
        shut = share < SHUT_BELOW or (before and share < AJAR)
        return self._set(now_ns, hatch, shut, Source.SENSOR)

    def told(self, now_ns: int, hatch: str, *, shut: bool, source: Source) -> bool:
        """An operator or a command that was carried out; not believed against a sensor that speaks."""
        if hatch not in self.stands:
            return False
        sensed_ns = self._sensed_ns.get(hatch)
        speaks = sensed_ns is not None and now_ns - sensed_ns <= SENSOR_SPEAKS_NS
        if speaks and not self._chatters(now_ns, hatch, Source.SENSOR):
            return False
        return self._set(now_ns, hatch, shut, source)

    def chattering(self, now_ns: int) -> tuple[tuple[str, Source], ...]:
        """Hatches that are said to move too often to be so, and by whom: that one is not believed about them."""
        return tuple(one for one in self._moves_ns if self._chatters(now_ns, *one))

    def _chatters(self, now_ns: int, hatch: str, source: Source) -> bool:
        moves = self._moves_ns.get((hatch, source))
        if moves is None or len(moves) < CHATTER_MOVES:
            return False
        return now_ns - moves[0] <= CHATTER_NS and now_ns - moves[-1] < CALM_NS

    def _set(self, now_ns: int, hatch: str, shut: bool, source: Source) -> bool:
        before = self.stands[hatch]
        if self._said.get((hatch, source), before.shut) != shut:
            self._moves_ns.setdefault((hatch, source), deque(maxlen=CHATTER_MOVES)).append(now_ns)
        self._said[hatch, source] = shut
        if self._chatters(now_ns, hatch, source):
            return False
        if before.shut == shut:
            if source is not before.source:
                self.stands[hatch] = Stand(shut, before.since_ns, source)
            return False
        self.stands[hatch] = Stand(shut, now_ns, source)
        return True
