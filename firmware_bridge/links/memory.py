"""A link between two parts of one process, for tests and simulations in virtual time."""

import asyncio

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.units import s_to_ns

MAX_QUEUED_BYTES = 1 << 20


class MemoryLink:
    """One end of a memory cable."""

    def __init__(self) -> None:
        """Make an end without a peer; use `memory_cable`."""
        self._peer: MemoryLink | None = None
        self._queued = bytearray()
        self._arrived = asyncio.Event()
        self._closed = False

    async def read(self) -> Received:
        """Wait for bytes; LinkError once either end is closed."""
        await self._arrived.wait()
        if self._closed and not self._queued:
            raise LinkError("the memory cable is cut", remedy="open it again")
        if not self._closed:
            self._arrived.clear()
        data = bytes(self._queued)
        self._queued.clear()
        return Received(data, s_to_ns(asyncio.get_running_loop().time()))

    def write(self, data: bytes) -> None:
        """Hand `data` to the other end; LinkError when it is closed or far behind."""
        peer = self._peer
        if self._closed or peer is None or peer._closed:
            raise LinkError("the memory cable is cut", remedy="open it again")
        if len(peer._queued) + len(data) > MAX_QUEUED_BYTES:
            raise LinkError("the other end of the memory cable reads nothing", remedy="start its reader")
        peer._queued += data
        peer._arrived.set()

    def close(self) -> None:
        """Cut the cable for both ends."""
        for end in (self, self._peer):
            if end is not None and not end._closed:
                end._closed = True
                end._arrived.set()


def memory_cable() -> tuple[MemoryLink, MemoryLink]:
    """Two connected ends."""
    near, far = MemoryLink(), MemoryLink()
    near._peer, far._peer = far, near
    return near, far


class MemoryPort:
    """A place whose cable is plugged in by `plug` and pulled by cutting it."""

    def __init__(self, name: str) -> None:
        """Start with nothing plugged in."""
        self.name = name
        self._plugged: MemoryLink | None = None

    def plug(self) -> MemoryLink:
        """Plug in a new cable; returns the far end."""
        self._plugged, far = memory_cable()
        return far

    async def open(self) -> ByteLink:
        """The near end of what is plugged in; LinkError where nothing is."""
        if self._plugged is None:
            raise LinkError(f"nothing is plugged in at {self.name}", remedy="plug in a node")
        link, self._plugged = self._plugged, None
        return link
