"""When which fault acts: the scenario's tables with a seed of their own each, and random spells of on and off.

What a fault does is up to its neighbours, one file for each kind of thing that can fail.
"""

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.scenario.faults import FaultTable, Where

MAX_SPELLS = 100_000  # of one fault; more means mean_s was given in the wrong unit


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the schedule; `seed` depends on the run's seed and the row's place in the file only."""

    table: FaultTable
    seed: np.random.SeedSequence

    def active(self, at_s: float) -> bool:
        """Whether it acts at scenario time `at_s`."""
        return self.table.from_s <= at_s < self.table.until_s


def schedule(tables: Sequence[FaultTable], seed: np.random.SeedSequence) -> tuple[Fault, ...]:
    """The faults of a run. A fault's randomness does not depend on any other fault."""
    entropy, key = seed.entropy, seed.spawn_key
    return tuple(
        Fault(table, np.random.SeedSequence(entropy, spawn_key=(*key, place))) for place, table in enumerate(tables)
    )


def hitting(faults: Iterable[Fault], where: Where, name: str) -> tuple[Fault, ...]:
    """Those that hit one sensor, node or link."""
    return tuple(fault for fault in faults if fault.table.where == where and fault.table.name == name)


class Spells:
    """Random times on and off between `from_s` and `until_s`; begins with a time on, drawn at once and for good."""

    def __init__(self, from_s: float, until_s: float, share: float, mean_s: float, random: np.random.Generator) -> None:
        """Draw exponential spells.

        Args:
            from_s: first moment, s.
            until_s: end, s.
            share: mean share of time off, 0 to 1.
            mean_s: mean length of a time off, s.
            random: the fault's own generator.
        """
        self.edges_s: list[float] = []  # off, on, off, on, ...
        at_s = from_s
        if share <= 0.0:
            return
        on_s = mean_s * (1.0 - share) / share
        while len(self.edges_s) < MAX_SPELLS:
            at_s += float(random.exponential(on_s if len(self.edges_s) % 2 == 0 else mean_s))
            if at_s >= until_s:
                break
            self.edges_s.append(at_s)
        if len(self.edges_s) % 2:
            self.edges_s.append(until_s)

    def off(self, at_s: float) -> bool:
        """Whether it is off at `at_s`."""
        return bisect.bisect_right(self.edges_s, at_s) % 2 == 1

    def next_s(self, at_s: float) -> float:
        """When that changes next; infinity for never."""
        place = bisect.bisect_right(self.edges_s, at_s)
        return self.edges_s[place] if place < len(self.edges_s) else math.inf


def spells_of(fault: Fault) -> Spells:
    """The spells of an intermittent fault."""
    table = fault.table
    return Spells(table.from_s, table.until_s, table.share, table.mean_s, np.random.default_rng(fault.seed))


def next_edge_s(faults: Iterable[Fault], at_s: float) -> float:
    """When one of `faults` begins or ends next; infinity for never."""
    edges = (edge for fault in faults for edge in (fault.table.from_s, fault.table.until_s) if edge > at_s)
    return min(edges, default=math.inf)
