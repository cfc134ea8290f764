"""Consumers of a running controller: mosquitto_sub and mosquitto_pub by the document, leakctl watch, TLS and rights."""

import asyncio
import json
import logging
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controller.app import App
from controller.config import Configuration, fitted
from controller.declared import ControllerTable
from controller.journal.entries import AlarmEntry, NoteEntry
from controller.journal.reader import read_entries
from controller.logbook import Observers
from controller.outputs.mqtt.contract import topic_of
from firmware_bridge.declared import parse_declared
from tests.support.bench import Bench
from tests.support.brokers import PUBLISH, SUBSCRIBE, StrictBroker
from tests.support.processes import start
from tests.support.shipped import CONFIGS
from tests.support.sites import small_site
from tests.unit.controller.test_mqtt_contract import wrong

LEAKCTL = Path(sys.executable).parent / "leakctl"
PREFIX = f"leakloc/{small_site().name}"
PASSWORDS = {"leakloc": "tea-leaves-7", "crew-tablet": "prk-2020", "homeassistant": "just-looking"}
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def configuration(port: int, **mqtt: Any) -> Configuration:
    raw: dict[str, Any] = {
        "format": 1,
        "site": "-",
        "mqtt": {"host": "127.0.0.1", "port": port, **mqtt},
        "health": {"startup_grace_s": 0.05, "lost_after_s": 0.05},
    }
    return fitted(parse_declared(raw, "test", ControllerTable), small_site(), "test")


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@asynccontextmanager
async def serving(own: Configuration, journal: Path) -> AsyncIterator[None]:
    """A controller with nobody at its links: all nodes are lost at once."""
    nobody = Observers(lambda _entry: None, lambda _picture, _elapsed_s: None)
    rig = Bench()
    app = App(own, tuple(rig.ports.values()), None, journal, nobody)
    task = asyncio.create_task(app.run())
    yield
    task.cancel()
    await asyncio.wait([task])


