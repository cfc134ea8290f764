"""The seam of all leaks: what the gas, the sound and the structure of a hull may ask of one, and what jets answer.

The kinds live in files of their own; when a leak opens and closes is `schedule`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from firmware_bridge.units import SOUND_REFERENCE_PA
from sim.world.leak.flow import choked_flow_kg_s
from sim.world.leak.jet import FloatArray, Jet, Loudness, force_psd_n2_hz, pressure_psd_pa2_hz

EQUIVALENT_COEFFICIENT = 0.85  # of the thin sharp round hole to which people compare a leak
LEAST_SHARE = 1e-12  # less open than this is shut: a gap of less than an atom's nucleus, and numbers near underflow


class Leak(Protocol):
    """Something through which cabin air flows into vacuum. Pressure (Pa) and temperature (K) are the cabin's."""

    def mass_flow_kg_s(self, pressure_pa: float, temperature_k: float) -> float:
        """Outflow, kg/s; 0 at no pressure, rising with pressure."""
        ...

    def reynolds(self, pressure_pa: float, temperature_k: float) -> float:
        """Reynolds number of the largest jet on its hydraulic diameter; below 2000 a leak is next to silent."""
        ...

    def pressure_psd_pa2_hz(self, frequency_hz: FloatArray, pressure_pa: float, temperature_k: float) -> FloatArray:
        """One-sided spectral density of the sound inside, Pa2/Hz at 1 m, same shape as `frequency_hz`."""
        ...

    def force_psd_n2_hz(self, frequency_hz: FloatArray, pressure_pa: float, temperature_k: float) -> FloatArray:
        """One-sided spectral density of the force on the plate at the leak, normal to it, N2/Hz."""
        ...

    def inward_level_db(self, pressure_pa: float, temperature_k: float) -> float:
        """Level inside, dB re 20 uPa at 1 m in 20 to 100 kHz; minus infinity for silence."""
        ...

    def opened(self, share: float) -> "Leak":
        """The same leak with `share` of its area open, 0 (shut) to 1 (as declared)."""
        ...


@dataclass(frozen=True, slots=True)
class Shut:
    """A leak of which nothing is open."""

    def mass_flow_kg_s(self, pressure_pa: float, temperature_k: float) -> float:  # noqa: ARG002 - the seam
        """Nothing flows."""
        return 0.0

    def reynolds(self, pressure_pa: float, temperature_k: float) -> float:  # noqa: ARG002 - the seam
        """Zero, for want of flow."""
        return 0.0

    def pressure_psd_pa2_hz(
        self,
        frequency_hz: FloatArray,
        pressure_pa: float,  # noqa: ARG002 - the seam
        temperature_k: float,  # noqa: ARG002 - the seam
    ) -> FloatArray:
        """Silence."""
        return np.zeros(np.shape(frequency_hz))

    def force_psd_n2_hz(
        self,
        frequency_hz: FloatArray,
        pressure_pa: float,  # noqa: ARG002 - the seam
        temperature_k: float,  # noqa: ARG002 - the seam
    ) -> FloatArray:
        """A plate at rest."""
        return np.zeros(np.shape(frequency_hz))

    def inward_level_db(self, pressure_pa: float, temperature_k: float) -> float:  # noqa: ARG002 - the seam
        """Silence."""
        return -math.inf

    def opened(self, share: float) -> "Leak":
        """Shut, whatever the share."""
        check_share(share)
        return self


SHUT = Shut()


class JetLeak(ABC):
    """A leak made of jets: says what flows in each, and gets its flow, sound and force from them."""

    __slots__ = ()

    @property
    @abstractmethod
    def loudness(self) -> Loudness:
        """How strongly the jets act on the cabin and on the plate."""

    @abstractmethod
    def jets(self, pressure_pa: float, temperature_k: float) -> tuple[Jet, ...]:
        """What streams out at this cabin pressure (Pa) and temperature (K), at least one jet."""

    @abstractmethod
    def narrowed(self, share: float) -> Leak:
        """The same leak with `share` of its area open, between 0 and 1 and neither."""

    def mass_flow_kg_s(self, pressure_pa: float, temperature_k: float) -> float:
        """Outflow, kg/s, of all jets."""
        return math.fsum(jet.mass_flow_kg_s for jet in self.jets(pressure_pa, temperature_k))

    def reynolds(self, pressure_pa: float, temperature_k: float) -> float:
        """Reynolds number of the largest jet, on its hydraulic diameter and the viscosity of the cabin's air."""
        return max(jet.reynolds for jet in self.jets(pressure_pa, temperature_k))

    def pressure_psd_pa2_hz(self, frequency_hz: FloatArray, pressure_pa: float, temperature_k: float) -> FloatArray:
        """One-sided spectral density of the sound inside, Pa2/Hz at 1 m; see `jet.pressure_psd_pa2_hz`."""
        jets = self.jets(pressure_pa, temperature_k)
        return pressure_psd_pa2_hz(jets, self.loudness, frequency_hz, pressure_pa, temperature_k)

    def force_psd_n2_hz(self, frequency_hz: FloatArray, pressure_pa: float, temperature_k: float) -> FloatArray:
        """One-sided spectral density of the force on the plate, N2/Hz, an estimate; see `jet.force_psd_n2_hz`."""
        return force_psd_n2_hz(self.jets(pressure_pa, temperature_k), self.loudness, frequency_hz, temperature_k)

    def inward_level_db(self, pressure_pa: float, temperature_k: float) -> float:
        """Level inside, dB re 20 uPa at 1 m in 20 to 100 kHz; 2 mm at 101.3 kPa: 31 W, 31 uW, 67 dB."""
        squared_pa2 = math.fsum(
            jet.inward_pressure_squared_pa2(self.loudness, pressure_pa, temperature_k)
            for jet in self.jets(pressure_pa, temperature_k)
        )
        return 10.0 * math.log10(squared_pa2 / SOUND_REFERENCE_PA**2) if squared_pa2 > 0.0 else -math.inf

    def opened(self, share: float) -> Leak:
        """The same leak with `share` of its area open, 0 to 1.

        Raises:
            ValueError: a share outside 0 to 1.
        """
        check_share(share)
        if share < LEAST_SHARE:
            return SHUT
        return self.narrowed(share)


def effective_area_m2(leak: Leak, pressure_pa: float, temperature_k: float) -> float:
    """Area of the ideal choked nozzle that lets out as much as `leak` does, m2.

    Raises:
        ValueError: no pressure, at which every area lets out nothing.
    """
    if not pressure_pa > 0.0:
        raise ValueError(f"at {pressure_pa} Pa every leak lets out nothing")
    return leak.mass_flow_kg_s(pressure_pa, temperature_k) / choked_flow_kg_s(1.0, pressure_pa, temperature_k)


def equivalent_diameter_m(leak: Leak, pressure_pa: float, temperature_k: float) -> float:
    """Diameter of the sharp round hole (discharge coefficient 0.85) that lets out as much as `leak` does, m."""
    area_m2 = effective_area_m2(leak, pressure_pa, temperature_k) / EQUIVALENT_COEFFICIENT
    return math.sqrt(4.0 / math.pi * area_m2)


def check_share(share: float) -> None:
    """Refuse a share that is none.

    Raises:
        ValueError: a share outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share of {share} is outside 0 to 1")


def check_coefficient(discharge_coefficient: float) -> None:
    """Refuse a discharge coefficient that cannot be.

    Raises:
        ValueError: one outside 0 (excluded) to 1.
    """
    if not 0.0 < discharge_coefficient <= 1.0:
        raise ValueError(f"discharge coefficient {discharge_coefficient} is outside 0 to 1")
