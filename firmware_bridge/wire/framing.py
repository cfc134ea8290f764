"""Bytes <-> checked packets: COBS with 0x00 delimiters, 16-byte header, CRC-32; what a payload means lives in codec."""

import struct
import zlib
from dataclasses import dataclass
from enum import IntFlag, StrEnum

from cobs import cobs

from firmware_bridge.errors import WireError
from firmware_bridge.wire.quick import twin_of

PROTOCOL_VERSION = 1
MAX_PAYLOAD_BYTES = 4352  # 4 channels x 512 samples x 2 bytes and their sub-header, with room for 8 more channels' ids
DELIMITER = b"\x00"

_HEADER = struct.Struct("<BBHBBHQ")
_CRC = struct.Struct("<I")
_HEADER_BYTES = _HEADER.size
_CRC_AT = -_CRC.size
# Of anything with its own CRC-32 behind it, little-endian (Williams 1993, "A painless guide to CRC error detection").
_CRC_RESIDUE = 0x2144DF1C
_MIN_DECODED_BYTES = _HEADER.size + _CRC.size
_MAX_DECODED_BYTES = _MIN_DECODED_BYTES + MAX_PAYLOAD_BYTES
MAX_ENCODED_BYTES = _MAX_DECODED_BYTES + _MAX_DECODED_BYTES // 254 + 1  # COBS adds one byte in 254, and one
_TYPE_BITS = 5
_TYPE_MASK = (1 << _TYPE_BITS) - 1
MAX_VERSION = 7


class Flags(IntFlag):
    """What the header says about the payload as a whole."""

    NONE = 0
    OVERFLOW = 1  # the node lost data of this stream before this frame
    TIME_STEP = 2  # the node's clock was stepped since its last frame
    SATURATED = 4  # at least one sample met the converter's limit
    TRIGGERED = 8  # sample 0 was taken at an edge of the shared trigger line


@dataclass(frozen=True, slots=True)
class Packet:
    """One checked frame.

    `kind` is 0 to 31, `time_ns` the node's own clock (0 in commands), `count` a number of items that the kind defines.
    """

    kind: int
    sequence: int
    payload: bytes
    time_ns: int = 0
    count: int = 0
    boot_id: int = 0
    flags: Flags = Flags.NONE
    node: int = 0
    version: int = PROTOCOL_VERSION


_OpenPacket = twin_of(Packet)
_FLAGS = tuple(Flags(value) for value in range(256))
_unpack_header = _HEADER.unpack_from
_uncobs = cobs.decode


class FrameFaultKind(StrEnum):
    """Why bytes between two delimiters were not a packet."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_COBS = "not_cobs"
    BAD_CRC = "bad_crc"


@dataclass(frozen=True, slots=True)
class FrameFault:
    """Bytes that were no frame: a value in the stream, counted, never an exception."""

    kind: FrameFaultKind
    length: int


def encode_packet(packet: Packet) -> bytes:
    """Packet to its frame on the line, closing delimiter included.

    Raises:
        WireError: a field does not fit the header, or the payload is longer than MAX_PAYLOAD_BYTES.
    """
    if len(packet.payload) > MAX_PAYLOAD_BYTES:
        raise WireError(
            f"payload of {len(packet.payload)} bytes", remedy=f"split it; a frame carries {MAX_PAYLOAD_BYTES}"
        )
    if not (0 <= packet.kind <= _TYPE_MASK and 0 <= packet.version <= MAX_VERSION):
        raise WireError(f"kind {packet.kind}, version {packet.version}", remedy="kind is 0 to 31, version 0 to 7")
    try:
        header = _HEADER.pack(
            packet.version << _TYPE_BITS | packet.kind,
            packet.node,
            packet.sequence,
            packet.flags,
            packet.boot_id,
            packet.count,
            packet.time_ns,
        )
    except struct.error as error:
        raise WireError(f"header field out of range ({error})", remedy="see docs/protocol.md, header") from error
    body = header + packet.payload
    return bytes(cobs.encode(body + _CRC.pack(zlib.crc32(body)))) + DELIMITER


class Deframer:
    """Incremental frame reader: any chopping of the stream gives the same packets; memory is bounded.

    Empty frames (runs of delimiters) are legal padding and vanish. Garbage costs at most the frame it touches.
    """

    def __init__(self) -> None:
        """Start between frames."""
        self._partial = bytearray()
        self._overlong_bytes = 0

    def feed(self, data: bytes) -> list[Packet | FrameFault]:
        """Packets and faults completed by `data`, in order."""
        found: list[Packet | FrameFault] = []
        pieces = data.split(DELIMITER)
        last = pieces.pop()
        if pieces and (self._partial or self._overlong_bytes):
            self._extend(pieces[0])
            self._complete(found)
            pieces[0] = b""
        found += [_decode_frame(piece) for piece in pieces if piece]
        if last:
            self._extend(last)
        return found

    def _extend(self, piece: bytes) -> None:
        if self._overlong_bytes or len(self._partial) + len(piece) > MAX_ENCODED_BYTES:
            self._overlong_bytes += len(self._partial) + len(piece)
            self._partial.clear()
        else:
            self._partial += piece

    def _complete(self, found: list[Packet | FrameFault]) -> None:
        if self._overlong_bytes:
            found.append(FrameFault(FrameFaultKind.TOO_LONG, self._overlong_bytes))
            self._overlong_bytes = 0
        elif self._partial:
            found.append(_decode_frame(bytes(self._partial)))
            self._partial.clear()


def _decode_frame(encoded: bytes) -> Packet | FrameFault:
    length = len(encoded)
    if length > MAX_ENCODED_BYTES:
        return FrameFault(FrameFaultKind.TOO_LONG, length)
    try:
        decoded = _uncobs(encoded)
    except cobs.DecodeError:
        return FrameFault(FrameFaultKind.NOT_COBS, length)
    if len(decoded) < _MIN_DECODED_BYTES:
        return FrameFault(FrameFaultKind.TOO_SHORT, length)
    if len(decoded) > _MAX_DECODED_BYTES:
        return FrameFault(FrameFaultKind.TOO_LONG, length)
    if zlib.crc32(decoded) != _CRC_RESIDUE:
        return FrameFault(FrameFaultKind.BAD_CRC, length)
    version_kind, node, sequence, flags, boot_id, count, time_ns = _unpack_header(decoded)
    made = _OpenPacket(
        version_kind & _TYPE_MASK,
        sequence,
        decoded[_HEADER_BYTES:_CRC_AT],
        time_ns,
        count,
        boot_id,
        _FLAGS[flags],
        node,
        version_kind >> _TYPE_BITS,
    )
    made.__class__ = Packet
    packet: Packet = made
    return packet
