"""leakctl nodes and leakctl node, through a broker to a controller that runs, and on links while none does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from controller.app import App
from controller.cli.node_access import Access, Login, new_request_id, over_broker
from controller.cli.nodes import table_of
from controller.config import Configuration, fitted
from controller.declared import ControllerTable
from controller.errors import ControllerError
from controller.logbook import Observers
from controller.outputs.node_board import NodeRow
from controller.outputs.node_requests import NO_LEVELS, Do, NodeReply, NodeRequest
from firmware_bridge.declared import parse_declared
from firmware_bridge.wire.commands import Identify, Levels
from tests.conftest import Broker, free_port
from tests.support.bench import Bench
from tests.support.sites import small_site

pytestmark = pytest.mark.integration
PATIENCE_S = 30.0


def configuration(port: int, users: tuple[str, ...] = ()) -> Configuration:
    mqtt = {"host": "127.0.0.1", "port": port, "command_users": users}
    raw: dict[str, Any] = {"format": 1, "site": "-", "mqtt": mqtt}
    return fitted(parse_declared(raw, "test", ControllerTable), small_site(), "test")


@asynccontextmanager
async def running(broker: Broker, users: tuple[str, ...] = ()) -> AsyncIterator[tuple[Bench, Access]]:
    """A controller with node A plugged in and nobody at B, and a way to it."""
    rig = Bench()
    rig.plug("A")
    own = configuration(broker.port, users)
    nobody = Observers(lambda _entry: None, lambda _picture, _elapsed_s: None)
    app = App(own, tuple(rig.ports.values()), None, None, nobody)
    task = asyncio.create_task(app.run())
    async with over_broker(own) as access:
        yield rig, access
    task.cancel()
    await asyncio.wait([task])
    await rig.unplug("A")


async def row_of_a(access: Access, state: str) -> NodeRow:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            row = (await access.nodes()).nodes[0]
            if row.state == state and row.frames > 0 and row.clock_sigma_us is not None:
                return row


async def asked(access: Access, node: str, do: Do, seconds: float = 1.0) -> list[NodeReply]:
    async with asyncio.timeout(PATIENCE_S):
        return [reply async for reply in access.ask(NodeRequest(new_request_id(), node, do, seconds, "Alex"))]


def test_how_nodes_stand(broker: Broker) -> None:
    async def main() -> None:
        async with running(broker) as (_, access):
            row = await row_of_a(access, "streaming")
            assert (row.node, row.uid, row.firmware, row.bad_frames, row.reconnects) == ("A", "a1", "fake 1", 0, 0)
            assert row.latency_ms is not None
            assert row.latency_ms > 0.0
            message = await access.nodes()
            assert message.nodes[1].state in {"lost", "opening"}
            assert "nothing is plugged in at B" in message.nodes[1].reason
            assert table_of(message).row_count == 2

    asyncio.run(main())


def test_what_people_ask_of_a_node_is_done_and_answered(broker: Broker) -> None:
    async def main() -> None:
        async with running(broker) as (rig, access):
            await row_of_a(access, "streaming")
            (pong,) = await asked(access, "A1", "ping")
            assert pong.done
            assert pong.text.startswith("answered in ")
            (seen,) = await asked(access, "A", "identify", 3.0)
            assert seen.done
            assert Identify(3) in rig.nodes["A"].heard
            levels = await asked(access, "a1", "levels", 0.5)
            assert (levels[-1].done, levels[-1].text) == (False, NO_LEVELS)  # this node sends none
            assert [c for c in rig.nodes["A"].heard if isinstance(c, Levels)] == [Levels(1000), Levels(0)]
            (again,) = await asked(access, "A", "reset")
            assert again.done
            assert (await row_of_a(access, "streaming")).reconnects == 0
            (nobody,) = await asked(access, "beef", "ping")
            assert not nobody.done
            assert "known are A" in nobody.text

    asyncio.run(main())


def test_where_only_users_may_command_one_asks_by_ones_own_name(broker: Broker) -> None:
    async def main() -> None:
        async with running(broker, users=("tablet",)) as (_, access):
            await row_of_a(access, "streaming")
            with pytest.raises(ControllerError, match=r"nobody may not command here.*tablet"):
                await asked(access, "A", "ping")
            own = configuration(broker.port, users=("tablet",))
            async with over_broker(own, Login("tablet", "any")) as tablet:
                (pong,) = await asked(tablet, "A", "ping")
                assert pong.done
                with pytest.raises(ControllerError, match=r"no controller takes this request \(seconds"):
                    await asked(tablet, "A", "identify", 601.0)
                twice = NodeRequest(new_request_id(), "A", "ping", 1.0, "Alex")
                assert [reply.done async for reply in tablet.ask(twice)] == [True]
                with pytest.raises(ControllerError, match="refused: a command with this id was taken already"):
                    [_ async for _ in tablet.ask(twice)]

    asyncio.run(main())


def test_a_node_that_answers_no_ping_is_told_so(broker: Broker) -> None:
    async def main() -> None:
        async with running(broker) as (rig, access):
            await row_of_a(access, "streaming")
            rig.nodes["A"].mute = True
            (reply,) = await asked(access, "A", "ping")
            assert (reply.done, reply.text) == (False, "no answer")

    asyncio.run(main())


def test_without_a_controller_or_a_broker_it_says_what_to_do(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.cli.node_access.ANSWER_S", 1.0)

    async def nobody() -> None:
        async with over_broker(configuration(broker.port)) as access:
            await access.nodes()

    async def nothing() -> None:
        async with over_broker(configuration(free_port())) as access:
            await access.nodes()

    with pytest.raises(ControllerError, match="no controller says anything"):
        asyncio.run(nobody())
    with pytest.raises(ControllerError, match="no broker at"):
        asyncio.run(nothing())
