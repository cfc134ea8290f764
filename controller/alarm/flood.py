"""Whether more alarms come than a person can take in: ten in ten minutes. What is then held back is the machine's."""

from collections import deque
from collections.abc import Sequence

from controller.alarm.keys import FLOOD
from controller.alarm.types import AlarmClass, Condition
from firmware_bridge.units import NS_PER_S

FLOOD_WINDOW_NS = 600 * NS_PER_S  # ISA-18.2: a flood begins with ten alarms in ten minutes ...
FLOOD_BEGINS = 10
FLOOD_ENDS = 5  # ... and ends when fewer than five come in ten
HELD_BACK = AlarmClass.ADVISORY  # the gravest class that waits until it is over


class Flood:
    """Counts what was announced."""

    def __init__(self) -> None:
        """Nothing has been announced."""
        self._told_ns: deque[int] = deque(maxlen=4 * FLOOD_BEGINS)
        self.on = False

    def count(self, now_ns: int, announced: int) -> None:
        """So many alarms were announced at `now_ns`."""
        self._told_ns.extend([now_ns] * announced)
        while self._told_ns and now_ns - self._told_ns[0] >= FLOOD_WINDOW_NS:
            self._told_ns.popleft()
        self.on = len(self._told_ns) >= (FLOOD_ENDS if self.on else FLOOD_BEGINS)

    def conditions(self) -> Sequence[Condition]:
        """A condition while it lasts."""
        if not self.on:
            return ()
        text = "alarm flood: advisories are held back until it is over"
        why = f"{FLOOD_BEGINS} or more alarms within {FLOOD_WINDOW_NS // NS_PER_S // 60} minutes"
        return (Condition(FLOOD, AlarmClass.CAUTION, text, (why,)),)
