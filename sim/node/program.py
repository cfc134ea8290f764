"""What a station asks of the program that runs on its node's board, be it the twin or a real firmware image."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.wire.commands import SirenPattern
from sim.node.board import POWER_UP, Board, BurstOrder, Pins
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing


class Transmitter(Protocol):
    """What leaves the board's UART."""

    def pop(self, now_ns: int = 0) -> bytes | None:
        """The next frame whose last byte has left by `now_ns`; None while there is none."""
        ...

    @property
    def next_ns(self) -> int | None:
        """When the frame on the line has left; None without one, and on a line without a rate."""
        ...


class Program(Protocol):
    """A running program; all times are true times. `Firmware` says what each of these means."""

    siren: SirenPattern

    @property
    def outgoing(self) -> Transmitter:
        """Its UART."""
        ...

    @property
    def next_ns(self) -> int | None:
        """True time at which `step` has something to do."""
        ...

    def receive(self, now_ns: int, data: bytes) -> None:
        """Bytes from the line."""
        ...

    def step(self, now_ns: int) -> list[BurstOrder]:
        """Do what is due; returns bursts that begin now."""
        ...

    def edge(self, at_ns: int) -> BurstOrder | None:
        """The shared trigger line was pulsed."""
        ...

    def recorded(self, now_ns: int, order: BurstOrder, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """The converter finished a burst."""
        ...

    def reboot(self, now_ns: int = 0, cause: int = POWER_UP) -> None:
        """Start anew."""
        ...

    def lose_power(self) -> None:
        """Fall dark."""
        ...

    def resume(self, now_ns: int) -> None:
        """Go on after having hung."""
        ...

    def pretend(self, uid: int | None, version: int | None) -> None:
        """Give another uid or protocol version; None for the board's own."""
        ...


class ProgramMaker(Protocol):
    """Puts a program on a board and starts it."""

    def __call__(
        self,
        board: Board,
        oscillator: Oscillator,
        read_slow: Callable[[], NDArray[np.int32]],
        boot_id: int,
        *,
        pins: Pins | None = None,
        outgoing: Outgoing | None = None,
        samples_a_frame: int = 1,
    ) -> Program:
        """As `Firmware` is made."""
        ...
