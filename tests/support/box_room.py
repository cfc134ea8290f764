"""What microphones in a box would record of leaks in its walls, by image sources: a stranger to controller and sim.

Allen & Berkley 1979: the box's walls are mirrors, and each image is heard over its distance, weaker by a reflection
coefficient a wall. White sound; spectra are not what is tested with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

SIZE_M = np.array([2.2, 2.1, 2.6])
RATE_HZ = 192_000.0
SAMPLES = 8192
LEAD = 8192  # samples before the recording, from which reflections still come
SPEED_M_S = 343.2
REFLECTED = 0.6
ORDER = 2
HULL = "box:2.2,2.1,2.6"
TEMPERATURE_C = 20.0
_NODES = np.array([[0.35, 0.4, 0.5], [1.85, 0.5, 2.1], [0.5, 1.7, 2.2], [1.8, 1.65, 0.4]])
_TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3) * 0.06

Floats = NDArray[np.float64]


def microphones(random: np.random.Generator) -> Floats:
    """Four nodes of four microphones (16, 3), turned at random."""
    turned = [_TETRAHEDRON @ np.linalg.qr(random.standard_normal((3, 3)))[0].T for _ in _NODES]
    return np.vstack([node + around for node, around in zip(_NODES, turned, strict=True)])


def heard(
    random: np.random.Generator,
    source_m: Sequence[float] | Floats,
    places_m: Floats,
    *,
    late_s: Floats | None = None,
    samples: int = SAMPLES,
    order: int = ORDER,
    speed_m_s: float = SPEED_M_S,
) -> Floats:
    """One recording (microphones, samples) of a source of unit power at a metre, `late_s` (microphones,) later.

    Up to `order` walls are mirrors one after the other; 0 is free field.
    """
    length = samples + LEAD
    frequency_hz = fft.rfftfreq(length, 1.0 / RATE_HZ)
    response = np.zeros((len(places_m), len(frequency_hz)), dtype=complex)
    for image in product(range(-order, order + 1), repeat=3):
        mirrors = sum(map(abs, image))
        if mirrors > order:
            continue
        number = np.array(image)
        at = np.where(number % 2 == 0, number * SIZE_M + source_m, (number + 1) * SIZE_M - source_m)
        distance = np.linalg.norm(places_m - at, axis=1)
        delay = distance / speed_m_s + (0.0 if late_s is None else late_s)
        response += (REFLECTED**mirrors / distance)[:, None] * np.exp(-2j * np.pi * frequency_hz * delay[:, None])
    sound = fft.rfft(random.standard_normal(length))
    return np.asarray(fft.irfft(sound * response, n=length, axis=1)[:, LEAD:])


@dataclass(frozen=True)
class Files:
    """A recording with its table of microphones, in a folder."""

    recording: Path
    table: Path
    baseline: Path | None = None


def record(
    folder: Path,
    random: np.random.Generator,
    leaks_m: Sequence[Sequence[float]],
    *,
    snr_db: float,
    bursts: int = 1,
    machine_m: Sequence[float] | None = None,
    machine_db: float = 0.0,
    survey_sigma_m: float = 0.0,
    clock_sigma_s: float = 0.0,
) -> Files:
    """Write the files; `snr_db` is of the first leak over white noise, `machine_db` a machine's over that leak."""
    places = microphones(random)
    late = np.repeat(random.standard_normal(4) * clock_sigma_s, 4)
    now, quiet = [], []
    for _ in range(bursts):
        leak = [heard(random, at, places, late_s=late) for at in leaks_m]
        power = float(np.mean(leak[0] ** 2)) if leak else 1.0
        noise = np.sqrt(power / 10 ** (snr_db / 10))
        now.append(sum(leak) + noise * random.standard_normal((16, SAMPLES)))
        if machine_m is not None:
            hums = [heard(random, machine_m, places, late_s=late) for _ in range(2)]
            level = np.sqrt(power * 10 ** (machine_db / 10) / np.mean(hums[0] ** 2))
            now[-1] += level * hums[0]
            quiet.append(level * hums[1] + noise * random.standard_normal((16, SAMPLES)))
    surveyed = places + survey_sigma_m * random.standard_normal(places.shape)
    table = folder / "mics.csv"
    rows = [",".join([*(f"{v:.6f}" for v in place), "ABCD"[at // 4]]) for at, place in enumerate(surveyed)]
    table.write_text("\n".join(["x_m,y_m,z_m,node", *rows]) + "\n", encoding="utf-8")
    recording, baseline = folder / "leak.npz", folder / "quiet.npz"
    np.savez(recording, signals=np.array(now, dtype=np.float32), fs_hz=RATE_HZ)
    if quiet:
        np.savez(baseline, signals=np.array(quiet, dtype=np.float32), fs_hz=RATE_HZ)
    return Files(recording, table, baseline if quiet else None)
