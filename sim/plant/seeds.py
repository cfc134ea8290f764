"""The seeds that the airborne sound and the shaking of one plant share, so that both are of the same leaks.

All follow from one seed and never change it, so whoever asks twice gets the same. What is drawn from them: `leaks`,
`sound`, `shaking`.
"""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity

_MICROPHONES, _LEVELS, _ROOMS, _CONTACTS = range(4)


@dataclass(frozen=True, slots=True)
class FieldSeeds:
    """All that is drawn for the fields of a plant, from one seed."""

    root: np.random.SeedSequence

    @property
    def microphones(self) -> np.random.SeedSequence:
        """Of the survey errors of the microphones."""
        return _child(self.root, _MICROPHONES)

    @property
    def contacts(self) -> np.random.SeedSequence:
        """Of the survey errors of the contact sensors."""
        return _child(self.root, _CONTACTS)

    @property
    def levels(self) -> np.random.SeedSequence:
        """Of the levels of the leaks."""
        return _child(self.root, _LEVELS)

    def rooms(self, site: Site) -> dict[str, np.random.SeedSequence]:
        """Of the noise in each compartment that has microphones or contact sensors, the same for air and hull.

        Those with microphones come first, so that contact sensors change nothing of what is heard.
        """
        heard = _rooms_with(site, Quantity.ULTRASOUND)
        felt = _rooms_with(site, Quantity.SURFACE_VELOCITY) - heard
        return {room: _child(self.root, _ROOMS, place) for place, room in enumerate((*sorted(heard), *sorted(felt)))}


def _rooms_with(site: Site, quantity: Quantity) -> set[str]:
    return {node.compartment for node in site.nodes if node.of_quantity(quantity)}


def _child(root: np.random.SeedSequence, *place: int) -> np.random.SeedSequence:
    """What `spawn` would give there from an unused seed, without using it up."""
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, *place))
