"""Payloads of reports, there and back: layouts and limits. Which kind is which says codec.

Decoders raise struct.error or ValueError where bytes say nothing sensible.
"""

import struct

import numpy as np

from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.framing import Packet
from firmware_bridge.wire.quick import twin_of
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BandLevels,
    BurstPiece,
    Channel,
    Feature,
    HelloAck,
    Pong,
    Samples,
    Status,
)

MAX_TEXT_BYTES = 64
MAX_CHANNELS = 32
MAX_BANDS = 8  # octaves from 375 Hz to 96 kHz take as many
MAX_SCALE = 1e9  # SI per count: far beyond any converter, and no count times it leaves single precision
MAX_OFFSET = 1e12
MAX_SAMPLE_PERIOD_NS = 3600 * NS_PER_S
MAX_WINDOW_NS = 3600 * NS_PER_S

_QUANTITIES = {quantity.value: quantity for quantity in Quantity}

HELLO_ACK = struct.Struct("<BBHQIIBB")
CHANNEL = struct.Struct("<Bdd")
PONG = struct.Struct("<IQQ")
STATUS = struct.Struct("<IIIIBff")
SAMPLES = struct.Struct("<BBHQ")
BURST = struct.Struct("<IIIIBBH")
ACK = struct.Struct("<BBHB")
LEVELS = struct.Struct("<QBBBx")

_I2, _I4 = np.dtype("<i2"), np.dtype("<i4")
_SAMPLES_BYTES = SAMPLES.size
_OpenSamples = twin_of(Samples)


def _text(data: bytes, length: int) -> str:
    if length > MAX_TEXT_BYTES or length > len(data):
        raise ValueError(f"text of {length} bytes in {len(data)}")
    text = data[:length].decode("utf-8", errors="replace")
    # It ends up in terminals and logs: a node must not be able to move a cursor or forge a line there.
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _clipped(text: str) -> bytes:
    """UTF-8 cut between characters; what UTF-8 cannot say (a lone surrogate) becomes a question mark."""
    return text.encode("utf-8", "replace")[:MAX_TEXT_BYTES].decode("utf-8", "ignore").encode()


def _quantity(number: int) -> Quantity:
    """A newer node may measure what we have no name for; it must still be able to say who it is."""
    return _QUANTITIES.get(number, Quantity.OTHER)


def exactly(payload: bytes, length: int) -> None:
    """Refuse a payload of another length."""
    if len(payload) != length:
        raise ValueError(f"payload has {len(payload)} bytes, expected {length}")


def encode_hello_ack(report: HelloAck) -> bytes:
    """HELLO_ACK to bytes."""
    text = _clipped(report.firmware)
    head = HELLO_ACK.pack(
        report.min_version,
        report.max_version,
        report.features,
        report.uid,
        report.burst_rate_hz,
        report.longest_burst,
        len(report.channels),
        len(text),
    )
    rows = b"".join(CHANNEL.pack(c.quantity, c.scale, c.offset) for c in report.channels)
    return head + rows + text


def decode_hello_ack(packet: Packet) -> HelloAck:
    """HELLO_ACK from bytes."""
    low, high, features, uid, rate, longest, channels, text_length = HELLO_ACK.unpack_from(packet.payload)
    if channels > MAX_CHANNELS:
        raise ValueError(f"{channels} channels, at most {MAX_CHANNELS}")
    text_at = HELLO_ACK.size + channels * CHANNEL.size
    exactly(packet.payload, text_at + text_length)
    rows = CHANNEL.iter_unpack(packet.payload[HELLO_ACK.size : text_at])
    table = tuple(Channel(_quantity(quantity), scale, offset) for quantity, scale, offset in rows)
    for number, row in enumerate(table):
        if not (0.0 < abs(row.scale) <= MAX_SCALE and abs(row.offset) <= MAX_OFFSET):
            scale = f"its scale is {row.scale:g} (anything but 0, at most {MAX_SCALE:g})"
            raise ValueError(f"channel {number}: {scale}, its offset {row.offset:g} (at most {MAX_OFFSET:g})")
    return HelloAck(
        low, high, uid, Feature(features), rate, longest, _text(packet.payload[text_at:], text_length), table
    )


def encode_pong(report: Pong) -> bytes:
    """PONG to bytes."""
    return PONG.pack(report.ping_id, report.received_ns, report.sent_ns)


def decode_pong(packet: Packet) -> Pong:
    """PONG from bytes."""
    return Pong(*PONG.unpack(packet.payload))


