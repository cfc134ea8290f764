"""A node behind a socket: the same conversation as on a serial line, hung up and found again."""

import asyncio

import numpy as np
import pytest

from firmware_bridge.bridge import Bridge
from firmware_bridge.errors import LinkError
from firmware_bridge.links.tcp import TcpPort
from firmware_bridge.links.unread import MAX_UNREAD_BYTES
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.session.conversation import Settings
from firmware_bridge.session.events import SessionEvent, StateChanged
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.states import State
from firmware_bridge.units import s_to_ns
from firmware_bridge.wire.commands import Start
from tests.conftest import free_port
from tests.support.fake_node import FakeNode
from tests.support.sites import small_site

pytestmark = pytest.mark.integration
PATIENCE_S = 30.0


def now_ns() -> int:
    return s_to_ns(asyncio.get_running_loop().time())


class Board:
    """A board that listens on a socket; `hang_up` is its plug."""

    def __init__(self) -> None:
        self.node = FakeNode()
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        while data := await reader.read(4096):
            writer.write(self.node.hear(now_ns(), data))
            if any(isinstance(command, Start) for command in self.node.heard):
                writer.write(self.node.pressure(now_ns()))
        writer.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self.node.reboot()
        self.node.heard.clear()


def test_a_node_behind_a_socket_is_heard_lost_and_heard_again() -> None:
    async def main() -> None:
        board, told = Board(), list[SessionEvent]()
        server = await asyncio.start_server(board.serve, "127.0.0.1", 0)
        port = TcpPort("127.0.0.1", server.sockets[0].getsockname()[1])
        bridge = Bridge(Exchange(small_site(), [port.name], Settings()), [port], told.append, np.random.default_rng(1))
        task = asyncio.create_task(bridge.run())

        async def heard(times: int) -> None:
            async with asyncio.timeout(PATIENCE_S):
                while [e.state for e in told if isinstance(e, StateChanged)].count(State.STREAMING) < times:
                    await asyncio.sleep(0.02)
                count = sum(isinstance(e, ScalarBlock) for e in told)
                while sum(isinstance(e, ScalarBlock) for e in told) == count:
                    await asyncio.sleep(0.02)

        for times in range(1, 4):
            await heard(times)
            board.hang_up()
        task.cancel()
        await asyncio.wait([task])
        server.close()
        await server.wait_closed()
        reasons = [e.reason for e in told if isinstance(e, StateChanged) and e.state is State.LOST]
        assert len(reasons) >= 2
        assert all(reason.startswith(port.name) for reason in reasons)

    asyncio.run(main())


def test_nobody_there_is_told_with_what_to_do() -> None:
    async def main() -> None:
        with pytest.raises(LinkError, match="cannot connect to tcp:"):
            await TcpPort("127.0.0.1", free_port()).open()

    asyncio.run(main())


def test_a_consumer_that_sleeps_costs_the_oldest_bytes_and_no_memory() -> None:
    async def main() -> None:
        async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _n in range(80):
                writer.write(bytes(100_000))
                await writer.drain()
            writer.write(b"end")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(pour, "127.0.0.1", 0)
        link = await TcpPort("127.0.0.1", server.sockets[0].getsockname()[1]).open()
        async with asyncio.timeout(PATIENCE_S):
            while link._unread.failure is None:  # type: ignore[attr-defined]
                await asyncio.sleep(0.02)
        data = b""
        with pytest.raises(LinkError, match="closed by the other side"):
            while True:
                data += (await link.read()).data
        assert len(data) <= MAX_UNREAD_BYTES
        assert data.endswith(b"end")
        assert link.dropped_bytes == 80 * 100_000 + 3 - len(data)  # type: ignore[attr-defined]
        with pytest.raises(LinkError):
            link.write(b"x")
        link.close()
        server.close()
        await server.wait_closed()

    asyncio.run(main())
