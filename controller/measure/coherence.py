"""Which microphones may be correlated with which: a fact of the site, never guessed from the data."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.measure.captures import Capture
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity

MOST_CLOCK_SIGMA_S = 6e-5  # 2 cm of air: clocks that agree no better say less of a place than a node's own delays
LEAST_CLOCK_SIGMA_S = 1e-6  # a time base is not trusted to be better: round trips cannot see asymmetry
CLOCKS = "clocks"
NOBODY: Mapping[str, float] = {}


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
        """Indices of all pairs (first < second)."""
        return np.triu_indices(len(self.sensors), k=1)

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
