"""Nodes on MQTT, as docs/mqtt.md says: how they stand (`nodes`), and answers to what people ask of one.

Requests come in through the door that all commands come through; this desk listens to nobody else.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import aiomqtt
import msgspec

from controller.outputs.mqtt.commands import CommandEvent, PipelineEvent
from controller.outputs.node_board import NodeBoard, NodesMessage
from controller.outputs.node_requests import Do, Hands, NodeReply, NodeRequest, NodeRequests
from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.links.broker import BrokerSettings, new_client
from firmware_bridge.units import s_to_ns

PUBLISH_PERIOD_S = 1.0
MAX_UNSENT_REPLIES = 256
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0
_WORDS: dict[Do, str] = {
    "ping": "answer a ping",
    "identify": "show itself",
    "reset": "be greeted anew",
    "levels": "tell its levels",
}


class NodeDesk:
    """Publishes over a client of its own; `run` it as a task."""

    def __init__(
        self,
        broker: BrokerSettings,
        site: str,
        links: tuple[str, ...],
        hands: Hands,
        utc: Callable[[], str],
        note: Callable[[str], None],
    ) -> None:
        """Name broker and site; nothing is connected yet. `note` hears who asked what."""
        self._broker = broker
        self._prefix = f"leakloc/{site}"
        self._utc = utc
        self._note = note
        self._board = NodeBoard(links)
        self._replies: deque[NodeReply] = deque(maxlen=MAX_UNSENT_REPLIES)
        self._requests = NodeRequests(self._board, hands, self._replies.append)

    def take(self, event: object) -> None:
        """Look at an event of the bridge; never waits."""
        self._board.take(event)
        self._requests.take(event)

    def ask(self, request: NodeRequest) -> None:
        """Carry out what somebody asks; every request is answered."""
        self._note(f"{request.by} asked node {request.node!r} to {_WORDS[request.do]}")
        self._requests.ask(s_to_ns(asyncio.get_running_loop().time()), request)

    async def run(self) -> None:
        """Stay connected until cancelled; that the broker is away is told by others."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                async with new_client(self._broker) as client:
                    backoff_s = FIRST_BACKOFF_S
                    await self._publish(client)
            except aiomqtt.MqttError:
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


def sorting(desk: NodeDesk | None, onward: Callable[[PipelineEvent], None]) -> Callable[[CommandEvent], None]:
    """What takes any command: requests of nodes go to the desk, all others `onward`."""

    def take(event: CommandEvent) -> None:
        if not isinstance(event, NodeRequest):
            onward(event)
        elif desk is not None:
            desk.ask(event)

    return take
