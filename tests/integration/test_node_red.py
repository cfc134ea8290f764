"""The shipped Node-RED flow: its functions run by node on what we really publish, and the whole flow in Node-RED.

The second needs Node-RED itself, `node-red` on the PATH or its red.js in LEAKLOC_NODE_RED:

    npm install --prefix /some/folder node-red
    LEAKLOC_NODE_RED=/some/folder/node_modules/node-red/red.js pytest -m node_red
"""

import asyncio
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller.alarm.requests import Acknowledge
from controller.journal.entries import AlarmEntry, OperatorEntry
from controller.journal.reader import read_entries
from controller.outputs.mqtt.contract import topic_of
from controller.outputs.mqtt.door import Door, Known
from controller.outputs.mqtt.outbox import AlarmEvent
from tests.conftest import free_port
from tests.integration.test_mqtt_consumers import PREFIX, Lines, configuration, serving, subscriber
from tests.support.brokers import StrictBroker
from tests.support.entries import entries
from tests.support.processes import start
from tests.support.shipped import CONFIGS

FLOW: list[dict[str, Any]] = json.loads((CONFIGS / "deploy" / "node-red-flow.json").read_text(encoding="utf-8"))
RUNNER = Path(__file__).parents[1] / "support" / "node_red_functions.js"
SHIPPED = "leakloc/soyuz-om"
MOST_SEEN = 1000
pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def event(number: int, **changes: Any) -> dict[str, Any]:
    """An alarm event as it comes out of a `mqtt in` node that parses JSON."""
    alarm = entries()["alarm"]
    assert isinstance(alarm, AlarmEntry)
    sent = msgspec.json.encode(AlarmEvent(f"run-{number}", number, msgspec.structs.replace(alarm, **changes)))
    return {"topic": f"{SHIPPED}/alarm_event", "payload": json.loads(sent)}


def run(*calls: tuple[str, dict[str, Any]]) -> tuple[list[dict[str, Any] | None], int]:
    """What the functions return, and how many ids are remembered."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    given = {"flow": FLOW, "calls": [{"node": name, "msg": msg} for name, msg in calls]}
    ended = subprocess.run([node, str(RUNNER)], input=json.dumps(given), capture_output=True, text=True, check=True)
    said = json.loads(ended.stdout)
    return said["answers"], said["seen"]


def test_an_alarm_is_told_once_however_often_it_comes() -> None:
    told, _ = run(*(("leakloc-once", event(number)) for number in (1, 2, 1, 2, 3)))
    assert [one is not None for one in told] == [True, True, False, False, True]
    assert told[0] is not None
    alarm = entries()["alarm"]
    assert isinstance(alarm, AlarmEntry)
    assert told[0]["topic"] == f"{alarm.alarm_class.upper()} {alarm.state}: {alarm.text}"


def test_what_it_remembers_is_bounded() -> None:
    _, seen = run(*(("leakloc-once", event(number)) for number in range(MOST_SEEN + 50)))
    assert seen == MOST_SEEN


def test_its_button_asks_what_the_door_lets_in() -> None:
    """The last alarm that is open, under the name of the button, as the user that the rights know."""
    press = ("leakloc-command", {"_msgid": "8f3a1c2b99d0e4f7", "payload": "Alex"})
    (nothing, _, _, asked) = run(
        press,
        ("leakloc-once", event(1, key="leak", occurrence=3, state="unacknowledged")),
        ("leakloc-once", event(2, key="nodes", occurrence=9, state="acknowledged")),
        press,
    )[0]
    assert nothing is None, "nothing stands, nothing is asked"
    assert asked is not None
    name = asked["topic"].removeprefix(f"{SHIPPED}/")
    found = topic_of(name)
    assert found is not None
    assert found.taken
    start_utc = datetime.now(UTC) - timedelta(minutes=1)
    clock = iter([start_utc])
    door = Door(("node-red",), Known(), lambda: next(clock, datetime.now(UTC)))
    heard = door.hear(name, json.dumps(asked["payload"]).encode(), retained=False)
    assert heard.refusal == ""
    assert isinstance(heard.event, Acknowledge)
    assert (heard.event.key, heard.event.occurrence, heard.event.by) == ("leak", 3, "Alex")
    assert heard.id == "8f3a1c2b99d0e4f7"


def test_what_it_reads_is_published_as_it_expects() -> None:
    for node in FLOW:
        if node["type"] == "mqtt in":
            found = topic_of(node["topic"].removeprefix(f"{SHIPPED}/").replace("+", "x"))
            assert found is not None, node["topic"]
            assert not found.taken
            assert not found.may_be_empty or node["datatype"] != "json", "an empty payload is no JSON"
            assert node["qos"] == "1"


# ---------------------------------------------------------------------------- the whole of it


@pytest.fixture
def node_red() -> list[str]:
    """How it is started."""
    own = os.environ.get("LEAKLOC_NODE_RED")
    node, found = shutil.which("node"), shutil.which("node-red")
    if own is not None and node is not None:
        return [node, own]
    if found is None:
        pytest.skip("no node-red on the PATH, and LEAKLOC_NODE_RED names none")
    return [found]


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.node_red
async def test_a_person_at_node_red_sees_and_acknowledges_an_alarm(
    node_red: list[str], started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    (tmp_path / "broker").mkdir()
    broker = StrictBroker(tmp_path / "broker")
    port = free_port()
    home = tmp_path / "node-red"
    home.mkdir()
    flow = json.dumps(FLOW).replace(SHIPPED, PREFIX)
    (home / "flow.json").write_text(flow.replace('"port": "1883"', f'"port": "{broker.port}"'), encoding="utf-8")
    settings = {"uiPort": port, "uiHost": "127.0.0.1", "flowFile": "flow.json", "credentialSecret": False,
        "telemetry": {"enabled": False}, "logging": {"console": {"level": "info", "metrics": False}}}  # fmt: skip
    (home / "settings.js").write_text(f"module.exports = {json.dumps(settings)}", encoding="utf-8")
    said = Lines(tmp_path / "said")
    words = " ".join(
        f'"{word}"' for word in [*node_red, "--userDir", str(home), "--settings", str(home / "settings.js")]
    )
    heard = subscriber(started, broker.port, tmp_path, "-t", f"{PREFIX}/alarm_event", "-t", f"{PREFIX}/reply/+")
    try:
        start(started, "sh", "-c", f'exec {words} >"{said.file}" 2>&1')
        await said.have(lambda now: any("Connected to broker" in line for line in now))
        async with serving(configuration(broker.port, command_users=("node-red",)), tmp_path / "journal"):
            await said.have(lambda now: any("CAUTION unacknowledged: nodes lost" in line for line in now))
            await asyncio.to_thread(press, port)
            await heard.have(lambda now: any('"acknowledged_by":"Alex"' in line for line in now))
            await heard.have(lambda now: any("/reply/" in line and '"accepted":true' in line for line in now))
    finally:
        broker.stop()
    asked = [e for e in read_entries(tmp_path / "journal") if isinstance(e, OperatorEntry)]
    assert [(one.action, one.by, one.accepted) for one in asked] == [("acknowledge", "Alex", True)]


def press(port: int) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/inject/leakloc-button", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
