"""The node process by itself, with a real clock on real lines: what `leaknode` is for where there is no simulator."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import serial

from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import Capture, Command, Hello, Levels, Ping, Start, Stop, TriggerRole
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BandLevels,
    BurstPiece,
    Feature,
    HelloAck,
    Pong,
    Samples,
    Status,
)
from tests.support.firmware import built

pytestmark = [pytest.mark.integration]
PATIENCE_S = 10.0
Said = TypeVar("Said", HelloAck, Pong, Status, Samples, BandLevels, BurstPiece, Ack)

Line = Callable[[Path, Path], AbstractContextManager["Host"]]


class Host:
    """A host's end of a line."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        self._read, self._write = read, write
        self._deframer = Deframer()
        self.packets: list[Packet] = []

    def tell(self, command: Command, sequence: int = 1) -> None:
        self._write(b"\x00" + encode_packet(encode(command, sequence=sequence)))

    def wait_for(self, kind: type[Said], count: int = 1) -> list[Said]:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = [report for report in map(decode, self.packets) if isinstance(report, kind)]
            if len(found) >= count:
                return found
            self.packets += [packet for packet in self._deframer.feed(self._read()) if isinstance(packet, Packet)]
        raise AssertionError(f"{len(self.packets)} packets, but not {count} of {kind.__name__}")


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def on_terminal(leaknode: Path, tmp_path: Path) -> Iterator[Host]:
    name = tmp_path / "node"
    with ended(subprocess.Popen([leaknode, "--pty", name, "--uid", "c0ffee"])):
        _until(name.exists)
        handle = os.open(name, os.O_RDWR | os.O_NOCTTY)
        yield Host(lambda: os.read(handle, 4096), lambda data: os.write(handle, data))
        os.close(handle)
    assert not name.is_symlink()


@contextmanager
def on_port(leaknode: Path, _tmp_path: Path) -> Iterator[Host]:
    process = subprocess.Popen([leaknode, "--tcp", "0", "--uid", "c0ffee"], stderr=subprocess.PIPE)
    assert process.stderr is not None
    with ended(process), process.stderr:
        port = int(process.stderr.readline().split()[-1])
        with socket.create_connection(("127.0.0.1", port)) as line:
            yield Host(lambda: line.recv(65536), line.sendall)


@contextmanager
def on_pipes(leaknode: Path, _tmp_path: Path) -> Iterator[Host]:
    process = subprocess.Popen(
        [leaknode, "--stdio", "--uid", "c0ffee"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    into, out_of = process.stdin, process.stdout
    assert into is not None
    assert out_of is not None
    with ended(process), into, out_of:
        yield Host(lambda: os.read(out_of.fileno(), 65536), into.write)


def _until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.005)


@contextmanager
def on_device(_leaknode: Path, _tmp_path: Path) -> Iterator[Host]:
    """A real node: LEAKLOC_NODE_PORT=/dev/ttyACM0 pytest -m hil tests/hil."""
    port = os.environ.get("LEAKLOC_NODE_PORT")
    if port is None:
        pytest.skip("no real node: name its serial port in LEAKLOC_NODE_PORT")
    with serial.Serial(port, 921_600, timeout=0.1) as line:
        yield Host(lambda: line.read(max(line.in_waiting, 1)), line.write)


@pytest.mark.parametrize("line", [on_terminal, on_port, on_pipes, pytest.param(on_device, marks=pytest.mark.hil)])
def test_a_node_holds_a_conversation(line: Line, tmp_path: Path) -> None:
    with line(built("native") / "leaknode", tmp_path) as host:
        host.tell(Hello(1, 1))
        (ack,) = host.wait_for(HelloAck)
        assert line is on_device or ack.uid == 0xC0FFEE
        host.tell(Ping(9))
        (pong,) = host.wait_for(Pong)
        assert 0 <= pong.sent_ns - pong.received_ns < NS_PER_S
        host.tell(Start(20))
        host.wait_for(Status)
        asked = 1
        if any(not channel.quantity.in_bursts for channel in ack.channels):
            host.wait_for(Samples, 10)
        if ack.features & Feature.LEVELS:
            asked += 1
            host.tell(Levels(100), asked)
            host.wait_for(BandLevels, 2)
        if ack.features & Feature.BURSTS:
            asked += 1
            samples = min(ack.longest_burst, 16_384)
            host.tell(Capture(7, samples, TriggerRole.AT_TIME, 0), asked)
            while (pieces := host.wait_for(BurstPiece))[-1].offset + pieces[-1].counts.shape[1] < samples:
                host.wait_for(BurstPiece, len(pieces) + 1)
            ends = [piece.offset + piece.counts.shape[1] for piece in pieces]
            assert [piece.offset for piece in pieces] == [0, *ends[:-1]]
        acks = host.wait_for(Ack, asked)
        assert [one.result for one in acks] == [AckResult.DONE] * asked
        for kind in {packet.kind for packet in host.packets}:
            numbers = [packet.sequence for packet in host.packets if packet.kind == kind]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert len({packet.boot_id for packet in host.packets}) == 1
        host.tell(Stop(), asked + 1)
