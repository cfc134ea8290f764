"""What can go wrong on a line, wrapped around any far end: seeded, switched on and off while the line is up."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.wire.framing import DELIMITER
from sim.faults.damage import Damage, damaged
from tests.support.places import FarEnd, Place

FLOOD_PERIOD_S = 0.01
OVERTAKEN_BY = 3
TO_HOST, TO_NODE = "to_host", "to_node"


@dataclass(frozen=True)
class Trouble:
    """One kind of bad line, both ways where it says nothing else; shares are of frames.

    Args:
        damage: what happens to bytes.
        lost: frames that vanish.
        swapped: frames that arrive behind the three after them, so that one of their own kind overtakes them.
        delay_s, jitter_s: how long they are on their way, at least and at random on top; none overtakes another.
        dead: ways on which nothing arrives.
        held: nothing arrives until the trouble is over; then all of it, at once.
        roar: random bytes that somebody else sends to the host a hundredth of a second.
        cut: the line is pulled and plugged in again, three times.
    """

    damage: Damage = field(default_factory=Damage)
    lost: float = 0.0
    swapped: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    dead: frozenset[str] = frozenset()
    held: bool = False
    roar: int = 0
    cut: bool = False


NONE = Trouble()


class BadPlace:
    """A place whose lines are as bad as `trouble` says, from now on."""

    def __init__(self, place: Place, seed: int) -> None:
        self._place = place
        self._random = np.random.default_rng(seed)
        self._trouble = NONE
        self._ends: list[BadEnd] = []

    @property
    def name(self) -> str:
        return self._place.name

    @property
    def tries(self) -> int:
        return self._place.tries

    @tries.setter
    def tries(self, tries: int) -> None:
        self._place.tries = tries

    @property
    def trouble(self) -> Trouble:
        return self._trouble

    @trouble.setter
    def trouble(self, trouble: Trouble) -> None:
        self._trouble = trouble
        for end in self._ends:
            end.changed()

    def plug(self) -> FarEnd:
        end = BadEnd(self._place.plug(), self, self._random)
        self._ends = [one for one in self._ends if not one.closed] + [end]
        return end

    async def open(self) -> ByteLink:
        return await self._place.open()


class BadEnd:
    """A far end behind trouble."""

    def __init__(self, end: FarEnd, place: BadPlace, random: np.random.Generator) -> None:
        self._end, self._place, self._random = end, place, random
        self._loop = asyncio.get_running_loop()
        self._free_s = 0.0
        self._on_the_way: deque[bytes] = deque()
        self._kept_back: bytes | None = None
        self._overtaken = 0
        self._held: list[bytes] = []
        self.closed = False

    async def read(self) -> Received:
        while True:
            received = await self._end.read()
            while self._place.trouble.held and not self.closed:  # noqa: ASYNC110 - as a line that is stuck
                await asyncio.sleep(0.05)
            trouble = self._place.trouble
            if trouble.delay_s or trouble.jitter_s:
                await asyncio.sleep(self._late_s(trouble))
            if TO_NODE in trouble.dead:
                continue
            data = b"".join(self._pieces(received.data, trouble))
            if data:
                return Received(data, received.at_ns)

    def write(self, data: bytes) -> None:
        trouble = self._place.trouble
        if TO_HOST in trouble.dead:
            return
        pieces = self._pieces(data, trouble)
        if trouble.held:
            self._held += pieces
            return
        for piece in pieces:
            self._send(piece, self._late_s(trouble) if trouble.delay_s or trouble.jitter_s else 0.0)

    def close(self) -> None:
        self.closed = True
        self._end.close()

    def changed(self) -> None:
        """Another trouble, or none: what was held arrives."""
        if not self._place.trouble.held:
            held, self._held = self._held, []
            kept, self._kept_back = self._kept_back, None
            for piece in [*held, *([] if kept is None else [kept])]:
                self._send(piece, 0.0)

    def roar(self) -> None:
        with suppress(LinkError):
            self._end.write(self._random.bytes(self._place.trouble.roar))

    def _late_s(self, trouble: Trouble) -> float:
        return trouble.delay_s + trouble.jitter_s * float(self._random.random())

    def _send(self, piece: bytes, late_s: float) -> None:
        now_s = self._loop.time()
        self._free_s = max(self._free_s, now_s + late_s)
        self._on_the_way.append(piece)
        if self._free_s <= now_s:
            self._out()
        else:
            self._loop.call_at(self._free_s, self._out)

    def _out(self) -> None:
        """The oldest arrives: timers of one instant come in any order."""
        piece = self._on_the_way.popleft()
        if not self.closed:
            with suppress(LinkError):
                self._end.write(piece)

    def _pieces(self, data: bytes, trouble: Trouble) -> list[bytes]:
        frames = [frame + DELIMITER for frame in data.split(DELIMITER)[:-1]]  # whoever writes here writes whole frames
        frames = [frame for frame in frames if self._random.random() >= trouble.lost]
        if trouble.swapped:
            frames = self._swapped(frames, trouble.swapped)
        return [piece for frame in frames for piece in damaged(frame, trouble.damage, self._random)]

    def _swapped(self, frames: list[bytes], share: float) -> list[bytes]:
        out: list[bytes] = []
        for frame in frames:
            if self._kept_back is None and self._random.random() < share:
                self._kept_back = frame
                continue
            out.append(frame)
            self._overtaken += self._kept_back is not None
            if self._kept_back is not None and self._overtaken >= OVERTAKEN_BY:
                out.append(self._kept_back)
                self._kept_back, self._overtaken = None, 0
        return out


async def rule(place: BadPlace, trouble: Trouble, for_s: float, replug: Callable[[], object]) -> None:
    """Let `trouble` rule for a while; `replug` pulls the line and plugs it in again."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + for_s
    place.trouble = trouble
    cuts = 3 if trouble.cut else 0
    while loop.time() < until_s:
        if trouble.roar:
            for end in place._ends:
                end.roar()
            await asyncio.sleep(FLOOD_PERIOD_S)
        elif cuts:
            cuts -= 1
            made = replug()
            if asyncio.iscoroutine(made):
                await made
            await asyncio.sleep(for_s / 4)
        else:
            await asyncio.sleep(until_s - loop.time())
    place.trouble = NONE
