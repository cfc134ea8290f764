"""What fails when, from the scenario's fault table: which nodes are unplugged, and damage to what a node sends."""

from collections.abc import Sequence

import numpy as np

from sim.scenario.faults import FaultTable

DAMAGED_BYTES = 4  # of a frame that is hit


class Faults:
    """The scheduled faults of a run; damage is drawn from `random`."""

    def __init__(self, faults: Sequence[FaultTable], random: np.random.Generator) -> None:
        """Take the schedule."""
        self._faults = tuple(faults)
        self._random = random

    def unplugged(self, node: str, now_s: float) -> bool:
        """Whether `node` hangs on nothing at scenario time `now_s`."""
        return any(fault.kind == "off" for fault in self._active(node, now_s))

    def on_the_line(self, node: str, frame: bytes, now_s: float) -> bytes:
        """What becomes of `frame` between the node and its reader."""
        share = max((fault.share for fault in self._active(node, now_s) if fault.kind == "garbage"), default=0.0)
        if share == 0.0 or self._random.random() >= share:
            return frame
        damaged = bytearray(frame)
        for at in self._random.integers(0, len(frame), DAMAGED_BYTES):
            damaged[at] = int(self._random.integers(0, 256))
        return bytes(damaged)

    def _active(self, node: str, now_s: float) -> list[FaultTable]:
        return [fault for fault in self._faults if fault.node == node and fault.from_s <= now_s < fault.until_s]