def encode_status(report: Status) -> bytes:
    """STATUS to bytes."""
    return STATUS.pack(
        report.uptime_s,
        report.dropped_frames,
        report.bad_frames,
        report.overruns,
        report.reset_cause,
        report.temperature_k,
        report.supply_v,
    )


def decode_status(packet: Packet) -> Status:
    """STATUS from bytes."""
    status = Status(*STATUS.unpack(packet.payload))
    if not np.isfinite((status.temperature_k, status.supply_v)).all():
        raise ValueError("temperature or supply is not a finite number")
    return status


def encode_samples(report: Samples) -> bytes:
    """SAMPLES to bytes."""
    channels = report.counts.shape[1]
    head = SAMPLES.pack(report.first_channel, channels, 0, report.period_ns)
    return head + report.counts.astype("<i4").tobytes()


def decode_samples(packet: Packet) -> Samples:
    """SAMPLES from bytes."""
    payload, count = packet.payload, packet.count
    first, channels, _, period_ns = SAMPLES.unpack_from(payload)
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{channels} channels")
    if not 0 < period_ns <= MAX_SAMPLE_PERIOD_NS:
        raise ValueError(f"a sample period of {period_ns} ns")
    if len(payload) != _SAMPLES_BYTES + 4 * channels * count:
        exactly(payload, _SAMPLES_BYTES + 4 * channels * count)
    made = _OpenSamples(first, period_ns, np.ndarray((count, channels), _I4, payload, _SAMPLES_BYTES))
    made.__class__ = Samples
    samples: Samples = made
    return samples


def encode_burst(report: BurstPiece) -> bytes:
    """BURST_PIECE to bytes."""
    channels = report.counts.shape[0]
    head = BURST.pack(report.burst_id, report.offset, report.total, report.rate_hz, report.first_channel, channels, 0)
    return head + report.counts.astype("<i2").tobytes()


def decode_burst(packet: Packet) -> BurstPiece:
    """BURST_PIECE from bytes."""
    burst_id, offset, total, rate_hz, first, channels, _ = BURST.unpack_from(packet.payload)
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{channels} channels")
    exactly(packet.payload, BURST.size + 2 * channels * packet.count)
    if packet.count == 0 or offset + packet.count > total or rate_hz == 0:
        raise ValueError(f"piece {offset}+{packet.count} of {total} samples at {rate_hz} Hz")
    counts = np.ndarray((channels, packet.count), _I2, packet.payload, BURST.size)
    return BurstPiece(burst_id, first, offset, total, rate_hz, counts)


def encode_ack(report: Ack) -> bytes:
    """ACK to bytes."""
    text = _clipped(report.text)
    return ACK.pack(report.command_kind, report.result, report.command_sequence, len(text)) + text


def decode_ack(packet: Packet) -> Ack:
    """ACK from bytes."""
    kind, result, sequence, text_length = ACK.unpack_from(packet.payload)
    exactly(packet.payload, ACK.size + text_length)
    return Ack(kind, sequence, AckResult(result), _text(packet.payload[ACK.size :], text_length))


def encode_levels(report: BandLevels) -> bytes:
    """BAND_LEVELS to bytes."""
    channels, bands = report.mean_square.shape
    head = LEVELS.pack(report.window_ns, report.first_channel, channels, bands)
    return head + report.bands_hz.astype("<f4").tobytes() + report.mean_square.astype("<f4").tobytes()


def decode_levels(packet: Packet) -> BandLevels:
    """BAND_LEVELS from bytes."""
    window_ns, first, channels, bands = LEVELS.unpack_from(packet.payload)
    if not 0 < window_ns <= MAX_WINDOW_NS:
        raise ValueError(f"a window of {window_ns} ns")
    if not (1 <= channels <= MAX_CHANNELS and 1 <= bands <= MAX_BANDS):
        raise ValueError(f"{channels} channels, {bands} bands")
    levels_at = LEVELS.size + 8 * bands
    exactly(packet.payload, levels_at + 4 * channels * bands)
    numbers = np.frombuffer(packet.payload, "<f4", offset=LEVELS.size)
    if not (np.isfinite(numbers).all() and (numbers >= 0.0).all()):
        raise ValueError("a band's edge or a level is negative or no finite number")
    edges = numbers[: 2 * bands].reshape(bands, 2)
    if not (edges[:, 0] < edges[:, 1]).all():
        raise ValueError("a band ends where it begins, or before")
    return BandLevels(window_ns, first, edges, numbers[2 * bands :].reshape(channels, bands))
