"""leakctl watch: a consumer in the terminal, from any machine with a broker in reach; short enough to be copied.

It uses nothing but docs/mqtt.md says. What it shows is decided by the controller.
"""

import asyncio
import json
import os
import secrets
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import aiomqtt
import click
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from controller.cli.common import errors_told, reader_may_go
from controller.clock import wall_clock
from controller.errors import ControllerError
from controller.outputs.mqtt.secrets import PASSWORD_VARIABLE, check_private, secret
from firmware_bridge.links.broker import BrokerSettings, TlsSettings, Version, new_client
from firmware_bridge.links.broker_address import parse_broker_address

SHOWN = ("status", "state", "health", "fix", "alarm/+", "isolation", "quiet_window", "alarm_event", "reply/+")
LOUD = frozenset({"unacknowledged", "latched_unacknowledged"})
QUIET = frozenset({"normal", "shelved", "suppressed", "out_of_service"})
STYLES = {"emergency": "bold white on red", "warning": "bold red", "caution": "yellow", "advisory": "cyan"}
RECONNECT_S = 2.0
BELL_S = 2.0
SEEN_S = 0.5  # what came up later than this before the key was pressed was not meant by it
MAX_KEYS = 16
MAX_SEEN = 1000  # ids of alarm events, to know a duplicate


class Watch:
    """What was heard last of each topic of one site, and what to ask."""

    def __init__(self, site: str, by: str, user: str | None) -> None:
        """`site` "+" takes the first that is heard; `user` is who commands, where the controller lets only users."""
        self.site = site
        self.said: dict[str, Any] = {}
        self.line = "a: acknowledge   q: quit"
        self._by = by
        self._user = user
        self._seen: dict[str, None] = {}
        self._asked: dict[str, dict[str, Any]] = {}
        self._shown_s: dict[tuple[str, int], float] = {}  # alarms that nobody acknowledged, and since when they show
        self._ahead = timedelta(0)  # of the controller's clock before ours

    def take(self, topic: str, payload: bytes) -> tuple[str, Any] | None:
        """Topic below the prefix and what it says; None for a duplicate, or what is not ours.

        Raises:
            Exception: it is not as documented.
        """
        _, site, name = topic.split("/", 2)
        if self.site == "+":
            self.site = site
        if site != self.site:
            return None
        said: Any = json.loads(payload) if payload else None
        if name == "alarm_event":
            if said["id"] in self._seen:
                return None
            self._seen[said["id"]] = None
            while len(self._seen) > MAX_SEEN:
                del self._seen[next(iter(self._seen))]
        elif name.startswith("reply/"):
            if said["id"] not in self._asked:
                return None
            self.line = f"{said['action']}: {'done' if said['accepted'] else 'refused'}, {said['text']}"
            self._ahead = datetime.fromisoformat(said["utc"]) - wall_clock()  # the next one is stamped by its clock
        else:
            before, self.said[name] = self.said.get(name), said
            try:
                self.picture()
                self.shown(0.0, remember=False)
            except Exception:  # what is not as documented is not shown
                self.said[name] = before
                raise
        return name, said

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """What stands in sight, the gravest first."""
        every = [said for name, said in self.said.items() if name.startswith("alarm/") and said]
        return sorted((a for a in every if a["state"] not in QUIET), key=lambda a: (a["priority"], a["key"]))

    def shown(self, now_s: float, *, remember: bool = True) -> None:
        """The screen was drawn."""
        marks = [(alarm["key"], alarm["occurrence"]) for alarm in self._open]
        since_s = {mark: self._shown_s.get(mark, now_s) for mark in marks}
        if remember:
            self._shown_s = since_s

    @property
    def _open(self) -> list[dict[str, Any]]:
        return [alarm for alarm in self.alarms if alarm["state"].endswith("unacknowledged")]

    def acknowledgement(self, now_s: float) -> tuple[str, bytes] | None:
        """Topic and payload that take notice of the gravest alarm that nobody acknowledged and that could be seen."""
        since_s = self._shown_s
        open_ = [a for a in self._open if now_s - since_s.get((a["key"], a["occurrence"]), now_s) >= SEEN_S]
        if not open_:
            return None
        command = {
            "id": secrets.token_hex(8),
            "utc": (wall_clock() + self._ahead).isoformat(timespec="milliseconds"),
            "by": self._by,
            "key": open_[0]["key"],
            "occurrence": open_[0]["occurrence"],
        }
        self._asked = {command["id"]: command}
        self.line = f"acknowledge {command['key']} ..."
        topic = f"leakloc/{self.site}/command/acknowledge" + (f"/{self._user}" if self._user else "")
        return topic, json.dumps(command).encode()

    def picture(self) -> Group:
        """The screen."""
        state, health = self.said.get("state") or {}, self.said.get("health") or {}
        online = (self.said.get("status") or {}).get("online")
        head = {True: "online", False: "OFFLINE: what is shown is old", None: "no controller heard"}[online]
        rows: list[Any] = [
            Text(f"leakloc {self.site}: {head}, {state.get('phase', '?')} {state.get('utc', '')}", "bold")
        ]
        alarms = Table(box=None, padding=(0, 1), show_header=False)
        for alarm in self.alarms:
            loud = alarm["state"] in LOUD
            style = STYLES.get(alarm["alarm_class"], "bold red") if online else "dim"
            words = (alarm["alarm_class"].upper(), alarm["key"], alarm["state"].replace("_", " "), alarm["text"])
            alarms.add_row("*" if loud else "", *(Text(word, style) for word in words))
        rows += [alarms if self.alarms else Text("no alarm stands")]
        rows += [Text(f"place    {_place(self.said.get('fix'))}"), Text(f"reserve  {_hours(state.get('reserve_s'))}")]
        advice = [self.said[name]["why"] for name in ("isolation", "quiet_window") if self.said.get(name)]
        rows += [Text(f"advice   {one}") for one in advice]
        rows += [
            Text(
                f"nodes    {len(health.get('nodes_up', ()))} up; down: {', '.join(health.get('nodes_down', ())) or '-'}"
            )
        ]
        return Group(*rows, Text(self.line, "dim"))


