"""A node's crystal: true time to what the node's counter says, and back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Oscillator:
    """A clock that read `offset_ns` at true time 0 and runs `drift` (dimensionless) fast."""

    offset_ns: int
    drift: float

    def node_ns(self, true_ns: int) -> int:
        """What the node's clock says at a true time."""
        return self.offset_ns + true_ns + round(true_ns * self.drift)

    def true_ns(self, node_ns: int) -> int:
        """The true time at which the node's clock says `node_ns`."""
        elapsed_ns = node_ns - self.offset_ns
        return elapsed_ns - round(elapsed_ns * self.drift / (1.0 + self.drift))
