"""Bytes to typed reports: waveform pieces and small frames."""

import numpy as np

from benchmarks.measuring import Row, timed
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import BurstPiece, Samples

READ_BYTES = 4095  # what a terminal gives at most


def rows() -> list[Row]:
    """Decode rates from chopped bytes."""
    random = np.random.default_rng(1)
    counts = random.integers(-2000, 2000, (4, 512)).astype(np.int16)
    piece = encode_packet(encode(BurstPiece(1, 0, 0, 16_384, 192_000, counts), sequence=1, time_ns=1))
    small = encode_packet(encode(Samples(0, 500_000_000, np.array([[9_933_000, 295_150]], np.int32)), sequence=1))
    return [_row("decode waveform frames", piece, 2000), _row("decode small frames", small, 20_000)]


def _row(name: str, frame: bytes, count: int) -> Row:
    stream = frame * count
    chunks = [stream[i : i + READ_BYTES] for i in range(0, len(stream), READ_BYTES)]

    def work() -> None:
        deframer = Deframer()
        for chunk in chunks:
            for found in deframer.feed(chunk):
                if isinstance(found, Packet):
                    decode(found)

    seconds = timed(work, 5)
    return Row(name, seconds, f"{len(stream) / seconds / 1e6:.0f} MB/s, {count / seconds / 1000:.0f} thousand/s")
