"""A real node image in the place of the twin: what the plant does to a node's program, done to a process.

The image has no clock of its own: it is told the time on the node's crystal whenever something happens to it, and
says when it wants to be told next. So a run is the same each time, at any speed and in virtual time.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.wire.commands import SirenPattern
from sim.attach.image import messages
from sim.attach.image.messages import Conversion
from sim.attach.image.process import NodeProcess
from sim.attach.image.uart import ImageUart
from sim.errors import NodeImageError
from sim.node.board import POWER_UP, Board, BurstOrder, Pins
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing
from sim.node.relays import Relays

LEVEL_ORDERS = 1 << 32  # beyond every burst_id: what is listened to for levels has noise of its own
WIRE_BYTES = 16_384  # at a time: a pipe holds four times as much before the image is told to read


class ImageFirmware:
    """One running image; its methods are those of `sim.node.program.Program`, times are true times."""

    def __init__(
        self,
        process: NodeProcess,
        board: Board,
        oscillator: Oscillator,
        read_slow: Callable[[], NDArray[np.int32]],
        boot_id: int,
        *,
        pins: Pins | None = None,
        outgoing: Outgoing | None = None,
        samples_a_frame: int = 1,
    ) -> None:
        """Power it up; the rest as for `sim.node.firmware.Firmware`."""
        self._process = process
        self._board = board
        self._clock = oscillator
        self._read_slow = read_slow
        self._pins = Pins() if pins is None else pins
        self._boot_id = boot_id
        self._instants = samples_a_frame
        self._outgoing = ImageUart(Outgoing() if outgoing is None else outgoing, self._advance)
        self._pretended: tuple[int | None, int | None] = (None, None)
        self._relays = Relays(self._pins)
        self._begun: list[BurstOrder] = []
        self._orders: dict[BurstOrder, int] = {}  # what the converter is at, and the number that its counts go by
        self.start_number = 0
        self.siren = SirenPattern.SILENT
        self._boot(0, POWER_UP)

    # ------------------------------------------------------------------ its power

    def reboot(self, now_ns: int = 0, cause: int = POWER_UP) -> None:
        """Start the program anew, with the next boot id."""
        self._boot_id = (self._boot_id + 1) & 0xFF
        self._pretended = (None, None)
        self.lose_power()
        self._boot(now_ns, cause)

    def lose_power(self) -> None:
        """Fall dark: nothing is left to be said, the siren is silent, relays fall back to on."""
        self._outgoing.clear()
        self.siren = SirenPattern.SILENT
        self._relays.fall_back()

    def resume(self, now_ns: int) -> None:
        """Go on after having hung."""
        self._begun.clear()
        self._advance(now_ns, flags=messages.RESUMED)

    def pretend(self, uid: int | None, version: int | None) -> None:
        """Another uid or protocol version is another program: it is started on the board as it stands."""
        if (uid, version) != self._pretended:
            self._pretended = (uid, version)
            self._boot(self._now_ns, self._cause)

    # ------------------------------------------------------------------ what happens to it

    @property
    def outgoing(self) -> ImageUart:
        """Its UART."""
        return self._outgoing

    @property
    def next_ns(self) -> int | None:
        """True time at which `step` has something to do."""
        if self._begun:
            return self._now_ns
        if self._next_node_ns == messages.NEVER:
            return None
        return self._clock.true_ns(self._next_node_ns, since_ns=self._now_ns)

    def receive(self, now_ns: int, data: bytes) -> None:
        """Bytes from the line."""
        for at in range(0, max(len(data), 1), WIRE_BYTES):
            self._advance(now_ns, data[at : at + WIRE_BYTES])

    def step(self, now_ns: int) -> list[BurstOrder]:
        """Move it on where it wants to be; returns bursts that begin now."""
        stepped = self._clock.steps_until(now_ns) != self._steps_told
        if stepped or self._clock.node_ns(now_ns) >= self._next_node_ns:
            self._advance(now_ns)
        begun, self._begun = self._begun, []
        return begun

    def edge(self, at_ns: int) -> BurstOrder | None:
        """The shared trigger line was pulsed; a burst begins where one was armed for it."""
        self._told_ns, waiting = at_ns, len(self._begun)
        self._tell(messages.edge(self._clock.node_ns(at_ns)))
        return self._begun.pop() if len(self._begun) > waiting else None

    def recorded(self, now_ns: int, order: BurstOrder, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """The converter finished a burst. One from before a reset is forgotten."""
        number = self._orders.pop(order, None)
        if number is None:
            return
        start_ns = self._clock.node_ns(order.start_ns)
        shared = self._process.shared
        self._tell(messages.converted(number, start_ns, counts, saturated=saturated, shared=shared))
        self._advance(now_ns)

    # ------------------------------------------------------------------ how it is told

    def _boot(self, now_ns: int, cause: int) -> None:
        uid, version = self._pretended
        board = self._board
        self.start_number += 1
        self._now_ns = self._told_ns = now_ns
        self._cause = cause
        self._steps_told = self._clock.steps_until(now_ns)
        self._node_ns = self._clock.node_ns(now_ns)
        self._next_node_ns = messages.NEVER
        self._begun, self._orders = [], {}
        self._tell(
            messages.boot(
                board,
                node_ns=self._node_ns,
                boot_id=self._boot_id,
                cause=cause,
                uid=board.uid if uid is None else uid,
                versions=(board.min_version, board.max_version) if version is None else (version, version),
                instants=self._instants,
            )
        )

    def _advance(self, now_ns: int, wire: bytes = b"", flags: int = 0) -> None:
        passed_ns, self._now_ns = max(now_ns - self._now_ns, 0), max(now_ns, self._now_ns)
        self._told_ns = self._now_ns
        node_ns, by_ns = self._clock.node_ns(self._now_ns), 0
        steps = self._clock.steps_until(self._now_ns)
        if steps != self._steps_told:
            self._steps_told = steps
            flags |= messages.CLOCK_WAS_SET
            by_ns = node_ns - (self._node_ns + passed_ns)
        self._node_ns = node_ns
        room = self._outgoing.room
        told = messages.advance(node_ns, len(wire), frames=room, flags=flags, by_ns=by_ns)
        self._tell(told, wire, room=room)

    def _tell(self, message: bytes, wire: bytes = b"", room: int = 0) -> None:
        """One message and all that the image says to it."""
        self._process.say(message, wire)
        while True:
            kind, payload = self._process.hear()
            if kind == messages.DONE:
                break
            self._serve(kind, payload)
        done = messages.done_of(payload)
        self._next_node_ns = done.next_ns
        sent = self._process.from_wire(done.wire_bytes)
        self._outgoing.put(self._now_ns, sent, room=room, frames=done.frames)

    def _serve(self, kind: int, payload: bytes) -> None:
        if kind == messages.SLOW:
            self._process.say(messages.slow(self._read_slow()))
        elif kind == messages.STATE:
            self._process.say(messages.state(*self._pins.board()))
        elif kind == messages.CONVERT:
            self._convert(messages.conversion_of(payload))
        elif kind == messages.SIREN:
            self.siren = SirenPattern(payload[0])
        elif kind == messages.RELAY:
            self._relays.switch(payload[0], on=bool(payload[1]))
        elif kind != messages.LAMP:  # a simulated box has no lamp
            raise NodeImageError(f"node image {self._process.name} said {kind}", remedy="build it anew: make firmware")

    def _convert(self, asked: Conversion) -> None:
        # What is asked for began now or just before: too little passed for the clocks to differ.
        late_ns = self._clock.node_ns(self._told_ns) - asked.from_ns
        order = BurstOrder(
            asked.burst_id + LEVEL_ORDERS + asked.number if asked.flags & messages.FOR_LEVELS else asked.burst_id,
            self._told_ns - late_ns,
            asked.samples,
            triggered=bool(asked.flags & messages.TRIGGERED),
            drives_line=bool(asked.flags & messages.DRIVES_LINE),
            start_number=self.start_number,
        )
        self._orders = {order: asked.number}  # a later order takes the place of an earlier one
        self._begun.append(order)
