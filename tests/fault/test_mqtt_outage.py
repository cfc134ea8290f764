"""Alarm events over MQTT while brokers stop, controllers are killed, outages last: none is lost, all are in order."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.outputs.mqtt import output as room
from controller.outputs.mqtt.outbox import Outbox
from controller.outputs.mqtt.output import MqttOutput
from firmware_bridge.links.broker import BrokerSettings
from tests.support.brokers import SUBSCRIBE, StrictBroker
from tests.support.mqtt_alarm_writer import event
from tests.support.processes import alive, start

ROOT = Path(__file__).parents[2]
OUTAGE = 600  # alarm events: of ten minutes, one each second
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if alive(process.pid):
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def strict_broker(tmp_path: Path) -> Iterator[StrictBroker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    private = StrictBroker(folder)
    yield private
    private.stop()


class Consumer:
    """`mosquitto_sub` with a session that the broker keeps, writing what it gets into a file."""

    def __init__(self, started: list["subprocess.Popen[str]"], broker: StrictBroker, folder: Path) -> None:
        self._file = folder / "heard"
        self.process = start(
            started, "sh", "-c",
            f'exec "{SUBSCRIBE}" -h {broker.host} -p {broker.port} -c -i consumer -q 1 -v '
            f"-t leakloc/site/alarm_event -t leakloc/site/status -t '$SYS/broker/version' >>{self._file}",
        )  # fmt: skip
        wait_for(lambda: self._file.exists() and "$SYS" in self._file.read_text(), "its subscription")

    def messages(self, topic: str) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        lines = [line.split(" ", 1) for line in self._file.read_text().split("\n")[:-1]]
        return [json.loads(said) for heard, said in lines if heard == f"leakloc/site/{topic}"]

    def numbers(self) -> list[int]:
        """Numbers as they came, without what its id shows to be a duplicate."""
        seen: dict[str, int] = {}
        for message in self.messages("alarm_event"):
            seen.setdefault(message["id"], message["number"])
        return list(seen.values())


def wait_for(done: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    until = time.monotonic() + timeout_s  # noqa: TID251 - real processes have real clocks
    while not done():
        assert time.monotonic() < until, what  # noqa: TID251
        time.sleep(0.05)  # noqa: TID251


def kills(started: list["subprocess.Popen[str]"], broker: StrictBroker, folder: Path, times: int) -> None:
    """Kill the writer at random moments, every third time with the broker away; then let one finish in peace."""
    random = np.random.default_rng(8)
    (folder / "outbox").mkdir()
    consumer = Consumer(started, broker, folder)

    def writer(run: int) -> "subprocess.Popen[str]":
        return start(
            started, sys.executable, "-m", "tests.support.mqtt_alarm_writer", folder / "outbox", str(broker.port),
            f"run{run}", cwd=ROOT,
        )  # fmt: skip

    for run in range(times):
        process = writer(run)
        assert process.stdout is not None
        away = run % 3 == 2
        for count in range(int(random.integers(1, 60))):
            process.stdout.readline()
            if away and count == 5:
                broker.stop()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if away:
            broker.stop()
            assert broker.start()
    last = writer(times)
    assert last.stdout is not None
    for _ in range(20):
        last.stdout.readline()
    wait_for(lambda: any(m["id"].startswith(f"run{times}-") for m in consumer.messages("alarm_event")), "the last run")
    os.kill(last.pid, signal.SIGKILL)
    last.wait()
    heard = consumer.numbers()
    assert len(heard) > 2 * times
    assert heard == list(range(1, len(heard) + 1)), "lost, or out of order"
    wait_for(lambda: consumer.messages("status")[-1] == {"online": False}, "the last will")


def test_kills_and_broker_restarts_lose_no_alarm_event(
    started: list["subprocess.Popen[str]"], strict_broker: StrictBroker, tmp_path: Path
) -> None:
    kills(started, strict_broker, tmp_path, times=6)


@pytest.mark.slow
def test_a_hundred_kills_lose_no_alarm_event(
    started: list["subprocess.Popen[str]"], strict_broker: StrictBroker, tmp_path: Path
) -> None:
    kills(started, strict_broker, tmp_path, times=100)


async def test_after_an_outage_all_alarm_events_come_in_order(
    started: list["subprocess.Popen[str]"], strict_broker: StrictBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LONGEST_BACKOFF_S", 0.5)
    consumer = Consumer(started, strict_broker, tmp_path)

    async def inline(work: Callable[[], object]) -> object:
        return work()

    output = MqttOutput(
        BrokerSettings(strict_broker.host, strict_broker.port),
        "site",
        lambda *_: None,
        lambda _: None,
        lambda on_ready: Outbox(tmp_path, "run", inline, on_ready),
    )
    task = asyncio.create_task(output.run())

    async def wait(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(0.05)

    output.publish(event(1, "run"))
    await wait(lambda: consumer.numbers() == [1])
    strict_broker.stop()
    for seq in range(2, OUTAGE + 2):
        output.publish(event(seq, "run"))
        await asyncio.sleep(0)
    assert consumer.numbers() == [1]
    strict_broker.start()
    await wait(lambda: len(consumer.numbers()) > OUTAGE)
    assert consumer.numbers() == list(range(1, OUTAGE + 2))
    assert [message["alarm"]["text"] for message in consumer.messages("alarm_event")][-1] == f"run {OUTAGE + 1}"
    task.cancel()
    await asyncio.wait([task])
    await wait(lambda: consumer.messages("status")[-1] == {"online": False})
