"""What one link has delivered and lost since it was first opened, and whether the loss rate is still acceptable."""

from collections import defaultdict

from firmware_bridge.session.events import Counters
from firmware_bridge.session.sequence import SequenceCounter
from firmware_bridge.session.states import Trigger
from firmware_bridge.wire.codec import Undecodable

LOSS_WINDOW = 200  # frames (good, bad and lost) over which the loss rate is judged
DEGRADED_LOSS = 0.05
RECOVERED_LOSS = 0.01
MEND_IT = "mend the node's firmware (docs/protocol.md)"


class Tally:
    """Counters of one link, and the verdict on its loss rate."""

    def __init__(self) -> None:
        """Start at zero."""
        self.received_bytes = 0
        self.frames = 0
        self.bad_frames = 0
        self.undecodable = 0
        self.lost_frames = 0
        self.repeated_frames = 0
        self.reboots = 0
        self.clock_steps = 0
        self.connections = 0
        self.resynchronised = 0
        self.pings_unanswered = 0
        self.dropped_bytes = 0
        self.newest_unreadable: dict[int, Undecodable] = {}  # by kind, of this boot: a kind has 5 bits
        self._last_unreadable: Undecodable | None = None
        self._in_damage = False
        self._streams: defaultdict[int, SequenceCounter] = defaultdict(SequenceCounter)
        self._window_good = 0
        self._window_bad = 0
        self._window_unreadable = 0

    def new_boot(self) -> None:
        """Expect no particular sequence numbers, and hold no earlier loss against a peer that starts afresh."""
        self._streams.clear()
        self.newest_unreadable.clear()
        self._window_good = self._window_bad = self._window_unreadable = 0

    @property
    def only_damage(self) -> bool:
        """Whether something came in the current window, and none of it was a frame."""
        return self._window_bad > self._window_unreadable and self._window_good == 0 == self._window_unreadable

    def damaged(self) -> None:
        """Count a piece that was no frame."""
        self.bad_frames += 1
        self._in_damage = True
        self._window_bad += 1

    def unreadable(self, what: Undecodable) -> None:
        """Count a sound frame that we cannot read, and keep why: its sender's author will want to know."""
        self.undecodable += 1
        self._window_bad += 1
        self._window_unreadable += 1
        self.newest_unreadable[what.kind] = self._last_unreadable = what

    def good(self) -> None:
        """Count a frame that we understood."""
        self.frames += 1
        self.resynchronised += self._in_damage
        self._in_damage = False
        self._window_good += 1

    def fresh(self, kind: int, sequence: int) -> bool:
        """Follow the stream of `kind`; False where this frame is a repetition or too late."""
        stream = self._streams[kind]
        lost_before = stream.lost
        fresh = stream.accept(sequence)
        lost = stream.lost - lost_before
        self.lost_frames += lost
        self._window_bad += lost
        self.repeated_frames += not fresh
        return fresh

    def judge(self) -> tuple[Trigger, str] | None:
        """Once a window is full: how the loss rate moves the conversation, and the reason for people."""
        total = self._window_good + self._window_bad
        if total < LOSS_WINDOW:
            return None
        loss = self._window_bad / total
        mostly_unreadable = 2 * self._window_unreadable > self._window_bad
        self._window_good = self._window_bad = self._window_unreadable = 0
        if loss > DEGRADED_LOSS and mostly_unreadable and self._last_unreadable is not None:
            return Trigger.LOSS_HIGH, f"{loss:.0%} of frames say nothing, such as {self._last_unreadable}; {MEND_IT}"
        if loss > DEGRADED_LOSS:
            return Trigger.LOSS_HIGH, f"{loss:.0%} of frames damaged or lost; check cable, ground and baud rate"
        return (Trigger.LOSS_LOW, "frames arrive whole again") if loss < RECOVERED_LOSS else None

    def counters(self) -> Counters:
        """An immutable picture."""
        return Counters(
            received_bytes=self.received_bytes,
            frames=self.frames,
            bad_frames=self.bad_frames,
            undecodable=self.undecodable,
            lost_frames=self.lost_frames,
            repeated_frames=self.repeated_frames,
            reboots=self.reboots,
            clock_steps=self.clock_steps,
            connections=self.connections,
            resynchronised=self.resynchronised,
            pings_unanswered=self.pings_unanswered,
            dropped_bytes=self.dropped_bytes,
        )
