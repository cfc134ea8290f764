"""Nodes behind a broker: the same frames, carried as payloads of two topics a node over one shared connection."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import aiomqtt

from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.broker import CONNECT_TIMEOUT_S, BrokerSettings, new_client
from firmware_bridge.links.mailbox import Mailbox
from firmware_bridge.links.unread import MAX_READ_BYTES
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.units import s_to_ns

MAX_PAYLOAD_BYTES = 1 << 18  # a whole burst of 4 x 16,384 samples fits; more is no node of ours
MAX_UNREAD_PAYLOADS = 512  # or parts of them, as large as is read in one go
MAX_UNSENT_PAYLOADS = 256
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0


def from_node_topic(prefix: str) -> str:
    """The topic on which a node publishes its bytes."""
    return f"{prefix}/from-node"


def to_node_topic(prefix: str) -> str:
    """The topic on which a node listens."""
    return f"{prefix}/to-node"


class TopicListener(Protocol):
    """Hears topics that are not a node's."""

    @property
    def topics(self) -> frozenset[str]:
        """What it wants to hear."""
        ...

    def heard(self, topic: str, payload: bytes, at_ns: int, *, retained: bool) -> None:
        """One message; `retained` where the broker kept it for whoever comes."""
        ...

    def fail(self, what: str) -> None:
        """The connection is lost."""
        ...


class MqttHub:
    """One broker connection shared by all MQTT nodes; `run` it as a task, it reconnects by itself."""

    def __init__(self, broker: BrokerSettings, *, on_change: Callable[[bool, str], None]) -> None:
        """Name the broker; `on_change(connected, reason)` is called at each change."""
        self._broker = broker
        self._on_change = on_change
        self._prefixes: set[str] = set()
        self._links: dict[str, MqttLink] = {}
        self._topics: set[str] = set()
        self._listeners: list[TopicListener] = []
        self._unsent: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MAX_UNSENT_PAYLOADS)
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self.reason = "not connected yet"
        self._told: tuple[bool, str] | None = None

    async def run(self) -> None:
        """Stay connected until cancelled; a fresh client for every connection."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                async with self._new_client() as client:
                    backoff_s = FIRST_BACKOFF_S
                    await self._serve(client)
            except* aiomqtt.MqttError as errors:  # bare while connecting, from the group of tasks afterwards
                self._disconnected(str(_first(errors)))
            finally:
                self._client = None
                self._up.clear()
            stop_if_asked()
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    def expect(self, prefix: str) -> None:
        """Subscribe to the node at `prefix` from the next connection on; call before `run`."""
        self._prefixes.add(prefix)

    def expect_topics(self, topics: Iterable[str]) -> None:
        """Subscribe to what other people's software publishes from the next connection on; call before `run`."""
        self._topics.update(topics)

    def listen(self, listener: "TopicListener") -> None:
        """Give `listener` every message of its topics.

        Raises:
            LinkError: there is no connection to the broker.
        """
        self._demand_connection()
        self._listeners.append(listener)

    def unlisten(self, listener: "TopicListener") -> None:
        """Give it none any more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    async def settled(self) -> None:
        """Wait a while for the connection, so that a start is not told as a failure."""
        with suppress(TimeoutError):
            async with asyncio.timeout(real_seconds(CONNECT_TIMEOUT_S)):
                await self._up.wait()

    def attach(self, link: "MqttLink") -> None:
        """Route `link`'s topic to it.

        Raises:
            LinkError: there is no connection to the broker.
        """
        self._demand_connection()
        self._links[from_node_topic(link.prefix)] = link

    def detach(self, link: "MqttLink") -> None:
        """Stop routing to `link`."""
        if self._links.get(from_node_topic(link.prefix)) is link:
            del self._links[from_node_topic(link.prefix)]

    def send(self, prefix: str, data: bytes) -> None:
        """Queue bytes for a node; LinkError when the broker takes nothing."""
        try:
            self._unsent.put_nowait((to_node_topic(prefix), data))
        except asyncio.QueueFull as error:
            raise LinkError("the broker accepts no messages", remedy="check the broker and the network") from error

    @property
    def address(self) -> str:
        """Host and port for messages."""
        return f"{self._broker.host}:{self._broker.port}"

    def _demand_connection(self) -> None:
        if self._client is None:
            raise LinkError(
                f"no broker at {self.address}", remedy=f"{self.reason}; start it or mend [mqtt] host and port"
            )

    def _new_client(self) -> aiomqtt.Client:
        return new_client(self._broker)

    async def _serve(self, client: aiomqtt.Client) -> None:
        for prefix in sorted(self._prefixes):
            await client.subscribe(from_node_topic(prefix))
        for topic in sorted(self._topics):
            await client.subscribe(topic)
        self._client = client
        self._up.set()
        self._tell(True, f"connected to {self.address}")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_queued(client))
            await self._dispatch(client)

    async def _dispatch(self, client: aiomqtt.Client) -> None:
        loop = asyncio.get_running_loop()
        async for message in client.messages:
            topic = message.topic.value
            link = self._links.get(topic)
            payload = message.payload
            if topic in self._topics and isinstance(payload, bytes | bytearray):
                for listener in tuple(self._listeners):
                    if topic in listener.topics:
                        listener.heard(topic, bytes(payload), s_to_ns(loop.time()), retained=bool(message.retain))
            # What a broker retained was said to somebody else, nobody knows when: no node says it now.
            if link is not None and not message.retain and isinstance(payload, bytes | bytearray):
                link.deliver(Received(bytes(payload), s_to_ns(loop.time())))

    async def _send_queued(self, client: aiomqtt.Client) -> None:
        while True:
            topic, data = await self._unsent.get()
            await client.publish(topic, data, qos=0)

    def _disconnected(self, reason: str) -> None:
        self.reason = reason
        while not self._unsent.empty():
            self._unsent.get_nowait()
        lost: list[MqttLink | TopicListener] = [*self._links.values(), *self._listeners]
        for link in lost:
            link.fail(f"broker {self.address} is away ({reason})")
        self._tell(False, reason)

    def _tell(self, connected: bool, reason: str) -> None:
        """Tell the owner, once for each change."""
        if self._told != (connected, reason):
            self._told = connected, reason
            self._on_change(connected, reason)


def _first(error: BaseException) -> BaseException:
    """The first plain error within nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class MqttPort:
    """A node behind the broker, by its topic prefix such as `leakloc/SITE/node/D`."""

    def __init__(self, hub: MqttHub, prefix: str) -> None:
        """Name the node's topics; nothing is opened yet."""
        self.name = f"mqtt:{prefix}"
        self._hub = hub
        self._prefix = prefix
        hub.expect(prefix)

    async def open(self) -> ByteLink:
        """Attach to the hub; LinkError while it has no connection."""
        await self._hub.settled()
        link = MqttLink(self._hub, self._prefix)
        self._hub.attach(link)
        return link


