"""What waits for the next step: bounded, and fair to every node. Decisions and states never make way, data do."""

from collections import Counter
from collections.abc import Callable

from controller.pipeline.events import Event, OwnHealth
from firmware_bridge.samples import LevelBlock, ScalarBlock, VibrationBlock, WaveBlock
from firmware_bridge.session.events import CommandOutcome, LinkHealth, StateChanged
from firmware_bridge.units import s_to_ns

MAX_WAITING = 1024  # events; data beyond it make way and are counted: at most 0.3 GB of bursts
CALM_S = 60.0  # without a dropped block, until the inbox is well again
DATA = (ScalarBlock, WaveBlock, VibrationBlock, LevelBlock, LinkHealth)
_FROM_BRIDGE = (*DATA, StateChanged, CommandOutcome)


class Inbox:
    """Events in the order in which they came."""

    def __init__(self, on_drop: Callable[[int], None]) -> None:
        """Start empty. `on_drop` is called with the place, among what conversations told, of each that makes way."""
        self._on_drop = on_drop
        self._waiting: list[Event] = []
        self.dropped = 0
        self._told = 0
        self._dropped_ns: int | None = None

    @property
    def waiting(self) -> tuple[Event, ...]:
        """What the next step will take."""
        return tuple(self._waiting)

    def put(self, event: Event) -> None:
        """Add an event; never waits."""
        if len(self._waiting) >= MAX_WAITING:
            self._make_way()
        self._waiting.append(event)

    def take(self, now_ns: int) -> list[Event]:
        """All that waits, and whether data had to make way lately."""
        events, self._waiting = self._waiting, []
        if self.dropped > self._told:
            self._told, self._dropped_ns = self.dropped, now_ns
            trouble = "data come faster than they are worked on, some were dropped; ease the machine"
            events.append(OwnHealth("inbox", trouble))
        elif self._dropped_ns is not None and now_ns - self._dropped_ns > s_to_ns(CALM_S):
            self._dropped_ns = None
            events.append(OwnHealth("inbox", None))
        return events

    def _make_way(self) -> None:
        """The older half of the data of whoever has most of them waiting: a node that floods costs no other one."""
        data = Counter(event.node for event in self._waiting if isinstance(event, DATA))
        if not data:
            return
        loudest, number = data.most_common(1)[0]
        surplus = (number + 1) // 2
        kept: list[Event] = []
        place = 0
        for event in self._waiting:
            if surplus > 0 and isinstance(event, DATA) and event.node == loudest:
                surplus -= 1
                self.dropped += 1
                self._on_drop(place)
            else:
                place += isinstance(event, _FROM_BRIDGE)
                kept.append(event)
        self._waiting = kept
