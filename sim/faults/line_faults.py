"""What happens between a node and its reader: lines that are cut, dead one way, noisy, slow or late. No I/O.

What noise does to bytes is `damage`; the lines themselves are `sim/attach`.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from firmware_bridge.units import NS_PER_S, ns_to_s, s_to_ns
from sim.faults.damage import Damage, damaged
from sim.faults.schedule import Fault, Spells, next_edge_s, spells_of
from sim.scenario.faults import FaultTable

MAX_ON_THE_WAY = 4 << 20  # bytes in one direction; a line that is slower than its node for so long loses them
WAYS = ("to_host", "to_node")


class FaultyWay:
    """One direction of a line: bytes go in at one time and come out at another, damaged, in their order."""

    def __init__(self) -> None:
        """Start empty."""
        self._on_the_way: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._free_ns = 0
        self._last_ns = 0

    def push(
        self,
        now_ns: int,
        data: bytes,
        damages: Iterable[tuple[Damage, np.random.Generator]] = (),
        *,
        delay_s: float = 0.0,
        bytes_s: float = math.inf,
    ) -> None:
        """One write goes on its way.

        Args:
            now_ns: true time.
            data: what is written.
            damages: what happens to it, one after the other.
            delay_s: how long it takes at least; no byte overtakes another.
            bytes_s: how many bytes a second get through.
        """
        pieces = [data]
        for damage, random in damages:
            pieces = [arrived for piece in pieces for arrived in damaged(piece, damage, random)]
        for piece in pieces:
            if self._bytes + len(piece) > MAX_ON_THE_WAY:
                continue
            through_ns = now_ns
            if bytes_s < math.inf:
                self._free_ns = max(self._free_ns, now_ns) + round(len(piece) / bytes_s * NS_PER_S)
                through_ns = self._free_ns
            self._last_ns = max(self._last_ns, through_ns + s_to_ns(delay_s))
            self._on_the_way.append((self._last_ns, piece))
            self._bytes += len(piece)

    def pop(self, now_ns: int) -> bytes | None:
        """The next piece that has arrived by `now_ns`; None while there is none."""
        if not self._on_the_way or self._on_the_way[0][0] > now_ns:
            return None
        piece = self._on_the_way.popleft()[1]
        self._bytes -= len(piece)
        return piece

    @property
    def next_ns(self) -> int | None:
        """When the next piece arrives."""
        return self._on_the_way[0][0] if self._on_the_way else None

    def clear(self) -> None:
        """Cut the line: what is on its way is lost."""
        self._on_the_way.clear()
        self._bytes = 0


class LineFaults:
    """The line of one node, both ways."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Take the faults of one link, none for a good one; each way of each fault has a generator of its own."""
        self._faults = tuple(faults)
        self._randoms = [tuple(np.random.default_rng(s) for s in fault.seed.spawn(len(WAYS))) for fault in faults]
        self._spells: dict[int, Spells] = {
            place: spells_of(fault) for place, fault in enumerate(faults) if fault.table.kind == "intermittent"
        }
        self.to_host = FaultyWay()
        self.to_node = FaultyWay()

    def plugged(self, now_s: float) -> bool:
        """Whether the line is there at all at scenario time `now_s`."""
        return not any(
            fault.table.kind == "off" or (place in self._spells and self._spells[place].off(now_s))
            for place, fault in self._active(now_s)
        )

    def accepts(self, now_s: float) -> bool:
        """Whether a node can write now; a line that is stuck towards the host takes nothing."""
        return not self._stuck(now_s, "to_host")

    def from_node(self, now_ns: int, frame: bytes) -> None:
        """A node wrote a frame; `to_host` has what becomes of it."""
        self._push(self.to_host, now_ns, frame, "to_host")

    def from_host(self, now_ns: int, data: bytes) -> None:
        """The host wrote; `to_node` has what becomes of it. Into a line stuck that way it is lost."""
        if not self._stuck(ns_to_s(now_ns), "to_node"):
            self._push(self.to_node, now_ns, data, "to_node")

    def clear(self) -> None:
        """Forget what is on its way."""
        self.to_host.clear()
        self.to_node.clear()

    def next_ns(self, now_ns: int) -> int | None:
        """When something arrives, or a fault begins or ends."""
        due = [ns for ns in (self.to_host.next_ns, self.to_node.next_ns) if ns is not None]
        if self._faults:
            now_s = ns_to_s(now_ns)
            spells = min((spells.next_s(now_s) for spells in self._spells.values()), default=math.inf)
            edge_s = min(next_edge_s(self._faults, now_s), spells)
            # One nanosecond on, so that rounding never wakes us just before it.
            due += [s_to_ns(edge_s) + 1] if edge_s < math.inf else []
        return min(due, default=None)

    def _active(self, now_s: float) -> list[tuple[int, Fault]]:
        return [(place, fault) for place, fault in enumerate(self._faults) if fault.active(now_s)]

    def _stuck(self, now_s: float, way: str) -> bool:
        return any(f.table.kind == "stuck" and f.table.direction in {way, "both"} for _, f in self._active(now_s))

    def _push(self, into: FaultyWay, now_ns: int, data: bytes, way: str) -> None:
        damages, delay_s, bytes_s = [], 0.0, math.inf
        for place, fault in self._active(ns_to_s(now_ns)):
            table = fault.table
            if table.direction not in {way, "both"}:
                continue
            random = self._randoms[place][WAYS.index(way)]
            if table.kind == "garbage":
                damages.append((damage_of(table, way), random))
            elif table.kind == "delayed":
                delay_s += table.delay_s + (table.jitter_s * float(random.random()) if table.jitter_s else 0.0)
            elif table.kind == "slow":
                bytes_s = min(bytes_s, table.bytes_s)
        into.push(now_ns, data, damages, delay_s=delay_s, bytes_s=bytes_s)


def damage_of(table: FaultTable, way: str) -> Damage:
    """The noise of a garbage fault; one that names no kind of noise overwrites bytes in a share of frames.

    The short-hand without a target damages only what the node sends.
    """
    special = table.model_fields_set & {
        "bit_flips", "lost_bytes", "burst_losses", "inserted_bytes", "truncated", "duplicated", "zeros", "baud_ratio"
    }  # fmt: skip
    if table.target is None and way == "to_node":
        return Damage()
    plain = table.share if not special or "share" in table.model_fields_set else 0.0
    return Damage(
        hit=plain,
        bit_flips=table.bit_flips,
        lost_bytes=table.lost_bytes,
        burst_losses=table.burst_losses,
        inserted_bytes=table.inserted_bytes,
        truncated=table.truncated,
        duplicated=table.duplicated,
        zeros=table.zeros,
        baud_ratio=table.baud_ratio,
    )
