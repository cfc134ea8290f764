"""Two ways to nodes: through a running controller's broker, or on the links themselves while none runs."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import aiomqtt
import msgspec
import numpy as np
from pydantic import ValidationError

from controller.cli.ports import ports_of
from controller.clock import UtcClock, wall_clock
from controller.config import Configuration
from controller.errors import ControllerError
from controller.outputs.mqtt.commands import NodeCommand
from controller.outputs.mqtt.messages import ReplyMessage
from controller.outputs.node_board import NodeBoard, NodesMessage
from controller.outputs.node_requests import Hands, NodeReply, NodeRequest, NodeRequests
from firmware_bridge.bridge import Bridge
from firmware_bridge.links.broker import new_client
from firmware_bridge.session.events import SessionEvent
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.units import s_to_ns

ANSWER_S = 5.0  # a controller publishes each second, and a broker on the other side of a cabin needs less than one
MEET_S = 4.0  # on the links: a greeting, eight pings and the first reports
_NO_CONTROLLER = "start one (leakctl run), or ask on the links themselves with --direct"


class Access(Protocol):
    """Nodes within reach."""

    async def nodes(self) -> NodesMessage:
        """How they stand now, or at the next change."""
        ...

    def ask(self, request: NodeRequest) -> AsyncIterator[NodeReply]:
        """Carry out a request; ends with its last reply."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks at the broker."""

    user: str
    password: str | None = field(default=None, repr=False)


def new_request_id() -> str:
    """Nobody else's, for a while."""
    return secrets.token_hex(8)


@asynccontextmanager
async def over_broker(configuration: Configuration, login: Login | None = None) -> AsyncIterator[Access]:
    """Through a running controller; `login` is who asks there, None for the controller's own user.

    Raises:
        ControllerError: MQTT is off, or there is no broker, or it goes away meanwhile.
    """
    broker = configuration.broker
    if broker is None:
        raise ControllerError("MQTT is off in this configuration", remedy="ask on the links themselves with --direct")
    if login is not None:
        broker = replace(broker, username=login.user, password=login.password)
    users = configuration.table.mqtt.command_users
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(new_client(broker))
        except aiomqtt.MqttError as error:
            raise ControllerError(
                f"no broker at {broker.host}:{broker.port} ({error})", remedy="start it, or use --direct"
            ) from error
        try:
            yield _OverBroker(client, f"leakloc/{configuration.site.name}", broker.username or "", users)
        except aiomqtt.MqttError as error:
            raise ControllerError(
                f"the broker at {broker.host}:{broker.port} went away ({error})",
                remedy="start it again, or use --direct",
            ) from error


class _OverBroker:
    def __init__(self, client: aiomqtt.Client, prefix: str, user: str, users: tuple[str, ...]) -> None:
        self._client = client
        self._prefix = prefix
        self._user = user
        self._users = users
        self._subscribed = False

    async def nodes(self) -> NodesMessage:
        topic = f"{self._prefix}/nodes"
        if not self._subscribed:
            self._subscribed = True
            await self._client.subscribe(topic, qos=1)
        try:
            async with asyncio.timeout(ANSWER_S):
                async for message in self._client.messages:
                    if message.topic.value == topic and not message.retain:  # what was retained may be of yesterday
                        return msgspec.json.decode(bytes(message.payload), type=NodesMessage)
        except TimeoutError as error:
            raise ControllerError(f"no controller says anything on {topic}", remedy=_NO_CONTROLLER) from error
        except msgspec.MsgspecError as error:
            raise ControllerError(f"{topic}: {error}", remedy="use the leakctl of the controller that runs") from error
        raise ControllerError("the broker went away", remedy="try again")

    async def ask(self, request: NodeRequest) -> AsyncIterator[NodeReply]:
        if self._users and self._user not in self._users:
            raise ControllerError(
                f"{self._user or 'nobody'} may not command here",
                remedy=f"log in by --user as one of {', '.join(self._users)} ([mqtt] command_users)",
            )
        topic = f"{self._prefix}/reply/{request.id}"
        await self._client.subscribe(topic, qos=1)
        command = _command(request)
        where = f"{self._prefix}/command/node" + (f"/{self._user}" if self._users else "")
        await self._client.publish(where, command.model_dump_json().encode(), qos=1)
        messages = aiter(self._client.messages)
        while True:
            try:
                async with asyncio.timeout(ANSWER_S):
                    message = await anext(messages)
            except TimeoutError as error:
                raise ControllerError("no controller answers", remedy=_NO_CONTROLLER) from error
            if message.topic.value != topic:
                continue
            reply = _reply(bytes(message.payload))
            yield reply
            if not reply.more:
                return


def _command(request: NodeRequest) -> NodeCommand:
    try:
        return NodeCommand(
            id=request.id,
            utc=wall_clock(),
            by=request.by,
            node=request.node,
            do=request.do,
            seconds=request.seconds,
        )
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ControllerError(f"no controller takes this request ({problems})", remedy="ask otherwise") from error


def _reply(payload: bytes) -> NodeReply:
    """A node's answer; ControllerError where the controller's door refused the request."""
    try:
        return msgspec.json.decode(payload, type=NodeReply)
    except msgspec.MsgspecError as error:
        try:
            refused = msgspec.json.decode(payload, type=ReplyMessage)
        except msgspec.MsgspecError:
            raise ControllerError(
                f"no answer: {error}", remedy="use the leakctl of the controller that runs"
            ) from error
    raise ControllerError(f"refused: {refused.text}", remedy=f"the controller's clock says {refused.utc}")


@asynccontextmanager
async def on_links(configuration: Configuration) -> AsyncIterator[Access]:
    """On the links themselves; whoever holds a port meanwhile is named in its row."""
    ports, hub = ports_of(configuration)
    access = _OnLinks(configuration, tuple(port.name for port in ports))
    bridge = Bridge(access.exchange, ports, access.take, np.random.default_rng())
    access.hands(bridge)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(bridge.run())]
            if hub is not None:
                tasks.append(group.create_task(hub.run()))
            await asyncio.sleep(MEET_S)
            try:
                yield access
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as errors:  # a reader of our output that went away is one error, and no group of them
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise


class _OnLinks:
    def __init__(self, configuration: Configuration, links: tuple[str, ...]) -> None:
        self.exchange = Exchange(configuration.site, links, configuration.session)
        self._board = NodeBoard(links)
        self._replies: asyncio.Queue[NodeReply] = asyncio.Queue()
        self._requests: NodeRequests | None = None
        self._clock = UtcClock(_now_ns())

    def hands(self, bridge: Bridge) -> None:
        """Requests go out through `bridge`."""
        self._requests = NodeRequests(self._board, Hands(bridge.send, bridge.greet), self._replies.put_nowait)

    def take(self, event: SessionEvent) -> None:
        """What the bridge tells."""
        self._board.take(event)
        if self._requests is not None:
            self._requests.take(event)

    async def nodes(self) -> NodesMessage:
        await asyncio.sleep(1.0)
        return NodesMessage(self._clock.utc(_now_ns()), self._board.rows())

    async def ask(self, request: NodeRequest) -> AsyncIterator[NodeReply]:
        requests = self._requests
        if requests is None:
            return
        requests.ask(_now_ns(), request)
        while True:
            requests.due(_now_ns())
            try:
                async with asyncio.timeout(0.1):
                    reply = await self._replies.get()
            except TimeoutError:
                continue
            yield reply
            if not reply.more:
                return


def _now_ns() -> int:
    return s_to_ns(asyncio.get_running_loop().time())