def _place(fix: dict[str, Any] | None) -> str:
    if fix is None:
        return "-"
    if fix["kind"] == "no_fix":
        return f"unknown: {fix['explanation']}"
    return f"{fix['compartment']}, {fix['where'] or fix['position_m']}, within {fix['radius95_m']:.2f} m (95 %)"


def _hours(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds / 60:.0f} min"


@click.command()
@click.argument("broker", default="127.0.0.1:1883", metavar="[HOST:PORT]")
@click.option("--site", default="+", help="Name of the site; default: the first that is heard.")
@click.option("--by", default="watch", show_default=True, help="Your name, for acknowledgements.")
@click.option("--user", help="User name at the broker.")
@click.option("--password-file", help=f"File with the password, readable by you alone; or {PASSWORD_VARIABLE}.")
@click.option("--mqtt", "version", type=click.Choice(["3.1.1", "5"]), default="3.1.1", help="Version of MQTT.")
@click.option("--tls", is_flag=True, help="Encrypt; implied by --ca.")
@click.option("--ca", help="Certificate (PEM) of whoever signed the broker's.")
@click.option("--certificate", help="Your own certificate (PEM).")
@click.option("--key", help="Its key (PEM), readable by you alone.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a message; the default without a terminal."
)
@click.option("--silent", is_flag=True, help="No bell.")
def watch(
    broker: str,
    *,
    site: str,
    by: str,
    user: str | None,
    password_file: str | None,
    version: Version,
    tls: bool,
    ca: str | None,
    certificate: str | None,
    key: str | None,
    as_json: bool,
    silent: bool,
) -> None:
    """Watch a controller over MQTT: state, place, reserve time, alarms with a bell; `a` acknowledges, `q` quits.

    Example: leakctl watch cabin-pi:1883 --by Alex
    """
    with errors_told():
        try:
            host, port = parse_broker_address(broker)
        except ValueError as error:
            raise ControllerError(str(error), remedy="such as cabin-pi:1883") from error
        if key is not None:
            check_private(key, "--key")
        password = secret(password_file, "--password-file", PASSWORD_VARIABLE)
        secured = TlsSettings(ca, certificate, key) if tls or ca or certificate else None
        settings = BrokerSettings(host, port, user, password, secured, version)
        lines = as_json or not (sys.stdin.isatty() and sys.stdout.isatty())
        with suppress(KeyboardInterrupt, asyncio.CancelledError), reader_may_go():
            asyncio.run(_lines(settings, site) if lines else _screen(settings, Watch(site, by, user), silent=silent))


