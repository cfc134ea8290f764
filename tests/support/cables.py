"""Every kind of cable with both its ends in hand: the near one is the link under test, the far one plays the node."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import aiomqtt

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.links.mqtt import MqttHub, MqttPort
from firmware_bridge.links.tcp import TcpPort
from firmware_bridge.links.uart import UartPort
from tests.conftest import Broker

PREFIX = "leakloc/test-site/node/A"


class Cable(Protocol):
    """A link and its far end."""

    near: ByteLink

    async def say(self, data: bytes) -> None:
        """The far end sends `data`, all of it."""
        ...

    async def hear(self, length: int) -> bytes:
        """The far end waits for `length` bytes."""
        ...

    async def cut(self) -> None:
        """Pull it."""
        ...


class MemoryCable:
    """Two ends in one process."""

    def __init__(self, port: MemoryPort, near: ByteLink, far: ByteLink) -> None:
        self.near = near
        self.port = port
        self._far = far

    async def say(self, data: bytes) -> None:
        self._far.write(data)

    async def hear(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            data += (await self._far.read()).data
        return data

    async def cut(self) -> None:
        self._far.close()


class TerminalCable:
    """A pseudo-terminal: the kernel's line discipline between the ends, as with a USB serial adaptor."""

    def __init__(self, near: ByteLink, master: int) -> None:
        self.near = near
        self._master: int | None = master
        os.set_blocking(master, False)

    async def say(self, data: bytes) -> None:
        assert self._master is not None
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                await asyncio.sleep(0.001)

    async def hear(self, length: int) -> bytes:
        assert self._master is not None
        data = b""
        while len(data) < length:
            try:
                data += os.read(self._master, 65_536)
            except BlockingIOError:
                await asyncio.sleep(0.001)
        return data

    async def cut(self) -> None:
        if self._master is not None:
            os.close(self._master)
        self._master = None


class SocketCable:
    """A loopback connection."""

    def __init__(self, near: ByteLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.near = near
        self._reader, self._writer = reader, writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hear(self, length: int) -> bytes:
        return await self._reader.readexactly(length)

    async def cut(self) -> None:
        self._writer.transport.abort()


class TopicCable:
    """Two topics of a broker; it is cut by ending the broker."""

    def __init__(self, near: ByteLink, node: aiomqtt.Client, broker: Broker) -> None:
        self.near = near
        self._node = node
        self._broker = broker

    async def say(self, data: bytes) -> None:
        for start in range(0, len(data), 4096):
            await self._node.publish(f"{PREFIX}/from-node", data[start : start + 4096])

    async def hear(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            message = await anext(self._node.messages)
            assert isinstance(message.payload, bytes)
            data += message.payload
        return data

    async def cut(self) -> None:
        self._broker.stop()


@asynccontextmanager
async def memory_cable() -> AsyncIterator[Cable]:
    port = MemoryPort("memory")
    far = port.plug()
    near = await port.open()
    yield MemoryCable(port, near, far)
    near.close()


@asynccontextmanager
async def terminal_cable() -> AsyncIterator[Cable]:
    master, slave = os.openpty()
    near = await UartPort(os.ttyname(slave), 115_200).open()
    os.close(slave)  # only the link holds it now: as with a real port, its end is seen at once
    cable = TerminalCable(near, master)
    yield cable
    near.close()
    await cable.cut()


@asynccontextmanager
async def socket_cable() -> AsyncIterator[Cable]:
    come: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(lambda *streams: come.put_nowait(streams), "127.0.0.1", 0)
    near = await TcpPort(*server.sockets[0].getsockname()).open()
    cable = SocketCable(near, *await come.get())
    yield cable
    near.close()
    await cable.cut()
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def running_hub(broker: Broker) -> AsyncIterator[tuple[MqttHub, MqttPort]]:
    """A hub that runs, and the port of one node on it."""
    hub = MqttHub(BrokerSettings(broker.host, broker.port), on_change=lambda connected, reason: None)
    port = MqttPort(hub, PREFIX)
    running = asyncio.create_task(hub.run())
    yield hub, port
    assert not running.done(), running
    running.cancel()
    await asyncio.wait([running])


async def opened(port: MqttPort) -> ByteLink:
    """The port's link, as soon as the hub is connected."""
    while True:
        try:
            return await port.open()
        except LinkError:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def topic_cable(broker: Broker) -> AsyncIterator[Cable]:
    async with running_hub(broker) as (_, port):
        near = await opened(port)
        node = aiomqtt.Client(broker.host, broker.port)
        await node.__aenter__()
        await node.subscribe(f"{PREFIX}/to-node")
        await _subscribed(near, node)
        yield TopicCable(near, node, broker)
        near.close()
        with suppress(aiomqtt.MqttError):  # where the test cut it
            await node.__aexit__(None, None, None)
        if node._disconnected.done():
            node._disconnected.exception()  # looked at, so that nobody complains that nobody did


async def _subscribed(near: ByteLink, node: aiomqtt.Client) -> None:
    """Wait until what the node says arrives: the hub subscribes a moment after it says that it is connected."""
    heard = asyncio.create_task(near.read())
    while not heard.done():
        await node.publish(f"{PREFIX}/from-node", b"?")
        await asyncio.wait([heard], timeout=0.05)
    await node.publish(f"{PREFIX}/from-node", b"!")  # on a busy machine more than one question is on its way
    while b"!" not in (await near.read()).data:
        pass
