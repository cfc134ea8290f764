"""Bytes to typed reports: waveform pieces and small frames, beside pymavlink where that is installed.

Time is that of our own CPU, the best of several: who else is busy on the machine does not change what a frame costs.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from benchmarks.measuring import Row
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import BurstPiece, Samples

READ_BYTES = 4095  # what a terminal gives at most
REPETITIONS = 9
PIECES, SMALL = 2000, 20_000
WAVEFORM, SMALL_FRAMES = "decode waveform frames", "decode small frames"


def rows() -> list[Row]:
    """Decode rates from chopped bytes."""
    random = np.random.default_rng(1)
    counts = random.integers(-2000, 2000, (4, 512)).astype(np.int16)
    piece = encode_packet(encode(BurstPiece(1, 0, 0, 16_384, 192_000, counts), sequence=1, time_ns=1))
    small = encode_packet(encode(Samples(0, 500_000_000, np.array([[9_933_000, 295_150]], np.int32)), sequence=1))
    ours = [_row(WAVEFORM, piece, PIECES, _decode), _row(SMALL_FRAMES, small, SMALL, _decode)]
    if find_spec("pymavlink") is None:
        return [*ours, Row("pymavlink is not installed (pip install pymavlink): no peer beside it", 0.0)]
    return [*ours, *_peer_rows()]


def _decode(chunks: list[bytes]) -> int:
    deframer = Deframer()
    decoded = 0
    for chunk in chunks:
        for found in deframer.feed(chunk):
            if isinstance(found, Packet):
                decode(found)
                decoded += 1
    return decoded


def _peer_rows() -> list[Row]:
    """The same amounts in MAVLink 2: ENCAPSULATED_DATA carries 253 bytes, SCALED_PRESSURE is a barometer's."""
    from pymavlink.dialects.v20 import common

    def parse(chunks: list[bytes]) -> int:
        parser = common.MAVLink(None)
        return sum(len(parser.parse_buffer(chunk) or ()) for chunk in chunks)

    packer = common.MAVLink(None)
    payload = list(np.random.default_rng(1).integers(0, 256, 253))
    waveform = packer.encapsulated_data_encode(1, [int(byte) for byte in payload]).pack(packer)
    pressure = packer.scaled_pressure_encode(1, 993.3, 0.0, 2200).pack(packer)
    return [
        _row("pymavlink, 253 bytes a frame", waveform, 4000, parse, against=WAVEFORM),
        _row("pymavlink, small frames", pressure, 4000, parse, against=SMALL_FRAMES),
    ]


def _row(name: str, frame: bytes, count: int, work: Callable[[list[bytes]], int], against: str | None = None) -> Row:
    """Seconds are for a thousand frames."""
    stream = frame * count
    chunks = [stream[i : i + READ_BYTES] for i in range(0, len(stream), READ_BYTES)]
    best = float("inf")
    for _ in range(REPETITIONS):
        began = time.process_time()
        decoded = work(chunks)
        best = min(best, time.process_time() - began)
        assert decoded == count, f"{name}: {decoded} of {count}"
    amount = f"{len(stream) / best / 1e6:.0f} MB/s, {count / best / 1000:.0f} thousand/s"
    return Row(name, best / count * 1000, amount, against)
