"""Nodes on MQTT, as docs/mqtt.md says: how they stand (`nodes`), and what people ask of one (`command/node`)."""

import asyncio
from collections import deque
from collections.abc import Callable

import aiomqtt
import msgspec

from controller.outputs.node_board import NodeBoard, NodesMessage
from controller.outputs.node_requests import Hands, NodeReply, NodeRequest, NodeRequests
from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.links.broker import BrokerSettings, new_client
from firmware_bridge.units import s_to_ns

PUBLISH_PERIOD_S = 1.0
MAX_UNSENT_REPLIES = 256
MAX_REQUEST_BYTES = 4096
MAX_ID = 64
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0
_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")  # it becomes a topic


class NodeDesk:
    """Publishes over a client of its own; `run` it as a task."""

    def __init__(
        self, broker: BrokerSettings, site: str, links: tuple[str, ...], hands: Hands, utc: Callable[[], str]
    ) -> None:
        """Name broker and site; nothing is connected yet."""
        self._broker = broker
        self._prefix = f"leakloc/{site}"
        self._utc = utc
        self._board = NodeBoard(links)
        self._replies: deque[NodeReply] = deque(maxlen=MAX_UNSENT_REPLIES)
        self._requests = NodeRequests(self._board, hands, self._replies.append)

    def take(self, event: object) -> None:
        """Look at an event of the bridge; never waits."""
        self._board.take(event)
        self._requests.take(event)

    async def run(self) -> None:
        """Stay connected until cancelled; that the broker is away is told by others."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                async with new_client(self._broker) as client:
                    backoff_s = FIRST_BACKOFF_S
                    await client.subscribe(f"{self._prefix}/command/node", qos=1)
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._publish(client))
                        await self._listen(client)
            except* aiomqtt.MqttError:
                pass
            stop_if_asked()
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    async def _publish(self, client: aiomqtt.Client) -> None:
        last = b""
        next_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._requests.due(s_to_ns(loop.time()))
            while self._replies:
                reply = self._replies.popleft()
                await client.publish(f"{self._prefix}/reply/{reply.id}", msgspec.json.encode(reply), qos=1)
            if loop.time() >= next_s:
                next_s = loop.time() + PUBLISH_PERIOD_S
                rows = msgspec.json.encode(self._board.rows())
                if rows != last:
                    last = rows
                    message = msgspec.json.encode(NodesMessage(self._utc(), self._board.rows()))
                    await client.publish(f"{self._prefix}/nodes", message, qos=1, retain=True)
            await asyncio.sleep(0.05)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if message.retain or len(message.payload) > MAX_REQUEST_BYTES:
                continue
            try:
                request = msgspec.json.decode(bytes(message.payload), type=NodeRequest)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if 0 < len(request.id) <= MAX_ID and set(request.id) <= _ID_CHARACTERS:
                self._requests.ask(s_to_ns(asyncio.get_running_loop().time()), request)
