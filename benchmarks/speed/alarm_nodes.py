"""Plays a rig on pseudo-terminals whose lines are full, and times what comes back; a process of its own.

`python -m benchmarks.speed.alarm_nodes NODES BYTES_PER_S SECONDS BROKER_PORT TOPIC` prints the terminals' paths as one
JSON line, and at its end, in ms of its own clock, from the write of a sample that is an alarm: until the SIREN command
was read from its line, and until the alarm came from the broker. The player's own loop is part of both.
"""

import json
import os
import selectors
import sys
import time
import tty
from collections import deque

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.speed.alarm_rig import FIRST_UID, LOW_COUNTS, MICROPHONES, P_UID, RATE_HZ, S_UID, STEP_COUNTS
from firmware_bridge.units import Quantity
from firmware_bridge.wire.commands import Capture, Command, Siren, SirenPattern, Start
from firmware_bridge.wire.reports import BurstPiece, Channel, Samples
from tests.support.fake_node import FakeNode

PIECE, TOTAL = 512, 16_384
UNASKED = 1 << 31  # numbers of bursts that nobody asked for: they only fill the line
SAMPLE_S = 0.1
LOUD_AFTER_S, LOUDER = 60.0, 20  # once quiet was learned it becomes loud: from then on there is something to locate
ALARM_S = (0.3, 0.6)  # how long the value is high, and low, drawn anew each time: no step of ours keeps time with it


class _Line:
    """One node on its terminal."""

    def __init__(self, uid: int, channels: tuple[Channel, ...]) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        os.set_blocking(self.master, False)
        self.node = FakeNode(uid=uid, channels=channels, slow_channel=0)
        self.unsent: deque[bytes] = deque()
        self.started = False
        self.sent_bytes = 0

    def hear(self) -> list[Command]:
        """Answer what the host says, ahead of what waits; what it said."""
        try:
            data = os.read(self.master, 65_536)
        except (BlockingIOError, OSError):
            return []
        answer = self.node.hear(time.monotonic_ns(), data)
        if answer:
            self.unsent.insert(min(1, len(self.unsent)), answer)
        heard, self.node.heard = self.node.heard, []
        self.started = self.started or any(isinstance(command, Start) for command in heard)
        return heard

    def write(self) -> None:
        """Give the terminal what it takes."""
        while self.unsent:
            frame = self.unsent.popleft()
            try:
                sent = os.write(self.master, frame)
            except BlockingIOError:
                sent = 0
            self.sent_bytes += sent
            if sent < len(frame):
                self.unsent.appendleft(frame[sent:])
                return


class _Array(_Line):
    """Four microphones whose line is never empty: bursts that were asked for, and between them others."""

    def __init__(self, index: int) -> None:
        super().__init__(FIRST_UID + index, tuple(Channel(Quantity.ULTRASOUND, 1e-3, 0.0) for _ in range(MICROPHONES)))
        random = np.random.default_rng(index)
        self._counts = random.integers(-50, 50, (MICROPHONES, TOTAL)).astype(np.int16)
        self.loud = False
        self._asked: deque[int] = deque(maxlen=2)
        self._burst, self._offset, self._start_ns, self._number = UNASKED, 0, 0, UNASKED

    def hear(self) -> list[Command]:
        heard = super().hear()
        self._asked += [command.burst_id for command in heard if isinstance(command, Capture)]
        return heard

    def fill(self) -> None:
        """Prepare the next piece."""
        now_ns = time.monotonic_ns()
        if self._offset == 0:
            self._start_ns = now_ns + self.node.offset_ns
            self._number += 1
            self._burst = self._asked.popleft() if self._asked else self._number
        counts = self._counts[:, self._offset : self._offset + PIECE] * np.int16(LOUDER if self.loud else 1)
        piece = BurstPiece(self._burst, 0, self._offset, TOTAL, RATE_HZ, counts)
        self.unsent.append(self.node.say(now_ns, piece, time_ns=self._start_ns))
        self._offset = (self._offset + PIECE) % TOTAL


class _Consumer:
    """A client of the broker; when it heard of each alarm."""

    def __init__(self, port: int, topic: str) -> None:
        self.heard_ns: list[int] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topic, qos=1)
        self._client.loop_start()

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        at_ns = time.monotonic_ns()
        if not message.retain and message.payload and json.loads(message.payload).get("state") == "unacknowledged":
            self.heard_ns.append(at_ns)

    def stop(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


def main(count: int, bytes_per_s: float, seconds: float, port: int, topic: str) -> None:
    """Play until all is measured."""
    arrays = [_Array(index) for index in range(count)]
    barometer = _Line(P_UID, (Channel(Quantity.PRESSURE, 0.25, 0.0),))
    siren = _Line(S_UID, ())
    lines: list[_Line] = [*arrays, barometer, siren]
    consumer = _Consumer(port, topic)
    print(json.dumps([line.path for line in lines]), flush=True)
    selector = selectors.DefaultSelector()
    for line in lines:
        selector.register(line.master, selectors.EVENT_READ, line)
    random = np.random.default_rng(1)
    frame_bytes = MICROPHONES * PIECE * 2 + 64
    raised_ns: list[int] = []
    sounded_ns: list[int] = []
    began_s, filled, high = None, 0, False
    next_sample_s = next_change_s = 0.0
    while began_s is None or time.monotonic() < began_s + seconds:
        for key, _ in selector.select(0.0005):
            heard = key.data.hear()
            if key.data is siren and Siren(SirenPattern.WARNING) in heard:
                sounded_ns.append(time.monotonic_ns())
        now_s = time.monotonic()
        if began_s is None and all(line.started for line in (*arrays, barometer)):
            began_s = now_s
            next_change_s = now_s + 10.0  # first all are greeted, and the broker is found
        if began_s is not None:
            while filled * frame_bytes < bytes_per_s * (now_s - began_s):
                for array in arrays:
                    array.loud = now_s > began_s + LOUD_AFTER_S
                    if len(array.unsent) < 8:
                        array.fill()
                filled += 1
            changes = now_s >= next_change_s
            if changes:
                high = not high
                next_change_s = now_s + random.uniform(*ALARM_S)
            if changes or now_s >= next_sample_s:
                next_sample_s = now_s + SAMPLE_S
                counts = np.array([[LOW_COUNTS + STEP_COUNTS * high]], dtype=np.int32)
                at_ns = time.monotonic_ns()
                barometer.unsent.append(barometer.node.say(at_ns, Samples(0, 100_000_000, counts)))
                if changes and high:
                    raised_ns.append(at_ns)
        for line in lines:
            line.write()
    consumer.stop()
    rates = [array.sent_bytes / seconds for array in arrays]
    told = {"siren_ms": _after(raised_ns, sounded_ns), "mqtt_ms": _after(raised_ns, consumer.heard_ns)}
    print(json.dumps({**told, "raised": len(raised_ns), "bytes_per_s": min(rates)}), flush=True)


def _after(raised_ns: list[int], heard_ns: list[int]) -> list[float]:
    """From each alarm to the first that was heard of it before the next one."""
    found = []
    for index, at_ns in enumerate(raised_ns):
        until_ns = raised_ns[index + 1] if index + 1 < len(raised_ns) else at_ns + 400_000_000
        first = next((one for one in heard_ns if at_ns <= one < until_ns), None)
        if first is not None:
            found.append((first - at_ns) / 1e6)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
