"""What a hub has heard for one link until the link is read: bounded, the oldest makes way. Who hears is the hub's."""

import asyncio
from collections import deque

from firmware_bridge.errors import LinkError
from firmware_bridge.link import Received


class Mailbox:
    """Messages of one link; reading ends with the reason why no more will come."""

    def __init__(self, name: str, most: int) -> None:
        """Hold `most` messages for the link `name`."""
        self._name = name
        self._unread: deque[Received] = deque(maxlen=most)
        self._arrived = asyncio.Event()
        self.failure: LinkError | None = None
        self.dropped_bytes = 0

    def put(self, received: Received) -> None:
        """Take one message; where nobody reads, the oldest makes way and is counted."""
        if len(self._unread) == self._unread.maxlen:
            self.dropped_bytes += len(self._unread[0].data)
        self._unread.append(received)
        self._arrived.set()

    def fail(self, what: str) -> None:
        """The hub lost its connection."""
        self.failure = LinkError(what, remedy="start the broker; it is tried again by itself")
        self._arrived.set()

    async def read(self) -> Received:
        """Wait for a message; LinkError when none is left and the hub is gone, or the link closed."""
        if self._unread:
            await asyncio.sleep(0)  # waiting for what is there already would let nobody else have a turn
        await self._arrived.wait()
        if self._unread:
            received = self._unread.popleft()
            if not self._unread and self.failure is None:
                self._arrived.clear()
            return received
        raise self.failure or self._closed()

    def close(self) -> None:
        """No more is wanted."""
        self.failure = self.failure or self._closed()
        self._arrived.set()

    def _closed(self) -> LinkError:
        return LinkError(f"{self._name} is closed", remedy="open it again")
