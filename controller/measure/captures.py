"""Bursts of one capture, gathered over nodes by burst id until all are in or the window closes."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from firmware_bridge.samples import WaveBlock

MAX_OPEN_CAPTURES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """The whole bursts that came for one burst id, by node, and the nodes of which none did."""

    burst_id: int
    blocks: dict[str, WaveBlock]
    missing: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Open:
    closes_ns: int
    expected: frozenset[str]
    blocks: dict[str, WaveBlock] = field(default_factory=dict)


class Collector:
    """Gathers captures; what comes after its window closed is counted, not lost silently."""

    def __init__(self) -> None:
        """Start with nothing open."""
        self._open: OrderedDict[int, _Open] = OrderedDict()
        self.late = 0
        self.incomplete = 0

    def expect(self, burst_id: int, nodes: Iterable[str], closes_ns: int) -> None:
        """A capture was ordered from `nodes`; it closes at `closes_ns` at the latest."""
        self._open[burst_id] = _Open(closes_ns, frozenset(nodes))
        while len(self._open) > MAX_OPEN_CAPTURES:
            self._open.popitem(last=False)
            self.incomplete += 1

    def add(self, block: WaveBlock) -> None:
        """A burst came; one with gaps is of no use for correlation and is counted."""
        waiting = self._open.get(block.burst_id)
        if waiting is None:
            self.late += 1
        elif block.missing:
            self.incomplete += 1
        else:
            waiting.blocks[block.node] = block

    def closed(self, now_ns: int) -> list[Capture]:
        """Captures that are complete or whose window is over."""
        done = [
            burst_id
            for burst_id, waiting in self._open.items()
            if waiting.expected <= waiting.blocks.keys() or now_ns >= waiting.closes_ns
        ]
        captures = []
        for burst_id in done:
            waiting = self._open.pop(burst_id)
            captures.append(Capture(burst_id, waiting.blocks, waiting.expected - waiting.blocks.keys()))
        return captures
