"""Plays nodes on pseudo-terminals that burst without pause; run as a process of its own, so that its work is not ours.

`python -m benchmarks.speed.flooding NODES BYTES_PER_S SECONDS DAMAGED_SHARE` prints the terminals' paths as one JSON
line, and at its end what it sent: intact and damaged frames a node.
"""

import json
import os
import selectors
import sys
import time
import tty
from collections import deque

import numpy as np

from firmware_bridge.units import Quantity
from firmware_bridge.wire.commands import Start
from firmware_bridge.wire.reports import BurstPiece, Channel
from tests.support.fake_node import FakeNode

CHANNELS, PIECE, TOTAL, RATE_HZ = 4, 512, 16_384, 192_000
FIRST_UID = 0xF0
DRAIN_S = 2.0


class _Node:
    """One node on its terminal."""

    def __init__(self, index: int, share: float) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        os.set_blocking(self.master, False)
        channels = tuple(Channel(Quantity.ULTRASOUND, 1e-3, 0.0) for _ in range(CHANNELS))
        self.node = FakeNode(uid=FIRST_UID + index, channels=channels)
        self._random = np.random.default_rng(index)
        self._share = share
        self._counts = self._random.integers(-2000, 2000, (CHANNELS, PIECE)).astype(np.int16)
        self._unsent: deque[bytes] = deque()
        self._burst, self._offset, self._start_ns = 1, 0, 0
        self.intact = self.damaged = self.sent_bytes = 0

    @property
    def started(self) -> bool:
        """Whether the host has asked for data."""
        return any(isinstance(command, Start) for command in self.node.heard)

    def hear(self, now_ns: int) -> None:
        """Answer what the host says, ahead of what waits."""
        try:
            data = os.read(self.master, 65_536)
        except (BlockingIOError, OSError):
            return
        answer = self.node.hear(now_ns, data)
        if answer:
            self._unsent.insert(min(1, len(self._unsent)), answer)

    def fill(self, now_ns: int) -> None:
        """Prepare the next piece of the burst that goes on for ever."""
        if self._offset == 0:
            self._start_ns = now_ns + self.node.offset_ns
        piece = BurstPiece(self._burst, 0, self._offset, TOTAL, RATE_HZ, self._counts)
        frame = self.node.say(now_ns, piece, time_ns=self._start_ns)
        self._offset = (self._offset + PIECE) % TOTAL
        self._burst += self._offset == 0
        if self._random.random() < self._share:
            broken = bytearray(frame)
            broken[int(self._random.integers(0, len(frame) - 1))] ^= 0x5A
            frame = bytes(broken)
            self.damaged += 1
        else:
            self.intact += 1
        self._unsent.append(frame)

    def write(self) -> None:
        """Give the terminal what it takes."""
        while self._unsent:
            frame = self._unsent.popleft()
            try:
                sent = os.write(self.master, frame)
            except BlockingIOError:
                sent = 0
            self.sent_bytes += sent
            if sent < len(frame):
                self._unsent.appendleft(frame[sent:])
                return

    @property
    def waiting(self) -> int:
        """Frames that the terminal did not take yet."""
        return len(self._unsent)


def main(count: int, bytes_per_s: float, seconds: float, share: float) -> None:
    """Play until all is sent."""
    nodes = [_Node(index, share) for index in range(count)]
    print(json.dumps([node.path for node in nodes]), flush=True)
    selector = selectors.DefaultSelector()
    for node in nodes:
        selector.register(node.master, selectors.EVENT_READ, node)
    frame_bytes = CHANNELS * PIECE * 2 + 64
    began = None
    while began is None or time.monotonic() - began < seconds + DRAIN_S:
        for key, _ in selector.select(0.001):
            key.data.hear(time.monotonic_ns())
        if began is None and all(node.started for node in nodes):
            began = time.monotonic()
        for node in nodes:
            if began is not None and time.monotonic() - began < seconds:
                due = bytes_per_s * (time.monotonic() - began) - (node.intact + node.damaged) * frame_bytes
                while due > 0 and node.waiting < 8:
                    node.fill(time.monotonic_ns())
                    due -= frame_bytes
            node.write()
    print(json.dumps([[node.intact, node.damaged, node.waiting] for node in nodes]), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
