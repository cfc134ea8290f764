"""What arrays would record of noise from known points: delayed by distance over speed, nothing else.."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from controller.measure.captures import Capture
from controller.measure.coherence import CoherentGroup, coherent_groups
from controller.measure.cross_spectra import CrossAccumulator, CrossSpectra
from controller.measure.spectra import burst_spectra
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity
from tests.support.sites import parsed

RATE_HZ = 192_000.0
SAMPLES = 4096  # 21 ms: a quarter of what the controller asks for, so that tests stay short
SPEED_M_S = 344.0
ROOM = "room"
BOX = {"shape": "box", "size_m": [3.0, 2.4, 2.0]}
CYLINDER = {"shape": "cylinder", "radius_m": 1.1, "length_m": 2.6}
EXTRA = 4096  # samples of silence-free lead: sound from up to 7 m has arrived when the burst begins
_TETRAHEDRON = np.array([[-1, -1, -1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) * 0.035  # 6 cm from its centre, 10 cm edges

Point = tuple[float, float, float]


def array_site(
    hull: Mapping[str, Any],
    centres: Mapping[str, Point],
    *,
    alone: Sequence[str] = (),
    shape: NDArray[np.float64] = _TETRAHEDRON,
) -> Site:
    """Four microphones around each centre; nodes on one trigger line but for those that stand `alone`."""
    nodes = [
        {
            "name": name,
            "uid": f"{i:x}",
            "compartment": ROOM,
            **({} if name in alone else {"trigger_line": "wire"}),
            "sensors": [
                {"name": f"{name}{k}", "quantity": "ultrasound", "channel": k, "position_m": [float(x) for x in place]}
                for k, place in enumerate(np.array(centre) + shape)
            ],
        }
        for i, (name, centre) in enumerate(centres.items(), start=1)
    ]
    room = {"name": ROOM, "volume_m3": 10.0, "hull": dict(hull)}
    return parsed({"format": 1, "name": "arrays", "compartments": [room], "nodes": nodes})


def box_site(*, alone: Sequence[str] = ()) -> Site:
    """Five arrays in a box, one near each of five corners: more than a place on the hull needs."""
    centres = {
        "A": (0.3, 0.3, 0.3),
        "B": (2.7, 0.4, 1.6),
        "C": (0.4, 2.1, 1.7),
        "D": (2.6, 2.0, 0.3),
        "E": (1.5, 0.3, 1.0),
    }
    return array_site(BOX, centres, alone=alone)


@dataclass(frozen=True)
class Source:
    """White noise of `rms_pa` at every microphone, however far: levels are not what is tested with it."""

    position_m: Sequence[float]
    rms_pa: float = 1.0


class Listener:
    """Records captures; each has fresh noise from the given generator."""

    def __init__(self, site: Site, random: np.random.Generator, *, noise_pa: float = 1.0) -> None:
        self.site = site
        self.groups = coherent_groups(site, ROOM)
        self._random = random
        self._noise_pa = noise_pa
        self._burst_id = 0

    def capture(
        self,
        sources: Sequence[Source],
        *,
        samples: int = SAMPLES,
        moved: Mapping[str, Sequence[float]] | None = None,
        nodes: Sequence[str] | None = None,
    ) -> Capture:
        """One burst of all array nodes (or of `nodes`); those in `moved` stand elsewhere than surveyed."""
        self._burst_id += 1
        heard = [node for node in self.site.nodes if nodes is None or node.name in nodes]
        waves = [self._random.standard_normal(samples + EXTRA) * source.rms_pa for source in sources]
        blocks = {}
        for node in heard:
            places = self.site.microphones_m(node) + np.array((moved or {}).get(node.name, (0.0, 0.0, 0.0)))
            pressure = self._noise_pa * self._random.standard_normal((len(places), samples))
            for source, wave in zip(sources, waves, strict=True):
                delay_s = np.linalg.norm(places - np.asarray(source.position_m), axis=1) / SPEED_M_S
                pressure += np.stack([delayed(wave, float(d))[EXTRA:] for d in delay_s])
            names = tuple(sensor.name for sensor in node.of_quantity(Quantity.ULTRASOUND))
            blocks[node.name] = wave_block(node.name, names, pressure, burst_id=self._burst_id)
        return Capture(self._burst_id, blocks)

    def captures(
        self,
        sources: Sequence[Source],
        count: int,
        *,
        samples: int = SAMPLES,
        moved: Mapping[str, Sequence[float]] | None = None,
    ) -> tuple[Capture, ...]:
        """So many captures, one after the other."""
        return tuple(self.capture(sources, samples=samples, moved=moved) for _ in range(count))

    def spectra(self, sources: Sequence[Source], captures: int, *, samples: int = SAMPLES) -> tuple[CrossSpectra, ...]:
        """Means over so many captures, one a group."""
        heard = self.captures(sources, captures, samples=samples)
        return tuple(mean for group in self.groups if (mean := mean_of(group, heard)) is not None)


def mean_of(group: CoherentGroup, captures: Sequence[Capture], forgetting: float = 1.0) -> CrossSpectra | None:
    """Mean cross-spectra of one group over captures; None where it heard nothing."""
    accumulator: CrossAccumulator | None = None
    for capture in captures:
        spectra = burst_spectra(group, capture, accumulator.layout if accumulator else None)
        if spectra is not None:
            accumulator = accumulator or CrossAccumulator(group, spectra.layout, forgetting)
            accumulator.add(spectra)
    return accumulator.mean() if accumulator else None


def delayed(wave: NDArray[np.float64], delay_s: float, rate_hz: float = RATE_HZ) -> NDArray[np.float64]:
    """`wave` later by a fraction of samples; what leaves at the end comes in at the start."""
    frequency_hz = fft.rfftfreq(len(wave), 1.0 / rate_hz)
    turned = fft.rfft(wave) * np.exp(-2j * np.pi * frequency_hz * delay_s)
    return np.asarray(fft.irfft(turned, n=len(wave)))


def wave_block(
    node: str,
    sensors: tuple[str, ...],
    pressure_pa: NDArray[np.float64],
    *,
    burst_id: int = 1,
    start_ns: int = 0,
    rate_hz: float = RATE_HZ,
    nominal_hz: float | None = None,
    triggered: bool = True,
    missing: tuple[tuple[int, int], ...] = (),
) -> WaveBlock:
    """A burst as it comes out of the bridge."""
    pressure = pressure_pa.astype(np.float32)
    nominal = round(rate_hz, -3) if nominal_hz is None else nominal_hz
    return WaveBlock(node, sensors, burst_id, start_ns, 100.0, rate_hz, pressure, triggered, False, missing, nominal)


def group_of(positions_m: Sequence[Sequence[float]], nodes: Sequence[str] | None = None) -> CoherentGroup:
    """A coherent group by itself, without a site."""
    names = tuple(f"m{i}" for i in range(len(positions_m)))
    owners = tuple(nodes) if nodes is not None else ("N",) * len(names)
    return CoherentGroup("group", names, owners, np.array(positions_m, dtype=float), 0.0)
