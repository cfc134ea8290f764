"""What a line has delivered until its link is read: bounded, the oldest bytes make way. Who delivers is next door."""

import asyncio
from collections import deque

from firmware_bridge.errors import LinkError
from firmware_bridge.link import Received

MAX_READ_BYTES = 1 << 15  # in one go: a line that floods takes turns with all others, 10 ms of a desk computer each
MAX_UNREAD_BYTES = 4 << 20  # 30 bursts: a consumer that far behind is broken; the oldest bytes go first


class Unread:
    """The unread bytes of one stream; reading ends with the reason why no more will come."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._pieces: deque[Received] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self.failure: LinkError | None = None
        self.dropped_bytes = 0

    def put(self, data: bytes, at_ns: int) -> None:
        """Take bytes that were seen at `at_ns`."""
        for start in range(0, len(data), MAX_READ_BYTES):
            self._pieces.append(Received(data[start : start + MAX_READ_BYTES], at_ns))
        self._bytes += len(data)
        while self._bytes > MAX_UNREAD_BYTES:
            dropped = len(self._pieces.popleft().data)
            self._bytes -= dropped
            self.dropped_bytes += dropped
        self._arrived.set()

    def fail(self, failure: LinkError) -> LinkError:
        """No more will come; the first reason stands, and is returned."""
        self.failure = self.failure or failure
        self._arrived.set()
        return self.failure

    async def read(self) -> Received:
        """Wait for bytes, and take a bounded piece; LinkError when none are left and no more will come."""
        if self._pieces:
            await asyncio.sleep(0)  # waiting for what is there already would let nobody else have a turn
        await self._arrived.wait()
        if not self._pieces and self.failure is not None:
            raise self.failure
        taken: list[bytes] = []
        size, at_ns = 0, 0
        while self._pieces and (not taken or size + len(self._pieces[0].data) <= MAX_READ_BYTES):
            piece = self._pieces.popleft()
            taken.append(piece.data)
            size, at_ns = size + len(piece.data), piece.at_ns
        self._bytes -= size
        if not self._pieces and self.failure is None:
            self._arrived.clear()
        return Received(b"".join(taken), at_ns)
