"""What a node can say: one frozen dataclass each. How they look as bytes lives in codec and report_payloads."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import Quantity


class Feature(IntFlag):
    """What a node can do beyond the minimum."""

    NONE = 0
    BURSTS = 1
    TRIGGER_LINE = 2
    SIREN = 4
    SIMULTANEOUS = 8  # all burst channels are sampled at the same instant
    SWITCH = 16
    LEVELS = 32


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of a node's channel table: value in SI = offset + scale x count."""

    quantity: Quantity
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class HelloAck:
    """Who a node is. The layout is the same in every protocol version, so that strangers can be named."""

    min_version: int
    max_version: int
    uid: int
    features: Feature
    burst_rate_hz: int
    longest_burst: int
    firmware: str
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """Answer to a ping: the node's clock when the ping came in and when this answer left."""

    ping_id: int
    received_ns: int
    sent_ns: int


@dataclass(frozen=True, slots=True)
class Status:
    """Once a second: how the node itself is."""

    uptime_s: int
    dropped_frames: int
    bad_frames: int
    overruns: int
    reset_cause: int
    temperature_k: float
    supply_v: float


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Slow channels: counts (samples, channels) as int32, the first taken at the frame's time, then every period."""

    first_channel: int
    period_ns: int
    counts: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class BurstPiece:
    """Part of a waveform burst: counts (channels, n) as int16, beginning `offset` samples after the burst's start.

    The frame's time is that of the burst's sample 0, the same in each piece.
    """

    burst_id: int
    first_channel: int
    offset: int
    total: int
    rate_hz: int
    counts: NDArray[np.int16]


class AckResult(IntEnum):
    """What became of a command."""

    DONE = 0
    REFUSED = 1
    UNKNOWN = 2
    BUSY = 3
    TOO_LATE = 4


@dataclass(frozen=True, slots=True)
class Ack:
    """Answer to a command, named by its kind and sequence number."""

    command_kind: int
    command_sequence: int
    result: AckResult
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BandLevels:
    """Levels that the node computed itself: mean squares (channels, bands) in counts squared, as float32.

    `bands_hz` (bands, 2) float32 are lower and upper edges. The frame's time is that of the window's start.
    """

    window_ns: int
    first_channel: int
    bands_hz: NDArray[np.float32]
    mean_square: NDArray[np.float32]


Report = HelloAck | Pong | Status | Samples | BurstPiece | Ack | BandLevels
