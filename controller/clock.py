"""The only file that knows UTC: for people and files, never for a decision."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from firmware_bridge.units import NS_PER_S

JUMP_S = 1.0  # more than a slewing clock is ever corrected by between two looks
FOLLOWED_S = 0.25  # from here on we follow without a word; less matters to nobody who reads a journal
MAX_READING_NS = NS_PER_S // 10
LOOK_NS = NS_PER_S
REMEMBER_NS = 600 * NS_PER_S  # for so long people are told of a jump


def wall_clock() -> datetime:
    """The machine's own UTC, to be compared with what other machines' clocks stamped on a message."""
    return datetime.now(UTC)


class UtcClock:
    """Names instants of the running loop in UTC; on a scaled loop UTC runs as fast as the loop does."""

    def __init__(self, now_ns: int, origin: datetime | None = None) -> None:
        """Tie the loop's `now_ns` to the machine's UTC once, or to an `origin` that was written down."""
        self._origin_ns = now_ns
        self._origin = datetime.now(UTC) if origin is None else origin

    @property
    def origin_ns(self) -> int:
        """Loop time of the start."""
        return self._origin_ns

    @property
    def origin_utc_ns(self) -> int:
        """Nanoseconds from 1970 to the start."""
        return round((self._origin - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000

    def utc(self, at_ns: int) -> str:
        """ISO 8601 with milliseconds and a Z."""
        instant = self._origin + timedelta(microseconds=(at_ns - self._origin_ns) / 1000)
        return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def ns_of(self, utc: str) -> int:
        """Loop time of an instant that `utc` named, perhaps before a restart; ValueError where it is none."""
        instant = datetime.fromisoformat(utc)
        if instant.tzinfo is None:
            raise ValueError(f"{utc!r} names no time zone")
        return self._origin_ns + round((instant - self._origin) / timedelta(microseconds=1)) * 1000

    def ahead_s(self, at_ns: int, wall: datetime) -> float:
        """How far `wall`, read at `at_ns`, is ahead of what we call that instant."""
        ours = self._origin + timedelta(microseconds=(at_ns - self._origin_ns) / 1000)
        return (wall - ours).total_seconds()

    def move(self, by_s: float) -> None:
        """Name all instants, those before included, `by_s` later."""
        self._origin += timedelta(seconds=by_s)

    def elapsed_s(self, at_ns: int) -> float:
        """Loop seconds since the clock was made."""
        return (at_ns - self._origin_ns) / NS_PER_S

    def file_stamp(self) -> str:
        """The start as it may stand in a file name."""
        return self._origin.strftime("%Y%m%dT%H%M%SZ")


class ClockWatch:
    """Sees the machine's UTC being set, as at the first contact of a Pi without a battery, and follows it.

    Decisions run on the loop's time, which nobody sets; only the names of instants move.
    """

    def __init__(self, clock: UtcClock, wall: Callable[[], datetime]) -> None:
        """Keep `clock` with `wall`."""
        self._clock = clock
        self._wall = wall
        self._next_ns = 0
        self._jumped_ns: int | None = None

    def look(self, now: Callable[[], int]) -> Iterator[str | None]:
        """What people are to be told from now on: of a jump, and None when that is long ago. `now` reads the loop."""
        now_ns = now()
        if now_ns < self._next_ns:
            return
        wall = self._wall()
        if now() - now_ns > MAX_READING_NS:
            return  # we were held up between the two clocks: that is no jump of either
        self._next_ns = now_ns + LOOK_NS
        ahead_s = self._clock.ahead_s(now_ns, wall)
        if abs(ahead_s) >= FOLLOWED_S:
            self._clock.move(ahead_s)
        if abs(ahead_s) >= JUMP_S:
            self._jumped_ns = now_ns
            yield f"its UTC was set by {ahead_s:+.1f} s: what was written before names times so much wrong"
        elif self._jumped_ns is not None and now_ns - self._jumped_ns >= REMEMBER_NS:
            self._jumped_ns = None
            yield None
