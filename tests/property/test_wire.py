"""Laws of the wire: chopping, garbage, damage, nonsense and endless bytes."""

import tracemalloc

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firmware_bridge.errors import WireError
from firmware_bridge.wire.codec import Undecodable, decode, encode
from firmware_bridge.wire.commands import Command, Hello, Identify, Levels, Ping, Start, Switch
from firmware_bridge.wire.framing import (
    MAX_ENCODED_BYTES,
    MAX_PAYLOAD_BYTES,
    MAX_VERSION,
    Deframer,
    FrameFault,
    FrameFaultKind,
    Packet,
    encode_packet,
)
from firmware_bridge.wire.reports import Ack, AckResult, HelloAck, Report
from tests.support.messages import HELLO_ACKS, MESSAGES, PACKETS, U8, U16, U64, same

GARBAGE = st.binary(max_size=40)
SOUND_STREAMS = st.lists(PACKETS, min_size=1, max_size=6)


def chopped(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(stream) + 1) for cut in cuts})
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(st.lists(st.one_of(PACKETS.map(encode_packet), GARBAGE), max_size=8), st.lists(st.integers(0, 2**20)))
def test_any_chopping_gives_the_same_packets(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    whole = Deframer().feed(stream)
    in_pieces = Deframer()
    assert [found for piece in chopped(stream, cuts) for found in in_pieces.feed(piece)] == whole


@given(st.integers(MAX_ENCODED_BYTES - 3, MAX_ENCODED_BYTES + 3), st.integers(1, 2000))
def test_chopping_does_not_move_the_limit_of_length(length: int, step: int) -> None:
    stream = b"\x02" * length + b"\x00"
    deframer = Deframer()
    found = [fault for at in range(0, len(stream), step) for fault in deframer.feed(stream[at : at + step])]
    assert found == Deframer().feed(stream)


@given(PACKETS)
def test_a_packet_survives_the_line(packet: Packet) -> None:
    assert Deframer().feed(encode_packet(packet)) == [packet]


@given(SOUND_STREAMS, st.data())
def test_garbage_costs_at_most_the_frame_that_it_touches(packets: list[Packet], data: st.DataObject) -> None:
    """Garbage runs into the frame after it unless it ends with a delimiter; every other frame comes through."""
    stream, survivors = b"", []
    for packet in packets:
        garbage = data.draw(GARBAGE)
        stream += garbage + encode_packet(packet)
        if not garbage or garbage.endswith(b"\x00"):
            survivors.append(packet)
    found = [item for item in Deframer().feed(stream) if isinstance(item, Packet)]
    assert [packet for packet in found if packet in survivors] == survivors
    assert all(packet in packets for packet in found)


@given(PACKETS, PACKETS, st.integers(0, 2**20))
def test_a_frame_that_breaks_off_costs_only_itself(torn: Packet, sound: Packet, cut: int) -> None:
    frame = encode_packet(torn)
    kept = frame[: 1 + cut % (len(frame) - 2)]
    (fault, packet) = Deframer().feed(kept + b"\x00" + encode_packet(sound))
    assert isinstance(fault, FrameFault)
    assert packet == sound


@settings(max_examples=400)
@given(PACKETS, PACKETS, PACKETS, st.lists(st.integers(0, 2**20), min_size=1, max_size=2, unique=True))
def test_one_or_two_flipped_bits_never_make_a_wrong_packet(a: Packet, b: Packet, c: Packet, flips: list[int]) -> None:
    before, damaged, after = encode_packet(a), bytearray(encode_packet(b)), encode_packet(c)
    places = {flip % (8 * len(damaged)) for flip in flips}
    for place in places:
        damaged[place // 8] ^= 1 << place % 8
    found = Deframer().feed(before + bytes(damaged) + after + b"\x00")
    packets = [item for item in found if isinstance(item, Packet)]
    if damaged.endswith(b"\x00"):
        assert packets == [a, c]  # the line is in step again at the very next frame
    else:
        assert packets == [a]  # the broken delimiter joined two frames
    assert len(found) > len(packets)


@given(st.integers(1, 40))
def test_runs_of_delimiters_are_silent_padding(count: int) -> None:
    frame = encode_packet(encode(Ping(1), sequence=1))
    assert len(Deframer().feed(bytes(count) + frame + bytes(count))) == 1


def test_each_way_of_being_no_packet_has_its_name() -> None:
    frame = encode_packet(encode(Ping(1), sequence=1))
    flipped = bytes([*frame[:-2], frame[-2] ^ 1])
    assert Deframer().feed(b"\x02\x07\x00") == [FrameFault(FrameFaultKind.TOO_SHORT, 2)]
    assert Deframer().feed(b"\x09\x07\x00") == [FrameFault(FrameFaultKind.NOT_COBS, 2)]
    assert Deframer().feed(flipped + b"\x00") == [FrameFault(FrameFaultKind.BAD_CRC, len(frame) - 1)]
    assert Deframer().feed(b"\x01" * 9000 + b"\x00") == [FrameFault(FrameFaultKind.TOO_LONG, 9000)]


def test_endless_bytes_without_a_delimiter_take_no_memory() -> None:
    deframer = Deframer()
    chunk = b"\x55" * 65_536
    tracemalloc.start()
    try:
        for _ in range(200):
            assert deframer.feed(chunk) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(chunk)  # of 13 MB that came in: the chunk being split, no more
    sound = Packet(kind=19, sequence=4, payload=b"")
    assert deframer.feed(b"\x00" + encode_packet(sound)) == [
        FrameFault(FrameFaultKind.TOO_LONG, 200 * len(chunk)),
        sound,
    ]


def test_the_longest_frame_passes_and_a_longer_one_is_refused() -> None:
    longest = Packet(kind=5, sequence=0, payload=b"\xff" * MAX_PAYLOAD_BYTES)
    assert Deframer().feed(encode_packet(longest)) == [longest]
    with pytest.raises(WireError, match="split it"):
        encode_packet(Packet(kind=5, sequence=0, payload=bytes(MAX_PAYLOAD_BYTES + 1)))


@given(MESSAGES, U16, U64, U8)
def test_decoding_undoes_encoding(message: Report | Command, sequence: int, time_ns: int, boot_id: int) -> None:
    frame = encode_packet(encode(message, sequence=sequence, time_ns=time_ns, boot_id=boot_id))
    (packet,) = Deframer().feed(frame)
    assert isinstance(packet, Packet)
    assert (packet.sequence, packet.time_ns, packet.boot_id) == (sequence, time_ns, boot_id)
    assert same(decode(packet), message)


@settings(max_examples=500)
@given(
    st.builds(
        Packet,
        kind=st.one_of(st.integers(0, 31), st.sampled_from([1, 2, 3, 4, 5, 6, 7, 23, 24])),
        sequence=U16,
        payload=st.binary(max_size=80),
        time_ns=U64,
        count=st.one_of(st.integers(0, 4), U16),
        version=st.integers(0, MAX_VERSION),
    )
)
def test_decoding_never_raises(packet: Packet) -> None:
    message = decode(packet)
    if not isinstance(message, Undecodable):
        assert encode(message, sequence=0).kind == packet.kind


@given(MESSAGES, st.data())
def test_decoding_a_damaged_payload_never_raises(message: Report | Command, data: st.DataObject) -> None:
    packet = encode(message, sequence=0)
    assume(packet.payload)
    spoilt = bytearray(packet.payload)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    shortened = bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))])
    for payload in (bytes(spoilt), shortened, bytes(spoilt) + b"\x00"):
        decode(Packet(packet.kind, 0, payload, count=packet.count))
    assert isinstance(decode(Packet(packet.kind, 0, packet.payload + b"\x00", count=packet.count)), Undecodable)


