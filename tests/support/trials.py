"""Fixes against the truth: leaks in a box or in free field, with survey, hull and thermometer as wrong as they say.

Sound is that of `box_room`, which neither controller nor simulator knows. Counting is `coverage`'s.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix, NoFix
from controller.measure.captures import Capture
from firmware_bridge.site.survey import Site
from tests.support.box_room import RATE_HZ, SIZE_M, Floats, heard, microphones
from tests.support.hearing import wave_block
from tests.support.sites import parsed

TEMPERATURE_K = 293.15
NODES = "ABCD"
EDGE_M = 0.05
SAMPLES = 8192


@dataclass(frozen=True)
class Doubt:
    """How wrong the site may be: standard deviations that it states, and that the truth has."""

    microphone_m: float = 0.002
    hull_m: float = 0.003
    temperature_k: float = 1.0


@dataclass(frozen=True)
class Setting:
    """One set of trials: `order` walls are mirrors one after the other, 0 is free field."""

    name: str
    snr_db: float
    bursts: int = 1
    order: int = 2
    doubt: Doubt = Doubt()
    samples: int = SAMPLES


@dataclass(frozen=True)
class BoxTrial:
    """One box: where the leak was, what was said, and what is needed to bound the error."""

    seed: int
    leak_m: Floats
    normal: Floats
    verdict: Fix | NoFix
    microphones_m: Floats
    snr: Floats  # of each microphone, power over noise in the whole band


def speed_of_sound(temperature_k: float) -> float:
    return float(331.3 * np.sqrt(temperature_k / 273.15))


def boxes(setting: Setting, seeds: Iterable[int]) -> Iterator[BoxTrial]:
    """A leak a seed, uniform over the wall but for its edges; each with errors and noise of its own."""
    for seed in seeds:
        yield box(setting, seed)


def box(setting: Setting, seed: int) -> BoxTrial:
    random = np.random.default_rng([seed, 31])
    doubt = setting.doubt
    surveyed = microphones(random)
    site = box_site(surveyed, doubt)
    true_places = surveyed + doubt.microphone_m * random.standard_normal(surveyed.shape)
    leak, normal = on_the_wall(random)
    true_leak = leak + normal * doubt.hull_m * random.standard_normal()
    speed = speed_of_sound(TEMPERATURE_K + doubt.temperature_k * random.standard_normal())
    sounds = [
        heard(random, true_leak, true_places, samples=setting.samples, order=setting.order, speed_m_s=speed)
        for _ in range(setting.bursts)
    ]
    power = np.mean([np.mean(sound**2, axis=1) for sound in sounds], axis=0)
    noise = float(np.sqrt(power.mean() / 10 ** (setting.snr_db / 10)))
    captures = captured([sound + noise * random.standard_normal(sound.shape) for sound in sounds], 0)
    locator = Locator(site, "box", Settings())
    verdict = locator.locate(LocateJob(captures, (), TEMPERATURE_K))
    return BoxTrial(seed, true_leak, normal, verdict, true_places, power / noise**2)


def on_the_wall(random: np.random.Generator) -> tuple[Floats, Floats]:
    """A place (3,) and the outward normal there (3,)."""
    place = random.uniform(EDGE_M, SIZE_M - EDGE_M)
    axis, side = int(random.integers(3)), int(random.integers(2))
    place[axis] = SIZE_M[axis] * side
    normal = np.zeros(3)
    normal[axis] = 2.0 * side - 1.0
    return np.asarray(place), normal


def box_site(surveyed: Floats, doubt: Doubt) -> Site:
    """The site file of a box with four nodes of four microphones on one trigger line."""
    nodes = [
        {
            "name": name,
            "uid": f"{row + 1:x}",
            "compartment": "box",
            "trigger_line": "wire",
            "sensors": [
                {"name": f"{name}{k}", "quantity": "ultrasound", "channel": k, "position_m": [float(v) for v in place]}
                for k, place in enumerate(surveyed[4 * row : 4 * row + 4])
            ],
        }
        for row, name in enumerate(NODES)
    ]
    room = {"name": "box", "volume_m3": 10.0, "hull": {"shape": "box", "size_m": [float(v) for v in SIZE_M]}}
    survey = {
        "microphone_sigma_m": max(doubt.microphone_m, 1e-4),  # a site cannot claim better
        "hull_sigma_m": max(doubt.hull_m, 1e-4),
        "temperature_sigma_k": max(doubt.temperature_k, 0.01),
        "trigger_sigma_s": 1e-8,
    }
    return parsed({"format": 1, "name": "box", "survey": survey, "compartments": [room], "nodes": nodes})


def captured(bursts: Sequence[Floats], first: int) -> tuple[Capture, ...]:
    """Bursts (microphones, samples) of all nodes as captures."""
    return tuple(
        Capture(
            first + at,
            {
                name: wave_block(
                    name,
                    tuple(f"{name}{k}" for k in range(4)),
                    sound[4 * row : 4 * row + 4],
                    burst_id=first + at,
                    rate_hz=RATE_HZ,
                )
                for row, name in enumerate(NODES)
            },
        )
        for at, sound in enumerate(bursts)
    )
