"""A seal that lifts from its land: a long slot whose gap opens, silent at first and audible when wide.

The law of its flow is `slot`; how fast it opens is `schedule`.
"""

from dataclasses import dataclass, replace

from sim.world.leak.leak import Leak
from sim.world.leak.slot import Slot


@dataclass(frozen=True, slots=True)
class Seal(Slot):
    """An arc of a hatch's or port's seal; `width_m` is its gap when fully open, `depth_m` the width of the land.

    The flow goes as the cube of the gap at first, so half the gap lets out an eighth.
    """

    def narrowed(self, share: float) -> Leak:
        """A seal of `share` of the gap."""
        return replace(self, width_m=self.width_m * share)
