"""What a line has delivered until its link is read: bounded, the oldest bytes make way. Who delivers is next door."""

import asyncio
from collections import deque

from firmware_bridge.errors import LinkError
from firmware_bridge.link import Received

MAX_UNREAD_BYTES = 4 << 20  # 30 bursts: a consumer that far behind is broken; the oldest bytes go first


class Unread:
    """The unread bytes of one stream; reading ends with the reason why no more will come."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._last_ns = 0
        self._arrived = asyncio.Event()
        self.failure: LinkError | None = None
        self.dropped_bytes = 0

    def put(self, data: bytes, at_ns: int) -> None:
        """Take bytes that were seen at `at_ns`."""
        self._last_ns = at_ns
        self._pieces.append(data)
        self._bytes += len(data)
        while self._bytes > MAX_UNREAD_BYTES:
            dropped = self._pieces.popleft()
            self._bytes -= len(dropped)
            self.dropped_bytes += len(dropped)
        self._arrived.set()

    def fail(self, failure: LinkError) -> LinkError:
        """No more will come; the first reason stands, and is returned."""
        self.failure = self.failure or failure
        self._arrived.set()
        return self.failure

    async def read(self) -> Received:
        """Wait for bytes, and take all there are; LinkError when none are left and no more will come."""
        await self._arrived.wait()
        if not self._pieces and self.failure is not None:
            raise self.failure
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._bytes = 0
        if self.failure is None:
            self._arrived.clear()
        return Received(data, self._last_ns)
