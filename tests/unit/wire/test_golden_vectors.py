"""The wire against frames that were made without it: bytes to message, and message to the same bytes."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.units import Quantity
from firmware_bridge.wire import commands, reports
from firmware_bridge.wire.codec import decode, encode, kind_of
from firmware_bridge.wire.framing import Deframer, Flags, Packet, encode_packet
from tests.support.messages import PACKETS, same

VECTORS = Path(__file__).parents[2] / "vectors"
GOLDEN: list[dict[str, Any]] = tomllib.loads((VECTORS / "wire-v1.toml").read_text(encoding="utf-8"))["vector"]
BOTH_WAYS = [vector for vector in GOLDEN if not vector.get("decode_only", False)]


def generator() -> ModuleType:
    """The program that made the vectors; it is a script, not a part of a package."""
    spec = importlib.util.spec_from_file_location("make_wire_v1", VECTORS / "make_wire_v1.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


MAKER = generator()


def message_of(vector: dict[str, Any]) -> reports.Report | commands.Command:
    """The message that a vector's plain table names."""
    table = dict(vector["message"])
    match vector["type"]:
        case "HelloAck":
            table["features"] = reports.Feature(table["features"])
            table["channels"] = tuple(
                reports.Channel(Quantity(c["quantity"]), c["scale"], c["offset"]) for c in table["channels"]
            )
        case "Samples":
            table["counts"] = np.array(table["counts"], dtype="<i4")
        case "BurstPiece":
            table["counts"] = np.array(table["counts"], dtype="<i2")
        case "BandLevels":
            table["bands_hz"] = np.array(table["bands_hz"], dtype="<f4")
            table["mean_square"] = np.array(table["mean_square"], dtype="<f4")
        case "Ack":
            table["result"] = reports.AckResult(table["result"])
        case "Capture":
            table["role"] = commands.TriggerRole(table["role"])
        case "Siren":
            table["pattern"] = commands.SirenPattern(table["pattern"])
    kind = getattr(reports, vector["type"], None) or getattr(commands, vector["type"])
    message: reports.Report | commands.Command = kind(**table)
    return message


def by_name(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


@by_name(GOLDEN)
def test_golden_bytes_become_the_message(vector: dict[str, Any]) -> None:
    (packet,) = Deframer().feed(bytes.fromhex(vector["frame"]))
    assert isinstance(packet, Packet)
    assert packet.kind == vector["kind"]
    header = {name: getattr(packet, name) for name in vector["header"]}
    assert header == vector["header"]
    assert same(decode(packet), message_of(vector))


@by_name(BOTH_WAYS)
def test_the_message_becomes_the_golden_bytes(vector: dict[str, Any]) -> None:
    header = vector["header"]
    packet = encode(
        message_of(vector),
        sequence=header["sequence"],
        time_ns=header["time_ns"],
        boot_id=header["boot_id"],
        flags=Flags(header["flags"]),
        version=header["version"],
    )
    assert packet.count == header["count"]
    assert encode_packet(packet).hex() == vector["frame"]


def test_every_report_and_command_has_a_golden_frame() -> None:
    declared = {*reports.Report.__args__, *commands.Command.__args__}
    assert {vector["type"] for vector in BOTH_WAYS} == {message.__name__ for message in declared}
    assert {vector["kind"] for vector in BOTH_WAYS} == {kind_of(message) for message in declared}


def test_the_golden_file_is_what_its_generator_makes() -> None:
    assert (VECTORS / "wire-v1.toml").read_text(encoding="utf-8") == MAKER.as_toml()


def test_the_generator_agrees_with_the_documents_examples() -> None:
    assert MAKER.crc32(b"123456789") == 0xCBF43926
    assert MAKER.stuffed(bytes.fromhex("11220033")) == bytes.fromhex("0311220233")
    assert MAKER.stuffed(b"\x00") == b"\x01\x01"
    assert MAKER.stuffed(b"\x07" * 254) == b"\xff" + b"\x07" * 254


@given(PACKETS)
def test_every_frame_is_as_the_generator_frames_it(packet: Packet) -> None:
    names = ("version", "node", "sequence", "flags", "boot_id", "count", "time_ns")
    header = {name: getattr(packet, name) for name in names}
    assert encode_packet(packet) == MAKER.frame(packet.kind, header, packet.payload)


@given(st.integers(250, 260), st.integers(0, 2), st.integers(0, 2))
def test_stuffing_agrees_around_a_full_block(run: int, zeros_before: int, zeros_after: int) -> None:
    payload = bytes(zeros_before) + b"\x01" * run + bytes(zeros_after)
    packet = Packet(kind=19, sequence=0x0101, payload=payload)
    names = ("version", "node", "sequence", "flags", "boot_id", "count", "time_ns")
    header = {name: getattr(packet, name) for name in names}
    assert encode_packet(packet) == MAKER.frame(packet.kind, header, payload)
