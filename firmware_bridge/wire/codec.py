"""ONE table: packet kind <-> report or command, for protocol version 1. Framing is next door; I/O is elsewhere."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from firmware_bridge.errors import WireError
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.commands import (
    Capture,
    Command,
    Hello,
    Identify,
    Ping,
    Siren,
    SirenPattern,
    Start,
    Stop,
    TriggerRole,
)
from firmware_bridge.wire.framing import PROTOCOL_VERSION, Flags, Packet
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BurstPiece,
    Channel,
    Feature,
    HelloAck,
    Pong,
    Report,
    Samples,
    Status,
)

MAX_TEXT_BYTES = 64
MAX_CHANNELS = 32
MAX_SCALE = 1e9  # SI per count: far beyond any converter, and no count times it leaves single precision
MAX_OFFSET = 1e12
MAX_SAMPLE_PERIOD_NS = 3600 * NS_PER_S

_QUANTITIES = {quantity.value: quantity for quantity in Quantity}

_HELLO_ACK = struct.Struct("<BBHQIIBB")
_CHANNEL = struct.Struct("<Bdd")
_PONG = struct.Struct("<IQQ")
_STATUS = struct.Struct("<IIIIBff")
_SAMPLES = struct.Struct("<BBHQ")
_BURST = struct.Struct("<IIIIBBH")
_ACK = struct.Struct("<BBHB")
_HELLO = struct.Struct("<BB")
_PING = struct.Struct("<I")
_START = struct.Struct("<I")
_CAPTURE = struct.Struct("<IIB3xQ")
_SIREN = struct.Struct("<B")
_IDENTIFY = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A sound frame whose payload we cannot read: a value in the stream, counted and shown."""

    kind: int
    version: int
    reason: str


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


def _exactly(payload: bytes, length: int) -> None:
    if len(payload) != length:
        raise ValueError(f"payload has {len(payload)} bytes, expected {length}")


def _encode_hello_ack(report: HelloAck) -> bytes:
    text = _clipped(report.firmware)
    head = _HELLO_ACK.pack(
        report.min_version,
        report.max_version,
        report.features,
        report.uid,
        report.burst_rate_hz,
        report.longest_burst,
        len(report.channels),
        len(text),
    )
    rows = b"".join(_CHANNEL.pack(c.quantity, c.scale, c.offset) for c in report.channels)
    return head + rows + text


def _decode_hello_ack(packet: Packet) -> HelloAck:
    low, high, features, uid, rate, longest, channels, text_length = _HELLO_ACK.unpack_from(packet.payload)
    if channels > MAX_CHANNELS:
        raise ValueError(f"{channels} channels, at most {MAX_CHANNELS}")
    text_at = _HELLO_ACK.size + channels * _CHANNEL.size
    _exactly(packet.payload, text_at + text_length)
    rows = _CHANNEL.iter_unpack(packet.payload[_HELLO_ACK.size : text_at])
    table = tuple(Channel(_quantity(quantity), scale, offset) for quantity, scale, offset in rows)
    if not all(0.0 < abs(c.scale) <= MAX_SCALE and abs(c.offset) <= MAX_OFFSET for c in table):
        raise ValueError(f"a channel's scale is 0 or beyond {MAX_SCALE:g}, or its offset beyond {MAX_OFFSET:g}")
    return HelloAck(
        low, high, uid, Feature(features), rate, longest, _text(packet.payload[text_at:], text_length), table
    )


def _encode_pong(report: Pong) -> bytes:
    return _PONG.pack(report.ping_id, report.received_ns, report.sent_ns)


def _decode_pong(packet: Packet) -> Pong:
    return Pong(*_PONG.unpack(packet.payload))


def _encode_status(report: Status) -> bytes:
    return _STATUS.pack(
        report.uptime_s,
        report.dropped_frames,
        report.bad_frames,
        report.overruns,
        report.reset_cause,
        report.temperature_k,
        report.supply_v,
    )


def _decode_status(packet: Packet) -> Status:
    status = Status(*_STATUS.unpack(packet.payload))
    if not np.isfinite((status.temperature_k, status.supply_v)).all():
        raise ValueError("temperature or supply is not a finite number")
    return status


def _encode_samples(report: Samples) -> bytes:
    channels = report.counts.shape[1]
    head = _SAMPLES.pack(report.first_channel, channels, 0, report.period_ns)
    return head + report.counts.astype("<i4").tobytes()


def _decode_samples(packet: Packet) -> Samples:
    first, channels, _, period_ns = _SAMPLES.unpack_from(packet.payload)
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{channels} channels")
    if not 0 < period_ns <= MAX_SAMPLE_PERIOD_NS:
        raise ValueError(f"a sample period of {period_ns} ns")
    _exactly(packet.payload, _SAMPLES.size + 4 * channels * packet.count)
    counts = np.frombuffer(packet.payload, "<i4", offset=_SAMPLES.size).reshape(packet.count, channels)
    return Samples(first, period_ns, counts)


def _encode_burst(report: BurstPiece) -> bytes:
    channels = report.counts.shape[0]
    head = _BURST.pack(report.burst_id, report.offset, report.total, report.rate_hz, report.first_channel, channels, 0)
    return head + report.counts.astype("<i2").tobytes()


