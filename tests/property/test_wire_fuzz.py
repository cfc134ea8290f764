"""Ten million bytes of what no node says: nothing raises, nothing grows, and what is whole is found."""

from typing import get_args

import numpy as np
import pytest

from firmware_bridge.session.conversation import Session, Settings
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import Undecodable, decode, encode
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.framing import MAX_ENCODED_BYTES, Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import Report, Samples
from tests.support import fuzz
from tests.support.conversing import Conversing
from tests.support.fake_node import FakeNode
from tests.support.sites import small_site

TOTAL_BYTES = 10_000_000
READ_BYTES = 4095


def valid_but_strange(random: np.random.Generator) -> bytes:
    """A sound frame with a payload of chance."""
    kind, version = int(random.integers(0, 32)), int(random.integers(0, 8))
    payload = random.bytes(int(random.integers(0, 200)))
    flags, count = int(random.integers(0, 256)), int(random.integers(0, 2**16))
    time_ns = int(random.integers(0, 2**63))
    sequence, boot_id = int(random.integers(0, 2**16)), int(random.integers(0, 256))
    return encode_packet(Packet(kind, sequence, payload, time_ns, count, boot_id, flags, version=version))  # type: ignore[arg-type]


def poured(total: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    node = FakeNode()
    talk = Conversing(node).streaming()
    session: Session = talk.session
    deframer = Deframer()
    frames = [
        node.status(0),
        node.pressure(0),
        node.piece(0, 0, 12),
        encode_packet(encode(Samples(0, 1, np.zeros((3, 4), np.int32)), sequence=1)),
    ]
    fresh = Session("fresh", small_site(), Settings())
    fresh.open_asked()
    fresh.opened(0)
    now_ns, done = talk.now_ns, 0
    while done < total:
        pieces = []
        for _ in range(50):
            roll = random.random()
            if roll < 0.4:
                pieces.append(fuzz.damaged(frames[int(random.integers(0, len(frames)))], random))
            elif roll < 0.7:
                pieces.append(valid_but_strange(random))
            elif roll < 0.9:
                pieces.append(random.bytes(int(random.integers(0, 3000))))
            else:
                pieces.append(b"\x00" * int(random.integers(0, 100)) + b"\x55" * int(random.integers(0, 6000)))
        data = b"".join(pieces)
        done += len(data)
        for start in range(0, len(data), READ_BYTES):
            chunk = data[start : start + READ_BYTES]
            for found in deframer.feed(chunk):
                if isinstance(found, Packet):
                    message = decode(found)
                    assert isinstance(message, Undecodable) or message is not None
            now_ns += NS_PER_S // 1000
            for one in (session, fresh):
                one.received(now_ns, chunk, now_ns)
                one.tick(now_ns)
        assert len(deframer._partial) <= MAX_ENCODED_BYTES
    sound = b"\x00" + frames[0]
    assert isinstance(deframer.feed(sound)[-1], Packet)


@pytest.mark.parametrize("seed", [1])
def test_ten_million_bytes_of_nonsense(seed: int) -> None:
    poured(TOTAL_BYTES, seed)


def test_sound_frames_that_say_anything_end_no_conversation_for_good() -> None:
    """A megabyte of what `make fuzz` pours: every kind gets through, and data flow whenever the node is let speak."""
    seen = fuzz.poured(1_000_000, 2)
    kinds = {message.__name__ for message in (*get_args(Report), *get_args(Command))}
    assert {kind for kind in kinds if seen[kind]} >= kinds - {"Pong"}
    assert seen["delivering"] > 0.05 * seen["looks"]
