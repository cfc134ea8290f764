"""Which microphones may be correlated with which: a fact of the site, never guessed from the data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity


@dataclass(frozen=True, slots=True, eq=False)
class CoherentGroup:
    """Microphones with a common clock: `position_m` (n, 3), `node` (n,) names, `clock_sigma_s` (n,).

    `clock_sigma_s` is how far a microphone's node may be from the group's clock: 0 within a lone node, the trigger
    line's sigma across nodes.
    """

    name: str
    sensors: tuple[str, ...]
    nodes: tuple[str, ...]
    position_m: NDArray[np.float64]
    clock_sigma_s: float

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


def coherent_groups(site: Site, compartment: str) -> tuple[CoherentGroup, ...]:
    """The groups of one compartment: nodes on a trigger line together, every other node by itself."""
    members: dict[str, list[str]] = {}
    for node in site.nodes:
        if node.compartment == compartment and site.microphones_m(node).size:
            key = f"line {node.trigger_line}" if node.trigger_line else f"node {node.name}"
            members.setdefault(key, []).append(node.name)
    return tuple(_group(site, key, names) for key, names in members.items())


def _group(site: Site, name: str, node_names: list[str]) -> CoherentGroup:
    microphones = [s for node in node_names for s in site.node(node).of_quantity(Quantity.ULTRASOUND)]
    return CoherentGroup(
        name=name,
        sensors=tuple(microphone.name for microphone in microphones),
        nodes=tuple(microphone.node for microphone in microphones),
        position_m=np.array([microphone.position_m for microphone in microphones], dtype=float),
        clock_sigma_s=site.survey.trigger_sigma_s if len(node_names) > 1 else 0.0,
    )
