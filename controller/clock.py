"""The only file that knows UTC: for people and files, never for a decision."""

from datetime import UTC, datetime, timedelta

from firmware_bridge.units import NS_PER_S


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

    def elapsed_s(self, at_ns: int) -> float:
        """Loop seconds since the clock was made."""
        return (at_ns - self._origin_ns) / NS_PER_S

    def file_stamp(self) -> str:
        """The start as it may stand in a file name."""
        return self._origin.strftime("%Y%m%dT%H%M%SZ")
