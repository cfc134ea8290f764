"""How fast each compartment's pressure falls -> how likely the leak is in which, as far as hatches tell them apart.

Which hatch to close next is isolate's; how a fall is told from weather detect's.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure import Fall
from firmware_bridge.site.survey import Hatch, Site

LOSSES_PA_S = np.geomspace(1e-5, 1e3, 161)  # from 0.05 mm in a station to 50 mm in a closet; 12 % apart
LOSSES_PA_S.flags.writeable = False
NO_LEAK = 0.5  # before anything is measured


@dataclass(frozen=True, slots=True)
class PressureRate:
    """How fast one compartment's pressure rises (Pa/s, a leak's is negative), and its sigma."""

    compartment: str
    rate_pa_s: float
    sigma_pa_s: float


@dataclass(frozen=True, slots=True)
class LeakingRooms:
    """Probability that the leak is in each compartment, and that there is none; they add up to one."""

    by_compartment: Mapping[str, float]
    no_leak: float


def pressure_rate(compartment: str, fall: Fall) -> PressureRate:
    """A fall as a measurement of its compartment."""
    return PressureRate(compartment, fall.rate_pa_s, fall.sigma_pa_s)


class PressureRateModel:
    """What a leak of some loss in some compartment makes of all measured rates.

    Compartments that open hatches join fall alike, at the loss; all others do not fall. So compartments that are
    joined have the same likelihood: pressure does not tell them apart until a hatch is closed.
    """

    def __init__(self, rates: Sequence[PressureRate], site: Site, open_hatches: Iterable[Hatch] | None = None) -> None:
        """Take the rates of one time; hatches stand as they normally do where nothing is said.

        Raises:
            ValueError: a rate without a sigma, or of a compartment that the site does not have.
        """
        hatches = None if open_hatches is None else tuple(open_hatches)
        self._rooms = tuple(room.name for room in site.compartments)
        for rate in rates:
            if rate.compartment not in self._rooms or not 0.0 < rate.sigma_pa_s < math.inf:
                raise ValueError(
                    f"a rate of {rate.rate_pa_s:g} with sigma {rate.sigma_pa_s:g} Pa/s in {rate.compartment!r}: "
                    "sigma must be positive, and the compartment one of the site's"
                )
        self._rate = np.array([rate.rate_pa_s for rate in rates])
        self._sigma = np.array([rate.sigma_pa_s for rate in rates])
        joined = {room: site.connected_compartments(room, hatches) for room in self._rooms}
        self._falls = np.array(
            [[rate.compartment in joined[room] for rate in rates] for room in self._rooms], dtype=float
        ).reshape(len(self._rooms), len(rates))

    def residual(self, compartment: str, loss_pa_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened residual (rates,) of a leak there and its derivative by the loss, per Pa/s."""
        falls = self._falls[self._rooms.index(compartment)]
        return (-loss_pa_s * falls - self._rate) / self._sigma, -falls / self._sigma

    def probabilities(self) -> LeakingRooms:
        """Of each compartment, all alike likely before, as is every order of magnitude of the loss."""
        none = -0.5 * float(np.sum((self._rate / self._sigma) ** 2))
        logs = [none + math.log(NO_LEAK)]
        for falls in self._falls:
            expected = -LOSSES_PA_S[:, None] * falls
            each = -0.5 * np.sum(((expected - self._rate) / self._sigma) ** 2, axis=1)
            top = float(each.max())
            logs.append(top + math.log(float(np.mean(np.exp(each - top))) * (1.0 - NO_LEAK) / len(self._rooms)))
        weight = np.exp(np.array(logs) - max(logs))
        weight /= weight.sum()
        return LeakingRooms(dict(zip(self._rooms, weight[1:].tolist(), strict=True)), float(weight[0]))
