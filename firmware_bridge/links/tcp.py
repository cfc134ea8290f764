"""Nodes behind a network socket: a serial server (ser2net), or a board that listens itself; bytes as on a line."""

import asyncio
import socket
from contextlib import suppress

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.unread import Unread
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.units import s_to_ns

MAX_UNSENT_BYTES = 64 << 10  # commands are tens of bytes: this much unsent means that the line takes nothing
CONNECT_TIMEOUT_S = 5.0
KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES = 5, 2, 3  # a server that loses power is noticed in 11 s

_AGAIN = "it is tried again by itself; check the server and the network"


class TcpPort:
    """A place in the network."""

    def __init__(self, host: str, port: int) -> None:
        """Name the place; nothing is opened yet."""
        self.name = f"tcp:{host}:{port}"
        self._host = host
        self._port = port

    async def open(self) -> ByteLink:
        """Connect; LinkError says what to do."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(real_seconds(CONNECT_TIMEOUT_S)):
                _, link = await loop.create_connection(lambda: TcpLink(self.name), self._host, self._port)
        except TimeoutError as error:
            raise LinkError(f"{self.name} does not answer", remedy=_AGAIN) from error
        except (OSError, UnicodeError) as error:
            raise LinkError(f"cannot connect to {self.name} ({error})", remedy=_AGAIN) from error
        return link


class TcpLink(asyncio.Protocol):
    """A connection; reading never waits for the consumer."""

    def __init__(self, name: str) -> None:
        """Prepare to be connected."""
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unread = Unread()

    @property
    def dropped_bytes(self) -> int:
        """How many made way because nobody read them."""
        return self._unread.dropped_bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Commands leave at once, and a server that vanished is noticed."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection makes no other
        self._transport = transport
        own = transport.get_extra_info("socket")
        with suppress(OSError, AttributeError):
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)

    def data_received(self, data: bytes) -> None:
        """Keep what came, with its time."""
        self._unread.put(data, s_to_ns(self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever reads."""
        self._fail(f"was lost ({exc})" if exc is not None else "was closed by the other side")

    async def read(self) -> Received:
        """Wait for bytes; LinkError when the connection is gone."""
        return await self._unread.read()

    def write(self, data: bytes) -> None:
        """Send now what the network takes, and the rest when it takes more."""
        transport = self._transport
        if self._unread.failure is not None or transport is None:
            raise self._unread.failure or LinkError(f"{self._name} is not connected", remedy=_AGAIN)
        if transport.get_write_buffer_size() + len(data) > MAX_UNSENT_BYTES:
            raise self._fail("accepts no bytes")
        transport.write(data)

    def close(self) -> None:
        """Hang up."""
        self._fail("is closed")

    def _fail(self, what: str) -> LinkError:
        """Stop, and tell reader and writers why; the first reason stands."""
        if self._transport is not None:
            self._transport.abort()
        return self._unread.fail(LinkError(f"{self._name} {what}", remedy=_AGAIN))
