"""Ports: opening what is not there, what is taken, what is no port; and what only one kind of link can suffer."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from firmware_bridge.errors import LinkError
from firmware_bridge.link import LinkPort
from firmware_bridge.links import mqtt, uart, unread
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.links.memory import MAX_QUEUED_BYTES, MemoryPort
from firmware_bridge.links.mqtt import MAX_PAYLOAD_BYTES, MqttHub, MqttLink, MqttPort
from firmware_bridge.links.uart import MAX_UNSENT_BYTES, UartPort
from tests.conftest import Broker, free_port
from tests.support.cables import PREFIX, TopicCable, memory_cable, opened, running_hub, terminal_cable, topic_cable
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.usefixtures("no_task_left")


@pytest.fixture
async def quick_hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A hub that tries again at once."""
    monkeypatch.setattr(mqtt, "FIRST_BACKOFF_S", 0.05)
    monkeypatch.setattr(mqtt, "LONGEST_BACKOFF_S", 0.05)
    yield


async def refusal(port: LinkPort) -> LinkError:
    with pytest.raises(LinkError) as caught:
        await port.open()
    return caught.value


async def test_a_memory_port_with_nothing_plugged_in_says_so() -> None:
    error = await refusal(MemoryPort("bench-1"))
    assert "bench-1" in error.what
    assert "plug" in error.remedy


async def test_a_plug_is_used_once() -> None:
    port = MemoryPort("bench-1")
    port.plug()
    await port.open()
    assert "nothing is plugged in" in (await refusal(port)).what


async def test_a_memory_reader_that_never_reads_is_told_of() -> None:
    async with memory_cable() as cable:
        cable.near.write(bytes(MAX_QUEUED_BYTES))
        with pytest.raises(LinkError, match="reads nothing"):
            cable.near.write(b"x")


@pytest.mark.parametrize("name", ["ttyACM0", "usb-Padlock_clock-if00"])
async def test_a_serial_port_that_is_not_there_says_what_to_do(tmp_path: Path, name: str) -> None:
    error = await refusal(UartPort(str(tmp_path / name), 115_200))
    assert name in error.what
    assert "plug the node in or mend the path" in error.remedy


async def test_a_serial_port_that_another_holds_says_so() -> None:
    master, slave = os.openpty()
    first = await UartPort(os.ttyname(slave), 115_200).open()
    error = await refusal(UartPort(os.ttyname(slave), 115_200))
    assert "another program holds the port" in error.remedy
    first.close()
    (await UartPort(os.ttyname(slave), 115_200).open()).close()
    os.close(slave)
    os.close(master)


async def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a terminal", encoding="utf-8")
    assert str(path) in (await refusal(UartPort(str(path), 115_200))).what


async def test_a_baud_rate_that_no_port_has_is_a_link_error() -> None:
    master, slave = os.openpty()
    assert "serial port" in (await refusal(UartPort(os.ttyname(slave), -5))).what
    os.close(slave)
    os.close(master)


async def test_a_serial_line_that_takes_nothing_is_lost() -> None:
    async with terminal_cable() as cable:
        with pytest.raises(LinkError, match="accepts no bytes"):
            for _ in range(MAX_UNSENT_BYTES // 1024 + 100):  # nobody reads the far end
                cable.near.write(bytes(1024))


async def test_the_write_that_overfills_a_serial_line_says_so_itself() -> None:
    async with terminal_cable() as cable:
        with pytest.raises(LinkError, match="accepts no bytes"):
            cable.near.write(bytes(MAX_UNSENT_BYTES + 1))
        with pytest.raises(LinkError, match="accepts no bytes"):
            await cable.near.read()


async def test_what_a_serial_port_dropped_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "MAX_UNREAD_BYTES", 4096)
    async with terminal_cable() as cable:
        link = cable.near
        assert isinstance(link, uart.UartLink)
        await cable.say(bytes(20_000))
        await until(lambda: link.dropped_bytes + link._unread._bytes == 20_000)
        assert link.dropped_bytes == 20_000 - len((await link.read()).data)


