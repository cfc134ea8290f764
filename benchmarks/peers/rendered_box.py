"""Leaks in a small box as `leaksim render` records them: the sets of the table of peers, all from seeds.

What is rendered is written by the simulator's own recorder, file by file, and read back as a recording. Levels are set
by rendering the leak, or the valve, alone first. Nothing is located here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from controller.recordings.rendered import read_rendered
from firmware_bridge.site.survey import Site
from sim.recordings.recording import Recording, Sources
from sim.recordings.span import span_of
from sim.scenario.scenario import load_scenario

SIZE_M = (2.2, 2.2, 2.6)
SAMPLES, RATE_HZ = 16_384, 192_000.0
WALL_REFLECTION, BOUNCES = 0.6, 2
QUIET_FROM_S, OPENS_AT_S, FROM_S = 10.0, 40.0, 50.0
SILENT_DB = -20.0  # of self-noise, where only the sound's own power is wanted
SELF_NOISE_BAND_HZ = 80_000.0  # a scenario's self_noise_db is the level in 20 to 100 kHz
REFERENCE_PA = 20e-6
VALVE_DB = 60.0  # before it is set
EDGE_M = 0.05  # leaks keep off the edges
CENTRES_M = np.array([[0.35, 0.4, 0.5], [1.85, 0.5, 2.1], [0.5, 1.7, 2.2], [1.8, 1.65, 0.4]])
TETRAHEDRON_M = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3) * 0.06

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Condition:
    """One column: signal over noise in the whole band of one burst, and what sounds besides.

    Args:
        name: the column's head.
        snr_db: the leak's power over white noise, mean over the microphones.
        bursts: with the leak open.
        quiet: bursts with the leak shut.
        valve_db: power of a hissing valve on the wall over the leak's.
    """

    name: str
    snr_db: float
    bursts: int = 1
    quiet: int = 0
    valve_db: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One box with one leak: what was recorded, (bursts, microphones, samples) Pa, and what is true."""

    site: Site
    signals: Floats
    quiet: Floats
    microphones_m: Floats
    leak_m: Floats
    temperature_k: float
    sound_speed_m_s: float
    folder: Path
    quiet_folder: Path | None


def scene(condition: Condition, seed: int, folder: Path) -> Scene:
    """Render box number `seed` under a condition into `folder`; place and microphones are the same in all."""
    random = np.random.default_rng([21, seed])
    places = np.vstack([centre + TETRAHEDRON_M @ _turn(random).T for centre in CENTRES_M])
    leak, valve = _on_the_wall(random), _on_the_wall(random)
    leak_power = _power(places, leak, None, SILENT_DB, FROM_S, seed)
    noise_pa = math.sqrt(leak_power / 10 ** (condition.snr_db / 10))
    noise_db = 20 * math.log10(noise_pa / REFERENCE_PA * math.sqrt(2 * SELF_NOISE_BAND_HZ / RATE_HZ))
    machine = None
    if condition.valve_db is not None:
        power = _power(places, leak, (valve, VALVE_DB), SILENT_DB, QUIET_FROM_S, seed)
        machine = (valve, VALVE_DB + condition.valve_db - 10 * math.log10(power / leak_power))
    site = _render(folder / "leak", places, leak, machine, noise_db, FROM_S, condition.bursts, seed)
    quiet_folder = folder / "quiet" if condition.quiet else None
    if quiet_folder is not None:
        _render(quiet_folder, places, leak, machine, noise_db, QUIET_FROM_S, condition.quiet, seed)
    temperature_k = read_rendered(folder / "leak").temperature_k
    assert temperature_k is not None
    return Scene(
        site=site,
        signals=_signals(folder / "leak"),
        quiet=np.empty((0, len(places), SAMPLES)) if quiet_folder is None else _signals(quiet_folder),
        microphones_m=places,
        leak_m=leak,
        temperature_k=temperature_k,
        sound_speed_m_s=331.3 * math.sqrt(temperature_k / 273.15),
        folder=folder / "leak",
        quiet_folder=quiet_folder,
    )


def _turn(random: np.random.Generator) -> Floats:
    turn: Floats = np.linalg.qr(random.standard_normal((3, 3)))[0]
    return turn


