"""Publishes what the controller decides and takes what people ask, over one client. What is said is next door's."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt
import msgspec

from controller.alarm.keys import ALARM_KEYS
from controller.clock import wall_clock
from controller.journal.entries import AlarmEntry, AnyEntry, OperatorEntry, to_json
from controller.outputs.mqtt.commands import CommandEvent
from controller.outputs.mqtt.door import Door, Heard, Known
from controller.outputs.mqtt.findings import FINDINGS, Findings
from controller.outputs.mqtt.messages import (
    ReplyMessage,
    StatusMessage,
    calling_of,
    health_of,
    reserves_of,
    state_of,
)
from controller.outputs.mqtt.outbox import Outbox
from controller.outputs.node_requests import NodeRequest
from controller.outputs.output import Shown
from controller.pipeline.events import QuietRequest, Request
from controller.pipeline.picture import Picture
from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.links.broker import BrokerSettings, new_client
from firmware_bridge.scaled_loop import real_seconds

CALLING = "calling"
URGENT = (CALLING, "alarm/")  # how the names of topics begin that go before all others
MAX_UNSENT_EVENTS = 1000  # about an hour of a busy day; alarms' are kept in the outbox, retained topics beside
MAX_UNSENT_REPLIES = 256  # whoever asked and hears nothing asks again
MAX_AT_ONCE = 8  # messages whose acknowledgement is waited for together
MAX_MARKED = 1024  # requests whose answer somebody waits for
TELL_REFUSALS_S = 10.0  # of the machine's time: at most this often; the journal is not for those who try
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0


@dataclass(frozen=True, slots=True)
class Extras:
    """What an output may have beside its broker; the defaults are for those who only publish.

    `retained` are whole topics with payloads that do not change (a discovery), `on_refused` hears what to write down.
    """

    users: tuple[str, ...] = ()
    known: Known = field(default_factory=Known)
    retained: tuple[tuple[str, bytes], ...] = ()
    on_refused: Callable[[str], None] = field(default=lambda _text: None)


class MqttOutput:
    """Publishes over a client of its own; `run` it as a task, it reconnects by itself. One of the outputs."""

    name = "MQTT"

    def __init__(
        self,
        broker: BrokerSettings,
        site: str,
        on_change: Callable[[bool, str], None],
        on_ask: Callable[[CommandEvent], None],
        outbox: Callable[[Callable[[], None]], Outbox] | None = None,
        extras: Extras | None = None,
    ) -> None:
        """Name broker and site; nothing is connected yet. `outbox` makes one that calls back when it has something."""
        self._broker = broker
        self._prefix = f"leakloc/{site}"
        self._on_change = on_change
        self._on_ask = on_ask
        self._extras = extras or Extras()
        self._door = Door(self._extras.users, self._extras.known, wall_clock)
        self._wake = asyncio.Event()
        self._outbox = None if outbox is None else outbox(self._wake.set)
        # An empty payload clears what a broker retained for a controller that was here before.
        self._retained = dict.fromkeys((*(f"alarm/{key}" for key in ALARM_KEYS), *FINDINGS), b"")
        self._findings = Findings()
        self._dirty: dict[str, None] = {}  # an ordered set: topics to publish, oldest change first
        self._events: deque[bytes] = deque(maxlen=MAX_UNSENT_EVENTS)
        self._replies: deque[ReplyMessage] = deque(maxlen=MAX_UNSENT_REPLIES)
        self._marked: dict[str, None] = {}  # ids of requests that came this way, as answers go to those alone
        self._told_refused = 0
        self._tell_refused_s = 0.0

    def publish(self, entry: AnyEntry) -> None:
        """Take an entry; never waits. Alarms and fixes are kept until the broker has them."""
        payload = to_json(entry)
        if isinstance(entry, AlarmEntry):
            self._retain(f"alarm/{entry.key}", payload)
            if self._outbox is not None:
                self._outbox.put(entry)
        elif isinstance(entry, OperatorEntry):
            self._answer(entry)
        for topic, said in self._findings.said(entry, payload):
            self._retain(topic, said)
        self._events.append(payload)
        self._wake.set()

    def publish_state(self, utc: str, picture: Picture) -> None:
        """Replace the retained picture of the situation."""
        self._retain("state", msgspec.json.encode(state_of(utc, picture)))
        reserves = msgspec.json.encode(reserves_of(picture))
        if self._retained.get("reserve") != reserves:
            self._retain("reserve", reserves)
        waiting, dropped = (0, 0) if self._outbox is None else (self._outbox.waiting, self._outbox.dropped)
        health = health_of(utc, picture, waiting=waiting, dropped=dropped, refused=self._door.refused)
        self._retain("health", msgspec.json.encode(health))

    @property
    def trouble(self) -> str | None:
        """None: a broker that is away has an alarm of its own."""
        return None

    def show(self, shown: Shown) -> None:
        """What lamps and horns on the broker show; never waits. A drill is for whatever is drilled, not for all."""
        payload = msgspec.json.encode(calling_of(shown))
        if not shown.test and self._retained.get(CALLING) != payload:
            self._retain(CALLING, payload)

    def close(self) -> None:
        """The end of `run` says goodbye, and the last will does where it cannot."""

    async def run(self) -> None:
        """Stay connected until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._outbox is not None:
                group.create_task(self._outbox.run())
            await self._stay_connected()

    async def _stay_connected(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                async with new_client(self._broker, self._will()) as client:
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

    def _will(self) -> aiomqtt.Will:
        return aiomqtt.Will(f"{self._prefix}/status", _status(online=False), qos=1, retain=True)

    async def _serve(self, client: aiomqtt.Client) -> None:
        for topic in self._door.topics:
            await client.subscribe(f"{self._prefix}/{topic}", qos=1)
        await client.publish(f"{self._prefix}/status", _status(online=True), qos=1, retain=True)
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
        for topic, payload in self._extras.retained:
            await client.publish(topic, payload, qos=1, retain=True)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while await self._send_one(client):
                pass

    async def _send_one(self, client: aiomqtt.Client) -> bool:
        """Whether there was anything to send. What fails stays where it was, or is somebody's who asks again."""
        if self._dirty:
            # Alarms first, all at once; and what changes faster than the broker takes it goes to the end of the row,
            # or it would keep all others waiting for good.
            urgent = [one for one in self._dirty if one.startswith(URGENT)]
            topics = urgent[:MAX_AT_ONCE] or [next(iter(self._dirty))]
            for topic in topics:
                del self._dirty[topic]
            try:
                await self._send_retained(client, topics)
            except BaseException:
                self._dirty = {**dict.fromkeys(topics), **self._dirty}
                raise
            return True
        kept = None if self._outbox is None else self._outbox.next()
        if self._outbox is not None and kept is not None:
            await client.publish(f"{self._prefix}/alarm_event", kept.payload, qos=1)
            self._outbox.done(kept)
            return True
        if self._replies:
            reply = self._replies.popleft()
            await client.publish(f"{self._prefix}/reply/{reply.id}", msgspec.json.encode(reply), qos=1)
            return True
        if self._events:
            event = self._events.popleft()
            try:
                await client.publish(f"{self._prefix}/event", event, qos=1)
            except aiomqtt.MqttError:
                if len(self._events) < MAX_UNSENT_EVENTS:
                    self._events.appendleft(event)
                raise
            return True
        return False

    async def _send_retained(self, client: aiomqtt.Client, topics: list[str]) -> None:
        """Until the broker has them all; none of them waits for another one's answer."""
        messages = [client.publish(f"{self._prefix}/{one}", self._retained[one], qos=1, retain=True) for one in topics]
        if len(messages) == 1:
            await messages[0]
            return
        async with asyncio.TaskGroup() as group:
            for message in messages:
                group.create_task(message)

    async def _listen(self, client: aiomqtt.Client) -> None:
        start = len(self._prefix) + 1
        async for message in client.messages:
            self.hear(message.topic.value[start:], bytes(message.payload), retained=bool(message.retain))

    def hear(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """One message on `topic`, below the prefix; never waits, whatever it is."""
        heard = self._door.hear(topic, payload, retained=retained)
        if heard.event is None:
            self._refused(heard)
            return
        if isinstance(heard.event, Request | QuietRequest):  # answered by the pipeline
            self._marked[heard.id] = None
            while len(self._marked) > MAX_MARKED:
                del self._marked[next(iter(self._marked))]
        elif not isinstance(heard.event, NodeRequest):  # answered by the desk of the nodes
            self._reply(ReplyMessage(heard.id, heard.topic, accepted=True, text="taken", utc=_now()))
        self._on_ask(heard.event)

    def _refused(self, heard: Heard) -> None:
        if heard.id:
            self._reply(ReplyMessage(heard.id, heard.topic, accepted=False, text=heard.refusal, utc=_now()))
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._tell_refused_s:
            self._tell_refused_s = now_s + real_seconds(TELL_REFUSALS_S)
            number, self._told_refused = self._door.refused - self._told_refused, self._door.refused
            who = f" of {heard.user}" if heard.user else ""
            self._extras.on_refused(
                f"{number} MQTT commands refused; the last, {heard.topic!a}{who}, because: {heard.refusal}"
            )

    def _answer(self, entry: OperatorEntry) -> None:
        if entry.request_id is not None and entry.request_id in self._marked:
            del self._marked[entry.request_id]
            self._reply(ReplyMessage(entry.request_id, entry.action, entry.accepted, entry.text, _now()))

    def _reply(self, reply: ReplyMessage) -> None:
        self._replies.append(reply)
        self._wake.set()


def _now() -> str:
    return wall_clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status(*, online: bool) -> bytes:
    return msgspec.json.encode(StatusMessage(online))
