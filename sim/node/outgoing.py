"""What a node has yet to send: answers, then streams, then bursts; whole frames only, a full memory drops and counts.

With a baud rate the line takes its time, as a UART does that nobody holds back; without one it takes what it is given.
"""

from collections import deque
from enum import IntEnum

from firmware_bridge.units import NS_PER_S

CAPTURE_BYTES = 512 << 10  # a capture RAM of three bursts; what does not fit is lost, as in a real node
TRANSMIT_BYTES = 64 << 10  # without a line rate: more than a second of a streaming node
RESERVED_BYTES = 128  # of the buffer, for answers and status: a node drowned in samples must still be able to say so
BITS_A_BYTE = 10  # start, eight, stop


class Lane(IntEnum):
    """What goes first."""

    ANSWER = 0  # and status: small and seldom
    STREAM = 1
    BURST = 2  # waits in capture RAM, not in the transmit buffer


class Outgoing:
    """The transmit queues of one node."""

    def __init__(self, baud: int | None = None, transmit_bytes: int = TRANSMIT_BYTES) -> None:
        """Start empty.

        Args:
            baud: bits a second, 10 a byte; None for a line that is never the bottleneck.
            transmit_bytes: memory for answers and streams, the frame on the line included.

        Raises:
            ValueError: a rate that is not positive, or a memory that is all reserve.
        """
        if (baud is not None and baud <= 0) or transmit_bytes <= RESERVED_BYTES:
            raise ValueError(f"a line of {baud} baud and {transmit_bytes} bytes carries nothing")
        self._baud = baud
        self._transmit_bytes = transmit_bytes
        self._lanes: tuple[tuple[deque[bytes], Lane], ...] = tuple((deque(), lane) for lane in Lane)
        self._held = [0, 0]  # bytes in transmit buffer, in capture RAM
        self._leaving: tuple[bytes, Lane] | None = None
        self._free_ns = 0
        self.dropped_frames = 0

    def push(self, frame: bytes, lane: Lane, now_ns: int = 0) -> bool:
        """Queue a frame, or drop it whole where its memory is full; says whether it was taken."""
        memory = int(lane is Lane.BURST)
        room = CAPTURE_BYTES if memory else self._transmit_bytes - RESERVED_BYTES * (lane is Lane.STREAM)
        if self._held[memory] + len(frame) > room:
            self.dropped_frames += 1
            return False
        self._held[memory] += len(frame)
        self._lanes[lane][0].append(frame)
        if self._baud is not None and self._leaving is None:
            self._begin(now_ns)
        return True

    def pop(self, now_ns: int = 0) -> bytes | None:
        """The next frame whose last byte has left by `now_ns`; None while there is none."""
        if self._baud is None:
            if not any(self._held):
                return None
            taken = self._take()
        else:
            if self._leaving is None or now_ns < self._free_ns:
                return None
            taken, self._leaving = self._leaving, None
            self._begin(self._free_ns)
        if taken is None:
            return None
        frame, lane = taken
        self._held[lane is Lane.BURST] -= len(frame)
        return frame

    @property
    def paced(self) -> bool:
        """Whether the line has a rate."""
        return self._baud is not None

    @property
    def next_ns(self) -> int | None:
        """When the frame on the line has left; None without one, and on a line without a rate."""
        return self._free_ns if self._leaving is not None else None

    def clear(self) -> None:
        """Forget everything, as a reset does."""
        for queue, _ in self._lanes:
            queue.clear()
        self._held = [0, 0]
        self._leaving = None

    def _take(self) -> tuple[bytes, Lane] | None:
        for queue, lane in self._lanes:
            if queue:
                return queue.popleft(), lane
        return None

    def _begin(self, now_ns: int) -> None:
        self._leaving = self._take()
        if self._leaving is not None and self._baud is not None:
            bits = BITS_A_BYTE * len(self._leaving[0])
            self._free_ns = max(now_ns, self._free_ns) + -(-bits * NS_PER_S // self._baud)
