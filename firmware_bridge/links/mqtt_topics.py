"""Topics that other people's software publishes, as a link that can only be heard. What they mean is session's."""

from collections.abc import Iterable

from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.mailbox import Mailbox
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
        self._mailbox = Mailbox(name, MAX_UNREAD_MESSAGES)
        self.refused = 0

    @property
    def dropped_bytes(self) -> int:
        """How many made way because nobody read them."""
        return self._mailbox.dropped_bytes

    def heard(self, topic: str, payload: bytes, at_ns: int, *, retained: bool) -> None:
        """Take one message. What a broker retained is of unknown age: it is not a value of now, and refused."""
        if retained or len(payload) > MAX_MESSAGE_BYTES:
            self.refused += 1
            return
        self._mailbox.put(Received(topic.encode() + TOPIC_END + payload, at_ns))

    def fail(self, what: str) -> None:
        """The hub lost its connection."""
        self._mailbox.fail(what)

    async def read(self) -> Received:
        """Wait for a message; LinkError when the broker is gone."""
        return await self._mailbox.read()

    def write(self, data: bytes) -> None:
        """Nobody is spoken to: what is written goes nowhere."""

    def close(self) -> None:
        """Stop listening."""
        self._hub.unlisten(self)
        self._mailbox.close()
