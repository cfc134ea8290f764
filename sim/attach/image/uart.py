"""The UART of a node image: frames leave at the line's rate, and the image is asked for more where there is room."""

from collections.abc import Callable

from firmware_bridge.wire.framing import DELIMITER
from sim.node.outgoing import Lane, Outgoing

FRAMES_AT_ONCE = 8  # on a line without a rate: 35 KB, which a pipe holds while nobody reads yet


class ImageUart:
    """Between an image and its line. What waits longer waits in the image, by the image's own rules."""

    def __init__(self, line: Outgoing, fetch: Callable[[int], None]) -> None:
        """Let frames leave through `line`; `fetch(now)` moves the image on, which puts what it sends by `put`."""
        self._line = line
        self._fetch = fetch
        self._drained = False

    @property
    def room(self) -> int:
        """How many frames it takes now: with a rate one at a time."""
        if not self._line.paced:
            return FRAMES_AT_ONCE
        return int(self._line.next_ns is None)

    @property
    def next_ns(self) -> int | None:
        """When the frame on the line has left; None without one, and on a line without a rate."""
        return self._line.next_ns

    def put(self, now_ns: int, data: bytes, *, room: int, frames: int) -> None:
        """The image sent `frames` of the `room` that it was told of."""
        *whole, rest = data.split(DELIMITER)
        leading = b""
        for piece in whole:
            if piece:
                self._line.push(leading + piece + DELIMITER, Lane.BURST, now_ns)
                leading = b""
            else:
                leading += DELIMITER  # it ends what a receiver made of noise, and belongs to the frame behind it
        if leading + rest:
            self._line.push(leading + rest, Lane.BURST, now_ns)
        self._drained = frames < room

    def pop(self, now_ns: int = 0) -> bytes | None:
        """The next frame whose last byte has left by `now_ns`; None while there is none."""
        frame = self._line.pop(now_ns)
        if not self._drained and self.room and (frame is None or self._line.paced):
            self._fetch(now_ns)
        return self._line.pop(now_ns) if frame is None else frame

    def clear(self) -> None:
        """Forget what has not left."""
        self._line.clear()
        self._drained = False