class Lines:
    """What a process prints, as it comes."""

    def __init__(self, file: Path) -> None:
        self.file = file

    async def have(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        async with asyncio.timeout(40):
            while True:
                lines = self.file.read_text(encoding="utf-8").split("\n")[:-1] if self.file.exists() else []
                if wanted(lines):
                    return lines
                await asyncio.sleep(0.05)


def subscriber(
    started: list["subprocess.Popen[str]"], port: int, folder: Path, *options: str, name: str = "heard"
) -> Lines:
    command = " ".join([f'"{SUBSCRIBE}" -h 127.0.0.1 -p {port} -q 1 -v', *options])
    start(started, "sh", "-c", f'exec {command} >"{folder / name}" 2>&1')
    return Lines(folder / name)


def messages(lines: list[str]) -> list[tuple[str, Any]]:
    own = [line for line in lines if line.startswith("leakloc/") and not line.startswith(f"{PREFIX}/command/")]
    split = [line.split(" ", 1) for line in own]
    return [(topic.removeprefix(f"{PREFIX}/"), None if said == "(null)" else json.loads(said)) for topic, said in split]


async def publish(port: int, topic: str, said: dict[str, Any] | bytes, *options: str) -> None:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    process = await asyncio.create_subprocess_exec(
        str(PUBLISH), "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", f"{PREFIX}/{topic}", "-s", *options,
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await process.communicate(payload)


def command(mark: str, **said: Any) -> dict[str, Any]:
    return {"id": mark, "utc": datetime.now(UTC).isoformat(), "by": "Alex", **said}


@pytest.fixture
def open_broker(tmp_path: Path) -> Iterator[StrictBroker]:
    (tmp_path / "broker").mkdir()
    private = StrictBroker(tmp_path / "broker")
    yield private
    private.stop()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_an_alarm_is_seen_acknowledged_and_answered_as_documented(
    started: list["subprocess.Popen[str]"], open_broker: StrictBroker, tmp_path: Path, version: str
) -> None:
    port = open_broker.port
    heard = subscriber(started, port, tmp_path, "-t", f"'{PREFIX}/#'", "-t", "'homeassistant/#'")
    journal = tmp_path / "journal"
    async with serving(configuration(port, version=version, home_assistant=True), journal):
        lines = await heard.have(_told)
        watching = start(started, LEAKCTL, "watch", f"127.0.0.1:{port}", "--json")
        (alarm,) = [said["alarm"] for topic, said in messages(lines) if topic == "alarm_event"][:1]
        assert (alarm["key"], alarm["state"], alarm["alarm_class"]) == ("nodes", "unacknowledged", "caution")
        asked = command("ack-1", key="nodes", occurrence=alarm["occurrence"])
        await publish(port, "command/acknowledge", asked)
        await heard.have(lambda now: any(line.startswith(f"{PREFIX}/reply/ack-1") for line in now))
        await publish(port, "command/acknowledge", asked)  # somebody plays it again
        await publish(port, "command/hatch", command("h-1", hatch="none", open=True))
        await publish(port, "command/search", b'{"on": tru')
        await publish(port, "command/begin_quiet", command("q-1", duration_s=60, equipment=[]))
        await publish(port, "command/end_quiet", command("q-2"))
        await publish(port, "command/node", {"id": "n-1", "node": "A", "do": "ping"})  # nobody asks, at no time
        await publish(port, "command/node", command("n-2", node="A", do="ping"))
        await heard.have(lambda now: any(line.startswith(f"{PREFIX}/reply/n-2") for line in now))
        await publish(port, "command/reset", command("r-1", key="nodes", occurrence=alarm["occurrence"]))
        lines = await heard.have(lambda now: any(line.startswith(f"{PREFIX}/reply/r-1") for line in now))
        assert watching.stdout is not None
        while json.loads(watching.stdout.readline())["topic"] != "alarm/nodes":
            pass
    lines = await heard.have(lambda now: messages(now)[-1] == ("status", {"online": False}))
    replies = [said for topic, said in messages(lines) if topic.startswith("reply/")]
    answers = sorted((said["id"], said["accepted"]) for said in replies if "accepted" in said)
    assert answers == [
        ("ack-1", False), ("ack-1", True), ("h-1", False), ("n-1", False), ("q-1", True), ("q-2", True), ("r-1", False)
    ]  # fmt: skip
    assert [(said["id"], said["done"]) for said in replies if "done" in said] == [("n-2", False)]  # nobody is at A
    for topic, said in messages(lines):
        found = topic_of(topic)
        assert found is not None, topic
        assert (said is None and found.may_be_empty) or wrong(found.payloads, said) == [], topic
    assert any(line.startswith("homeassistant/device/") for line in lines)
    # A consumer's view equals the journal.
    told = [said["alarm"] for topic, said in messages(lines) if topic == "alarm_event"]
    kept = list(read_entries(journal))
    alarms = [(entry.seq, entry.state) for entry in kept if isinstance(entry, AlarmEntry)]
    assert [(one["seq"], one["state"]) for one in told] == alarms
    assert any("MQTT commands refused" in entry.text for entry in kept if isinstance(entry, NoteEntry))


async def test_a_key_in_the_terminal_acknowledges(
    started: list["subprocess.Popen[str]"], open_broker: StrictBroker, tmp_path: Path
) -> None:
    heard = subscriber(started, open_broker.port, tmp_path, "-t", f"{PREFIX}/alarm_event")
    main, terminal = pty.openpty()
    async with serving(configuration(open_broker.port), tmp_path / "journal"):
        words = (LEAKCTL, "watch", f"127.0.0.1:{open_broker.port}", "--by", "Alex", "--user", "crew-tablet")
        process = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        shown = b""
        async with asyncio.timeout(30):
            while b"nodes lost" not in shown or b"\a" not in shown:
                shown += await asyncio.to_thread(os.read, main, 65_536)
        async with asyncio.timeout(30):
            while not any('"acknowledged_by":"Alex"' in line for line in await heard.have(bool)):
                os.write(main, b"a")  # the first may come before the alarm could be seen: then it is not meant
                await asyncio.sleep(0.5)
        os.write(main, b"q")
        assert await asyncio.to_thread(process.wait, 20) == 0
    os.close(main)


async def test_thousands_of_hostile_messages_cost_the_controller_nothing(
    started: list["subprocess.Popen[str]"], open_broker: StrictBroker, tmp_path: Path
) -> None:
    port = open_broker.port
    heard = subscriber(started, port, tmp_path, "-t", f"{PREFIX}/reply/+", "-t", f"{PREFIX}/health")
    async with serving(configuration(port), tmp_path / "journal"):
        await heard.have(lambda now: len(now) > 0)
        hostile = "\n".join(['{"id":"x"}', "[" * 3000, "\x01\x7f", "9" * 3000, '{"utc":1}'] * 400)
        process = await asyncio.create_subprocess_exec(
            str(PUBLISH), "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-l", "-t", f"{PREFIX}/command/shelve",
            stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await process.communicate(hostile.encode())
        # The broker holds 1,000 messages for a slow reader and drops the rest: our own must find room among them.
        await heard.have(lambda now: any(_refused(line) >= 1000 for line in now))
        await publish(port, "command/search", command("after", on=False))
        lines = await heard.have(lambda now: any("reply/after" in line and '"accepted":true' in line for line in now))
    assert sum("/reply/" in line for line in lines) <= 11 + 1 + 30, "a flood is not answered with a flood"


def _told(lines: list[str]) -> bool:
    return any(line.startswith(f"{PREFIX}/alarm_event") for line in lines)


def _refused(line: str) -> int:
    topic, _, said = line.partition(" ")
    return int(json.loads(said)["commands_refused"]) if topic.endswith("/health") else 0


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A authority of one's own, a broker's certificate for 127.0.0.1 and a client's, made by openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")

    def run(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test", "-days", "2")
    for name in ("broker", "leakloc"):
        run("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.crt", "-days", "2", "-extfile", "san")  # fmt: skip
    for key in folder.glob("*.key"):
        key.chmod(0o600)
    return folder


def secured(folder: Path, certificates: Path, *, by_certificate: bool = False) -> StrictBroker:
    """The shipped configuration and rights, with files in `folder`."""
    (folder / "broker").mkdir()
    acl = folder / "acl"
    acl.write_text((CONFIGS / "deploy" / "mosquitto.acl").read_text())
    acl.chmod(0o600)
    lines = (CONFIGS / "deploy" / "mosquitto.conf").read_text()
    for shipped, here in (
        ("/etc/mosquitto/certs", certificates),
        ("/etc/mosquitto/passwords", folder / "passwords"),
        ("/etc/mosquitto/leakloc.acl", acl),
        ("/var/lib/mosquitto/", f"{folder / 'broker'}/"),
    ):
        assert shipped in lines
        lines = lines.replace(shipped, str(here))
    assert "\npersistence_location" not in lines  # Debian's own file has it, and mosquitto refuses a second one
    lines = lines.replace("# persistence_location", "persistence_location")
    if by_certificate:
        lines = lines.replace("# require_", "require_").replace("# use_identity", "use_identity")
        lines = lines.replace("password_file", "# password_file")
    return StrictBroker(folder / "broker", lines)


async def test_tls_passwords_and_rights(
    started: list["subprocess.Popen[str]"], certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mqtt").setLevel(logging.DEBUG)
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    tool = shutil.which("mosquitto_passwd") or str(
        next((Path(sys.prefix) / "mosquitto").glob("usr/bin/mosquitto_passwd"), "")
    )
    if not tool:
        pytest.skip("no mosquitto_passwd")
    for user, password in PASSWORDS.items():
        subprocess.run([tool, "-b", str(passwords), user, password], check=True, capture_output=True)
    broker = secured(tmp_path, certificates)
    own = tmp_path / "own-password"
    own.write_text(PASSWORDS["leakloc"] + "\n")
    own.chmod(0o600)
    ca = str(certificates / "ca.crt")
    settings = configuration(
        broker.port, version="5", tls=True, ca_file=ca, username="leakloc", password_file=str(own),
        command_users=("crew-tablet",),
    )  # fmt: skip

    def login(user: str) -> tuple[str, ...]:
        return ("--cafile", ca, "-u", user, "-P", PASSWORDS[user])

    heard = subscriber(started, broker.port, tmp_path, *login("homeassistant"), "-t", f"'{PREFIX}/#'")
    async with serving(settings, tmp_path / "journal"):
        await heard.have(_told)
        ask = command("no-1", on=False)
        await publish(broker.port, "command/search/crew-tablet", ask, *login("homeassistant"))
        await publish(broker.port, "command/search", {**ask, "id": "no-2"}, *login("crew-tablet"))
        await publish(broker.port, "command/search/crew-tablet", {**ask, "id": "yes"}, *login("crew-tablet"))
        lines = await heard.have(lambda now: any(f"{PREFIX}/reply/yes" in line for line in now))
        assert not any("no-1" in line or "no-2" in line for line in lines)
    broker.stop()
    told = (
        caplog.text
        + (tmp_path / "journal").joinpath().name
        + "".join(file.read_text() for file in (tmp_path / "journal").iterdir() if file.is_file())
    )
    assert all(password not in told for password in PASSWORDS.values())
    logging.getLogger("mqtt").setLevel(logging.WARNING)


async def test_a_client_certificate_is_a_user(
    started: list["subprocess.Popen[str]"], certificates: Path, tmp_path: Path
) -> None:
    broker = secured(tmp_path, certificates, by_certificate=True)
    files = {name: str(certificates / file) for name, file in
        (("ca_file", "ca.crt"), ("certificate_file", "leakloc.crt"), ("key_file", "leakloc.key"))}  # fmt: skip
    options = ("--cafile", files["ca_file"], "--cert", files["certificate_file"], "--key", files["key_file"])
    heard = subscriber(started, broker.port, tmp_path, *options, "-t", f"{PREFIX}/status")
    async with serving(configuration(broker.port, tls=True, **files), tmp_path / "journal"):
        await heard.have(lambda now: f'{PREFIX}/status {{"online":true}}' in now)
    broker.stop()
