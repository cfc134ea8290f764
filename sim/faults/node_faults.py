"""What is wrong with one node as a whole at a time: power, hanging, resets, a clock set wrong, answers that come late.

Its sensors and its line fail on their own; carrying it out is up to the station.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_bridge.units import s_to_ns
from sim.faults.schedule import MAX_SPELLS, Fault, Spells, next_edge_s, spells_of


@dataclass(frozen=True, slots=True)
class NodeCondition:
    """How a node is: the healthy one by default."""

    powered: bool = True
    hung: bool = False
    uid: int | None = None
    version: int | None = None
    inbound_s: float = 0.0
    inbound_jitter_s: float = 0.0
    outbound_s: float = 0.0


HEALTHY = NodeCondition()


class NodeFaults:
    """The faults of one node. `resets_s` are the times at which it starts anew by itself."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Draw everything random at once, so that no question changes an answer."""
        self._faults = tuple(faults)
        self._spells: dict[int, Spells] = {
            place: spells_of(fault) for place, fault in enumerate(faults) if fault.table.kind == "intermittent"
        }
        self.resets_s: tuple[float, ...] = tuple(
            sorted(at_s for fault in faults if fault.table.kind == "garbage" for at_s in _resets(fault))
        )
        # Another uid or version is another program: it runs from a start of its own.
        swaps = [f.table for f in faults if f.table.kind == "wrong" and (f.table.uid, f.table.version) != (None, None)]
        self.swaps_s: tuple[float, ...] = tuple(sorted({at_s for t in swaps for at_s in (t.from_s, t.until_s)}))
        jitter = [fault.seed for fault in faults if fault.table.kind == "slow"]
        self._jitter = np.random.default_rng(jitter[0]) if jitter else None

    def __bool__(self) -> bool:
        """Whether there is anything to follow at all."""
        return bool(self._faults)

    @property
    def clock_steps(self) -> tuple[tuple[int, int], ...]:
        """(true time, ns; jump, ns) of every time that the clock is set: wrong, and right again."""
        wrong = [fault.table for fault in self._faults if fault.table.kind == "wrong" and fault.table.step_s]
        return tuple(
            step
            for table in wrong
            for step in (
                (s_to_ns(table.from_s), s_to_ns(table.step_s)),
                (s_to_ns(table.until_s), -s_to_ns(table.step_s)),
            )
        )

    def condition(self, at_s: float) -> NodeCondition:
        """How the node is at scenario time `at_s`."""
        active = [(place, fault.table) for place, fault in enumerate(self._faults) if fault.active(at_s)]
        if not active:
            return HEALTHY
        tables = [table for _, table in active]
        dark = any(t.kind == "off" for t in tables) or any(
            self._spells[place].off(at_s) for place, t in active if t.kind == "intermittent"
        )
        uids = [int(t.uid, 16) for t in tables if t.uid is not None]
        versions = [t.version for t in tables if t.version is not None]
        return NodeCondition(
            powered=not dark,
            hung=any(t.kind == "stuck" for t in tables),
            uid=uids[-1] if uids else None,
            version=versions[-1] if versions else None,
            inbound_s=sum(t.delay_s for t in tables if t.kind == "slow"),
            inbound_jitter_s=sum(t.jitter_s for t in tables if t.kind == "slow"),
            outbound_s=sum(t.delay_s for t in tables if t.kind == "delayed"),
        )

    def jittered_s(self, condition: NodeCondition) -> float:
        """How long it takes the node to get to its next command."""
        if not condition.inbound_jitter_s or self._jitter is None:
            return condition.inbound_s
        return condition.inbound_s + condition.inbound_jitter_s * float(self._jitter.random())

    def next_s(self, at_s: float) -> float:
        """When the condition may change next, or the node starts anew; infinity for never."""
        if not self._faults:
            return math.inf
        spells = min((spells.next_s(at_s) for spells in self._spells.values()), default=math.inf)
        resets = min((reset_s for reset_s in self.resets_s if reset_s > at_s), default=math.inf)
        return min(next_edge_s(self._faults, at_s), spells, resets)


def _resets(fault: Fault) -> list[float]:
    random = np.random.default_rng(fault.seed)
    found: list[float] = []
    at_s = fault.table.from_s
    while len(found) < MAX_SPELLS:
        at_s += float(random.exponential(fault.table.mean_s))
        if at_s >= fault.table.until_s:
            break
        found.append(at_s)
    return found
