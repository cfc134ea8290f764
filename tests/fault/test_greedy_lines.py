"""A line that floods takes turns with everybody else, and what a broker retained is no node that speaks now."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import aiomqtt
import pytest

from firmware_bridge.errors import LinkError
from firmware_bridge.link import Received
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.links.mailbox import Mailbox
from firmware_bridge.links.mqtt import MAX_PAYLOAD_BYTES, MAX_UNREAD_PAYLOADS, MqttHub, MqttLink
from firmware_bridge.links.unread import MAX_READ_BYTES, MAX_UNREAD_BYTES, Unread
from sim.virtual_time import run_virtual


async def turns_of_others(link: Unread | Mailbox, reads: int) -> int:
    """How often another task had its turn while `link` was read so often."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for _ in range(reads):
        await link.read()
    task.cancel()
    return turns


def test_a_stream_is_read_in_pieces_with_turns_between_and_nothing_is_lost() -> None:
    async def main() -> None:
        data = bytes(range(256)) * (MAX_UNREAD_BYTES // 256)
        unread = Unread()
        unread.put(data[:10], 1)
        unread.put(data[10:], 2)
        pieces = [await unread.read()]
        assert pieces == [Received(data[:10], 1)]  # the next piece would be too much, and has its own time
        while sum(len(piece.data) for piece in pieces) < len(data):
            pieces.append(await unread.read())
        assert b"".join(piece.data for piece in pieces) == data
        assert max(len(piece.data) for piece in pieces) <= MAX_READ_BYTES
        assert unread.dropped_bytes == 0
        unread.put(data, 3)
        reads = len(data) // MAX_READ_BYTES
        assert await turns_of_others(unread, reads) >= reads - 1

    run_virtual(main())


def test_what_came_before_a_line_was_lost_is_read_to_its_end() -> None:
    async def main() -> None:
        unread = Unread()
        unread.put(bytes(3 * MAX_READ_BYTES), 1)
        unread.fail(LinkError("gone", remedy="none"))
        assert [len((await unread.read()).data) for _ in range(3)] == [MAX_READ_BYTES] * 3
        with pytest.raises(LinkError, match="gone"):
            await unread.read()

    run_virtual(main())


def test_a_full_mailbox_is_read_with_turns_between() -> None:
    async def main() -> None:
        mailbox = Mailbox("mqtt:a", 100)
        for k in range(100):
            mailbox.put(Received(b"x", k))
        assert await turns_of_others(mailbox, 100) >= 99

    run_virtual(main())


def test_what_makes_way_behind_a_broker_is_counted() -> None:
    async def main() -> None:
        hub = MqttHub(BrokerSettings("nowhere", 1883), on_change=lambda _connected, _reason: None)
        link = MqttLink(hub, "a")
        for k in range(MAX_UNREAD_PAYLOADS + 3):
            link.deliver(Received(b"1234", k))
        assert link.dropped_bytes == 3 * 4
        link.deliver(Received(bytes(MAX_PAYLOAD_BYTES + 1), 0))
        assert link.dropped_bytes == 3 * 4 + MAX_PAYLOAD_BYTES + 1
        assert (await link.read()).at_ns == 3

    run_virtual(main())


def test_a_large_payload_is_read_in_parts() -> None:
    async def main() -> None:
        hub = MqttHub(BrokerSettings("nowhere", 1883), on_change=lambda _connected, _reason: None)
        link = MqttLink(hub, "a")
        data = bytes(range(256)) * (5 * MAX_READ_BYTES // 512)
        link.deliver(Received(data, 7))
        parts = [await link.read() for _ in range(3)]
        assert b"".join(part.data for part in parts) == data
        assert [len(part.data) for part in parts] == [MAX_READ_BYTES, MAX_READ_BYTES, MAX_READ_BYTES // 2]
        assert {part.at_ns for part in parts} == {7}

    run_virtual(main())


class Broker:
    """Of a client, what the hub asks while it dispatches."""

    def __init__(self, *messages: aiomqtt.Message) -> None:
        self._messages = messages

    @property
    async def messages(self) -> AsyncIterator[aiomqtt.Message]:
        for message in self._messages:
            yield message


def message(payload: bytes, *, retain: bool) -> aiomqtt.Message:
    return aiomqtt.Message("a/from-node", payload, qos=0, retain=retain, mid=1, properties=None)


def test_frames_that_a_broker_retained_are_not_what_a_node_says() -> None:
    async def main() -> None:
        hub = MqttHub(BrokerSettings("nowhere", 1883), on_change=lambda _connected, _reason: None)
        broker = cast("Any", Broker(message(b"old", retain=True), message(b"new", retain=False)))
        hub._client = broker
        link = MqttLink(hub, "a")
        hub.attach(link)
        await hub._dispatch(broker)
        assert (await link.read()).data == b"new"

    run_virtual(main())
