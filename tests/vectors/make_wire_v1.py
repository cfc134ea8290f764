"""Makes wire-v1.toml from docs/protocol.md alone: COBS, CRC-32 and every layout are written here a second time.

    python tests/vectors/make_wire_v1.py > tests/vectors/wire-v1.toml

Nothing of firmware_bridge is imported, so that the vectors can disagree with it.
"""

import math
import struct
import sys
from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True)
class Vector:
    """One frame: what it says, and its payload as the document lays it out."""

    name: str
    kind: int
    type: str
    message: Fields
    payload: bytes
    header: Fields = field(default_factory=dict)
    decode_only: bool = False

    @property
    def full_header(self) -> Fields:
        usual = {"version": 1, "node": 0, "sequence": 0, "flags": 0, "boot_id": 0, "count": 0, "time_ns": 0}
        return usual | self.header

    @property
    def frame(self) -> bytes:
        return frame(self.kind, self.full_header, self.payload)


def frame(kind: int, header: Fields, payload: bytes) -> bytes:
    """Header, payload and CRC-32, stuffed by COBS and closed by the delimiter."""
    first = struct.pack("<BB", header["version"] << 5 | kind, header["node"])
    middle = struct.pack("<HBB", header["sequence"], header["flags"], header["boot_id"])
    last = struct.pack("<HQ", header["count"], header["time_ns"])
    body = first + middle + last + payload
    return stuffed(body + struct.pack("<I", crc32(body))) + b"\x00"


def crc32(data: bytes) -> int:
    """CRC-32/ISO-HDLC, bit by bit: reflected polynomial 0xEDB88320, start and final XOR 0xFFFFFFFF."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def stuffed(data: bytes) -> bytes:
    """COBS: every zero is replaced by the distance to the next; a block of 254 other bytes needs none."""
    out = bytearray()
    block = bytearray()
    for at, byte in enumerate(data):
        if byte:
            block.append(byte)
            if len(block) == 254:
                out += bytes([255]) + block
                block.clear()
                if at == len(data) - 1:  # a full last block ends the data: no empty block follows
                    return bytes(out)
        else:
            out += bytes([len(block) + 1]) + block
            block.clear()
    return bytes(out + bytes([len(block) + 1]) + block)


def hello_ack(fields: Fields) -> bytes:
    text = fields["firmware"].encode()
    rows = fields["channels"]
    head = struct.pack("<BB", fields["min_version"], fields["max_version"])
    head += struct.pack("<HQ", fields["features"], fields["uid"])
    head += struct.pack("<II", fields["burst_rate_hz"], fields["longest_burst"])
    head += struct.pack("<BB", len(rows), len(text))
    return head + b"".join(struct.pack("<Bdd", r["quantity"], r["scale"], r["offset"]) for r in rows) + text


def samples(fields: Fields) -> bytes:
    """Row by row: all channels of the first instant, then of the next."""
    rows = fields["counts"]
    head = struct.pack("<BBHQ", fields["first_channel"], len(rows[0]), 0, fields["period_ns"])
    return head + b"".join(struct.pack("<i", count) for row in rows for count in row)


def burst_piece(fields: Fields) -> bytes:
    """Channel by channel: all of the piece's samples of the first channel, then of the next."""
    rows = fields["counts"]
    head = struct.pack("<III", fields["burst_id"], fields["offset"], fields["total"])
    head += struct.pack("<IBBH", fields["rate_hz"], fields["first_channel"], len(rows), 0)
    return head + b"".join(struct.pack("<h", count) for row in rows for count in row)


def ack(fields: Fields) -> bytes:
    text = fields["text"].encode()
    head = struct.pack("<BB", fields["command_kind"], fields["result"])
    return head + struct.pack("<HB", fields["command_sequence"], len(text)) + text


def capture(fields: Fields) -> bytes:
    head = struct.pack("<IIB", fields["burst_id"], fields["samples"], fields["role"])
    return head + bytes(3) + struct.pack("<Q", fields["start_ns"])


