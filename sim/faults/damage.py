"""What a bad line does to bytes: flips, losses, insertions, cuts, repeats, another baud rate, other chopping.

When it does so, and how long bytes are on their way, is `line_faults`' business.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

OVERWRITTEN_BYTES = 4  # of a frame that is hit
LOST_RUN_BYTES = 64  # mean length of a run that a burst loss takes: a full FIFO of a UART or two
FLOOD_BYTES = 256  # of 0x00 before a frame that is hit: a break on the line
DATA_BITS = 8
IDLE_BITS = 40  # of silence behind what was written, so that a receiver at a quarter of the rate sees its last byte


@dataclass(frozen=True, slots=True)
class Damage:
    """How bad a line is; shares are of bytes where they say bytes, otherwise of writes (a write is a frame).

    Args:
        hit: writes in which four bytes are overwritten.
        bit_flips: bytes with one bit flipped.
        lost_bytes: bytes that vanish one by one.
        burst_losses: bytes at which a run of 64 on average begins to vanish.
        inserted_bytes: bytes before which a random one comes in.
        truncated: writes of which only a random part at the front arrives.
        duplicated: writes that arrive twice.
        zeros: writes before which 256 bytes of 0x00 come.
        baud_ratio: receiver's over sender's baud rate.
        chop: in which pieces it arrives: as written, byte by byte, or at random.
    """

    hit: float = 0.0
    bit_flips: float = 0.0
    lost_bytes: float = 0.0
    burst_losses: float = 0.0
    inserted_bytes: float = 0.0
    truncated: float = 0.0
    duplicated: float = 0.0
    zeros: float = 0.0
    baud_ratio: float = 1.0
    chop: Literal["frames", "bytes", "random"] = "frames"


def damaged(data: bytes, damage: Damage, random: np.random.Generator) -> list[bytes]:
    """The pieces that arrive of one write; none where all of it is lost."""
    whole = np.frombuffer(data, dtype=np.uint8)
    if damage.truncated and random.random() < damage.truncated:
        whole = whole[: random.integers(0, len(whole) + 1)]
    whole = _lost(whole, damage, random)
    if damage.bit_flips:
        flipped = random.random(len(whole)) < damage.bit_flips
        whole = np.where(flipped, whole ^ (1 << random.integers(0, DATA_BITS, len(whole))), whole).astype(np.uint8)
    if damage.hit and len(whole) and random.random() < damage.hit:
        whole = whole.copy()
        places = random.integers(0, len(whole), OVERWRITTEN_BYTES)
        whole[places] = random.integers(0, 256, OVERWRITTEN_BYTES)
    if damage.inserted_bytes:
        places = np.flatnonzero(random.random(len(whole)) < damage.inserted_bytes)
        whole = np.insert(whole, places, random.integers(0, 256, len(places)).astype(np.uint8))
    arrived = whole.tobytes()
    if damage.baud_ratio != 1.0:
        arrived = misread(arrived, damage.baud_ratio)
    if damage.zeros and random.random() < damage.zeros:
        arrived = bytes(FLOOD_BYTES) + arrived
    copies = 1 + int(bool(damage.duplicated) and random.random() < damage.duplicated)
    return [piece for _ in range(copies) for piece in _chopped(arrived, damage, random)]


def misread(data: bytes, ratio: float) -> bytes:
    """What a receiver makes of 8N1 frames that come back to back when its baud rate is `ratio` times the sender's.

    It looks for a falling edge, takes each bit in its own middle, and delivers the byte whatever the stop bit is, as
    UARTs do that do not report framing errors.
    """
    bits = _serial(np.frombuffer(data, dtype=np.uint8))
    falling = np.flatnonzero(np.diff(bits.astype(np.int8)) < 0) + 1
    received = bytearray()
    free_from = 0.0
    for edge in falling:
        if edge < free_from:
            continue
        middles = edge + (np.arange(DATA_BITS) + 1.5) / ratio
        taken = bits[np.minimum(middles.astype(np.int64), len(bits) - 1)]
        received.append(int(np.packbits(taken, bitorder="little")[0]))
        free_from = edge + (DATA_BITS + 1.5) / ratio
    return bytes(received)


def _serial(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bits on the line, one an entry, idle before and behind."""
    framed = np.ones((len(data), DATA_BITS + 2), dtype=np.uint8)
    framed[:, 0] = 0
    framed[:, 1:-1] = np.unpackbits(data[:, None], axis=1, bitorder="little")
    return np.concatenate([np.ones(1, dtype=np.uint8), framed.ravel(), np.ones(IDLE_BITS, dtype=np.uint8)])


def _lost(data: NDArray[np.uint8], damage: Damage, random: np.random.Generator) -> NDArray[np.uint8]:
    if not damage.lost_bytes and not damage.burst_losses:
        return data
    kept = random.random(len(data)) >= damage.lost_bytes
    if damage.burst_losses:
        for start in np.flatnonzero(random.random(len(data)) < damage.burst_losses):
            kept[start : start + random.geometric(1.0 / LOST_RUN_BYTES)] = False
    return data[kept]


def _chopped(data: bytes, damage: Damage, random: np.random.Generator) -> list[bytes]:
    if not data:
        return []
    if damage.chop == "bytes":
        return [data[i : i + 1] for i in range(len(data))]
    if damage.chop == "random":
        cuts = sorted({0, len(data), *(int(cut) for cut in random.integers(0, len(data) + 1, 1 + len(data) // 16))})
        return [data[a:b] for a, b in pairwise(cuts)]
    return [data]
