"""Sound frames with payloads that say nothing sensible: each is refused with its reason."""

import math
import struct

import pytest

from firmware_bridge.wire.codec import Undecodable, decode
from firmware_bridge.wire.framing import Packet
from firmware_bridge.wire.report_payloads import MAX_OFFSET, MAX_SAMPLE_PERIOD_NS, MAX_SCALE

HOUR_NS = MAX_SAMPLE_PERIOD_NS


def hello_ack(scale: float = 1.0, offset: float = 0.0, *, rows: int = 1, announced: int | None = None) -> bytes:
    head = struct.pack("<BBHQIIBB", 1, 1, 0, 1, 0, 0, rows if announced is None else announced, 0)
    return head + rows * struct.pack("<Bdd", 1, scale, offset)


def samples(channels: int, period_ns: int, counts: int) -> bytes:
    return struct.pack("<BBHQ", 0, channels, 0, period_ns) + bytes(4 * counts)


def piece(offset: int, total: int, rate_hz: int, channels: int, counts: int) -> bytes:
    return struct.pack("<IIIIBBH", 1, offset, total, rate_hz, 0, channels, 0) + bytes(2 * counts)


def status(temperature_k: float, supply_v: float) -> bytes:
    return struct.pack("<IIIIBff", 0, 0, 0, 0, 0, temperature_k, supply_v)


def levels(
    *numbers: float, window_ns: int = 1, channels: int = 1, bands: int = 1, announced: tuple[int, int] | None = None
) -> bytes:
    """Edges of the bands, then levels; as many as `channels` and `bands` ask for, where none are given."""
    plain = (*(float(i) for i in range(2 * bands)), *(0.0,) * (channels * bands))
    head = struct.pack("<QBBBB", window_ns, 0, *(announced or (channels, bands)), 0)
    return head + b"".join(struct.pack("<f", number) for number in numbers or plain)


@pytest.mark.parametrize(
    ("kind", "payload", "count", "reason"),
    [
        (1, hello_ack(scale=0.0), 0, "scale is 0"),
        (1, hello_ack(scale=math.nan), 0, "scale"),
        (1, hello_ack(scale=-math.inf), 0, "scale"),
        (1, hello_ack(scale=MAX_SCALE * 1.01), 0, "scale"),
        (1, hello_ack(offset=math.nan), 0, "offset"),
        (1, hello_ack(offset=-MAX_OFFSET * 1.01), 0, "offset"),
        (1, hello_ack(rows=33), 0, "33 channels, at most 32"),
        (1, hello_ack(rows=1, announced=2), 0, "expected 56"),
        (1, struct.pack("<BBHQIIBB", 1, 1, 0, 1, 0, 0, 0, 65) + b"x" * 65, 0, "text of 65 bytes"),
        (2, bytes(19), 0, "20 bytes"),
        (3, status(math.nan, 5.0), 0, "finite"),
        (3, status(300.0, math.inf), 0, "finite"),
        (4, samples(0, 1, 0), 0, "0 channels"),
        (4, samples(33, 1, 33), 1, "33 channels"),
        (4, samples(1, 0, 1), 1, "period of 0 ns"),
        (4, samples(1, HOUR_NS + 1, 1), 1, "period of"),
        (4, samples(1, HOUR_NS, 2), 1, "expected 16"),
        (5, piece(0, 0, 1, 1, 0), 0, "piece 0+0 of 0"),
        (5, piece(1, 2, 1, 1, 2), 2, "piece 1+2 of 2"),
        (5, piece(2**32 - 1, 1, 1, 1, 2), 2, "of 1 samples"),
        (5, piece(0, 2, 0, 1, 2), 2, "at 0 Hz"),
        (5, piece(0, 2, 1, 0, 0), 2, "0 channels"),
        (6, struct.pack("<BBHB", 18, 5, 0, 0), 0, "5"),
        (6, struct.pack("<BBHB", 18, 0, 0, 3) + b"ab", 0, "expected 8"),
        (19, b"x", 0, "expected 0"),
        (20, struct.pack("<IIB3xQ", 1, 1, 3, 0), 0, "3"),
        (21, b"\x05", 0, "5"),
        (7, bytes(11), 0, "12 bytes"),
        (7, levels(window_ns=0), 0, "window of 0 ns"),
        (7, levels(window_ns=HOUR_NS + 1), 0, "window of"),
        (7, levels(channels=0), 0, "0 channels, 1 bands"),
        (7, levels(channels=33), 0, "33 channels, 1 bands"),
        (7, levels(1.0, announced=(1, 0)), 0, "1 channels, 0 bands"),
        (7, levels(bands=9), 0, "1 channels, 9 bands"),
        (7, levels(announced=(2, 1)), 0, "expected 28"),
        (7, levels(announced=(1, 2)), 0, "expected 36"),
        (7, levels() + b"\x00", 0, "expected 24"),
        (7, levels(1.0, 2.0, math.nan), 0, "negative or no finite number"),
        (7, levels(1.0, 2.0, math.inf), 0, "negative or no finite number"),
        (7, levels(1.0, 2.0, -1e-30), 0, "negative or no finite number"),
        (7, levels(-1.0, 2.0, 0.0), 0, "negative or no finite number"),
        (7, levels(1.0, math.inf, 0.0), 0, "negative or no finite number"),
        (7, levels(2.0, 2.0, 0.0), 0, "ends where it begins"),
        (7, levels(3.0, 2.0, 0.0), 0, "ends where it begins"),
        (8, b"", 0, "unknown kind"),
        (23, b"\x00\x02", 0, "neither on nor off"),
        (23, b"\x00", 0, "2 bytes"),
        (24, struct.pack("<I", 99), 0, "period of 99 ms"),
        (24, struct.pack("<I", 3_600_001), 0, "period of 3600001 ms"),
        (24, b"\x00", 0, "4 bytes"),
        (25, b"", 0, "unknown kind"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(kind: int, payload: bytes, count: int, reason: str) -> None:
    refused = decode(Packet(kind, 0, payload, count=count))
    assert isinstance(refused, Undecodable)
    assert (refused.kind, refused.version) == (kind, 1)
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("kind", "payload", "count"),
    [
        (1, hello_ack(MAX_SCALE, -MAX_OFFSET, rows=32), 0),
        (3, status(0.0, 0.0), 0),
        (4, samples(32, HOUR_NS, 64), 2),
        (5, piece(2**32 - 3, 2**32 - 1, 1, 1, 2), 2),
        (7, levels(window_ns=HOUR_NS, channels=32, bands=8), 0),
        (23, b"\xff\x01", 0),
        (24, struct.pack("<I", 0), 0),
        (24, struct.pack("<I", 100), 0),
        (24, struct.pack("<I", 3_600_000), 0),
    ],
)
def test_the_limits_themselves_are_allowed(kind: int, payload: bytes, count: int) -> None:
    assert not isinstance(decode(Packet(kind, 0, payload, count=count)), Undecodable)