def status(fields: Fields) -> bytes:
    head = struct.pack("<II", fields["uptime_s"], fields["dropped_frames"])
    head += struct.pack("<IIB", fields["bad_frames"], fields["overruns"], fields["reset_cause"])
    return head + struct.pack("<ff", fields["temperature_k"], fields["supply_v"])


def band_levels(fields: Fields) -> bytes:
    """All bands' edges, then channel by channel: all bands of the first channel, then of the next."""
    rows = fields["mean_square"]
    head = struct.pack("<Q", fields["window_ns"])
    head += struct.pack("<BBBB", fields["first_channel"], len(rows), len(rows[0]), 0)
    edges = b"".join(struct.pack("<ff", low, high) for low, high in fields["bands_hz"])
    return head + edges + b"".join(struct.pack("<f", level) for row in rows for level in row)


NODE = {"boot_id": 7}
T0 = 1_000_000_000_000_000_001  # more than a double can hold
HELLO_ACK: Fields = {
    "min_version": 1,
    "max_version": 1,
    "features": 11,
    "uid": 0x5EA10C01000000D4,
    "burst_rate_hz": 192_000,
    "longest_burst": 16_384,
    "firmware": "leakloc-ref 1.0 µ",
    "channels": [
        {"quantity": 3, "scale": 0.0005, "offset": 0.0},
        {"quantity": 1, "scale": 0.25, "offset": 100_000.0},
        {"quantity": 2, "scale": -0.0078125, "offset": 273.15},
    ],
}
STRANGER: Fields = HELLO_ACK | {
    "min_version": 2,
    "max_version": 3,
    "features": 0x8001,
    "firmware": "from tomorrow",
    "channels": [{"quantity": 0, "scale": 1.0, "offset": 0.0}],
}
CABIN: Fields = HELLO_ACK | {
    "features": 1 + 8 + 16 + 32,
    "burst_rate_hz": 96_000,
    "firmware": "cabin 1",
    "channels": [
        {"quantity": 3, "scale": 0.0005, "offset": 0.0},
        {"quantity": 4, "scale": 2.0**-30, "offset": 0.0},
        {"quantity": 5, "scale": 2.0, "offset": 0.0},
        {"quantity": 6, "scale": 0.5, "offset": 0.0},
        {"quantity": 7, "scale": 0.25, "offset": 0.0},
        {"quantity": 8, "scale": 0.125, "offset": 0.0},
        {"quantity": 9, "scale": 0.0078125, "offset": 0.0},
    ],
}
STATUS: Fields = {
    "uptime_s": 86_400,
    "dropped_frames": 3,
    "bad_frames": 2,
    "overruns": 1,
    "reset_cause": 1,
    "temperature_k": 308.25,
    "supply_v": 4.96875,
}
SAMPLES: Fields = {"first_channel": 1, "period_ns": 500_000_000, "counts": [[5300, -1], [-2147483648, 2147483647]]}
PIECE: Fields = {
    "burst_id": 0x01020304,
    "first_channel": 0,
    "offset": 512,
    "total": 515,
    "rate_hz": 192_000,
    "counts": [[0, 1, -1], [32767, -32768, 256]],
}
LONG_PIECE: Fields = PIECE | {"offset": 0, "total": 150, "counts": [[257 * (1 + i % 100) for i in range(150)]]}
LEVELS: Fields = {
    "window_ns": 1_000_000_000,
    "first_channel": 2,
    "bands_hz": [[0.0, 2000.0], [2000.0, 12_000.0], [30_000.0, 48_000.0]],
    "mean_square": [[1.5e9, 0.25, 0.0], [2.0**-100, 3.0, 12.5]],  # each exact in single precision
}
DONE: Fields = {"command_kind": 18, "command_sequence": 1, "result": 0, "text": ""}
REFUSED: Fields = {"command_kind": 21, "command_sequence": 65_535, "result": 1, "text": "no siren here"}
AT_ONCE: Fields = {"burst_id": 1, "samples": 16_384, "role": 0, "start_ns": 0}
DRIVE: Fields = AT_ONCE | {"burst_id": 2, "role": 1, "start_ns": T0}
WAIT: Fields = AT_ONCE | {"burst_id": 2, "role": 2, "start_ns": T0 + 500_000_000}

