"""Topics that other people's software publishes, as a link that can only be heard. What they mean is session's."""

import asyncio
from collections import deque
from collections.abc import Iterable

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.mqtt import MqttHub
from firmware_bridge.session.instrument import TOPIC_END

MAX_UNREAD_MESSAGES = 256
MAX_MESSAGE_BYTES = 1 << 17  # twice what is ever read of one: longer ones cost no memory


class TopicsPort:
    """One instrument's topics."""

    def __init__(self, hub: MqttHub, name: str, topics: Iterable[str]) -> None:
        """Name the topics; nothing is opened yet."""
        self.name = name
        self._hub = hub
        self._topics = frozenset(topics)
        hub.expect_topics(self._topics)

    async def open(self) -> ByteLink:
        """Begin to listen; LinkError while the hub has no connection."""
        await self._hub.settled()
        link = TopicsLink(self._hub, self.name, self._topics)
        self._hub.listen(link)
        return link


class TopicsLink:
    """Delivers one message a read: topic, a zero byte, payload."""

    def __init__(self, hub: MqttHub, name: str, topics: frozenset[str]) -> None:
        """Prepare to listen."""
        self.topics = topics
        self._hub = hub
        self._name = name
        self._unread: deque[Received] = deque(maxlen=MAX_UNREAD_MESSAGES)
        self._arrived = asyncio.Event()
        self._failure: LinkError | None = None
        self.refused = 0

    def heard(self, topic: str, payload: bytes, at_ns: int, *, retained: bool) -> None:
        """Take one message. What a broker retained is of unknown age: it is not a value of now, and refused."""
        if retained or len(payload) > MAX_MESSAGE_BYTES:
            self.refused += 1
            return
        self._unread.append(Received(topic.encode() + TOPIC_END + payload, at_ns))
        self._arrived.set()

    def fail(self, what: str) -> None:
        """The hub lost its connection."""
        self._failure = LinkError(what, remedy="start the broker; it is tried again by itself")
        self._arrived.set()

    async def read(self) -> Received:
        """Wait for a message; LinkError when the broker is gone."""
        await self._arrived.wait()
        if self._unread:
            received = self._unread.popleft()
            if not self._unread and self._failure is None:
                self._arrived.clear()
            return received
        raise self._failure or LinkError(f"{self._name} is closed", remedy="open it again")

    def write(self, data: bytes) -> None:
        """Nobody is spoken to: what is written goes nowhere."""

    def close(self) -> None:
        """Stop listening."""
        self._hub.unlisten(self)
        self._failure = self._failure or LinkError(f"{self._name} is closed", remedy="open it again")
        self._arrived.set()