@pytest.mark.usefixtures("quick_hub")
async def test_without_a_broker_the_port_names_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_TIMEOUT_S", 0.1)  # how long opening waits for the hub
    tries = 0
    changes: list[tuple[bool, str]] = []
    hub = MqttHub(BrokerSettings("127.0.0.1", free_port()), on_change=lambda *change: changes.append(change))
    port = MqttPort(hub, PREFIX)
    connect = hub._new_client

    def counted() -> aiomqtt.Client:
        nonlocal tries
        tries += 1
        return connect()

    monkeypatch.setattr(hub, "_new_client", counted)
    running = asyncio.create_task(hub.run())
    await until(lambda: tries >= 4)
    error = await refusal(port)
    assert hub.address in error.what
    assert "[mqtt] host and port" in error.remedy
    assert "refused" in error.remedy
    assert changes == [(False, hub.reason)]  # told once, tried more often
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.integration
@pytest.mark.usefixtures("quick_hub")
async def test_a_broker_that_comes_back_is_used_again(broker: Broker) -> None:
    """The loss reaches every link and the owner, and the hub outlives it."""
    changes: list[bool] = []
    async with running_hub(broker) as (hub, port), asyncio.timeout(PATIENCE_S):
        hub._on_change = lambda connected, reason: changes.append(connected)
        link = await opened(port)
        broker.stop()
        with pytest.raises(LinkError) as caught:
            while True:
                await link.read()
        assert hub.address in caught.value.what
        with pytest.raises(LinkError):
            link.write(b"x")
        link.close()
        assert broker.start()
        again = await opened(port)
        again.write(b"x")
        again.close()
        await until(lambda: changes[-1])
    assert changes in ([True, False, True], [True, False, False, True])  # lost, perhaps refused, and back


@pytest.mark.integration
async def test_closing_an_old_link_leaves_the_new_one_its_topic(broker: Broker) -> None:
    async with running_hub(broker) as (hub, port):
        old, new = await opened(port), await opened(port)
        assert isinstance(old, MqttLink)
        assert isinstance(new, MqttLink)
        old.close()
        assert list(hub._links.values()) == [new]
        new.close()
        assert hub._links == {}


@pytest.mark.integration
async def test_an_oversized_payload_is_refused_and_counted(broker: Broker) -> None:
    async with topic_cable(broker) as cable, asyncio.timeout(PATIENCE_S):
        assert isinstance(cable, TopicCable)
        assert isinstance(cable.near, MqttLink)
        await cable._node.publish(f"{PREFIX}/from-node", bytes(MAX_PAYLOAD_BYTES + 1))
        await cable._node.publish(f"{PREFIX}/from-node", b"small")
        data = b""
        while not data.endswith(b"small"):
            data += (await cable.near.read()).data
        assert len(data) < MAX_PAYLOAD_BYTES
        assert cable.near.refused_payloads == 1


@pytest.mark.integration
async def test_topics_are_those_of_the_document_and_a_node_hears_only_its_own(broker: Broker) -> None:
    hub = MqttHub(BrokerSettings(broker.host, broker.port), on_change=lambda connected, reason: None)
    ports = [MqttPort(hub, f"leakloc/s/node/{name}") for name in "AB"]
    assert [port.name for port in ports] == ["mqtt:leakloc/s/node/A", "mqtt:leakloc/s/node/B"]
    running = asyncio.create_task(hub.run())
    async with asyncio.timeout(PATIENCE_S), aiomqtt.Client(broker.host, broker.port) as node:
        links = [await opened(port) for port in ports]
        await node.subscribe("leakloc/s/node/B/to-node")
        links[0].write(b"for A")
        links[1].write(b"for B")
        message = await anext(node.messages)
        assert (message.topic.value, message.payload) == ("leakloc/s/node/B/to-node", b"for B")
        heard = asyncio.create_task(links[1].read())
        while not heard.done():  # the hub's subscription may still be on its way
            await node.publish("leakloc/s/node/A/from-node", b"of A")
            await node.publish("leakloc/s/node/B/from-node", b"of B")
            await asyncio.wait([heard], timeout=0.05)
        assert heard.result().data == b"of B"
        for link in links:
            link.close()
    running.cancel()
    await asyncio.wait([running])