VECTORS = (
    Vector("hello", 16, "Hello", {"min_version": 1, "max_version": 1}, b"\x01\x01"),
    Vector("hello-ack", 1, "HelloAck", HELLO_ACK, hello_ack(HELLO_ACK), NODE | {"time_ns": T0}),
    Vector(
        "hello-ack-of-a-stranger",
        1,
        "HelloAck",
        STRANGER,
        hello_ack(STRANGER | {"channels": [{"quantity": 200, "scale": 1.0, "offset": 0.0}]}),
        NODE | {"version": 2},
        decode_only=True,  # we know no name for quantity 200
    ),
    Vector("ping", 17, "Ping", {"ping_id": 305_419_896}, b"\x78\x56\x34\x12", {"sequence": 0x5678}),
    Vector(
        "pong",
        2,
        "Pong",
        {"ping_id": 305_419_896, "received_ns": T0 + 1000, "sent_ns": T0 + 21_000},
        struct.pack("<IQQ", 305_419_896, T0 + 1000, T0 + 21_000),
        NODE | {"sequence": 3, "time_ns": T0 + 21_000},
    ),
    Vector("start", 18, "Start", {"sample_period_ms": 500}, b"\xf4\x01\x00\x00", {"sequence": 1}),
    Vector("ack-done", 6, "Ack", DONE, ack(DONE), NODE),
    Vector("ack-refused", 6, "Ack", REFUSED, ack(REFUSED), NODE | {"sequence": 65_535}),
    Vector("status", 3, "Status", STATUS, status(STATUS), NODE | {"sequence": 9, "time_ns": T0}),
    Vector("status-after-a-clock-step", 3, "Status", STATUS, status(STATUS), NODE | {"sequence": 10, "flags": 2}),
    Vector("samples", 4, "Samples", SAMPLES, samples(SAMPLES), NODE | {"sequence": 256, "count": 2, "time_ns": T0}),
    Vector("stop", 19, "Stop", {}, b"", {"sequence": 2}),
    Vector("capture-at-once", 20, "Capture", AT_ONCE, capture(AT_ONCE), {"sequence": 3}),
    Vector("capture-drive", 20, "Capture", DRIVE, capture(DRIVE), {"sequence": 4}),
    Vector("capture-wait-edge", 20, "Capture", WAIT, capture(WAIT), {"sequence": 5}),
    Vector(
        "burst-piece",
        5,
        "BurstPiece",
        PIECE,
        burst_piece(PIECE),
        NODE | {"sequence": 1, "flags": 12, "count": 3, "time_ns": T0},
    ),
    Vector(
        "burst-piece-without-zeros",
        5,
        "BurstPiece",
        LONG_PIECE,
        burst_piece(LONG_PIECE),
        NODE | {"count": 150, "time_ns": T0},
    ),
    Vector("siren", 21, "Siren", {"pattern": 3}, b"\x03", {"sequence": 6}),
    Vector("identify", 22, "Identify", {"seconds": 300}, b"\x2c\x01", {"sequence": 7}),
    Vector("hello-ack-of-a-cabin-node", 1, "HelloAck", CABIN, hello_ack(CABIN), NODE | {"sequence": 1, "time_ns": T0}),
    Vector("switch-on", 23, "Switch", {"output": 5, "on": True}, b"\x05\x01", {"sequence": 8}),
    Vector("switch-off", 23, "Switch", {"output": 255, "on": False}, b"\xff\x00", {"sequence": 9}),
    Vector("levels", 24, "Levels", {"period_ms": 1000}, b"\xe8\x03\x00\x00", {"sequence": 10}),
    Vector("levels-end", 24, "Levels", {"period_ms": 0}, b"\x00\x00\x00\x00", {"sequence": 11}),
    Vector("band-levels", 7, "BandLevels", LEVELS, band_levels(LEVELS), NODE | {"flags": 4, "time_ns": T0}),
)