async def _lines(settings: BrokerSettings, site: str) -> None:
    def show(topic: str, said: Any) -> None:  # noqa: ANN401 - JSON
        click.echo(json.dumps({"topic": topic, "said": said}, ensure_ascii=False))

    await _follow(settings, Watch(site, "", None), show, lambda text: click.echo(text, err=True))


async def _screen(settings: BrokerSettings, seen: Watch, *, silent: bool) -> None:
    keys: asyncio.Queue[str] = asyncio.Queue(MAX_KEYS)

    def fail(text: str) -> None:
        seen.line = text
        seen.said.pop("status", None)

    whole = asyncio.current_task()

    def pressed() -> None:
        key = os.read(sys.stdin.fileno(), 1)
        if key in {b"q", b""} and whole is not None:
            whole.cancel()
        elif key == b"a" and not keys.full():
            keys.put_nowait("acknowledge")

    loop = asyncio.get_running_loop()
    with _single_keys(), Live(seen.picture(), auto_refresh=False, screen=True) as live:

        def draw() -> None:
            live.update(seen.picture(), refresh=True)
            seen.shown(loop.time())

        async def ring() -> None:
            while True:
                draw()
                if not silent and any(alarm["state"] in LOUD for alarm in seen.alarms):
                    live.console.bell()
                await asyncio.sleep(BELL_S)

        loop.add_reader(sys.stdin, pressed)
        async with asyncio.TaskGroup() as group:
            group.create_task(ring())
            await _follow(settings, seen, lambda *_: draw(), fail, keys)


async def _follow(
    settings: BrokerSettings,
    seen: Watch,
    show: Callable[[str, Any], None],
    fail: Callable[[str], None],
    keys: "asyncio.Queue[str] | None" = None,
) -> None:
    """Show all that is heard, over broken connections, until cancelled."""
    while True:
        try:
            async with new_client(settings) as client, asyncio.TaskGroup() as group:
                for name in SHOWN:
                    await client.subscribe(f"leakloc/{seen.site}/{name}", qos=1)
                if keys is not None:
                    group.create_task(_ask(client, seen, keys))
                async for message in client.messages:
                    with suppress(ValueError, KeyError, TypeError, AttributeError):  # it is not as documented
                        heard = seen.take(message.topic.value, bytes(message.payload))
                        if heard is not None:
                            show(*heard)
        except* aiomqtt.MqttError as errors:
            fail(f"{settings.host}:{settings.port}: {errors.exceptions[0]}; trying again")
        await asyncio.sleep(RECONNECT_S)


async def _ask(client: aiomqtt.Client, seen: Watch, keys: "asyncio.Queue[str]") -> None:
    """Carry out keys; there is but one that asks."""
    while await keys.get():
        command = seen.acknowledgement(asyncio.get_running_loop().time())
        if command is not None:
            await client.publish(*command, qos=1)


@contextmanager
def _single_keys() -> Iterator[None]:
    """Keys come one by one, without Enter."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
