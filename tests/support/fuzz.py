"""Deep fuzz of framing, codec and a conversation: make fuzz ARGS="MEGABYTES SEED", or python -m tests.support.fuzz ....

First the C core under the address and undefined-behaviour sanitizers, with a node that obeys what gets through; then
the Python side, with a conversation whose node lives on and answers while somebody else talks on its line.
"""

import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np

from firmware_bridge.session.states import DELIVERING
from firmware_bridge.wire.codec import Undecodable, decode
from firmware_bridge.wire.framing import MAX_ENCODED_BYTES, MAX_PAYLOAD_BYTES, Deframer, Flags, Packet, encode_packet
from tests.support.conversing import Conversing
from tests.support.fake_node import FakeNode
from tests.support.firmware import ROOT, built

MEGABYTES, SEED = 10, 1
PIECES = 20  # between two looks at the clock
READ_BYTES = 4095
LENGTHS = (0, 1, 2, 4, 5, 8, 12, 16, 20, 24, 25, 28, 39, 44, 100, 1000, MAX_PAYLOAD_BYTES)  # layouts' own, and others
SHARES = (0.3, 0.75, 0.9)  # frames of the corpus damaged, sound frames that say anything, noise; the rest is the node's


def corpus() -> list[bytes]:
    """The golden frames."""
    vectors = tomllib.loads((ROOT / "tests" / "vectors" / "wire-v1.toml").read_text(encoding="utf-8"))["vector"]
    return [bytes.fromhex(vector["frame"]) for vector in vectors]


def damaged(frame: bytes, random: np.random.Generator) -> bytes:
    """Bits flipped, bytes lost, put in or doubled, the end torn off; now and then nothing at all."""
    data = bytearray(frame)
    for _ in range(int(random.integers(0, 6))):
        at = int(random.integers(0, len(data))) if data else 0
        match int(random.integers(0, 5)):
            case 0 if data:
                data[at] ^= 1 << int(random.integers(0, 8))
            case 1 if data:
                del data[at]
            case 2:
                data.insert(at, int(random.integers(0, 256)))
            case 3:
                data[at:at] = data[at : at + 20]
            case _:
                del data[at + 1 :]
    return bytes(data)


def any_frame(random: np.random.Generator, boot_id: int) -> bytes:
    """A sound frame of any kind that says anything, of the length of a layout; most of its bytes are small numbers."""
    length = LENGTHS[min(int(random.exponential(5.0)), len(LENGTHS) - 1)]
    payload = random.integers(0, 256, length) * (random.random(length) < 0.3) + random.integers(0, 4, length)
    return encode_packet(
        Packet(
            kind=int(random.integers(0, 32)),
            sequence=int(random.integers(0, 300)),
            payload=(payload % 256).astype(np.uint8).tobytes(),
            time_ns=int(random.integers(0, 2**63)) >> int(random.integers(0, 60)),
            count=int(random.integers(0, 8)) if random.random() < 0.8 else int(random.integers(0, 2**16)),
            boot_id=boot_id if random.random() < 0.999 else int(random.integers(0, 256)),
            flags=Flags(int(random.integers(0, 16))),
            version=1 if random.random() < 0.95 else int(random.integers(0, 8)),
        )
    )


def poured(total: int, seed: int) -> Counter[str]:
    """Pour `total` bytes into a deframer and a conversation; what they were.

    Raises:
        AssertionError: something grew, or what is sound was not found afterwards.
    """
    random = np.random.default_rng(seed)
    frames = corpus()
    node = FakeNode(hears_noise=True)
    talk = Conversing(node).streaming()
    deframer = Deframer()
    seen: Counter[str] = Counter()
    while seen["bytes"] < total:
        pieces = []
        for _ in range(PIECES):
            roll = random.random()
            if roll < SHARES[0]:
                pieces.append(damaged(frames[int(random.integers(0, len(frames)))], random))
            elif roll < SHARES[1]:
                pieces.append(any_frame(random, node.boot_id))
            elif roll < SHARES[2]:
                pieces.append(random.bytes(int(random.integers(0, 400))))
            else:
                pieces.append(b"\x00" + node.status(talk.now_ns) + node.pressure(talk.now_ns))
        data = b"".join(pieces)
        seen["bytes"] += len(data)
        for start in range(0, len(data), READ_BYTES):
            chunk = data[start : start + READ_BYTES]
            for found in deframer.feed(chunk):
                message = decode(found) if isinstance(found, Packet) else found
                seen["unreadable" if isinstance(message, Undecodable) else type(message).__name__] += 1
            talk.hear(chunk)
        talk.advance(0.5)  # strangers' HELLO_ACKs and boot numbers cost ten seconds and two each
        seen["delivering"] += talk.session.state in DELIVERING
        seen["looks"] += 1
        talk.events.clear()
        talk.sent = b""
        assert len(deframer._partial) <= MAX_ENCODED_BYTES
        assert len(talk.session._deframer._partial) <= MAX_ENCODED_BYTES
    assert isinstance(deframer.feed(b"\x00" + frames[0])[-1], Packet)
    return seen


def c_core(megabytes: int, seed: int) -> str:
    """The C side's own words; raises CalledProcessError where a sanitizer found something."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus"
        path.write_bytes(b"".join(corpus()))
        command = [str(built("checks") / "fuzz"), str(megabytes), str(seed), str(path)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def tell(text: str, began_s: float) -> None:
    """On the terminal, at once."""
    sys.stdout.write(f"{text}\n  {time.perf_counter() - began_s:.1f} s\n")
    sys.stdout.flush()


def main() -> None:
    """Run both, and tell what went through."""
    megabytes, seed = (int(word) for word in (*sys.argv[1:3], *(str(MEGABYTES), str(SEED))[len(sys.argv) - 1 :]))
    began_s = time.perf_counter()
    tell(f"C core under ASAN and UBSAN: {c_core(megabytes, seed)}; nothing found", began_s)
    began_s = time.perf_counter()
    seen = poured(megabytes * 1_000_000, seed)
    looks, delivering = seen.pop("looks"), seen.pop("delivering")
    tell(f"Python: {', '.join(f'{count} {what}' for what, count in sorted(seen.items()))}; nothing found", began_s)
    sys.stdout.write(f"  data flowed in {delivering / looks:.0%} of {looks} looks at the conversation\n")


if __name__ == "__main__":
    main()