@dataclass(frozen=True)
class Refused:
    """What must not be acted on: no frame at all, or a sound one that cannot be read."""

    name: str
    frame: bytes
    why: str  # not_cobs, too_short, bad_crc: no frame; unreadable: a frame whose payload or version is none of ours


def _unreadable(name: str, kind: int, payload: bytes, **header: int) -> Refused:
    usual = {"version": 1, "node": 0, "sequence": 1, "flags": 0, "boot_id": 0, "count": 0, "time_ns": 0}
    return Refused(name, frame(kind, usual | header, payload), "unreadable")


def _bit_flipped(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def _cut_short() -> bytes:
    """A right checksum over fewer bytes than a header has."""
    body = bytes([0x31, 0, 1, 0]) + bytes(11)
    return stuffed(body + struct.pack("<I", crc32(body))) + b"\x00"


UNFIT = (
    Refused("a-bit-wrong", _bit_flipped(VECTORS[3].frame, 18), "bad_crc"),
    Refused("shorter-than-a-header", _cut_short(), "too_short"),
    Refused("a-code-beyond-the-piece", bytes.fromhex("05112200"), "not_cobs"),
    _unreadable("ping-without-its-number", 17, b""),
    _unreadable("stop-with-a-payload", 19, b"\x01"),
    _unreadable("capture-of-no-role", 20, struct.pack("<IIB3xQ", 1, 512, 3, 0)),
    _unreadable("siren-of-no-pattern", 21, b"\x05"),
    _unreadable("switch-neither-on-nor-off", 23, b"\x01\x02"),
    _unreadable("levels-too-often", 24, struct.pack("<I", 99)),
    _unreadable("a-command-of-tomorrow", 31, b""),
    _unreadable("a-ping-of-version-2", 17, struct.pack("<I", 7), version=2),
    _unreadable("status-without-a-temperature", 3, struct.pack("<IIIIBff", 1, 0, 0, 0, 1, math.nan, 5.0), boot_id=7),
    _unreadable("samples-fewer-than-counted", 4, struct.pack("<BBHQi", 0, 1, 0, 10**9, 5), count=2, boot_id=7),
    _unreadable("burst-piece-beyond-its-end", 5, struct.pack("<IIIIBBHh", 1, 8, 8, 192_000, 0, 1, 0, 5), count=1),
    _unreadable("band-with-swapped-edges", 7, struct.pack("<QBBBxfff", 10**9, 0, 1, 1, 4e4, 2e4, 1.0), boot_id=7),
)

HEADING = """\
# Golden frames of wire protocol version 1 (docs/protocol.md). Made by make_wire_v1.py beside this file, which shares no
# code with the packages: a difference is a bug in one of the two, or a new protocol version.
"""


def toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def as_toml(vectors: tuple[Vector, ...] = VECTORS) -> str:
    """The whole file."""
    tables = []
    for vector in vectors:
        lines = ["[[vector]]", f'name = "{vector.name}"', f'frame = "{vector.frame.hex()}"']
        lines += ["decode_only = true"] if vector.decode_only else []
        lines += [f"kind = {vector.kind}", f"header = {toml_value(vector.full_header)}", f'type = "{vector.type}"']
        tables.append("\n".join([*lines, f"message = {toml_value(vector.message)}", ""]))
    for one in UNFIT:
        lines = ["[[refused]]", f'name = "{one.name}"', f'frame = "{one.frame.hex()}"', f'why = "{one.why}"', ""]
        tables.append("\n".join(lines))
    return "\n".join([HEADING, *tables])


if __name__ == "__main__":
    sys.stdout.write(as_toml())
