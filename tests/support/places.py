"""Places at which a node is plugged in, one kind a transport: the host's port, and the end that plays the board."""

import asyncio
import errno
import socket
from collections import deque
from contextlib import suppress
from typing import Protocol

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.links.mqtt import MqttHub, MqttPort
from firmware_bridge.links.tcp import TcpPort
from firmware_bridge.units import s_to_ns
from sim.attach.broker_topics import TopicLine
from tests.conftest import Broker, free_port

READ_BYTES = 65_536
MOST_UNSENT = 4096  # payloads: a board whose line takes one byte at a time has so many waiting


class FarEnd(Protocol):
    """The board's end of a line: writing never waits, and what the line does not take is lost."""

    async def read(self) -> Received:
        """Wait for what the host says; LinkError once it is pulled."""
        ...

    def write(self, data: bytes) -> None:
        """Say something."""
        ...

    def close(self) -> None:
        """Pull it."""
        ...


class Place(Protocol):
    """A port of the host's, and what plugs a board in there."""

    tries: int

    @property
    def name(self) -> str:
        """As of a port."""
        ...

    def plug(self) -> FarEnd:
        """A board appears."""
        ...

    async def open(self) -> ByteLink:
        """As of a port."""
        ...


class Inbox:
    """What came in for a far end, until it is read."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._arrived = asyncio.Event()
        self._closed = False

    def put(self, data: bytes) -> None:
        self._data += data
        self._arrived.set()

    def close(self) -> None:
        self._closed = True
        self._arrived.set()

    async def read(self) -> Received:
        await self._arrived.wait()
        if self._closed:
            raise LinkError("pulled", remedy="plug it in")
        self._arrived.clear()
        data = bytes(self._data)
        self._data.clear()
        return Received(data, s_to_ns(asyncio.get_running_loop().time()))


class MemoryEnd:
    """A board that stays plugged in however often the host closes its end."""

    def __init__(self, port: MemoryPort) -> None:
        self._port = port
        self._link = port.plug()
        self._closed = False

    async def read(self) -> Received:
        while True:
            try:
                return await self._link.read()
            except LinkError:
                if self._closed:
                    raise
                self._link = self._port.plug()

    def write(self, data: bytes) -> None:
        with suppress(LinkError):
            self._link.write(data)

    def close(self) -> None:
        self._closed = True
        self._link.close()
        self._port._plugged = None


class MemoryPlace:
    """A memory cable."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tries = 0
        self._port = MemoryPort(name)

    def plug(self) -> MemoryEnd:
        return MemoryEnd(self._port)

    async def open(self) -> ByteLink:
        self.tries += 1
        return await self._port.open()


class SocketEnd:
    """A board that listens on a loopback port, one host at a time; without a task of its own, as a small board does."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._host: socket.socket | None = None
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)

    async def read(self) -> Received:
        return await self._inbox.read()

    def write(self, data: bytes) -> None:
        if self._host is not None:
            with suppress(OSError):
                self._host.send(data)

    def close(self) -> None:
        self._loop.remove_reader(self._listener)
        self._listener.close()
        self._hang_up()
        self._inbox.close()

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            host, _ = self._listener.accept()
            self._hang_up()
            host.setblocking(False)
            host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._host = host
            self._loop.add_reader(host, self._readable)

    def _readable(self) -> None:
        assert self._host is not None
        try:
            data = self._host.recv(READ_BYTES)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EWOULDBLOCK}:
                return
            data = b""
        if data:
            self._inbox.put(data)
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            self._loop.remove_reader(host)
            host.close()


class SocketPlace:
    """A loopback port."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._number = free_port()
        self._port = TcpPort("127.0.0.1", self._number)
        self.tries = 0

    def plug(self) -> SocketEnd:
        return SocketEnd(self._number)

    async def open(self) -> ByteLink:
        self.tries += 1
        return await self._port.open()


class TopicEnd:
    """A board behind the broker."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        self._inbox = Inbox()
        self._line = TopicLine(broker.host, broker.port, prefix)
        self._unsent: deque[bytes] = deque()
        self._line.plug(self._inbox.put, self._ready)

    async def read(self) -> Received:
        return await self._inbox.read()

    def write(self, data: bytes) -> None:
        if len(self._unsent) < MOST_UNSENT:
            self._unsent.append(data)
        self._ready()

    def _ready(self) -> None:
        while self._unsent and self._line.ready:
            self._line.write(self._unsent.popleft())

    def close(self) -> None:
        self._line.unplug()
        self._inbox.close()


class TopicPlace:
    """Two topics of a broker."""

    def __init__(self, name: str, hub: MqttHub, broker: Broker) -> None:
        self.name = name
        self._broker, self._prefix = broker, f"leakloc/test-site/node/{name}"
        self._port = MqttPort(hub, self._prefix)
        self.tries = 0

    def plug(self) -> TopicEnd:
        return TopicEnd(self._broker, self._prefix)

    async def open(self) -> ByteLink:
        self.tries += 1
        return await self._port.open()
