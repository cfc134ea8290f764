"""What the simulator and a node image on its bench say to each other, as bytes; who says it when is `firmware`.

The other side is firmware_bridge/firmware/ports/bench, whose README has the layouts in words.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.node.board import Board

HEAD = struct.Struct("<BI")
NEVER = (1 << 64) - 1  # as a node's next deadline
CLOCK_WAS_SET, RESUMED = 1, 2
DRIVES_LINE, TRIGGERED, FOR_LEVELS = 1, 2, 4
_SATURATED, _SHARED = 1, 2

BOOT, ADVANCE, EDGE, CONVERTED = b"BAEC"
SLOW, STATE, CONVERT, SIREN, RELAY, LAMP, DONE = b"STVPRLD"

_BOOT = struct.Struct("<QBBBBHQIIHBBB2x")
_CHANNEL = struct.Struct("<Bdd")
_ADVANCE = struct.Struct("<QIBBq")
_CONVERTED = struct.Struct("<IQIB")
_CONVERT = struct.Struct("<IQIIB")
_DONE = struct.Struct("<QIB")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a node asks of its converter; times on the node's clock."""

    number: int
    from_ns: int
    samples: int
    burst_id: int
    flags: int


@dataclass(frozen=True, slots=True)
class Done:
    """A node did what it was told: when it wants to be moved on, and what it wrote to its wire meanwhile."""

    next_ns: int
    wire_bytes: int
    frames: int


def boot(
    board: Board, *, node_ns: int, boot_id: int, cause: int, uid: int, versions: tuple[int, int], instants: int
) -> bytes:
    """Power up, as the node of `board`."""
    outputs = sorted(board.outputs)
    fixed = _BOOT.pack(
        node_ns,
        boot_id,
        cause,
        *versions,
        board.features,
        uid,
        board.burst_rate_hz,
        board.longest_burst,
        instants,
        len(board.channels),
        len(board.bands_hz),
        len(outputs),
    )
    channels = b"".join(_CHANNEL.pack(row.quantity, row.scale, row.offset) for row in board.channels)
    bands = np.array(board.bands_hz, dtype="<f4").tobytes()
    return _framed(BOOT, fixed + channels + bands + bytes(outputs))


def advance(node_ns: int, wire_bytes: int, *, frames: int, flags: int, by_ns: int) -> bytes:
    """It is `node_ns` now; so many bytes have come on the wire, and it takes so many frames."""
    return _framed(ADVANCE, _ADVANCE.pack(node_ns, wire_bytes, frames, flags, by_ns))


def edge(node_ns: int) -> bytes:
    """The trigger line was pulsed."""
    return _framed(EDGE, struct.pack("<Q", node_ns))


def converted(
    number: int, start_ns: int, counts: NDArray[np.int16], *, saturated: bool, shared: NDArray[np.int16] | None
) -> bytes:
    """Counts (channels, samples) of a conversion; they travel in memory that both see where there is some."""
    by_sample = np.ascontiguousarray(counts.T, dtype="<i2").reshape(-1)
    flags = _SATURATED if saturated else 0
    if shared is not None:
        shared[: by_sample.size] = by_sample
        return _framed(CONVERTED, _CONVERTED.pack(number, start_ns, counts.shape[1], flags | _SHARED))
    return _framed(CONVERTED, _CONVERTED.pack(number, start_ns, counts.shape[1], flags) + by_sample.tobytes())


def slow(counts: NDArray[np.int32]) -> bytes:
    """Answer to SLOW."""
    return _framed(SLOW, counts.astype("<i4").tobytes())


def state(temperature_k: float, supply_v: float) -> bytes:
    """Answer to STATE."""
    return _framed(STATE, struct.pack("<ff", temperature_k, supply_v))


def conversion_of(payload: bytes) -> Conversion:
    """CONVERT as it came."""
    return Conversion(*_CONVERT.unpack(payload))


def done_of(payload: bytes) -> Done:
    """DONE as it came."""
    return Done(*_DONE.unpack(payload))


def _framed(kind: int, payload: bytes) -> bytes:
    return HEAD.pack(kind, len(payload)) + payload
