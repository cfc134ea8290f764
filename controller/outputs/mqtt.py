"""Alarms, fixes and events on MQTT, as docs/mqtt.md says; acknowledgements come back the same way."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import aiomqtt
import msgspec

from controller.alarm.machine import ACTIVE
from controller.alarm.policy import BROKER, LEAK, NODES, SENSORS, SIREN
from controller.journal.entries import (
    AlarmEntry,
    AnyEntry,
    DetectionOverEntry,
    FixEntry,
    LeakRateEntry,
    NoFixEntry,
    PressureSteadyEntry,
    to_json,
)
from controller.pipeline.events import Acknowledge
from controller.pipeline.picture import Picture
from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.links.mqtt import BrokerSettings
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.session.states import DELIVERING

MAX_UNSENT_EVENTS = 1000  # about an hour of a busy day; retained topics are kept beside and never dropped
MAX_COMMAND_BYTES = 4096
MAX_NAME = 64  # characters of whoever acknowledges
ALARM_KEYS = (LEAK, NODES, SENSORS, BROKER, SIREN)
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0
CONNECT_TIMEOUT_S = 5.0


class AcknowledgeMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payload of `command/acknowledge`."""

    key: str
    occurrence: int
    by: str


class StateMessage(msgspec.Struct, frozen=True):
    """Payload of `state`: the whole situation in one retained message."""

    utc: str
    phase: str
    alarm_class: str | None
    leak: bool
    nodes_up: tuple[str, ...]
    nodes_down: tuple[str, ...]
    pressures_pa: dict[str, float]
    reserve_s: float | None


class MqttOutput:
    """Publishes over a client of its own; `run` it as a task, it reconnects by itself."""

    def __init__(
        self,
        broker: BrokerSettings,
        site: str,
        on_change: Callable[[bool, str], None],
        on_ack: Callable[[Acknowledge], None],
    ) -> None:
        """Name broker and site; nothing is connected yet."""
        self._broker = broker
        self._prefix = f"leakloc/{site}"
        self._on_change = on_change
        self._on_ack = on_ack
        # An empty payload clears what a broker retained for a controller that was here before.
        self._retained = dict.fromkeys((*(f"alarm/{key}" for key in ALARM_KEYS), "fix", "leak_rate"), b"")
        self._dirty: dict[str, None] = {}  # an ordered set: topics to publish, oldest change first
        self._events: deque[bytes] = deque(maxlen=MAX_UNSENT_EVENTS)
        self._wake = asyncio.Event()

    def publish(self, entry: AnyEntry) -> None:
        """Take an entry; never waits. Alarms and fixes are kept until the broker has them."""
        payload = to_json(entry)
        if isinstance(entry, AlarmEntry):
            self._retain(f"alarm/{entry.key}", payload)
        elif isinstance(entry, FixEntry | NoFixEntry):
            self._retain("fix", payload)
        elif isinstance(entry, LeakRateEntry):
            self._retain("leak_rate", payload)
        elif isinstance(entry, DetectionOverEntry):
            self._retain("fix", b"")
        elif isinstance(entry, PressureSteadyEntry):
            self._retain("leak_rate", b"")
        self._events.append(payload)
        self._wake.set()

    def publish_state(self, utc: str, picture: Picture) -> None:
        """Replace the retained picture of the situation."""
        reserve_s = picture.size.reserve_s.value if picture.size else None
        message = StateMessage(
            utc=utc,
            phase=picture.phase,
            alarm_class=picture.alarms[0].alarm_class.name.lower() if picture.alarms else None,
            leak=any(alarm.key == LEAK and alarm.state in ACTIVE for alarm in picture.alarms),
            nodes_up=tuple(node.node for node in picture.nodes if node.state in DELIVERING),
            nodes_down=tuple(node.node for node in picture.nodes if node.state not in DELIVERING),
            pressures_pa={reading.sensor: round(reading.value, 2) for reading in picture.pressures_pa},
            reserve_s=reserve_s if reserve_s is not None and reserve_s < float("inf") else None,
        )
        self._retain("state", msgspec.json.encode(message))

    async def run(self) -> None:
        """Stay connected until cancelled."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                async with self._new_client() as client:
                    backoff_s = FIRST_BACKOFF_S
                    await self._serve(client)
            except* aiomqtt.MqttError as errors:
                self._on_change(
                    False,
                    f"{self._broker.host}:{self._broker.port}: {errors.exceptions[0]}; start the broker or mend [mqtt]",
                )
            stop_if_asked()
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    def _retain(self, topic: str, payload: bytes) -> None:
        self._retained[topic] = payload
        self._dirty[topic] = None
        self._wake.set()

    def _new_client(self) -> aiomqtt.Client:
        will = aiomqtt.Will(f"{self._prefix}/status", _status(online=False), qos=1, retain=True)
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            timeout=real_seconds(CONNECT_TIMEOUT_S),
            will=will,
        )

    async def _serve(self, client: aiomqtt.Client) -> None:
        await client.publish(f"{self._prefix}/status", _status(online=True), qos=1, retain=True)
        await client.subscribe(f"{self._prefix}/command/acknowledge", qos=1)
        self._on_change(True, f"connected to {self._broker.host}:{self._broker.port}")
        self._dirty = dict.fromkeys(self._retained)  # a broker that restarted may have lost what was retained
        self._wake.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(client))
                await self._listen(client)
        except asyncio.CancelledError:
            await client.publish(f"{self._prefix}/status", _status(online=False), qos=1, retain=True)
            raise

    async def _send(self, client: aiomqtt.Client) -> None:
        """How things stand goes before the story of how they came to: an alarm never waits behind a backlog."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._dirty or self._events:
                if self._dirty:
                    topic = next(iter(self._dirty))
                    payload = self._retained[topic]
                    await client.publish(f"{self._prefix}/{topic}", payload, qos=1, retain=True)
                    if self._retained[topic] is payload:
                        self._dirty.pop(topic, None)
                    continue
                event = self._events.popleft()
                try:
                    await client.publish(f"{self._prefix}/event", event, qos=1)
                except aiomqtt.MqttError:
                    if len(self._events) < MAX_UNSENT_EVENTS:
                        self._events.appendleft(event)
                    raise

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if message.retain or len(message.payload) > MAX_COMMAND_BYTES:
                continue  # nobody takes notice of an alarm before it is raised
            try:
                asked = msgspec.json.decode(bytes(message.payload), type=AcknowledgeMessage)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            by = "".join(character if character.isprintable() else "?" for character in asked.by[:MAX_NAME])
            self._on_ack(Acknowledge(asked.key, asked.occurrence, by))


def _status(*, online: bool) -> bytes:
    state: dict[str, Any] = {"online": online}
    return msgspec.json.encode(state)
