"""The node's end of a cable, as the rig drives it. The kinds of cable are neighbours."""

from collections.abc import Callable
from typing import Protocol

OnData = Callable[[bytes], None]


class Line(Protocol):
    """One virtual node's line. Writing never waits: what is not accepted whole stays with the node."""

    @property
    def ready(self) -> bool:
        """Whether `write` takes another frame now."""
        ...

    def plug(self, on_data: OnData, on_ready: Callable[[], None]) -> None:
        """Connect: bytes from the host go to `on_data`; `on_ready` says that `ready` became true."""
        ...

    def write(self, frame: bytes) -> None:
        """Send a frame; only while `ready`."""
        ...

    def unplug(self) -> None:
        """Disconnect and leave nothing behind."""
        ...
