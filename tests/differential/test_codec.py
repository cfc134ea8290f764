"""The C core against the Python wire over the same bytes: every find, header and verdict, and every frame anew."""

import ctypes
import struct
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.wire.codec import Undecodable, decode, encode
from firmware_bridge.wire.framing import MAX_PAYLOAD_BYTES, Deframer, FrameFault, FrameFaultKind, Packet, encode_packet
from firmware_bridge.wire.reports import Ack, HelloAck
from tests.support.firmware import ROOT, built

# In the order of ln_found, whose first is a packet.
FAULTS = (FrameFaultKind.TOO_SHORT, FrameFaultKind.TOO_LONG, FrameFaultKind.NOT_COBS, FrameFaultKind.BAD_CRC)
VECTORS = tomllib.loads((ROOT / "tests" / "vectors" / "wire-v1.toml").read_text(encoding="utf-8"))
GOLDEN, REFUSED = VECTORS["vector"], VECTORS["refused"]
FRAMES = tuple(bytes.fromhex(vector["frame"]) for vector in GOLDEN)
OUT_BYTES = 1 << 22
TEXT_AT = {HelloAck: 21, Ack: 4}  # where the payload says how long its text is
LENGTHS = (0, 1, 2, 4, 5, 6, 12, 16, 20, 22, 24, 25, 28, 36, 39, 44, 80, 257, 1000, MAX_PAYLOAD_BYTES)


class Core:
    """The shared library."""

    def __init__(self, folder: Path) -> None:
        self._filter = ctypes.CDLL(str(folder / "checks.so")).checks_filter
        self._filter.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
        self._filter.restype = ctypes.c_size_t
        self._out = ctypes.create_string_buffer(OUT_BYTES)

    def records(self, data: bytes) -> bytes:
        return ctypes.string_at(self._out, self._filter(data, len(data), self._out, OUT_BYTES))


@pytest.fixture(scope="module")
def core() -> Core:
    return Core(built("checks"))


def records(data: bytes) -> Iterator[bytes]:
    """What checks/filter.h lays out, of the Python wire."""
    for found, length in zip(Deframer().feed(data), _pieces(data), strict=True):
        if isinstance(found, FrameFault):
            yield struct.pack("<BI", 1 + FAULTS.index(found.kind), found.length)
            continue
        yield struct.pack("<BI", 0, length)
        yield struct.pack(
            "<BBBHBBHQ",
            found.version,
            found.kind,
            found.node,
            found.sequence,
            found.flags,
            found.boot_id,
            found.count,
            found.time_ns,
        )
        message = decode(found)
        yield bytes([not isinstance(message, Undecodable)])
        if isinstance(message, Undecodable):
            continue
        text = b""
        if isinstance(message, HelloAck | Ack):  # Python cleans texts for people; the bytes are compared as they came
            size = found.payload[TEXT_AT[type(message)]]
            text = found.payload[len(found.payload) - size :]
            message = replace(message, firmware="") if isinstance(message, HelloAck) else replace(message, text="")
        anew = encode_packet(
            encode(
                message,
                sequence=found.sequence,
                time_ns=found.time_ns,
                boot_id=found.boot_id,
                flags=found.flags,
                version=found.version,
            )
        )
        yield struct.pack("<H", len(text)) + text + struct.pack("<H", len(anew)) + anew


def _pieces(data: bytes) -> list[int]:
    return [len(piece) for piece in data.split(b"\x00")[:-1] if piece]


def any_frame(random: np.random.Generator) -> bytes:
    """A sound frame that says anything: what lies behind the checksum is reached by it."""
    size = int(random.choice(LENGTHS)) + int(random.integers(0, 3)) * int(random.integers(0, 2))
    payload = random.integers(0, int(random.choice([2, 4, 9, 33, 256])), min(size, MAX_PAYLOAD_BYTES), dtype=np.uint8)
    return encode_packet(
        Packet(
            kind=int(random.integers(0, 32)),
            sequence=int(random.integers(0, 1 << 16)),
            payload=payload.tobytes(),
            time_ns=int(random.integers(0, 1 << 63)),
            count=int(random.integers(0, int(random.choice([2, 5, 700])))),
            boot_id=int(random.integers(0, 256)),
            node=int(random.integers(0, 2)),
            version=1 if random.random() < 0.9 else int(random.integers(0, 8)),
        )
    )


