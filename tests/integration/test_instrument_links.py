"""Somebody else's sensors over a real broker and a real terminal: their values come as those of nodes do."""

import asyncio
import os
import tty
from collections.abc import Awaitable, Callable

import aiomqtt
import numpy as np
import pytest

from firmware_bridge.bridge import Bridge
from firmware_bridge.link import LinkPort
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.links.mqtt import MqttHub
from firmware_bridge.links.mqtt_topics import TopicsPort
from firmware_bridge.links.uart import UartPort
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.session.conversation import Settings
from firmware_bridge.session.events import SessionEvent
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.site.survey import Site
from tests.conftest import Broker
from tests.support.sites import parsed, site_tables
from tests.unit.test_instruments import ON_LINE, PUBLISHED, STATE, TASMOTA, TOPIC

pytestmark = pytest.mark.integration
PATIENCE_S = 30.0


def site_with(table: dict[str, object]) -> Site:
    tables = site_tables()
    tables["instruments"] = [table]
    return parsed(tables)


class Listener:
    """A bridge on one port, and what it told."""

    def __init__(self, site: Site, port: LinkPort) -> None:
        self.told: list[SessionEvent] = []
        exchange = Exchange(site, [port.name], Settings())
        self.bridge = Bridge(exchange, [port], self.told.append, np.random.default_rng(1))

    @property
    def values(self) -> list[tuple[str, float]]:
        return [(e.sensor, float(e.value[0])) for e in self.told if isinstance(e, ScalarBlock)]

    async def until(self, enough: Callable[[], bool], meanwhile: Callable[[], Awaitable[None]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not enough():
                await meanwhile()
                await asyncio.sleep(0.05)


def test_topics_of_other_software(broker: Broker) -> None:
    async def main() -> None:
        site = site_with(PUBLISHED)
        instrument = site.node("cabin").instrument
        assert instrument is not None
        async with aiomqtt.Client(broker.host, broker.port) as gateway:
            await gateway.publish(STATE, b"111", retain=True)  # of unknown age: no value of now
            hub = MqttHub(BrokerSettings(broker.host, broker.port), on_change=lambda _connected, _reason: None)
            heard = Listener(site, TopicsPort(hub, instrument.place, instrument.topics))
            tasks = [asyncio.create_task(hub.run()), asyncio.create_task(heard.bridge.run())]
            await heard.until(lambda: bool(heard.values), lambda: gateway.publish(TOPIC, TASMOTA))
            await heard.until(
                lambda: any(name == "c-s" for name, _ in heard.values), lambda: gateway.publish(STATE, b"760")
            )
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert {name: round(value, 1) for name, value in heard.values} == {
            "c-p": 101_320.0,
            "c-t": 295.6,
            "c-s": 101_325.0,
        }

    asyncio.run(main())


def test_a_gauge_on_a_serial_line() -> None:
    async def main() -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        table = {**ON_LINE, "source": {**ON_LINE["source"], "port": os.ttyname(slave), "poll_s": 0.1}}
        heard = Listener(site_with(table), UartPort(os.ttyname(slave), 9600, "7E1"))
        task = asyncio.create_task(heard.bridge.run())
        asked = 0

        async def play() -> None:
            nonlocal asked
            try:
                polls = os.read(master, 4096).count(b"P?\r")
            except BlockingIOError:
                return
            for _ in range(polls):
                os.write(master, b"P= %d TORR\r\n" % (740 + asked))
                asked += 1

        await heard.until(lambda: len(heard.values) >= 3, play)
        task.cancel()
        await asyncio.wait([task])
        os.close(master)
        os.close(slave)
        expected = [(740 + k) * 101_325 / 760 for k in range(1, 4)]  # the line in which we came in is not believed
        assert [value for _, value in heard.values[:3]] == pytest.approx(expected)

    asyncio.run(main())
