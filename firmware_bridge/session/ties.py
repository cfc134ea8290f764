"""Instants that several nodes saw: the edges of a trigger line tie the time bases of the nodes on it together.

Each node dates an edge by round trips of its own, with an asymmetry of its own. Who saw the same edge then holds the
best date of all for it, so that what they say afterwards agrees to the drift of their crystals since. No I/O, no clock.
"""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass

from firmware_bridge.timebase import TimeBase

MAX_EDGES = 4  # of one line: bursts that are still arriving, one after the other; older ones were told by all who will


@dataclass(frozen=True, slots=True)
class _Sighting:
    base: TimeBase
    node_ns: int
    common_ns: int
    sigma_ns: float


class Ties:
    """The edges of all trigger lines of one rig."""

    def __init__(self) -> None:
        """Start with none."""
        self._edges: defaultdict[str, OrderedDict[int, dict[str, _Sighting]]] = defaultdict(OrderedDict)

    def saw(self, line: str, number: int, node: str, base: TimeBase, node_ns: int) -> None:
        """`node` took sample 0 of burst `number` at an edge of `line`, at `node_ns` of its clock.

        All who saw it are tied to the date of the one who knows it best.
        """
        if not base.covers(node_ns):
            return
        edges = self._edges[line]
        seen = edges.setdefault(number, {})
        if node in seen:
            return
        while len(edges) > MAX_EDGES:
            edges.popitem(last=False)
        seen[node] = _Sighting(base, node_ns, *base.by_round_trips(node_ns))
        best = min(seen.values(), key=lambda one: one.sigma_ns)
        for one in seen.values() if len(seen) > 1 else ():
            one.base.tie(one.node_ns, best.common_ns, best.sigma_ns)
