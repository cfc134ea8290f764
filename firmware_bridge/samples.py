"""Reports -> SI blocks on the common time base: counts to SI, pieces to bursts; what is missing is a value."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node, Sensor
from firmware_bridge.timebase import TimeBase
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.framing import Flags
from firmware_bridge.wire.reports import BandLevels, BurstPiece, Channel, Samples

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 4_000_000  # kHz written for Hz, say, is no rate of any microphone
MAX_BURST_SAMPLES = 1 << 18  # 1.4 s at 192 kS/s; a node that announces more is refused
MAX_OPEN_BURSTS = 2  # one arriving, one late; an older one is closed with its gaps
LEAST_SHARE = 1 / 8  # of a burst; with less it says nothing, and many such would cost far more work than they bring
AHEAD_NS, AHEAD_SIGMAS = NS_PER_S, 5.0  # no value comes before it was measured, but for what its date may be off
STALE_SWEEPS = 3  # seconds between two pieces of a burst; the slowest sensible line (57,600 baud) needs 0.75 s for one


@dataclass(frozen=True, slots=True, eq=False)
class ScalarBlock:
    """Consecutive values of one slow sensor: `time_ns` (n,) int64 common time, `value` (n,) in SI."""

    node: str
    sensor: str
    quantity: Quantity
    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    time_sigma_ns: float


@dataclass(frozen=True, slots=True, eq=False)
class WaveBlock:
    """One burst of one node's microphones: `pressure_pa` (channels, n) float32 in the order of `sensors`.

    `missing` lists half-open sample ranges that never arrived (zero there). `triggered` says that sample 0 was taken
    at the shared trigger edge, so that bursts of the same id on one trigger line are coherent. `nominal_hz` is the
    rate by the node's clock, `rate_hz` by the common one, `rate_sigma` the latter's relative sigma.
    """

    node: str
    sensors: tuple[str, ...]
    burst_id: int
    start_ns: int
    start_sigma_ns: float
    rate_hz: float
    pressure_pa: NDArray[np.float32]
    triggered: bool
    saturated: bool
    missing: tuple[tuple[int, int], ...]
    nominal_hz: float
    rate_sigma: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class VibrationBlock:
    """One burst of one node's contact sensors: `velocity_m_s` (channels, n) float32 of the hull's skin.

    The rest is as in `WaveBlock`. A node that has both kinds makes one block of each out of one burst: they share
    `burst_id`, start, rates, flags and gaps, and are coherent with each other.
    """

    node: str
    sensors: tuple[str, ...]
    burst_id: int
    start_ns: int
    start_sigma_ns: float
    rate_hz: float
    velocity_m_s: NDArray[np.float32]
    triggered: bool
    saturated: bool
    missing: tuple[tuple[int, int], ...]
    nominal_hz: float
    rate_sigma: float = 0.0


BurstBlock = WaveBlock | VibrationBlock


@dataclass(frozen=True, slots=True, eq=False)
class LevelBlock:
    """Band levels that a node computed itself, of its sensors of one `quantity`, in the order of `sensors`.

    `mean_square` (channels, bands) is in that quantity's SI unit squared; `bands_hz` (bands, 2) are the edges by the
    node's clock; the window begins at `t0_ns` common time. `saturated` says that a level is at least so high.
    """

    node: str
    quantity: Quantity
    sensors: tuple[str, ...]
    t0_ns: int
    window_ns: int
    bands_hz: NDArray[np.float64]
    mean_square: NDArray[np.float64]
    saturated: bool = False


@dataclass(slots=True)
class _OpenBurst:
    node_start_ns: int
    first_channel: int
    rate_hz: int
    counts: NDArray[np.int16]
    present: NDArray[np.bool_]
    sensors: tuple[Sensor, ...]
    scale: NDArray[np.float32] = field(repr=False)
    offset: NDArray[np.float32] = field(repr=False)
    triggered: bool = False
    saturated: bool = False
    quiet_sweeps: int = 0


class Assembler:
    """Turns one node's reports into SI blocks, with the site's names and calibration."""

    def __init__(self, node: Node, channels: tuple[Channel, ...], timebase: TimeBase) -> None:
        """Bind a surveyed node to the channel table that it reported."""
        self._node = node
        self._channels = channels
        self._timebase = timebase
        self._sensor_at = {sensor.channel: sensor for sensor in node.sensors}
        self._open: OrderedDict[int, _OpenBurst] = OrderedDict()
        self.refused = 0

    def scalars(self, report: Samples, time_ns: int, heard_ns: int | None = None) -> list[ScalarBlock]:
        """One block a surveyed channel. What claims to be of later than `heard_ns`, when it came, is refused."""
        if report.counts.shape[0] == 0:
            return []
        if not self._datable(time_ns, time_ns + (report.counts.shape[0] - 1) * report.period_ns, heard_ns):
            return []
        first_ns, sigma_ns = self._timebase.to_common(time_ns)
        period_ns = round(report.period_ns * (1.0 + self._timebase.rate_error))
        times = first_ns + period_ns * np.arange(report.counts.shape[0], dtype=np.int64)
        times.flags.writeable = False
        blocks = []
        for column in range(report.counts.shape[1]):
            sensor, channel = self._surveyed(report.first_channel + column)
            if sensor is None or channel is None or channel.quantity.in_bursts:
                continue
            measured = channel.offset + channel.scale * report.counts[:, column].astype(np.float64)
            value = sensor.offset + sensor.gain * measured
            value.flags.writeable = False
            blocks.append(ScalarBlock(self._node.name, sensor.name, channel.quantity, times, value, sigma_ns))
        return blocks

    def levels(self, report: BandLevels, time_ns: int, flags: Flags, heard_ns: int | None = None) -> list[LevelBlock]:
        """One block a quantity of the surveyed burst channels; channels that the site does not list are skipped."""
        if not self._datable(time_ns, time_ns + report.window_ns, heard_ns):
            return []
        t0_ns, _ = self._timebase.to_common(time_ns)
        bands_hz = report.bands_hz.astype(np.float64)
        bands_hz.flags.writeable = False
        rows: dict[Quantity, list[tuple[Sensor, NDArray[np.float64]]]] = {}
        for row, counted in enumerate(report.mean_square.astype(np.float64)):
            sensor, channel = self._surveyed(report.first_channel + row)
            if sensor is None or channel is None or not channel.quantity.in_bursts:
                continue
            # Offsets take no part: a band's level is of what swings in it.
            rows.setdefault(channel.quantity, []).append((sensor, (sensor.gain * channel.scale) ** 2 * counted))
        blocks = []
        for quantity, known in rows.items():
            mean_square = np.stack([level for _, level in known])
            mean_square.flags.writeable = False
            blocks.append(
                LevelBlock(
                    node=self._node.name,
                    quantity=quantity,
                    sensors=tuple(sensor.name for sensor, _ in known),
                    t0_ns=t0_ns,
                    window_ns=round(report.window_ns * (1.0 + self._timebase.rate_error)),
                    bands_hz=bands_hz,
                    mean_square=mean_square,
                    saturated=bool(flags & Flags.SATURATED),
                )
            )
        return blocks

    def burst(self, piece: BurstPiece, time_ns: int, flags: Flags, heard_ns: int | None = None) -> list[BurstBlock]:
        """Bursts that `piece` ends or pushes out; pieces come in order, so the last one ends a burst with its gaps."""
        if not self._datable(time_ns, time_ns, heard_ns):
            return []
        burst = self._open.get(piece.burst_id)
        if burst is None:
            opened = self._open_burst(piece, time_ns)
            if opened is None:
                self.refused += 1
                return []
            burst = self._open[piece.burst_id] = opened
        end = piece.offset + piece.counts.shape[1]
        begun = (burst.node_start_ns, burst.first_channel, burst.rate_hz, burst.counts.shape[0], burst.present.size)
        same = begun == (time_ns, piece.first_channel, piece.rate_hz, piece.counts.shape[0], piece.total)
        if not same or burst.present[piece.offset : end].any():  # each sample is sent once: which one would be true?
            self.refused += 1
            return []
        burst.counts[:, piece.offset : end] = piece.counts
        burst.present[piece.offset : end] = True
        burst.triggered = burst.triggered or bool(flags & Flags.TRIGGERED)
        burst.saturated = burst.saturated or bool(flags & Flags.SATURATED)
        burst.quiet_sweeps = 0
        finished = self._close_all([piece.burst_id]) if end == burst.present.size else []
        while len(self._open) > MAX_OPEN_BURSTS:
            finished += self._close_all([next(iter(self._open))])
        return finished

    def sweep(self) -> list[BurstBlock]:
        """Close bursts that got nothing for STALE_SWEEPS calls, one a second: their last piece was lost."""
        for burst in self._open.values():
            burst.quiet_sweeps += 1
        return self._close_all([i for i, burst in self._open.items() if burst.quiet_sweeps >= STALE_SWEEPS])

    def flush(self) -> list[BurstBlock]:
        """Close every open burst with its gaps, as when the node falls silent."""
        return self._close_all(list(self._open))

    def _datable(self, first_ns: int, last_ns: int, heard_ns: int | None) -> bool:
        """Whether what the node dates so (its clock) can have been measured when it was heard; counts where not."""
        good = self._timebase.covers(first_ns)
        if good and heard_ns is not None:
            common_ns, sigma_ns = self._timebase.to_common(last_ns)
            good = common_ns <= heard_ns + AHEAD_NS + AHEAD_SIGMAS * sigma_ns
        self.refused += not good
        return good

    def _surveyed(self, channel: int) -> tuple[Sensor | None, Channel | None]:
        """The site's sensor and the node's channel row, where both agree on what is measured."""
        sensor = self._sensor_at.get(channel)
        row = self._channels[channel] if channel < len(self._channels) else None
        if sensor is None or row is None or sensor.quantity is not row.quantity:
            return None, None
        return sensor, row

    def _open_burst(self, piece: BurstPiece, time_ns: int) -> _OpenBurst | None:
        rows = [self._surveyed(piece.first_channel + i) for i in range(piece.counts.shape[0])]
        sensors = tuple(sensor for sensor, _ in rows if sensor is not None)
        plausible = MIN_RATE_HZ <= piece.rate_hz <= MAX_RATE_HZ and piece.total <= MAX_BURST_SAMPLES
        if len(sensors) != len(rows) or not plausible:
            return None
        if not all(sensor.quantity.in_bursts for sensor in sensors):
            return None
        channels = [row for _, row in rows if row is not None]
        gain = np.array([sensor.gain for sensor in sensors])
        return _OpenBurst(
            node_start_ns=time_ns,
            first_channel=piece.first_channel,
            rate_hz=piece.rate_hz,
            counts=np.zeros((len(rows), piece.total), dtype=np.int16),
            present=np.zeros(piece.total, dtype=np.bool_),
            sensors=sensors,
            scale=(gain * [c.scale for c in channels]).astype(np.float32),
            offset=(gain * [c.offset for c in channels] + [s.offset for s in sensors]).astype(np.float32),
        )

    def _close_all(self, burst_ids: list[int]) -> list[BurstBlock]:
        """Of no use, dropped and counted: what was begun on a clock that was stepped since, and what hardly came."""
        useless = [i for i in burst_ids if not self._useful(self._open[i])]
        self.refused += len(useless)
        for burst_id in useless:
            del self._open[burst_id]
        return [block for burst_id in burst_ids if burst_id in self._open for block in self._close(burst_id)]

    def _useful(self, burst: _OpenBurst) -> bool:
        return bool(burst.present.mean() >= LEAST_SHARE) and self._timebase.covers(burst.node_start_ns)

    def _close(self, burst_id: int) -> list[BurstBlock]:
        """The burst as one block a quantity."""
        burst = self._open.pop(burst_id)
        start_ns, sigma_ns = self._timebase.to_common(burst.node_start_ns)
        values = burst.counts * burst.scale[:, None] + burst.offset[:, None]
        values[:, ~burst.present] = 0.0
        blocks: list[BurstBlock] = []
        for quantity in dict.fromkeys(sensor.quantity for sensor in burst.sensors):
            rows = [row for row, sensor in enumerate(burst.sensors) if sensor.quantity is quantity]
            of_quantity = values[rows]
            of_quantity.flags.writeable = False
            block = WaveBlock if quantity is Quantity.ULTRASOUND else VibrationBlock  # alike but for one field's unit
            blocks.append(
                block(
                    self._node.name,
                    tuple(burst.sensors[row].name for row in rows),
                    burst_id,
                    start_ns,
                    sigma_ns,
                    burst.rate_hz / (1.0 + self._timebase.rate_error),
                    of_quantity,
                    burst.triggered,
                    burst.saturated,
                    _gaps(burst.present),
                    float(burst.rate_hz),
                    self._timebase.rate_sigma,
                )
            )
        return blocks


def _gaps(present: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], present, [True]]).astype(np.int8)))
    return tuple((int(start), int(end)) for start, end in edges.reshape(-1, 2))
