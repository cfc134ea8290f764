"""The only file that knows UTC: for people and files, never for a decision."""

from datetime import UTC, datetime, timedelta

from firmware_bridge.units import NS_PER_S


class UtcClock:
    """Names instants of the running loop in UTC; on a scaled loop UTC runs as fast as the loop does."""

    def __init__(self, now_ns: int) -> None:
        """Tie the loop's `now_ns` to the machine's UTC once."""
        self._origin_ns = now_ns
        self._origin = datetime.now(UTC)

    def utc(self, at_ns: int) -> str:
        """ISO 8601 with milliseconds and a Z."""
        instant = self._origin + timedelta(microseconds=(at_ns - self._origin_ns) / 1000)
        return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def elapsed_s(self, at_ns: int) -> float:
        """Loop seconds since the clock was made."""
        return (at_ns - self._origin_ns) / NS_PER_S

    def file_stamp(self) -> str:
        """The start as it may stand in a file name."""
        return self._origin.strftime("%Y%m%dT%H%M%SZ")
