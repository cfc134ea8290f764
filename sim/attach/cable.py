"""A virtual node on a memory cable, for runs inside one process."""

import asyncio
from collections.abc import Callable

from firmware_bridge.errors import LinkError
from firmware_bridge.links.memory import MemoryLink, MemoryPort
from sim.attach.line import OnData


class CableLine:
    """Plugs into a `MemoryPort`."""

    def __init__(self, port: MemoryPort) -> None:
        """Name the port."""
        self._port = port
        self._link: MemoryLink | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether something is plugged in."""
        return self._link is not None

    def plug(self, on_data: OnData, on_ready: Callable[[], None]) -> None:
        """Plug in a fresh cable, and another one whenever the host cuts it."""
        self._task = asyncio.get_running_loop().create_task(self._listen(on_data, on_ready))

    def write(self, frame: bytes) -> None:
        """Send a frame; into a cut cable it is lost, as on a real line."""
        try:
            if self._link is not None:
                self._link.write(frame)
        except LinkError:
            self._link = None

    def unplug(self) -> None:
        """Cut the cable."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._link is not None:
            self._link.close()
            self._link = None

    async def _listen(self, on_data: OnData, on_ready: Callable[[], None]) -> None:
        while True:
            self._link = link = self._port.plug()
            on_ready()
            try:
                while True:
                    on_data((await link.read()).data)
            except LinkError:
                continue
