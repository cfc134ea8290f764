"""Gathers slow values into one entry a minute: a column a sensor, so that a disk is touched seldom and little."""

import math
from typing import Any

from controller.journal.entries import ReadingsEntry
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns

PERIOD_S = 1.0
ROWS = 60  # in an entry
MAX_COLUMNS = 128  # sensors in one entry; a site with more has a recorder of its own
# What the best sensors of their kind resolve, in SI units; more digits would be noise that is paid for in flash.
_DECIMALS = {Quantity.PRESSURE: 2, Quantity.TEMPERATURE: 3, Quantity.HATCH: 2}
_OTHER_DECIMALS = 2


class Readings:
    """Means of a second of every slow sensor. Values come here in the order of the inbox, not of their own times."""

    def __init__(self, origin_ns: int) -> None:
        """Begin at the controller's start."""
        self._origin_ns = origin_ns
        self._since_ns: int | None = None
        self._sums: dict[str, tuple[float, int]] = {}
        self._columns: dict[str, list[float | None]] = {}
        self._decimals: dict[str, int] = {}
        self.rows = 0

    def take(self, now_ns: int, block: ScalarBlock) -> None:
        """A sensor's values."""
        if block.sensor not in self._columns and len(self._columns) >= MAX_COLUMNS:
            return
        if self._since_ns is None:
            self._since_ns = now_ns
        if block.sensor not in self._columns:
            self._columns[block.sensor] = [None] * self.rows
            self._decimals[block.sensor] = _DECIMALS.get(block.quantity, _OTHER_DECIMALS)
        total, count = self._sums.get(block.sensor, (0.0, 0))
        self._sums[block.sensor] = total + float(block.value.sum()), count + len(block.value)

    def due(self, now_ns: int) -> bool:
        """Close the rows whose second is over; whether an entry is full."""
        if self._since_ns is None:
            return False
        period_ns = s_to_ns(PERIOD_S)
        while self.rows < ROWS and now_ns >= self._since_ns + (self.rows + 1) * period_ns:
            self._close_row()
        return self.rows >= ROWS

    def entry(self, head: dict[str, Any]) -> ReadingsEntry:
        """What was gathered, with the `head` of its entry; the next begins at the next value."""
        since_s = ((self._since_ns or 0) - self._origin_ns) / NS_PER_S
        values = {sensor: tuple(column) for sensor, column in self._columns.items()}
        self._since_ns, self.rows = None, 0
        self._sums, self._columns = {}, {}
        return ReadingsEntry(**head, since_t_s=round(since_s, 3), period_s=PERIOD_S, values=values)

    def _close_row(self) -> None:
        for sensor, column in self._columns.items():
            total, count = self._sums.get(sensor, (0.0, 0))
            told = count > 0 and math.isfinite(total)
            column.append(round(total / count, self._decimals[sensor]) if told else None)
        self._sums = {}
        self.rows += 1
