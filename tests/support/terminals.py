"""A pseudo-terminal that nodes are plugged into and pulled from, with the same handles as a memory port."""

import asyncio
import os
import tty
from contextlib import suppress
from pathlib import Path

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.uart import UartPort
from firmware_bridge.units import s_to_ns


class TerminalEnd:
    """The far end: plays the board."""

    def __init__(self, place: Path) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        place.unlink(missing_ok=True)
        place.symlink_to(os.ttyname(slave))
        self._slave: int | None = slave  # held until the host has opened it: a terminal that nobody holds hangs up
        self._place = place
        self._closed = False

    async def read(self) -> Received:
        while not self._closed:
            with suppress(BlockingIOError, OSError):
                data = os.read(self._master, 65_536)
                return Received(data, s_to_ns(asyncio.get_running_loop().time()))
            await asyncio.sleep(0.002)
        raise LinkError("pulled", remedy="plug it in")

    def write(self, data: bytes) -> None:
        if self._closed:
            raise LinkError("pulled", remedy="plug it in")
        with suppress(BlockingIOError, OSError):
            os.write(self._master, data)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._place.unlink(missing_ok=True)
        os.close(self._master)
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None


class TerminalPort:
    """A place at which a terminal appears and vanishes."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.tries = 0
        self._place = folder / name

    def plug(self) -> TerminalEnd:
        return TerminalEnd(self._place)

    async def open(self) -> ByteLink:
        self.tries += 1
        return await UartPort(str(self._place), 115_200).open()
