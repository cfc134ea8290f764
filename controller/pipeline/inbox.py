"""What waits for the next step: bounded, and fair to every node. Decisions and states never make way, data do.

Bursts are what takes time: of those that wait a step takes a few, and all else that waits goes before the others.
"""

from collections import Counter
from collections.abc import Callable

from controller.pipeline.events import Event, OwnHealth
from firmware_bridge.samples import LevelBlock, ScalarBlock, VibrationBlock, WaveBlock
from firmware_bridge.session.events import CommandOutcome, LinkHealth, StateChanged
from firmware_bridge.units import s_to_ns

MAX_WAITING = 1024  # events; data beyond it make way and are counted
MAX_BYTES = 256_000_000  # of bursts that wait: sixty of the longest (262,144 samples) of four microphones
BURSTS_A_STEP = 1  # some 3 ms on a desk computer: so long a slow sample, or a person, waits behind sound at most
CALM_S = 60.0  # without a dropped block, until the inbox is well again
DATA = (ScalarBlock, WaveBlock, VibrationBlock, LevelBlock, LinkHealth)
_FROM_BRIDGE = (*DATA, StateChanged, CommandOutcome)


class Inbox:
    """Events in the order in which they came."""

    def __init__(self, on_drop: Callable[[int], None]) -> None:
        """Start empty. `on_drop` is called with the place, among what conversations told, of each that makes way."""
        self._on_drop = on_drop
        self._waiting: list[Event] = []
        self._bytes = 0  # of the bursts among them
        self.dropped = 0
        self._told = 0
        self._dropped_ns: int | None = None
        self.places: tuple[int, ...] | None = None  # of what was taken last, where bursts were overtaken

    @property
    def waiting(self) -> tuple[Event, ...]:
        """What the next step will take."""
        return tuple(self._waiting)

    def put(self, event: Event) -> None:
        """Add an event; never waits."""
        if len(self._waiting) >= MAX_WAITING:
            self._make_way(_one)
        size = _bytes(event)
        if size and self._bytes + size > MAX_BYTES:
            self._make_way(_bytes)
        self._waiting.append(event)
        self._bytes += size

    def take(self, now_ns: int) -> list[Event]:
        """What waits but for bursts beyond the bound, which come next; and whether data had to make way lately.

        `places` are those, among what conversations told, of the events taken; None where nothing was overtaken.
        """
        events = self._first()
        if self.dropped > self._told:
            self._told, self._dropped_ns = self.dropped, now_ns
            trouble = "data come faster than they are worked on, some were dropped; ease the machine"
            events.append(OwnHealth("inbox", trouble))
        elif self._dropped_ns is not None and now_ns - self._dropped_ns > s_to_ns(CALM_S):
            self._dropped_ns = None
            events.append(OwnHealth("inbox", None))
        return events

    def _first(self) -> list[Event]:
        """A burst that came before a change of its node's state stays before it."""
        bursts = sum(isinstance(event, WaveBlock) for event in self._waiting)
        self.places = None
        if bursts <= BURSTS_A_STEP:
            events, self._waiting, self._bytes = self._waiting, [], 0
            return events
        moved = {event.node: place for place, event in enumerate(self._waiting) if isinstance(event, StateChanged)}
        events, later, places = list[Event](), list[Event](), list[int]()
        taken = told = 0
        for place, event in enumerate(self._waiting):
            if isinstance(event, WaveBlock) and taken >= BURSTS_A_STEP and place > moved.get(event.node, -1):
                later.append(event)
            else:
                taken += isinstance(event, WaveBlock)
                events.append(event)
                if isinstance(event, _FROM_BRIDGE):
                    places.append(told)
            told += isinstance(event, _FROM_BRIDGE)
        self._waiting, self._bytes = later, sum(map(_bytes, later))
        self.places = tuple(places) if later else None
        return events

    def _make_way(self, weight: Callable[[Event], int]) -> None:
        """The older half of the data of whoever has most of them waiting: a node that floods costs no other one."""
        data = Counter[str | None]()
        for event in self._waiting:
            if isinstance(event, DATA):
                data[event.node] += weight(event)
        if not data:
            return
        loudest, most = data.most_common(1)[0]
        surplus = (most + 1) // 2
        kept: list[Event] = []
        place = 0
        for event in self._waiting:
            if surplus > 0 and isinstance(event, DATA) and event.node == loudest and weight(event):
                surplus -= weight(event)
                self.dropped += 1
                self._on_drop(place)
            else:
                place += isinstance(event, _FROM_BRIDGE)
                kept.append(event)
        self._waiting, self._bytes = kept, sum(map(_bytes, kept))


def _one(event: Event) -> int:
    del event
    return 1


def _bytes(event: Event) -> int:
    match event:
        case WaveBlock():
            return event.pressure_pa.nbytes
        case VibrationBlock():
            return event.velocity_m_s.nbytes
        case _:
            return 0
