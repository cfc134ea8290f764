"""Which microphones may be correlated with which: a fact of the site, never guessed from the data."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from controller.measure.captures import Capture
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity

MOST_CLOCK_SIGMA_S = 6e-5  # 2 cm of air: clocks that agree no better say less of a place than a node's own delays
LEAST_CLOCK_SIGMA_S = 1e-6  # a time base is not trusted to be better: round trips cannot see asymmetry
CLOCKS = "clocks"
NOBODY: Mapping[str, float] = {}
MOST_PAIRS = 600  # all of 35 microphones; beyond, memory and time would grow with the square of their number
LEAST_DISTANCES = 2  # along the ring, however many microphones there are: with fewer one that falls silent parts them


@dataclass(frozen=True, slots=True, eq=False)
class CoherentGroup:
    """Microphones with a common clock: `position_m` (n, 3), `node` (n,) names, `clock_sigma_s` (n,).

    `clock_sigma_s` is how far a microphone's node may be from the group's clock: 0 within a lone node, the trigger
    line's sigma across nodes. With `by_clock` no line holds the nodes together, only what the time base knows of their
    clocks: then offsets of that sigma are unknowns of every delay between nodes. `late_s` (n,) is how much later than
    its burst's stated start each is sampled; empty where all are sampled at once.
    """

    name: str
    sensors: tuple[str, ...]
    nodes: tuple[str, ...]
    position_m: NDArray[np.float64]
    clock_sigma_s: float
    late_s: tuple[float, ...] = ()
    by_clock: bool = False

    @property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the pairs that are correlated (first < second): all of them, or those that tell most."""
        return _telling_pairs(self.nodes)

    @property
    def pair_share(self) -> float:
        """How many of all pairs those are, 0 to 1."""
        return len(self.pairs[0]) / max(1, math.comb(len(self.sensors), 2))

    @property
    def widest_m(self) -> float:
        """Largest distance between two microphones, m."""
        first, second = self.pairs
        apart = np.linalg.norm(self.position_m[first] - self.position_m[second], axis=1)
        return float(apart.max(initial=0.0))

    @property
    def same_node(self) -> NDArray[np.bool_]:
        """Which pairs are of one node (pairs,)."""
        first, second = self.pairs
        node = np.array(self.nodes)
        return np.asarray(node[first] == node[second])


@lru_cache(64)
def _telling_pairs(nodes: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All pairs, or where they are more than MOST_PAIRS those of each node by itself and a ring's across them.

    Of microphones in a ring each is paired with those at some distances along it, spread evenly from next to opposite:
    each has as many others as every other, and whatever nodes fall silent, the rest stay joined.
    """
    count = len(nodes)
    first, second = np.triu_indices(count, k=1)
    if len(first) > MOST_PAIRS:
        owner = np.unique(nodes, return_inverse=True)[1]
        kept = np.zeros((count, count), dtype=bool)
        if owner.any():
            for node in range(int(owner.max()) + 1):
                rows = np.flatnonzero(owner == node)
                i, j = _telling_pairs(("",) * len(rows))
                kept[rows[i], rows[j]] = True
        around = np.minimum(second - first, count - (second - first))
        if owner.any():
            around[owner[first] == owner[second]] = 0  # not of the ring
        most = max(MOST_PAIRS - int(kept.sum()), MOST_PAIRS // 2)
        chosen = _of_ring(around, most)
        kept[first[chosen], second[chosen]] = True
        first, second = np.nonzero(kept)
    for index in (first, second):
        index.flags.writeable = False
    return first, second


def _of_ring(around: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Which pairs, by their distance along a ring (pairs,), 0 for none: at most `most`, of evenly spread distances."""
    distances = np.unique(around[around > 0])
    taken = np.empty(0, dtype=np.intp)
    for wanted in range(1, len(distances) + 1):
        some = distances[np.unique(np.linspace(0, len(distances) - 1, wanted).round().astype(int))]
        more = np.flatnonzero(np.isin(around, some))
        if len(more) > most and wanted > LEAST_DISTANCES:
            break
        taken = more
    return taken


def coherent_groups(
    site: Site, compartment: str, clock_sigma_s: Mapping[str, float] = NOBODY
) -> tuple[CoherentGroup, ...]:
    """The groups of one compartment: nodes on a trigger line together, every other node by itself.

    Of those others, nodes whose clocks are known well, by `clock_sigma_s` (s, by name), make one more group together.
    """
    ears = [node for node in site.nodes if node.compartment == compartment and site.microphones_m(node).size]
    timed = [
        node.name
        for node in ears
        if not node.trigger_line and clock_sigma_s.get(node.name, math.inf) <= MOST_CLOCK_SIGMA_S
    ]
    members: dict[str, list[str]] = {}
    for node in ears:
        key = f"line {node.trigger_line}" if node.trigger_line else f"node {node.name}"
        members.setdefault(CLOCKS if node.name in timed and len(timed) > 1 else key, []).append(node.name)
    groups = (_group(site, key, names) for key, names in members.items())
    return tuple(
        replace(group, clock_sigma_s=max(clock_sigma_s[name] for name in timed), by_clock=True)
        if group.name == CLOCKS
        else group
        for group in groups
    )


def clock_sigmas_s(captures: Iterable[Capture]) -> dict[str, float]:
    """How well the start of each node's bursts is known on the common time base, one standard deviation, by name."""
    sigmas: dict[str, list[float]] = {}
    for capture in captures:
        for node, block in capture.blocks.items():
            sigmas.setdefault(node, []).append(max(block.start_sigma_ns / NS_PER_S, LEAST_CLOCK_SIGMA_S))
    return {node: max(several) for node, several in sigmas.items()}


def _group(site: Site, name: str, node_names: list[str]) -> CoherentGroup:
    microphones = [s for node in node_names for s in site.node(node).of_quantity(Quantity.ULTRASOUND)]
    return CoherentGroup(
        name=name,
        sensors=tuple(microphone.name for microphone in microphones),
        nodes=tuple(microphone.node for microphone in microphones),
        position_m=np.array([microphone.position_m for microphone in microphones], dtype=float),
        clock_sigma_s=site.survey.trigger_sigma_s if len(node_names) > 1 else 0.0,
        late_s=late_s if any(late_s := tuple(microphone.late_s for microphone in microphones)) else (),
    )
