"""The relays of a board: which were switched off, and what becomes of them without power."""

from sim.node.board import Pins


class Relays:
    """After power-up all are on."""

    def __init__(self, pins: Pins) -> None:
        """Move the relays at `pins`."""
        self._pins = pins
        self._off: set[int] = set()

    def switch(self, output: int, *, on: bool) -> None:
        """Move one."""
        self._pins.relay(output, on)
        (self._off.discard if on else self._off.add)(output)

    def fall_back(self) -> None:
        """Without power all are on."""
        for output in sorted(self._off):
            self._pins.relay(output, True)
        self._off.clear()
