"""How often a leak in a box is found, by signal, noise and machines: ours beside the textbook's way.

Recordings are of neither controller nor simulator (`tests/support/box_room.py`): image sources, white sound, wall
reflection 0.6, four nodes of four microphones. Run with: python -m benchmarks.accuracy.locate_table [cases]
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.textbook import textbook_fix
from controller.cli.locate import RIVAL_SHARE, SURVEYS
from controller.localize.forward import SurveyErrors
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix
from controller.measure.captures import Capture
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.survey import Site
from tests.support.box_room import RATE_HZ, SIZE_M, SPEED_M_S, heard, microphones
from tests.support.hearing import wave_block
from tests.support.sites import parsed

CASES = 24
SAMPLES = 16_384
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2
UNTOLD_M = 0.002  # what a site file would say; the views replace it
EXACT_M = 1e-4  # a site cannot claim better

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Condition:
    """One row of the table; `machine_db` is a machine's power over the leak's, learned in `quiet` bursts."""

    name: str
    snr_db: float
    bursts: int = 1
    quiet: int = 0
    machine_db: float | None = None
    survey_m: float = 0.0
    told: bool = True  # how good the survey is; else the views that `leakctl locate --mics` tries
    speed_share: float = 0.0  # of the speed of sound: how far the thermometer is off
    clock_s: float = 0.0  # how far a node's clock may be off


CONDITIONS = (
    Condition("+10 dB", 10.0),
    Condition("0 dB", 0.0),
    Condition("-10 dB", -10.0),
    Condition("-15 dB", -15.0),
    Condition("-20 dB, one burst", -20.0),
    Condition("-20 dB, ten bursts", -20.0, bursts=10),
    Condition("-20 dB, ten bursts, four quiet ones", -20.0, bursts=10, quiet=4),
    Condition("0 dB, valve 8 dB louder", 0.0, quiet=4, machine_db=8.0),
    Condition("0 dB, valve 20 dB louder", 0.0, quiet=8, machine_db=20.0),
    Condition("+20 dB, microphones off by 5 mm", 20.0, survey_m=0.005),
    Condition("-10 dB, survey untold", -10.0, told=False),
    Condition("-15 dB, survey untold", -15.0, told=False),
    Condition("+20 dB, microphones off by 5 mm, untold", 20.0, survey_m=0.005, told=False),
    Condition("0 dB, microphones off by 5 mm, untold", 0.0, survey_m=0.005, told=False),
    Condition("+10 dB, 5 mm, 0.3 %, 10 us off, untold", 10.0, 1, 0, None, 0.005, False, 0.003, 1e-5),
    Condition("0 dB, 5 mm, 0.3 %, 10 us off, untold", 0.0, 1, 0, None, 0.005, False, 0.003, 1e-5),
)


def main(cases: int) -> None:
    """Print the table."""
    print("| condition | ours within 10 cm / 2 cm | no fix | wrong by more than 10 cm | textbook |")
    print("| --- | --- | ---: | ---: | --- |")
    for condition in CONDITIONS:
        ours, textbook = [], []
        for case in range(cases):
            error_m, peer_m = _case(condition, np.random.default_rng([20, case]))
            ours.append(error_m)
            textbook.append(peer_m)
        found = np.array(ours)
        wrong = int(np.sum(np.isfinite(found) & (found > 0.10)))
        print(
            f"| {condition.name} | {_shares(ours)} | {np.sum(np.isinf(found))} | {wrong} | {_shares(textbook)} |",
            flush=True,
        )


def _shares(errors_m: Sequence[float]) -> str:
    found = np.array(errors_m)
    return f"{np.mean(found < 0.10):.2f} / {np.mean(found < 0.02):.2f}"


def _case(condition: Condition, random: np.random.Generator) -> tuple[float, float]:
    """Errors (m) of our fix, infinite where there is none, and of the textbook's."""
    places = microphones(random)
    leak, machine = _on_the_wall(random), _on_the_wall(random)
    now, quiet = [], []
    leak_power = float(np.mean(heard(random, leak, places, samples=SAMPLES) ** 2))
    noise = np.sqrt(leak_power / 10 ** (condition.snr_db / 10))
    late_s = np.repeat(condition.clock_s * random.standard_normal(4), 4) if condition.clock_s else None
    for burst in range(condition.bursts + condition.quiet):
        sound = noise * random.standard_normal((len(places), SAMPLES))
        if condition.machine_db is not None:
            hum = heard(random, machine, places, late_s=late_s, samples=SAMPLES)
            sound += hum * np.sqrt(leak_power * 10 ** (condition.machine_db / 10) / np.mean(hum**2))
        if burst < condition.quiet:
            quiet.append(sound)
        else:
            now.append(sound + heard(random, leak, places, late_s=late_s, samples=SAMPLES))
    surveyed = places + condition.survey_m * random.standard_normal(places.shape)
    sigma_m = max(condition.survey_m, EXACT_M) if condition.told else UNTOLD_M
    views = () if condition.told else tuple(SurveyErrors(mic, wall) for mic, wall in SURVEYS)
    settings = Settings() if condition.told else Settings(rival_support=RIVAL_SHARE)
    locator = Locator(_site(surveyed, sigma_m), "box", settings, views)
    off = 1.0 + condition.speed_share * random.standard_normal() if condition.speed_share else 1.0
    told = locator.locate(LocateJob(_captures(now, 0), _captures(quiet, 1000), TEMPERATURE_K * off**2))
    ours = float(np.linalg.norm(np.subtract(told.position_m, leak))) if isinstance(told, Fix) else float("inf")
    x, y, z = (float(size) for size in SIZE_M)
    peer = textbook_fix(now[0], RATE_HZ, surveyed, BoxHull((x, y, z)), SPEED_M_S * off)
    return ours, float(np.linalg.norm(peer - leak))


def _on_the_wall(random: np.random.Generator) -> Floats:
    place = random.uniform(0.05, SIZE_M - 0.05)
    axis = int(random.integers(3))
    place[axis] = SIZE_M[axis] * random.integers(2)
    return np.asarray(place)


def _site(places: Floats, sigma_m: float) -> Site:
    inside = np.clip(places, 0.001, SIZE_M - 0.001)
    nodes = [
        {
            "name": name,
            "uid": f"{row + 1:x}",
            "compartment": "box",
            "trigger_line": "wire",
            "sensors": [
                {"name": f"{name}{k}", "quantity": "ultrasound", "channel": k, "position_m": [float(v) for v in place]}
                for k, place in enumerate(inside[4 * row : 4 * row + 4])
            ],
        }
        for row, name in enumerate("ABCD")
    ]
    room = {"name": "box", "volume_m3": 10.0, "hull": {"shape": "box", "size_m": [float(v) for v in SIZE_M]}}
    survey = {"microphone_sigma_m": sigma_m, "hull_sigma_m": max(sigma_m, EXACT_M)}
    return parsed({"format": 1, "name": "box", "survey": survey, "compartments": [room], "nodes": nodes})


def _captures(bursts: Sequence[Floats], first: int) -> tuple[Capture, ...]:
    return tuple(
        Capture(
            first + at,
            {
                name: wave_block(
                    name, tuple(f"{name}{k}" for k in range(4)), sound[4 * row : 4 * row + 4], burst_id=first + at
                )
                for row, name in enumerate("ABCD")
            },
        )
        for at, sound in enumerate(bursts)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