@given(HELLO_ACKS, st.integers(0, MAX_VERSION))
def test_who_a_node_is_can_be_read_in_every_version(ack: HelloAck, version: int) -> None:
    assert same(decode(encode(ack, sequence=0, version=version)), ack)


@given(MESSAGES, st.integers(0, MAX_VERSION).filter(lambda version: version != 1))
def test_nothing_else_of_another_version_is_guessed_at(message: Report | Command, version: int) -> None:
    assume(not isinstance(message, HelloAck | Hello))
    packet = encode(message, sequence=0, version=version)
    decoded = decode(packet)
    assert isinstance(decoded, Undecodable)
    assert decoded.reason == f"protocol version {version}"


def test_values_that_fit_no_field_are_refused_with_the_message_named() -> None:
    with pytest.raises(WireError, match="Start"):
        encode(Start(2**32), sequence=0)
    with pytest.raises(WireError, match="Identify"):
        encode(Identify(-1), sequence=0)
    with pytest.raises(WireError, match="Switch"):
        encode(Switch(256, on=True), sequence=0)
    with pytest.raises(WireError, match="0, or 100 to 3600000"):
        encode(Levels(99), sequence=0)
    with pytest.raises(WireError, match="version 8"):
        encode_packet(encode(Ping(1), sequence=0, version=MAX_VERSION + 1))


@given(st.text(max_size=80))
def test_a_long_text_is_cut_between_characters(text: str) -> None:
    decoded = decode(encode(Ack(18, 0, AckResult.DONE, text), sequence=0))
    assert isinstance(decoded, Ack)
    whole = text.encode("utf-8", "replace").decode()
    shown = "".join(character if character.isprintable() else "\ufffd" for character in whole)  # no cursor is moved
    assert shown.startswith(decoded.text)
    assert decoded.text == shown or len(whole[: len(decoded.text)].encode()) > 60
