"""What a person may ask of one node, carried out: ping, identify, reset, levels. Who brings the requests is elsewhere.

These are the only commands that are not tasking's: none of them changes a decision, and all are journaled and recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

import msgspec
import numpy as np

from controller.outputs.node_board import NodeBoard
from firmware_bridge.samples import LevelBlock
from firmware_bridge.session.events import CommandOutcome
from firmware_bridge.units import s_to_ns
from firmware_bridge.wire.commands import Command, Identify, Levels, Ping

FIRST_TICKET = 1 << 40  # tasking counts from 1
MAX_UNDER_WAY = 32
MAX_SECONDS = 600.0
LEVELS_PERIOD_MS = 1000
NO_LEVELS = "it agreed, but sent none that can be used; listen for 3 s or more, and see undecodable in leakctl nodes"
FLOOR_PA2 = 1e-30  # below any sensor's noise; so that silence has a level

Do = Literal["ping", "identify", "reset", "levels"]


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """What somebody asks of one node. `node` is a name or a UID; `id` comes back in the reply."""

    id: str
    node: str
    do: Do
    seconds: float = 10.0
    by: str = ""


class BandLevel(msgspec.Struct, frozen=True):
    """Mean of one sensor's band: edges in Hz, and its level in dB re one SI unit, rms."""

    sensor: str
    low_hz: float
    high_hz: float
    level_db: float


class NodeReply(msgspec.Struct, frozen=True):
    """Payload of `reply/<id>`; more replies to the same request follow while `more` is true."""

    id: str
    node: str
    do: Do
    done: bool
    text: str
    more: bool = False
    levels: tuple[BandLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class Hands:
    """How requests reach nodes: `send(node, ticket, command)`, `greet(link)`."""

    send: Callable[[str, int, Command], None]
    greet: Callable[[str], None]


@dataclass(slots=True)
class _Watch:
    request: NodeRequest
    node: str
    until_ns: int
    heard: bool = False


class NodeRequests:
    """Requests under way."""

    def __init__(self, board: NodeBoard, hands: Hands, reply: Callable[[NodeReply], None]) -> None:
        """Nothing is under way yet; replies go to `reply`, which must not wait."""
        self._board = board
        self._hands = hands
        self._reply = reply
        self._tickets = count(FIRST_TICKET)
        self._asked: dict[int, tuple[NodeRequest, str, bool]] = {}
        self._watches: list[_Watch] = []

    def ask(self, now_ns: int, request: NodeRequest) -> None:
        """Carry out `request`; every one is answered."""
        link = self._board.link_with(request.node)
        node = self._board.node_at(link) if link is not None else None
        refusal = None
        if len(self._asked) + len(self._watches) >= MAX_UNDER_WAY:
            refusal = "too many requests are under way; try again in a while"
        elif not 0.0 < request.seconds <= MAX_SECONDS:
            refusal = f"seconds must be more than 0 and at most {MAX_SECONDS:g}"
        elif link is None or node is None:
            known = ", ".join(row.node for row in self._board.rows() if row.node) or "nobody yet"
            refusal = f"no such node has been heard; known are {known}"
        if refusal is not None or link is None or node is None:
            self._answer(request, request.node, refusal or "", done=False)
        elif request.do == "ping":
            self._send(request, node, Ping(0))
        elif request.do == "identify":
            self._send(request, node, Identify(max(1, round(request.seconds))))
        elif request.do == "levels":
            self._watches.append(_Watch(request, node, now_ns + s_to_ns(request.seconds)))
            self._send(request, node, Levels(LEVELS_PERIOD_MS))
        else:
            self._hands.greet(link)
            self._answer(request, node, "it is greeted anew", done=True)

    def take(self, event: object) -> None:
        """See whether `event` answers something."""
        if isinstance(event, CommandOutcome) and event.ticket in self._asked:
            request, node, in_vain = self._asked.pop(event.ticket)
            watched = isinstance(event.command, Levels) and event.command.period_ms > 0
            if watched and not event.done:
                self._watches = [watch for watch in self._watches if watch.request is not request]
            if in_vain and event.done:
                self._answer(request, node, NO_LEVELS, done=False)
            elif not (watched and event.done):
                self._answer(request, node, event.text, done=event.done)
        elif isinstance(event, LevelBlock):
            for watch in self._watches:
                if watch.node == event.node:
                    watch.heard = True
                    self._reply(_levels(watch.request, event))

    def due(self, now_ns: int) -> None:
        """End what has lasted long enough."""
        over = [watch for watch in self._watches if now_ns >= watch.until_ns]
        self._watches = [watch for watch in self._watches if now_ns < watch.until_ns]
        for watch in over:
            if not any(other.node == watch.node for other in self._watches):
                self._send(watch.request, watch.node, Levels(0), in_vain=not watch.heard)
            else:
                self._answer(watch.request, watch.node, "done" if watch.heard else NO_LEVELS, done=watch.heard)

    def _send(self, request: NodeRequest, node: str, command: Command, *, in_vain: bool = False) -> None:
        ticket = next(self._tickets)
        self._asked[ticket] = request, node, in_vain
        self._hands.send(node, ticket, command)

    def _answer(self, request: NodeRequest, node: str, text: str, *, done: bool) -> None:
        self._reply(NodeReply(request.id, node, request.do, done, text))


def _levels(request: NodeRequest, block: LevelBlock) -> NodeReply:
    """Unit is that of the sensors: Pa, or m/s."""
    level_db = 10.0 * np.log10(np.maximum(block.mean_square, FLOOR_PA2))
    levels = tuple(
        BandLevel(sensor, float(low), float(high), round(float(level_db[row, band]), 2))
        for row, sensor in enumerate(block.sensors)
        for band, (low, high) in enumerate(block.bands_hz)
    )
    text = f"dB re 1 {block.quantity.unit}, rms"
    return NodeReply(request.id, block.node, request.do, done=True, text=text, more=True, levels=levels)
