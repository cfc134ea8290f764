"""How loud the leak is at each microphone in one band, from bursts or from what nodes measured themselves.

The background of quiet times is taken off. How levels fall with distance is localize's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from firmware_bridge.samples import LevelBlock, WaveBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, SOUND_REFERENCE_PA, Quantity

CALIBRATION_DB = 2.0  # sigma of a cheap capsule's sensitivity: data sheets allow 3 dB either way
LEAST_RISE = 1.0  # of the leak over the background's own doubt, in its sigmas; what rises less is not heard
STEADY_SHARE = 0.06  # sigma of a background's mean over time, relative: a quarter of a decibel, beside its chi-square

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BandPowers:
    """Mean squares (sensors,), Pa², of one node's microphones in one band, and of how many equal samples they are."""

    node: str
    sensors: tuple[str, ...]
    band_hz: tuple[float, float]
    mean_square_pa2: Floats
    freedom: float


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The leak's own level at microphones, dB re 20 µPa in `band_hz`, of one listening.

    `sigma_db` (n,) is of the estimate and of each microphone's calibration; what reverberation and directivity do is
    the forward model's to add.
    """

    sensors: tuple[str, ...]
    nodes: tuple[str, ...]
    position_m: Floats
    level_db: Floats
    sigma_db: Floats
    band_hz: tuple[float, float]


def powers_of_burst(block: WaveBlock, band_hz: tuple[float, float]) -> BandPowers | None:
    """A burst's powers in a band, by one Hann-windowed transform; None where it has gaps or clipped, or a low rate."""
    low_hz, high_hz = band_hz
    count = block.pressure_pa.shape[1]
    if block.saturated or block.missing or not 0.0 <= low_hz < high_hz <= block.nominal_hz / 2 or count < 2:
        return None
    window = np.hanning(count)
    frequency_hz = fft.rfftfreq(count, 1.0 / block.nominal_hz)
    inside = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
    spectrum = fft.rfft(block.pressure_pa * window, axis=1)[:, inside]
    mean_square = 2.0 * np.sum(np.abs(spectrum) ** 2, axis=1) / (count * np.sum(window**2))
    # A Hann window's neighbouring bins say much the same: 1.5 bins are worth one (Harris 1978).
    freedom = 2.0 * max(1.0, float(inside.sum()) / 1.5)
    return BandPowers(block.node, block.sensors, band_hz, np.asarray(mean_square, dtype=float), freedom)


def powers_of_levels(block: LevelBlock, band_hz: tuple[float, float]) -> BandPowers | None:
    """The same from a node's own band levels; None unless it has just this band of sound, and did not clip.

    The node's bands are by its clock: edges within a hundredth count as the same.
    """
    if block.quantity is not Quantity.ULTRASOUND or block.saturated:
        return None
    same = np.all(np.abs(block.bands_hz - np.array(band_hz)) <= 0.01 * np.array(band_hz), axis=1)
    if not same.any():
        return None
    column = int(np.flatnonzero(same)[0])
    # Rayleigh's count of independent values in a band B over a time T.
    freedom = max(2.0, 2.0 * (band_hz[1] - band_hz[0]) * block.window_ns / NS_PER_S)
    return BandPowers(block.node, block.sensors, band_hz, block.mean_square[:, column].astype(float), freedom)


def measure_level(now: Sequence[BandPowers], quiet: Sequence[BandPowers], site: Site, compartment: str) -> Level | None:
    """The leak's levels in one compartment: powers now less those of quiet times, microphone by microphone.

    Microphones of which no quiet power is known count in full, for a leak that is not there is asked about elsewhere;
    those where nothing rises above the background are left out. None where fewer than two are left.

    Raises:
        ValueError: powers of unlike bands.
    """
    bands = {powers.band_hz for powers in (*now, *quiet)}
    if len(bands) > 1:
        raise ValueError(f"levels of unlike bands {sorted(bands)}; measure one band at a time")
    loud, before = _means(now), _means(quiet)
    found = []
    for node in site.nodes:
        for sensor in node.of_quantity(Quantity.ULTRASOUND) if node.compartment == compartment else ():
            if sensor.name not in loud or sensor.position_m is None:
                continue
            power, doubt = loud[sensor.name]
            if sensor.name in before:
                rest, rest_doubt = before[sensor.name]
                power, doubt = power - rest, float(np.hypot(doubt, np.hypot(rest_doubt, STEADY_SHARE * rest)))
            if power > LEAST_RISE * doubt and power > 0.0:
                relative = 10.0 / np.log(10.0) * doubt / power
                level_db = 10.0 * np.log10(power / SOUND_REFERENCE_PA**2)
                found.append((sensor, level_db, float(np.hypot(relative, CALIBRATION_DB))))
    if len(found) < 2:
        return None
    return Level(
        sensors=tuple(sensor.name for sensor, _, _ in found),
        nodes=tuple(sensor.node for sensor, _, _ in found),
        position_m=np.array([sensor.position_m for sensor, _, _ in found], dtype=float),
        level_db=np.array([level for _, level, _ in found]),
        sigma_db=np.array([sigma for _, _, sigma in found]),
        band_hz=next(iter(bands)),
    )


def _means(several: Sequence[BandPowers]) -> Mapping[str, tuple[float, float]]:
    """Mean power and its sigma of each microphone; powers weigh by how many samples they are of."""
    sums: dict[str, tuple[float, float]] = {}
    for powers in several:
        for sensor, power in zip(powers.sensors, powers.mean_square_pa2, strict=True):
            total, freedom = sums.get(sensor, (0.0, 0.0))
            sums[sensor] = (total + powers.freedom * float(power), freedom + powers.freedom)
    return {
        sensor: (total / freedom, total / freedom * float(np.sqrt(2.0 / freedom)))
        for sensor, (total, freedom) in sums.items()
    }
