"""The seam where cables plug in: what a byte link can do. No link is implemented here."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes as they came, with the loop's time at which the last of them was seen."""

    data: bytes
    at_ns: int


class ByteLink(Protocol):
    """One open connection that carries bytes both ways; whole frames may arrive in any chopping."""

    async def read(self) -> Received:
        """Wait for bytes.

        Raises:
            LinkError: the other end is gone; the link is of no further use.
        """
        ...

    def write(self, data: bytes) -> None:
        """Queue `data` without waiting.

        Raises:
            LinkError: the other end is gone, or has accepted nothing for so long that the bounded queue is full.
        """
        ...

    def close(self) -> None:
        """Release the port; further calls do nothing."""
        ...


class LinkPort(Protocol):
    """A place to ask for a node: opens one link at a time."""

    @property
    def name(self) -> str:
        """What people call this place, such as `/dev/ttyACM0`."""
        ...

    async def open(self) -> ByteLink:
        """Open the link.

        Raises:
            LinkError: nothing is there, or somebody else holds it.
        """
        ...
