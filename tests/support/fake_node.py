"""A node in a few lines, to drive conversations by hand. It knows no physics: tests say what it measures."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from firmware_bridge.wire.codec import Undecodable, decode, encode, kind_of
from firmware_bridge.wire.commands import Command, Hello, Ping
from firmware_bridge.wire.framing import Deframer, Flags, Packet, encode_packet
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BurstPiece,
    Channel,
    Feature,
    HelloAck,
    Pong,
    Report,
    Samples,
    Status,
)
from tests.support.sites import A_CHANNELS


@dataclass
class FakeNode:
    """Answers HELLO, PING and commands; its clock is the common base plus `offset_ns`."""

    uid: int = 0xA1
    channels: tuple[Channel, ...] = A_CHANNELS
    boot_id: int = 1
    versions: tuple[int, int] = (1, 1)
    header_version: int = 1
    offset_ns: int = 7_000_000_000
    slow_channel: int = 2
    mute: bool = False
    acknowledges: bool = True
    hears_noise: bool = False  # what it cannot read is the line's fault, not the host's
    result: AckResult = AckResult.DONE
    heard: list[Command] = field(default_factory=list)
    sequences: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    deframer: Deframer = field(default_factory=Deframer)

    def hear(self, now_ns: int, data: bytes) -> bytes:
        """What it answers to `data`."""
        answers = b""
        for found in self.deframer.feed(data):
            if self.hears_noise and not isinstance(found, Packet):
                continue
            assert isinstance(found, Packet)
            message = decode(found)
            assert not isinstance(message, Undecodable)
            assert isinstance(message, Command)
            self.heard.append(message)
            if not self.mute:
                answers += self._answer(now_ns, message, found)
        return answers

    def say(
        self,
        now_ns: int,
        report: Report,
        *,
        flags: Flags = Flags.NONE,
        time_ns: int | None = None,
        skip: int = 0,
    ) -> bytes:
        """A frame with the next sequence number of its kind, after `skip` that got lost."""
        kind = kind_of(type(report))
        self.sequences[kind] += skip
        packet = encode(
            report,
            sequence=self.sequences[kind],
            time_ns=now_ns + self.offset_ns if time_ns is None else time_ns,
            boot_id=self.boot_id,
            flags=flags,
            version=self.header_version,
        )
        self.sequences[kind] += 1
        return encode_packet(packet)

    def status(self, now_ns: int, *, flags: Flags = Flags.NONE, skip: int = 0) -> bytes:
        return self.say(now_ns, Status(1, 0, 0, 0, 0, 300.0, 5.0), flags=flags, skip=skip)

    def pressure(self, now_ns: int, count: int = 0, *, skip: int = 0) -> bytes:
        """One sample of its pressure channel."""
        return self.say(now_ns, Samples(self.slow_channel, 500_000_000, np.array([[count]], dtype=np.int32)), skip=skip)

    def piece(self, now_ns: int, offset: int, end: int, *, burst_id: int = 1, skip: int = 0) -> bytes:
        """Samples `offset` to `end` of a burst of 12 on channels 0 and 1, begun a second ago."""
        counts = np.arange(24, dtype=np.int16).reshape(2, 12)[:, offset:end]
        report = BurstPiece(burst_id, 0, offset, 12, 192_000, counts)
        return self.say(now_ns, report, time_ns=self.offset_ns + 1_000_000_000, skip=skip)

    def reboot(self) -> None:
        self.boot_id += 1
        self.sequences.clear()
        self.deframer = Deframer()

    def _answer(self, now_ns: int, command: Command, packet: Packet) -> bytes:
        if isinstance(command, Hello):
            features = Feature.BURSTS | Feature.SIREN
            return self.say(
                now_ns, HelloAck(*self.versions, self.uid, features, 192_000, 4096, "fake 1", self.channels)
            )
        if isinstance(command, Ping):
            clock_ns = now_ns + self.offset_ns
            return self.say(now_ns, Pong(command.ping_id, clock_ns, clock_ns))
        if not self.acknowledges:
            return b""
        return self.say(now_ns, Ack(packet.kind, packet.sequence, self.result))
