"""The captures that say what the room sounds like while nothing leaks: which are kept, and for how long.

Some are the oldest and stay for good, the others follow the room: machines come and go, and temperature moves what
their sound looks like. What was heard shortly before an onset may be the leak's beginning and is never taken. A leak
that grows more slowly than that gets into the captures that follow the room; the oldest know nothing of it. So a sound
that crept in is held against the oldest alone (`before_creeping`).
"""

from collections import deque
from dataclasses import dataclass

from controller.measure.captures import Capture
from firmware_bridge.units import s_to_ns

OLDEST = 4  # of learning, megabytes each: four bursts tell a machine's direction from noise
NEWEST = 4  # as many, so that neither the old room nor the new outweighs the other
MOST_WAITING = 16  # that are too new yet; beyond it, a long guard against a short interval, the interval grows


@dataclass(frozen=True, slots=True)
class Settings:
    """How the background follows the room."""

    refresh_s: float = 60.0  # a new capture so often: the newest four are of the last six minutes
    guard_s: float = 120.0  # before an onset: a valve opens in seconds, a crack tears in minutes


class BackgroundCaptures:
    """Bounded: OLDEST + NEWEST captures, and those that wait until nothing has begun for `guard_s`."""

    def __init__(self, settings: Settings) -> None:
        """Start without any."""
        self._settings = settings
        self._oldest: list[Capture] = []
        self._newest: deque[Capture] = deque(maxlen=NEWEST)
        self._waiting: deque[tuple[int, Capture]] = deque()
        self._last_ns: int | None = None

    @property
    def all(self) -> tuple[Capture, ...]:
        """The background of a sound that began at once."""
        return (*self._oldest, *self._newest)

    @property
    def before_creeping(self) -> tuple[Capture, ...]:
        """The background of a sound that may have been there, fainter, for as long as anyone remembers."""
        return tuple(self._oldest)

    def learn(self, capture: Capture) -> None:
        """One of the captures from which the noise floor is learned."""
        if len(self._oldest) < OLDEST:
            self._oldest.append(capture)
        else:
            self._newest.append(capture)
        self._last_ns = capture_ns(capture)

    def offer(self, capture: Capture) -> None:
        """A capture while nothing sounds: taken once nothing has begun for `guard_s` after it."""
        at_ns = capture_ns(capture)
        while self._waiting and at_ns - self._waiting[0][0] >= s_to_ns(self._settings.guard_s):
            self._newest.append(self._waiting.popleft()[1])
        due_ns = None if self._last_ns is None else self._last_ns + s_to_ns(self._settings.refresh_s)
        if len(self._waiting) < MOST_WAITING and (due_ns is None or at_ns >= due_ns):
            self._waiting.append((at_ns, capture))
            self._last_ns = at_ns

    def sound_began(self) -> None:
        """What waits is too near to an onset."""
        self._waiting.clear()
        self._last_ns = None


def capture_ns(capture: Capture) -> int:
    """When its first burst began, on the common time base."""
    return min(block.start_ns for block in capture.blocks.values())
