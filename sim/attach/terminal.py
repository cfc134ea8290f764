"""A virtual node as a serial port: a pseudo-terminal with a name of its own in the file system."""

import asyncio
import os
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from firmware_bridge.errors import LinkError
from sim.attach.line import OnData

READ_BYTES = 4096


class TerminalLine:
    """A pseudo-terminal whose other end is found at `path` (a symbolic link) while it is plugged in."""

    def __init__(self, path: Path) -> None:
        """Name the port; nothing exists yet."""
        self._path = path
        self._master = -1
        self._slave = -1
        self._partial = b""
        self._on_data: OnData | None = None
        self._on_ready: Callable[[], None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the last frame has left entirely."""
        return self._master >= 0 and not self._partial

    def plug(self, on_data: OnData, on_ready: Callable[[], None]) -> None:
        """Make the terminal and its name."""
        self._on_data, self._on_ready = on_data, on_ready
        self._master, self._slave = os.openpty()
        # The slave stays open here too, so that the line survives a host that closes and opens it again.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and not self._path.is_symlink():
            raise LinkError(f"{self._path} is in the way", remedy="name another folder for the ports")
        self._path.unlink(missing_ok=True)
        self._path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def write(self, frame: bytes) -> None:
        """Send `frame`; what the terminal does not take at once follows when it can."""
        self._partial = frame
        self._writable()

    def unplug(self) -> None:
        """Hang up: the host's end reads end of file."""
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._partial = b""
        if self._path.is_symlink():
            self._path.unlink(missing_ok=True)

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            data = os.read(self._master, READ_BYTES)
            if data and self._on_data is not None:
                self._on_data(data)

    def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(BlockingIOError):
            sent = os.write(self._master, self._partial)
            self._partial = self._partial[sent:]
        if self._partial:
            loop.add_writer(self._master, self._resume)

    def _resume(self) -> None:
        asyncio.get_running_loop().remove_writer(self._master)
        self._writable()
        if not self._partial and self._on_ready is not None:
            self._on_ready()
