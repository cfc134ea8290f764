"""A crack in the wall to vacuum: laminar and silent while narrow.

The law of its flow is `slot`.
"""

from dataclasses import dataclass, replace

from sim.world.leak.leak import Leak
from sim.world.leak.slot import Slot


@dataclass(frozen=True, slots=True)
class Crack(Slot):
    """A crack whose open part is shorter or longer, as a crack grows along the wall or is covered in part.

    The crack of Zvezda's transfer compartment (4.5 cm, 1.4 kg/day at its worst of 2020, sputniknews.com
    2020-10-06) is about 12 um wide in a wall of 1.5 mm: Re = 40, no turbulence, found with floating tea leaves.
    """

    def narrowed(self, share: float) -> Leak:
        """A crack of `share` of the length."""
        return replace(self, length_m=self.length_m * share)
