"""What a node sends unasked once it was started: slow samples, its status, band levels. The frames are firmware's."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.reports import BandLevels, Report, Samples, Status
from sim.node.board import Board, Pins, runs
from sim.node.oscillator import Oscillator

NS_PER_MS = 1_000_000
OLDEST_NS = 600 * NS_PER_S  # the first instant of a frame may not be older
LATE_NS = NS_PER_S  # a node that was kept from its work for longer skips what it missed


class Streams:
    """The periodic reports of one node; all times are true times but those that go on the wire."""

    def __init__(
        self,
        board: Board,
        clock: Oscillator,
        read_slow: Callable[[], NDArray[np.int32]],
        pins: Pins,
        samples_a_frame: int = 1,
    ) -> None:
        """Stream nothing yet.

        Raises:
            ValueError: frames of no samples.
        """
        if samples_a_frame < 1:
            raise ValueError(f"frames of {samples_a_frame} samples")
        self._clock = clock
        self._read_slow = read_slow
        self._pins = pins
        self._samples_a_frame = samples_a_frame
        in_bursts = [i for i, channel in enumerate(board.channels) if channel.quantity.in_bursts]
        self.first_burst_channel = min(in_bursts, default=0)
        self._runs = runs([i for i, channel in enumerate(board.channels) if not channel.quantity.in_bursts])
        self._bands_hz = np.array(board.bands_hz, dtype=np.float32).reshape(-1, 2)
        self._rows: list[NDArray[np.int32]] = []
        self.reset(0, 0)

    def reset(self, now_ns: int, cause: int) -> None:
        """Stream nothing any more, and count from zero."""
        self.bad_frames = 0
        self._started_ns = now_ns
        self._cause = cause
        self.stop()

    def start(self, now_ns: int, period_ms: int) -> None:
        """Samples from now on, and status; 0 ms counts as 1."""
        self._period_ns = max(period_ms, 1) * NS_PER_MS
        self._next_sample_ns = self._next_status_ns = now_ns
        self._rows = []

    def listen(self, now_ns: int, period_ms: int) -> None:
        """Band levels of windows that begin now; 0 ms ends them."""
        self._window_ns = period_ms * NS_PER_MS
        self._window_from_ns = now_ns

    def stop(self) -> None:
        """Nothing more unasked."""
        self._period_ns = self._window_ns = 0
        self._next_sample_ns = self._next_status_ns = self._window_from_ns = 0
        self._rows = []
        self._rows_from_ns = 0

    def skip_to(self, now_ns: int) -> None:
        """Go on from now; what was not read meanwhile never was."""
        self._next_sample_ns = max(self._next_sample_ns, now_ns)
        self._next_status_ns = max(self._next_status_ns, now_ns)
        self._window_from_ns = max(self._window_from_ns, now_ns)
        self._rows = []

    @property
    def next_ns(self) -> int | None:
        """When `due` has something."""
        next_ns = None
        if self._period_ns:
            next_ns = min(self._next_sample_ns, self._next_status_ns)
        if self._window_ns:
            end_ns = self._window_from_ns + self._window_ns
            next_ns = end_ns if next_ns is None else min(next_ns, end_ns)
        return next_ns

    def due(self, now_ns: int, dropped_frames: int) -> list[tuple[Report, int | None]]:
        """Reports that are due, with the node's time that their headers give (None: that of sending)."""
        next_ns = self.next_ns
        if next_ns is None or now_ns < next_ns:
            return []
        found: list[tuple[Report, int | None]] = []
        if self._period_ns:
            if self._next_status_ns <= now_ns:
                self._next_status_ns = now_ns + NS_PER_S
                found.append((self._status(now_ns, dropped_frames), None))
            while self._next_sample_ns <= now_ns:
                self._sample(found)
                if now_ns - self._next_sample_ns > LATE_NS:
                    self._next_sample_ns = now_ns
                    self._rows = []
        while self._window_ns and self._window_from_ns + self._window_ns <= now_ns:
            level = self._pins.levels(self._window_from_ns, self._window_ns).astype(np.float32)
            report = BandLevels(self._window_ns, self.first_burst_channel, self._bands_hz, level)
            found.append((report, self._clock.node_ns(self._window_from_ns)))
            self._window_from_ns += self._window_ns
            if now_ns - self._window_from_ns > self._window_ns + LATE_NS:
                self._window_from_ns = now_ns
        return found

    def _sample(self, found: list[tuple[Report, int | None]]) -> None:
        row = self._read_slow()
        if row.size:
            if not self._rows:
                self._rows_from_ns = self._next_sample_ns
            self._rows.append(row)
            if len(self._rows) >= min(self._samples_a_frame, max(OLDEST_NS // self._period_ns, 1)):
                counts = row[None, :] if len(self._rows) == 1 else np.array(self._rows)
                node_ns = self._clock.node_ns(self._rows_from_ns)
                column = 0
                for first, width in self._runs or [(0, row.size)]:
                    block = counts if width == row.size else counts[:, column : column + width]
                    found.append((Samples(first, self._period_ns, block), node_ns))
                    column += width
                self._rows = []
        self._next_sample_ns += self._period_ns

    def _status(self, now_ns: int, dropped_frames: int) -> Status:
        temperature_k, supply_v = self._pins.board()
        uptime_s = max(now_ns - self._started_ns, 0) // NS_PER_S
        return Status(uptime_s, dropped_frames, self.bad_frames, 0, self._cause, temperature_k, supply_v)