class MqttLink:
    """An attached node; several frames or parts of frames a payload are all right."""

    def __init__(self, hub: MqttHub, prefix: str) -> None:
        """Prepare to be attached."""
        self.prefix = prefix
        self._hub = hub
        self._mailbox = Mailbox(f"mqtt:{prefix}", MAX_UNREAD_PAYLOADS)
        self.refused_payloads = 0
        self._refused_bytes = 0

    @property
    def dropped_bytes(self) -> int:
        """How many made way because nobody read them, or came in payloads that are too long."""
        return self._mailbox.dropped_bytes + self._refused_bytes

    def deliver(self, received: Received) -> None:
        """Take one payload from the hub; oversized ones are refused and counted, the oldest makes way."""
        if len(received.data) > MAX_PAYLOAD_BYTES:
            self.refused_payloads += 1
            self._refused_bytes += len(received.data)
            return
        for start in range(0, len(received.data), MAX_READ_BYTES):
            self._mailbox.put(Received(received.data[start : start + MAX_READ_BYTES], received.at_ns))

    def fail(self, what: str) -> None:
        """The hub lost its connection."""
        self._mailbox.fail(what)

    async def read(self) -> Received:
        """Wait for a payload; LinkError when the broker is gone."""
        return await self._mailbox.read()

    def write(self, data: bytes) -> None:
        """Publish `data` to the node."""
        if self._mailbox.failure is not None:
            raise self._mailbox.failure
        self._hub.send(self.prefix, data)

    def close(self) -> None:
        """Stop listening."""
        self._hub.detach(self)
        self._mailbox.close()
