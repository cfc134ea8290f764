"""A whole controller process under ten thousand hostile commands: it lives, does not grow, and answers who is not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from controller.outputs.mqtt.commands import COMMANDS
from tests.fault.test_alarm_survival import CONTROLLER
from tests.support.brokers import StrictBroker
from tests.support.processes import start
from tests.unit.controller.test_mqtt_door import payload

LEAKCTL = Path(sys.executable).parent / "leakctl"
SITE = "leakloc/soyuz-om"
FEW, MANY = 1500, 10_000
MAX_GROWTH_BYTES = 24_000_000  # 20,000 ids, a thousand unsent events, and what Python keeps for itself
pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Client:
    """One at the broker who remembers what it heard last of each topic."""

    def __init__(self, port: int) -> None:
        self.heard: dict[str, Any] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(0)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"{SITE}/#", qos=1)
        self._client.loop_start()

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        name = message.topic.removeprefix(f"{SITE}/")
        if message.payload and not name.startswith("command/"):
            self.heard[name] = json.loads(message.payload)

    def send(self, topic: str, said: bytes, *, retain: bool = False) -> None:
        self._client.publish(f"{SITE}/{topic}", said, qos=1, retain=retain).wait_for_publish(30)

    def wait(self, done: Callable[[dict[str, Any]], bool]) -> None:
        until = time.monotonic() + 60  # noqa: TID251 - another process has a real clock
        while not done(self.heard):
            assert time.monotonic() < until, sorted(self.heard)  # noqa: TID251
            time.sleep(0.02)  # noqa: TID251

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def hostile(random: np.random.Generator, number: int) -> tuple[str, bytes]:
    """Topic and payload: valid ones spoiled, deep, long, binary, replayed, on topics that exist and that do not."""
    verb = list(COMMANDS)[number % len(COMMANDS)]
    said = bytearray(payload(verb, id=f"m{number % 997}", utc=datetime.now(UTC).isoformat()))  # noqa: TID251
    match int(random.integers(8)):
        case 0:
            return f"command/{verb}", bytes(random.integers(0, 256, int(random.integers(0, 5000)), dtype=np.uint8))
        case 1:
            return f"command/{verb}", b"[" * int(random.integers(1, 100_000))
        case 2:
            return f"command/{verb}", b'{"id":"x","by":' + b"9" * int(random.integers(1, 100_000)) + b"}"
        case 3:
            return f"command/{'/'.join(['x'] * int(random.integers(1, 40)))}", bytes(said)
        case 4:
            return f"command/{verb}/\u202e{number}", bytes(said)
        case 5:
            del said[int(random.integers(len(said))) :]
        case 6:
            said[int(random.integers(len(said)))] = int(random.integers(256))
        case _:
            said = said.replace(b'"by": "Alex"', b'"by": "\\u0000\\ud800"')
    return f"command/{verb}", bytes(said)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def attack(started: list["subprocess.Popen[str]"], folder: Path, times: int) -> None:
    (folder / "broker").mkdir()
    broker = StrictBroker(folder / "broker")
    config = folder / "controller.toml"
    mine = CONTROLLER.replace("enabled = false", f'host = "127.0.0.1"\nport = {broker.port}')
    config.write_text(mine, encoding="utf-8")
    errors = folder / "stderr"
    words = f'exec "{LEAKCTL}" run "{config}" --json --journal "{folder / "journal"}" >/dev/null 2>"{errors}"'
    process = start(started, "sh", "-c", words)
    client = Client(broker.port)
    try:
        client.wait(lambda heard: "health" in heard and heard.get("status") == {"online": True})
        random = np.random.default_rng(21)
        before = 0
        for number in range(times):
            client.send(*hostile(random, number), retain=number % 500 == 250)
            if number == times // 10:
                before = resident_bytes(process.pid)  # after what is made once
        ask = {"id": "honest", "utc": datetime.now(UTC).isoformat(), "by": "Alex", "on": False}  # noqa: TID251
        time.sleep(12.0)  # noqa: TID251 - the rate of its topic is used up by those who flooded it
        client.send("command/search", json.dumps(ask).encode())
        client.wait(lambda heard: heard.get("reply/honest", {}).get("accepted") is True)
        client.wait(lambda heard: heard["health"]["commands_refused"] > 0.8 * times)
        assert process.poll() is None
        assert resident_bytes(process.pid) - before < MAX_GROWTH_BYTES
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "Traceback" not in errors.read_text(encoding="utf-8", errors="replace")
        written = sum(file.stat().st_size for file in (folder / "journal").glob("journal-*"))
        assert written < 400 * times, "a flood does not fill the disk"
    finally:
        client.close()
        broker.stop()


def test_hostile_commands_do_a_process_no_harm(started: list["subprocess.Popen[str]"], tmp_path: Path) -> None:
    attack(started, tmp_path, FEW)


@pytest.mark.slow
def test_ten_thousand_hostile_commands_do_a_process_no_harm(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    attack(started, tmp_path, MANY)
