"""Every message of the wire: how to draw one, and when two are the same."""

from dataclasses import fields

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.units import Quantity
from firmware_bridge.wire.codec import Undecodable
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
from firmware_bridge.wire.framing import MAX_PAYLOAD_BYTES, MAX_VERSION, Flags, Packet
from firmware_bridge.wire.report_payloads import (
    MAX_BANDS,
    MAX_CHANNELS,
    MAX_OFFSET,
    MAX_SAMPLE_PERIOD_NS,
    MAX_SCALE,
    MAX_WINDOW_NS,
)
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BandLevels,
    BurstPiece,
    Channel,
    Feature,
    HelloAck,
    Pong,
    Report,
    Samples,
    Status,
)

U8 = st.integers(0, 2**8 - 1)
U16 = st.integers(0, 2**16 - 1)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
NOT_NEGATIVE_F32 = st.floats(min_value=0.0, width=32, allow_nan=False, allow_infinity=False)
FINITE_F32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def same(left: Report | Command | Undecodable, right: Report | Command | Undecodable) -> bool:
    """Equal in every field; arrays also in kind and shape."""
    if type(left) is not type(right):
        return False
    pairs = [(getattr(left, field.name), getattr(right, field.name)) for field in fields(left)]
    return all(_same_array(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def _same_array(left: NDArray[np.generic], right: NDArray[np.generic]) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and bool((left == right).all())


def _texts(longest: int = 64) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8").filter(str.isprintable), max_size=longest).filter(
        lambda text: len(text.encode()) <= longest
    )


@st.composite
def _channels(draw: st.DrawFn) -> Channel:
    scale = draw(st.floats(-MAX_SCALE, MAX_SCALE).filter(lambda value: value != 0.0))
    return Channel(draw(st.sampled_from(Quantity)), scale, draw(st.floats(-MAX_OFFSET, MAX_OFFSET)))


@st.composite
def _counts(draw: st.DrawFn, kind: str, rows: int, columns: int) -> NDArray[np.signedinteger]:
    dtype = np.dtype(kind)
    raw = draw(st.binary(min_size=rows * columns * dtype.itemsize, max_size=rows * columns * dtype.itemsize))
    return np.frombuffer(raw, dtype).reshape(rows, columns)


@st.composite
def _samples(draw: st.DrawFn) -> Samples:
    channels = draw(st.integers(1, MAX_CHANNELS))
    rows = draw(st.integers(0, 4))
    return Samples(draw(U8), draw(st.integers(1, MAX_SAMPLE_PERIOD_NS)), draw(_counts("<i4", rows, channels)))


@st.composite
def _pieces(draw: st.DrawFn) -> BurstPiece:
    counts = draw(_counts("<i2", draw(st.integers(1, 4)), draw(st.integers(1, 300))))
    offset = draw(st.integers(0, 2**32 - 1 - counts.shape[1]))
    total = draw(st.integers(offset + counts.shape[1], 2**32 - 1))
    return BurstPiece(draw(U32), draw(U8), offset, total, draw(st.integers(1, 2**32 - 1)), counts)


@st.composite
def _levels(draw: st.DrawFn) -> BandLevels:
    bands = draw(st.integers(1, MAX_BANDS))
    channels = draw(st.integers(1, MAX_CHANNELS))
    band = st.tuples(NOT_NEGATIVE_F32, NOT_NEGATIVE_F32).filter(lambda edges: edges[0] != edges[1]).map(sorted)
    edges = draw(st.lists(band, min_size=bands, max_size=bands))
    levels = draw(st.lists(NOT_NEGATIVE_F32, min_size=channels * bands, max_size=channels * bands))
    return BandLevels(
        draw(st.integers(1, MAX_WINDOW_NS)),
        draw(U8),
        np.array(edges, dtype="<f4"),
        np.array(levels, dtype="<f4").reshape(channels, bands),
    )


HELLO_ACKS = st.builds(
    HelloAck,
    U8,
    U8,
    U64,
    U16.map(Feature),
    U32,
    U32,
    _texts(),
    st.lists(_channels(), max_size=MAX_CHANNELS).map(tuple),
)
REPORTS: st.SearchStrategy[Report] = st.one_of(
    HELLO_ACKS,
    st.builds(Pong, U32, U64, U64),
    st.builds(Status, U32, U32, U32, U32, U8, FINITE_F32, FINITE_F32),
    _samples(),
    _pieces(),
    st.builds(Ack, U8, U16, st.sampled_from(AckResult), _texts()),
    _levels(),
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Hello, U8, U8),
    st.builds(Ping, U32),
    st.builds(Start, U32),
    st.just(Stop()),
    st.builds(Capture, U32, U32, st.sampled_from(TriggerRole), U64),
    st.builds(Siren, st.sampled_from(SirenPattern)),
    st.builds(Identify, U16),
    st.builds(Switch, U8, st.booleans()),
    st.builds(Levels, st.one_of(st.just(0), st.integers(MIN_LEVELS_PERIOD_MS, MAX_LEVELS_PERIOD_MS))),
)
MESSAGES: st.SearchStrategy[Report | Command] = st.one_of(REPORTS, COMMANDS)

# Long runs without a zero are what COBS treats differently.
PAYLOADS = st.one_of(
    st.binary(max_size=64),
    st.integers(0, MAX_PAYLOAD_BYTES).map(lambda size: b"\xa5" * size),
    st.integers(0, MAX_PAYLOAD_BYTES).map(bytes),
)
PACKETS = st.builds(
    Packet,
    kind=st.integers(0, 31),
    sequence=U16,
    payload=PAYLOADS,
    time_ns=U64,
    count=U16,
    boot_id=U8,
    flags=U8.map(Flags),
    node=U8,
    version=st.integers(0, MAX_VERSION),
)
