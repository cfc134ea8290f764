"""One contract for every kind of cable: order, hang-up with a remedy, closing, and bounds on what nobody reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import numpy as np
import pytest

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink
from firmware_bridge.links import memory, mqtt, unread
from firmware_bridge.links.tcp import TcpLink
from firmware_bridge.links.uart import UartLink
from firmware_bridge.units import s_to_ns
from tests.support.cables import Cable, memory_cable, socket_cable, terminal_cable, topic_cable
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("no_task_left")


KINDS = ["memory", "uart", "tcp", pytest.param("mqtt", marks=pytest.mark.integration)]


def new_cable(kind: str, request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Cable]:
    if kind == "mqtt":
        return topic_cable(request.getfixturevalue("broker"))
    return {"memory": memory_cable, "uart": terminal_cable, "tcp": socket_cable}[kind]()


@pytest.fixture(params=KINDS)
async def cable(request: pytest.FixtureRequest) -> AsyncIterator[Cable]:
    async with new_cable(request.param, request) as both_ends:
        yield both_ends


async def heard(link: ByteLink, length: int) -> bytes:
    data = b""
    async with asyncio.timeout(PATIENCE_S):
        while len(data) < length:
            data += (await link.read()).data
    return data


async def arrived(link: ByteLink) -> None:
    """Wait until something lies unread."""
    assert isinstance(link, memory.MemoryLink)
    async with asyncio.timeout(PATIENCE_S):
        await link._arrived.wait()


async def loss_of(link: ByteLink) -> LinkError:
    """What reading says once all that came before has been read."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await link.read()
            except LinkError as error:
                return error


def newest_unread(link: ByteLink) -> bytes:
    if isinstance(link, mqtt.MqttLink):
        return link._mailbox._unread[-1].data if link._mailbox._unread else b""
    assert isinstance(link, UartLink | TcpLink)
    return link._unread._pieces[-1].data if link._unread._pieces else b""


async def test_bytes_come_in_order(cable: Cable) -> None:
    """All byte values in odd lumps: what a terminal would translate or swallow shows here."""
    random = np.random.default_rng(1)
    data = random.integers(0, 256, 60_000, dtype=np.uint8).tobytes()
    cuts = np.sort(random.integers(0, len(data), 40)).tolist()

    async def say() -> None:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            await cable.say(data[start:end])

    async with asyncio.TaskGroup() as group:
        group.create_task(say())
        assert await heard(cable.near, len(data)) == data


async def test_bytes_go_in_order(cable: Cable) -> None:
    random = np.random.default_rng(2)
    data = random.integers(0, 256, 40_000, dtype=np.uint8).tobytes()
    for start in range(0, len(data), 997):
        cable.near.write(data[start : start + 997])
    async with asyncio.timeout(PATIENCE_S):
        assert await cable.hear(len(data)) == data


async def test_what_is_read_carries_the_loops_time(cable: Cable) -> None:
    before_ns = s_to_ns(asyncio.get_running_loop().time())
    await cable.say(b"now")
    received = await cable.near.read()
    assert before_ns <= received.at_ns <= s_to_ns(asyncio.get_running_loop().time())


async def test_a_hang_up_is_a_link_error_with_a_remedy(cable: Cable) -> None:
    await cable.cut()
    error = await loss_of(cable.near)
    assert error.what
    assert error.remedy
    assert await loss_of(cable.near) is not None  # and it stays so


async def test_a_hang_up_is_seen_by_a_reader_that_waits(cable: Cable) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(loss_of(cable.near))
        await asyncio.sleep(0)
        await cable.cut()
    assert waiting.result().remedy


async def test_writing_after_a_loss_is_a_link_error(cable: Cable) -> None:
    await cable.cut()
    await loss_of(cable.near)
    with pytest.raises(LinkError):
        cable.near.write(b"anybody?")


async def test_closing_twice_is_closing_once(cable: Cable) -> None:
    cable.near.close()
    cable.near.close()


async def test_a_closed_link_neither_reads_nor_writes(cable: Cable) -> None:
    cable.near.close()
    with pytest.raises(LinkError):
        cable.near.write(b"x")
    assert (await loss_of(cable.near)).remedy


async def test_closing_ends_a_reader_that_waits(cable: Cable) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(loss_of(cable.near))
        await asyncio.sleep(0)
        cable.near.close()
    assert waiting.result().remedy


async def test_a_lost_link_can_be_closed(cable: Cable) -> None:
    await cable.cut()
    await loss_of(cable.near)
    cable.near.close()


async def test_last_words_are_read_before_the_loss() -> None:
    """Where the medium keeps them: a terminal that hangs up may throw them away."""
    async with memory_cable() as cable:
        await cable.say(b"last words")
        await arrived(cable.near)
        await cable.cut()
        assert (await cable.near.read()).data == b"last words"
        assert (await loss_of(cable.near)).remedy


@pytest.mark.parametrize("kind", KINDS)
async def test_what_nobody_reads_is_bounded(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood ten times the bound: the sender is refused, or the oldest makes way; the link goes on."""
    bound = 40_960
    monkeypatch.setattr(memory, "MAX_QUEUED_BYTES", bound)
    monkeypatch.setattr(unread, "MAX_UNREAD_BYTES", bound)
    monkeypatch.setattr(mqtt, "MAX_UNREAD_PAYLOADS", bound // 4096)
    async with new_cable(kind, request) as cable:
        await flood(cable, bound)


async def flood(cable: Cable, bound: int) -> None:
    refused = False
    for _ in range(100):
        try:
            await cable.say(b"x" * 4096)
        except LinkError:
            refused = True
        await asyncio.sleep(0)
    if refused:
        assert len((await cable.near.read()).data) == bound
    else:
        await cable.say(b"!")
        read, newest = 0, b""
        await until(lambda: newest_unread(cable.near).endswith(b"!"))
        async with asyncio.timeout(PATIENCE_S):
            while b"!" not in newest:
                newest = (await cable.near.read()).data
                read += len(newest)
        assert bound / 2 < read <= bound
    await cable.say(b"still here")
    assert (await heard(cable.near, 10)).endswith(b"still here")