def _on_the_wall(random: np.random.Generator) -> Floats:
    size = np.array(SIZE_M)
    place: Floats = random.uniform(EDGE_M, size - EDGE_M)
    axis = int(random.integers(3))
    place[axis] = size[axis] * random.integers(2)
    return place


def _power(
    places: Floats, leak: Floats, machine: tuple[Floats, float] | None, noise_db: float, from_s: float, seed: int
) -> float:
    """Mean square pressure of what sounds at `from_s`, Pa2."""
    with TemporaryDirectory() as folder:
        _render(Path(folder), places, leak, machine, noise_db, from_s, 1, seed)
        return float(np.mean(_signals(Path(folder)) ** 2))


def _signals(folder: Path) -> Floats:
    heard = read_rendered(folder)
    return np.asarray(heard.signals * heard.scale_pa[:, None], dtype=np.float64)


def _render(
    folder: Path,
    places: Floats,
    leak: Floats,
    machine: tuple[Floats, float] | None,
    noise_db: float,
    from_s: float,
    bursts: int,
    seed: int,
) -> Site:
    """What `leaksim render SCENARIO --from S --for N --every 1 --format npz` does, with a site of our own."""
    with TemporaryDirectory() as declared:
        scenario_file, site_file = Path(declared) / "scenario.toml", Path(declared) / "box.toml"
        site_file.write_text(_site_toml(places), encoding="utf-8")
        scenario_file.write_text(_scenario_toml(leak, machine, noise_db), encoding="utf-8")
        scenario, site = load_scenario(scenario_file, Path(declared))
        span = span_of(scenario, from_s=from_s, for_s=bursts - 0.5, every_s=1.0, samples=SAMPLES)
        folder.mkdir(parents=True, exist_ok=True)
        Recording(Sources(scenario, site, scenario_file, site_file, seed, small=False), span, "npz").write(folder)
    return site


def _site_toml(places: Floats) -> str:
    nodes = []
    for row, name in enumerate("ABCD"):
        sensors = ", ".join(
            f'{{ name = "{name}{k}", quantity = "ultrasound", channel = {k}, position_m = {_vector(place)} }}'
            for k, place in enumerate(places[4 * row : 4 * row + 4])
        )
        nodes.append(
            f'[[nodes]]\nname = "{name}"\nuid = "{row + 1:x}"\ncompartment = "box"\ntrigger_line = "wire"\n'
            f"sensors = [{sensors}]\n"
        )
    return (
        'format = 1\nname = "box"\n\n[survey]\nmicrophone_sigma_m = 0.0001\nhull_sigma_m = 0.001\n\n'
        f'[[compartments]]\nname = "box"\nvolume_m3 = {math.prod(SIZE_M):.3f}\n'
        f'hull = {{ shape = "box", size_m = {_vector(SIZE_M)} }}\n\n' + "\n".join(nodes)
    )


def _scenario_toml(leak: Floats, machine: tuple[Floats, float] | None, noise_db: float) -> str:
    links = "".join(f'{name} = "serial"\n' for name in "ABCD")
    valve = ""
    if machine is not None:
        at, level_db = machine
        valve = (
            f'[[machines]]\nname = "valve"\nposition_m = {_vector(at)}\nlevel_db_at_20khz = -50.0\n'
            f"hiss_peak_khz = 40.0\nhiss_level_db = {level_db:.4f}\n\n"
        )
    return (
        'format = 1\nname = "box"\nsite = "box"\nduration_s = 100.0\n\n'
        "[air]\npressure_hpa = 1013.25\ntemperature_c = 20.0\nrelative_humidity = 0.45\n\n"
        f"[acoustics]\nreflections = {BOUNCES}\nwall_reflection = {WALL_REFLECTION}\n\n"
        f'[[leaks]]\nname = "leak"\ncompartment = "box"\nposition_m = {_vector(leak)}\ndiameter_mm = 1.0\n'
        f"discharge_coefficient = 0.85\nopens_at_s = {OPENS_AT_S}\n\n{valve}"
        f"[arrays]\nbits = 16\nfull_scale_pa = 20.0\nself_noise_db = {noise_db:.4f}\n"
        f"burst_rate_khz = {RATE_HZ / 1e3}\n\n[links]\n{links}"
    )


def _vector(values: Sequence[float] | Floats) -> str:
    return "[" + ", ".join(f"{float(value):.6f}" for value in values) + "]"