def _decode_burst(packet: Packet) -> BurstPiece:
    burst_id, offset, total, rate_hz, first, channels, _ = _BURST.unpack_from(packet.payload)
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{channels} channels")
    _exactly(packet.payload, _BURST.size + 2 * channels * packet.count)
    if packet.count == 0 or offset + packet.count > total or rate_hz == 0:
        raise ValueError(f"piece {offset}+{packet.count} of {total} samples at {rate_hz} Hz")
    counts = np.frombuffer(packet.payload, "<i2", offset=_BURST.size).reshape(channels, packet.count)
    return BurstPiece(burst_id, first, offset, total, rate_hz, counts)


def _encode_ack(report: Ack) -> bytes:
    text = _clipped(report.text)
    return _ACK.pack(report.command_kind, report.result, report.command_sequence, len(text)) + text


def _decode_ack(packet: Packet) -> Ack:
    kind, result, sequence, text_length = _ACK.unpack_from(packet.payload)
    _exactly(packet.payload, _ACK.size + text_length)
    return Ack(kind, sequence, AckResult(result), _text(packet.payload[_ACK.size :], text_length))


def _decode_capture(packet: Packet) -> Capture:
    burst_id, samples, role, start_ns = _CAPTURE.unpack(packet.payload)
    return Capture(burst_id, samples, TriggerRole(role), start_ns)


def _no_payload(packet: Packet) -> Stop:
    _exactly(packet.payload, 0)
    return Stop()


def _items(message: Report | Command) -> int:
    """The header's `count`: samples in the frame for streams, 0 for all others."""
    if isinstance(message, Samples):
        return int(message.counts.shape[0])
    if isinstance(message, BurstPiece):
        return int(message.counts.shape[1])
    return 0


@dataclass(frozen=True, slots=True)
class _Row:
    kind: int
    message: type
    encode: Callable[[Any], bytes]
    decode: Callable[[Packet], Any]


_TABLE = (
    _Row(1, HelloAck, _encode_hello_ack, _decode_hello_ack),
    _Row(2, Pong, _encode_pong, _decode_pong),
    _Row(3, Status, _encode_status, _decode_status),
    _Row(4, Samples, _encode_samples, _decode_samples),
    _Row(5, BurstPiece, _encode_burst, _decode_burst),
    _Row(6, Ack, _encode_ack, _decode_ack),
    _Row(
        16,
        Hello,
        lambda m: _HELLO.pack(m.min_version, m.max_version),
        lambda p: Hello(*_HELLO.unpack(p.payload)),
    ),
    _Row(17, Ping, lambda m: _PING.pack(m.ping_id), lambda p: Ping(*_PING.unpack(p.payload))),
    _Row(18, Start, lambda m: _START.pack(m.sample_period_ms), lambda p: Start(*_START.unpack(p.payload))),
    _Row(19, Stop, lambda _: b"", _no_payload),
    _Row(20, Capture, lambda m: _CAPTURE.pack(m.burst_id, m.samples, m.role, m.start_ns), _decode_capture),
    _Row(
        21,
        Siren,
        lambda m: _SIREN.pack(m.pattern),
        lambda p: Siren(SirenPattern(_SIREN.unpack(p.payload)[0])),
    ),
    _Row(22, Identify, lambda m: _IDENTIFY.pack(m.seconds), lambda p: Identify(*_IDENTIFY.unpack(p.payload))),
)
_BY_KIND = {row.kind: row for row in _TABLE}
_BY_MESSAGE = {row.message: row for row in _TABLE}
_VERSION_FREE_KINDS = frozenset({_BY_MESSAGE[HelloAck].kind, _BY_MESSAGE[Hello].kind})


def kind_of(message: type[Report] | type[Command]) -> int:
    """The packet kind that carries `message`."""
    return _BY_MESSAGE[message].kind


def encode(
    message: Report | Command,
    *,
    sequence: int,
    time_ns: int = 0,
    boot_id: int = 0,
    flags: Flags = Flags.NONE,
    version: int = PROTOCOL_VERSION,
) -> Packet:
    """Message to packet; `encode_packet` then makes the frame.

    Raises:
        WireError: a value does not fit its field.
    """
    row = _BY_MESSAGE[type(message)]
    try:
        payload = row.encode(message)
    except struct.error as error:
        raise WireError(f"{row.message.__name__} {message}", remedy=f"a value does not fit ({error})") from error
    return Packet(row.kind, sequence & 0xFFFF, payload, time_ns, _items(message), boot_id, flags, version=version)


def decode(packet: Packet) -> Report | Command | Undecodable:
    """Packet to message, or the reason why not; never raises on any bytes."""
    row = _BY_KIND.get(packet.kind)
    if row is None:
        return Undecodable(packet.kind, packet.version, "unknown kind")
    if packet.version != PROTOCOL_VERSION and packet.kind not in _VERSION_FREE_KINDS:
        return Undecodable(packet.kind, packet.version, f"protocol version {packet.version}")
    try:
        message: Report | Command = row.decode(packet)
    except (struct.error, ValueError) as error:
        return Undecodable(packet.kind, packet.version, str(error))
    return message
