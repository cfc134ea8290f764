"""What a node has yet to send: answers first, then streams, whole frames only; a full memory drops and counts."""

from collections import deque

MAX_QUEUED_BYTES = 512 << 10  # a capture RAM of three bursts; what does not fit is lost, as in a real node


class Outgoing:
    """The transmit queue of one node."""

    def __init__(self) -> None:
        """Start empty."""
        self._answers: deque[bytes] = deque()
        self._streams: deque[bytes] = deque()
        self._queued_bytes = 0
        self.dropped_frames = 0

    def push(self, frame: bytes, *, answer: bool) -> None:
        """Queue a frame, or drop it whole where memory is full."""
        if self._queued_bytes + len(frame) > MAX_QUEUED_BYTES:
            self.dropped_frames += 1
            return
        (self._answers if answer else self._streams).append(frame)
        self._queued_bytes += len(frame)

    def pop(self) -> bytes | None:
        """The next frame for the line."""
        queue = self._answers or self._streams
        if not queue:
            return None
        frame = queue.popleft()
        self._queued_bytes -= len(frame)
        return frame

    def clear(self) -> None:
        """Forget everything, as a reset does."""
        self._answers.clear()
        self._streams.clear()
        self._queued_bytes = 0
