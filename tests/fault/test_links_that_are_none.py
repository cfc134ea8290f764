"""Ports, hosts and brokers that are none or go away under a command: a sentence that says what to do, no traceback."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from controller.cli import node_access
from controller.cli.node_access import on_links, over_broker
from controller.config import Configuration, fitted
from controller.declared import ControllerTable
from controller.errors import ControllerError
from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import LinkError
from firmware_bridge.links.broker import BrokerSettings, new_client
from firmware_bridge.links.uart import UartPort
from tests.support.brokers import StrictBroker
from tests.support.sites import small_site


def configuration(*, port: int | None = None) -> Configuration:
    mqtt = {"enabled": False} if port is None else {"host": "127.0.0.1", "port": port}
    return fitted(parse_declared({"format": 1, "site": "-", "mqtt": mqtt}, "test", ControllerTable), small_site(), "-")


@pytest.mark.integration
def test_a_broker_that_goes_away_under_a_question_is_told(tmp_path: Path) -> None:
    broker = StrictBroker(tmp_path)

    async def main() -> None:
        with pytest.raises(ControllerError, match=f"the broker at 127.0.0.1:{broker.port} went away"):
            async with over_broker(configuration(port=broker.port)) as access:
                broker.stop()
                await access.nodes()

    try:
        asyncio.run(main())
    finally:
        broker.stop()


def test_a_reader_that_goes_away_is_one_error_and_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_access, "MEET_S", 0.0)

    async def main() -> None:
        async with on_links(configuration()):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        asyncio.run(main())


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
def test_a_host_that_no_resolver_takes_is_a_broker_that_is_away(host: str) -> None:
    async def main() -> None:
        with pytest.raises(aiomqtt.MqttError, match="is no name of a host"):
            new_client(BrokerSettings(host, 1883))

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/tmp", "/dev/null", "/etc/passwd"])
def test_what_is_no_serial_port_is_told_once_and_plainly(path: str) -> None:
    async def main() -> None:
        with pytest.raises(LinkError, match=f"^cannot open serial port {path}: that is no serial port; mend the path"):
            await UartPort(path, 9600).open()

    asyncio.run(main())
