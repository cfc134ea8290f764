"""How the hatches stand, and how that is known: from the site file, a command, an operator, or a sensor."""

from dataclasses import dataclass
from enum import IntEnum

from controller.isolate.station import Station
from firmware_bridge.units import NS_PER_S

SHUT_BELOW, OPEN_ABOVE = 0.02, 0.5  # of a hatch sensor's share; between them a hatch moves, or a valve is open
SENSOR_SPEAKS_NS = 60 * NS_PER_S  # a sensor that was heard within this time is asked, not people


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
        shut = share < SHUT_BELOW or (before and share < OPEN_ABOVE)
        return self._set(now_ns, hatch, shut, Source.SENSOR)

    def told(self, now_ns: int, hatch: str, *, shut: bool, source: Source) -> bool:
        """An operator or a command that was carried out; not believed against a sensor that speaks."""
        if hatch not in self.stands:
            return False
        sensed_ns = self._sensed_ns.get(hatch)
        if sensed_ns is not None and now_ns - sensed_ns <= SENSOR_SPEAKS_NS:
            return False
        return self._set(now_ns, hatch, shut, source)

    def _set(self, now_ns: int, hatch: str, shut: bool, source: Source) -> bool:
        before = self.stands[hatch]
        if before.shut == shut:
            if source is not before.source:
                self.stands[hatch] = Stand(shut, before.since_ns, source)
            return False
        self.stands[hatch] = Stand(shut, now_ns, source)
        return True