def bent_frame(random: np.random.Generator) -> bytes:
    """A golden message with a few bytes of its payload changed and its checksum made right."""
    (packet,) = Deframer().feed(FRAMES[int(random.integers(0, len(FRAMES)))])
    assert isinstance(packet, Packet)
    payload = bytearray(packet.payload)
    for _ in range(int(random.integers(0, 4)) if payload else 0):
        payload[int(random.integers(0, len(payload)))] = int(random.choice([0, 1, 4, 0x7F, 0x80, 0xFF]))
    return encode_packet(replace(packet, payload=bytes(payload), node=0))


def damaged(frame: bytes, random: np.random.Generator) -> bytes:
    """Bytes flipped, lost, inserted; delimiters too."""
    data = bytearray(frame)
    for _ in range(int(random.integers(1, 4))):
        at = int(random.integers(0, len(data)))
        kind = int(random.integers(0, 4))
        if kind == 0:
            data[at] ^= 1 << int(random.integers(0, 8))
        elif kind == 1 and len(data) > 1:
            del data[at]
        elif kind == 2:
            data.insert(at, int(random.integers(0, 256)))
        else:
            data[at] = 0
    return bytes(data)


def cases(count: int, seed: int) -> Iterator[bytes]:
    random = np.random.default_rng(seed)
    for _ in range(count):
        draw = random.random()
        if draw < 0.4:
            yield any_frame(random)
        elif draw < 0.7:
            yield bent_frame(random)
        elif draw < 0.97:
            yield damaged(any_frame(random) if random.random() < 0.3 else bent_frame(random), random)
        else:
            yield random.integers(0, 256, int(random.integers(1, 9000)), dtype=np.uint8).tobytes() + b"\x00"


def agree(core: Core, count: int, seed: int) -> None:
    understood = 0
    for at, data in enumerate(cases(count, seed)):
        # A piece that damage left open is closed, so that each case stands alone.
        closed = data if data.endswith(b"\x00") else data + b"\x00"
        expected = b"".join(records(closed))
        understood += any(
            isinstance(f, Packet) and not isinstance(decode(f), Undecodable) for f in Deframer().feed(closed)
        )
        assert core.records(closed) == expected, f"seed {seed}, case {at}: {closed.hex()}"
    assert understood > count // 5  # else little was compared but refusals


@pytest.mark.parametrize("vector", GOLDEN, ids=[vector["name"] for vector in GOLDEN])
def test_golden_frames_are_read_and_made_alike(core: Core, vector: dict[str, str]) -> None:
    frame = bytes.fromhex(vector["frame"])
    assert core.records(frame) == b"".join(records(frame))


@pytest.mark.parametrize("refused", REFUSED, ids=[refused["name"] for refused in REFUSED])
def test_what_must_be_refused_is_refused_by_both(core: Core, refused: dict[str, str]) -> None:
    data = bytes.fromhex(refused["frame"])
    (found,) = Deframer().feed(data)
    verdict = core.records(data)
    assert verdict == b"".join(records(data))
    if refused["why"] == "unreadable":
        assert isinstance(found, Packet)
        assert isinstance(decode(found), Undecodable)
        assert verdict[-1] == 0  # of the C core: not understood
    else:
        assert isinstance(found, FrameFault)
        assert found.kind == refused["why"]


def test_bytes_that_never_end_a_frame_cost_bounded_memory(core: Core) -> None:
    data = b"\x01" * 100_000 + b"\x00" + FRAMES[0]
    assert core.records(data) == b"".join(records(data))
    assert core.records(b"\x01" * 100_000) == b""


def test_twenty_thousand_random_cases_agree(core: Core) -> None:
    agree(core, 20_000, seed=1)


@pytest.mark.slow
def test_a_hundred_thousand_random_cases_agree(core: Core) -> None:
    agree(core, 100_000, seed=2)
