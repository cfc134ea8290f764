"""ONE table: packet kind <-> report or command, for protocol version 1. Framing is next door; I/O is elsewhere."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware_bridge.errors import WireError
from firmware_bridge.wire.commands import (
    MAX_LEVELS_PERIOD_MS,
    MIN_LEVELS_PERIOD_MS,
    Capture,
    Command,
    Hello,
    Identify,
    Levels,
    Ping,
    Siren,
    SirenPattern,
    Start,
    Stop,
    Switch,
    TriggerRole,
)
from firmware_bridge.wire.framing import PROTOCOL_VERSION, Flags, Packet
from firmware_bridge.wire.report_payloads import (
    decode_ack,
    decode_burst,
    decode_hello_ack,
    decode_levels,
    decode_pong,
    decode_samples,
    decode_status,
    encode_ack,
    encode_burst,
    encode_hello_ack,
    encode_levels,
    encode_pong,
    encode_samples,
    encode_status,
    exactly,
)
from firmware_bridge.wire.reports import Ack, BandLevels, BurstPiece, HelloAck, Pong, Report, Samples, Status

_HELLO = struct.Struct("<BB")
_PING = struct.Struct("<I")
_START = struct.Struct("<I")
_CAPTURE = struct.Struct("<IIB3xQ")
_SIREN = struct.Struct("<B")
_IDENTIFY = struct.Struct("<H")
_SWITCH = struct.Struct("<BB")
_LEVELS = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A sound frame whose payload we cannot read: a value in the stream, counted and shown."""

    kind: int
    version: int
    reason: str

    def __str__(self) -> str:
        """Which message it is, as the document names it, and what is wrong with it."""
        row = next((row for row in _TABLE if row.kind == self.kind), None)
        name = "" if row is None else re.sub(r"(?<!^)(?=[A-Z])", "_", row.message.__name__).upper() + ", "
        return f"{name}kind {self.kind} ({self.reason})"


def _decode_capture(packet: Packet) -> Capture:
    burst_id, samples, role, start_ns = _CAPTURE.unpack(packet.payload)
    return Capture(burst_id, samples, TriggerRole(role), start_ns)


def _decode_switch(packet: Packet) -> Switch:
    output, on = _SWITCH.unpack(packet.payload)
    if on > 1:
        raise ValueError(f"output {output} neither on nor off, but {on}")
    return Switch(output, bool(on))


def _levels_period(period_ms: int) -> int:
    if period_ms != 0 and not MIN_LEVELS_PERIOD_MS <= period_ms <= MAX_LEVELS_PERIOD_MS:
        raise ValueError(f"a period of {period_ms} ms; 0, or {MIN_LEVELS_PERIOD_MS} to {MAX_LEVELS_PERIOD_MS}")
    return period_ms


def _no_payload(packet: Packet) -> Stop:
    exactly(packet.payload, 0)
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
    _Row(1, HelloAck, encode_hello_ack, decode_hello_ack),
    _Row(2, Pong, encode_pong, decode_pong),
    _Row(3, Status, encode_status, decode_status),
    _Row(4, Samples, encode_samples, decode_samples),
    _Row(5, BurstPiece, encode_burst, decode_burst),
    _Row(6, Ack, encode_ack, decode_ack),
    _Row(7, BandLevels, encode_levels, decode_levels),
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
    _Row(23, Switch, lambda m: _SWITCH.pack(m.output, m.on), _decode_switch),
    _Row(
        24,
        Levels,
        lambda m: _LEVELS.pack(_levels_period(m.period_ms)),
        lambda p: Levels(_levels_period(*_LEVELS.unpack(p.payload))),
    ),
)
_DECODERS = {row.kind: row.decode for row in _TABLE}
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
    except (struct.error, ValueError) as error:
        raise WireError(f"{row.message.__name__} {message}", remedy=f"a value does not fit ({error})") from error
    return Packet(row.kind, sequence & 0xFFFF, payload, time_ns, _items(message), boot_id, flags, version=version)


def decode(packet: Packet) -> Report | Command | Undecodable:
    """Packet to message, or the reason why not; never raises on any bytes."""
    decoder = _DECODERS.get(packet.kind)
    if decoder is None:
        return Undecodable(packet.kind, packet.version, "unknown kind")
    if packet.version != PROTOCOL_VERSION and packet.kind not in _VERSION_FREE_KINDS:
        return Undecodable(packet.kind, packet.version, f"protocol version {packet.version}")
    try:
        message: Report | Command = decoder(packet)
    except (struct.error, ValueError) as error:
        return Undecodable(packet.kind, packet.version, str(error))
    return message
