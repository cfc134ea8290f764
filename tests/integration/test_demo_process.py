"""The demo as a user starts it: real processes, pseudo-terminals and broker; what they leave behind is nothing."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import alive, children_of, start

BIN = Path(sys.executable).parent
LEAKSIM, LEAKCTL, SUBSCRIBE = BIN / "leaksim", BIN / "leakctl", BIN / "mosquitto_sub"
ROOT = Path(__file__).parents[2]
SPEED = 15
pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]


def wait_for(what: str, done: Callable[[], bool], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if done():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {timeout_s} s")


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes to end, by their id, whatever the test does."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        for pid in [*children_of(process.pid), process.pid]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def next_json(process: "subprocess.Popen[str]", kind: str) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["kind"] == kind:
            return event
    raise AssertionError(f"no {kind} before the end")


def test_the_demo_succeeds_and_its_alarm_is_on_mqtt_as_documented(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    demo = start(started, LEAKSIM, "demo", "--seed", "11", "--speed", str(SPEED), "--json", "--out", tmp_path / "out")
    words = shlex.split(next_json(demo, "broker")["text"])
    host, port = words[words.index("-h") + 1], words[words.index("-p") + 1]
    heard = tmp_path / "heard"  # a pipe would be full before the end
    command = f"exec {SUBSCRIBE} -h {host} -p {port} -v -t 'leakloc/soyuz-om/#' -T 'leakloc/+/node/#' >{heard}"
    listener = start(started, "sh", "-c", command)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0
    summary = json.loads(output.splitlines()[-1])
    assert summary["kind"] == "summary"
    assert summary["success"]
    assert summary["error_m"] < 0.10
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "journal", "picture.png", "report.html", "summary.json",
    }  # fmt: skip
    assert (tmp_path / "out" / "picture.png").read_bytes().startswith(b"\x89PNG")
    listener.terminate()  # it would wait for the broker to come back
    listener.wait(timeout=20)
    lines = [line.split(" ", 1) for line in heard.read_text().splitlines()]
    messages = [(topic, payload) for topic, payload in lines if payload != "(null)"]  # so it shows what was cleared
    alarms = [json.loads(payload) for topic, payload in messages if topic == "leakloc/soyuz-om/alarm/leak"]
    assert [alarm["alarm_class"] for alarm in alarms if alarm["cause"] in {"raised", "graver"}] == [
        "advisory",
        "caution",
        "warning",
    ]
    assert {"status", "state", "event", "fix", "leak_rate"} <= {topic.split("/")[2] for topic, _ in messages}
    last_status = [payload for topic, payload in messages if topic == "leakloc/soyuz-om/status"][-1]
    assert json.loads(last_status) == {"online": False}


@pytest.mark.parametrize("after_s", [0.15, 0.3, 3.0, 9.0])
def test_ctrl_c_ends_the_demo_within_two_seconds_and_leaves_nothing(
    started: list["subprocess.Popen[str]"], tmp_path: Path, after_s: float
) -> None:
    out = tmp_path / "out"
    (tmp_path / "tmp").mkdir()
    said = tmp_path / "stderr"
    with said.open("w") as stderr:
        demo = start(
            started, LEAKSIM, "demo", "--speed", str(SPEED), "--json", "--out", out, stderr=stderr,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        )  # fmt: skip
    time.sleep(after_s)
    family = children_of(demo.pid)
    began = time.monotonic()
    demo.send_signal(signal.SIGINT)
    demo.wait(timeout=20)
    assert time.monotonic() - began < 2.0
    assert demo.returncode != 0
    assert "Traceback" not in said.read_text()
    assert not [pid for pid in family if alive(pid)]
    assert not list(out.glob("*.part"))
    assert not list((tmp_path / "tmp").iterdir())


def test_a_controller_survives_its_rig_and_says_what_it_lost(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    rig = start(started, LEAKSIM, "run", "--ports", tmp_path / "ports", "--speed", "8", stderr=subprocess.DEVNULL)
    wait_for("the rig", (tmp_path / "ports" / "S1").exists, 20)
    wait_for("its configuration", (tmp_path / "ports" / "controller.toml").exists, 5)
    controller = start(
        started, LEAKCTL, "run", tmp_path / "ports" / "controller.toml", "--json", "--time-scale", "8",
        "--journal", tmp_path / "journal",
    )  # fmt: skip
    while next_json(controller, "node")["state"] != "streaming":
        pass
    time.sleep(1.5)
    rig.kill()
    rig.wait()
    lost: dict[str, Any] = {"text": ""}
    while not all(name in lost["text"] for name in ("A", "B", "C", "P1", "S1")):
        lost = next_json(controller, "alarm")
        assert lost["key"] == "nodes"
    controller.send_signal(signal.SIGINT)
    assert controller.wait(timeout=5) == 0


def test_a_controller_whose_reader_went_away_goes_on(started: list["subprocess.Popen[str]"], tmp_path: Path) -> None:
    rig = start(started, LEAKSIM, "run", "--ports", tmp_path / "ports", "--speed", "8", stderr=subprocess.DEVNULL)
    wait_for("the rig", (tmp_path / "ports" / "S1").exists, 20)
    wait_for("its configuration", (tmp_path / "ports" / "controller.toml").exists, 5)
    controller = start(
        started, LEAKCTL, "run", tmp_path / "ports" / "controller.toml", "--json", "--time-scale", "8",
        "--journal", tmp_path / "journal",
    )  # fmt: skip
    assert controller.stdout is not None
    controller.stdout.readline()
    controller.stdout.close()
    time.sleep(3.0)
    assert controller.poll() is None
    controller.send_signal(signal.SIGINT)
    assert controller.wait(timeout=5) == 0
    rig.send_signal(signal.SIGINT)
    rig.wait(timeout=5)
    assert not (tmp_path / "ports").exists()
    controller.stdout = None


async def test_a_private_broker_ends_with_its_owner(tmp_path: Path) -> None:
    from sim.broker import PrivateBroker

    broker = PrivateBroker(tmp_path)
    await broker.start()
    reader, writer = await asyncio.open_connection(broker.host, broker.port)
    await broker.stop()
    assert await reader.read() == b""
    writer.close()
    assert not list(tmp_path.iterdir())


def test_the_live_view_leaves_standard_output_to_the_json_lines(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    near, far = os.openpty()
    try:
        controller = start(
            started, LEAKCTL, "run", ROOT / "configs" / "controller" / "simulated-rig.toml", "--no-mqtt", "--json",
            "--view", "--serial", tmp_path / "nothing-here", "--journal", tmp_path / "journal", stderr=far,
            env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        assert next_json(controller, "note")["text"].startswith("controller started")
        assert next_json(controller, "node")["state"] == "lost"
        drawn = b""
        while b"Soyuz orbital module" not in drawn:
            drawn += os.read(near, 4096)
        controller.send_signal(signal.SIGINT)
        assert controller.stdout is not None
        assert [json.loads(line)["kind"] for line in controller.stdout][-1] == "note"
        assert controller.wait(timeout=5) == 0
    finally:
        os.close(near)
        os.close(far)
