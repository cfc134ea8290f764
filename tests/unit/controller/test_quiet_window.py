"""Which machines to switch off for how long: against sums of decibels done by hand."""

import math

import pytest

from controller.quiet.window import (
    BANDWIDTH_HZ,
    FLOOR_DB,
    LONGEST_S,
    REQUIRED_STANDING,
    SPIN_DOWN_S,
    USUAL_NOISE_DB,
    Listening,
    quiet_window,
)
from firmware_bridge.site.fittings import Equipment
from firmware_bridge.site.machines import Machine
from tests.support.shipped import shipped

RELAY = Equipment("racks", "R1", 0)
LISTENING = Listening("lab", ((0.0, 0.0, 0.0),), 0.085, 2.0)


def machine(
    name: str, away_m: float, noise_db: float | None = 60.0, *, off: bool = True, relay: Equipment | None = None
) -> Machine:
    return Machine(name, "lab", (away_m, 0.0, 0.0), noise_db, off, relay is not None, relay)


def test_the_loudest_that_may_be_off_goes_off() -> None:
    window = quiet_window(
        [machine("near", 1.0), machine("far", 4.0, 45.0), machine("pump", 2.0, 40.0, off=False)], LISTENING
    )
    assert window is not None
    assert window.equipment == ("near",)
    assert window.commanded == ()
    noise = [60.0, 45.0 - 20 * math.log10(4.0), 40.0 - 20 * math.log10(2.0), FLOOR_DB]
    before, after = (10 * math.log10(sum(10 ** (db / 10) for db in some)) for some in (noise, noise[1:]))
    assert window.gain_db == pytest.approx(before - after)
    ratio = 10 ** (window.snr_db / 10)
    coherence = (ratio / (1 + ratio)) ** 2
    bursts = REQUIRED_STANDING**2 * (1 - coherence) / (BANDWIDTH_HZ * 0.085 * coherence)
    assert window.bursts == max(1, math.ceil(bursts))
    assert window.duration_s == pytest.approx(max(60.0, SPIN_DOWN_S + 2.0 * window.bursts))
    assert "near" in window.why


def test_what_one_relay_switches_goes_off_together_and_is_commanded() -> None:
    machines = [machine("one", 1.0, relay=RELAY), machine("two", 3.0, relay=RELAY)]
    window = quiet_window(machines, LISTENING)
    assert window is not None
    assert set(window.equipment) == set(window.commanded) == {"one", "two"}


def test_nothing_is_asked_for_in_vain() -> None:
    assert quiet_window([], LISTENING) is None
    assert quiet_window([machine("pump", 1.0, off=False)], LISTENING) is None
    assert quiet_window([machine("whisper", 3.0, 30.0)], LISTENING) is None  # below the floor: nothing is gained
    assert quiet_window([machine("rack", 1.0)], Listening("lab", (), 0.085, 2.0)) is None
    elsewhere = Listening("store", LISTENING.arrays_m, 0.085, 2.0)
    assert quiet_window([machine("rack", 1.0)], elsewhere) is None


def test_a_larger_leak_needs_fewer_bursts() -> None:
    machines = [machine("rack", 1.0, 70.0), machine("pump", 1.0, 58.0, off=False)]
    small, large = (quiet_window(machines, LISTENING, conductance) for conductance in (1e-6, 1e-4))
    assert small is not None
    assert large is not None
    assert small.bursts > large.bursts
    assert small.duration_s <= LONGEST_S


def test_what_stood_out_of_the_map_is_louder_than_thought() -> None:
    machines = [machine("rack 1", 2.0, None), machine("rack 2", -2.0, None)]
    window = quiet_window(machines, LISTENING, 3e-6, [(-2.1, 0.0, 0.0)])
    assert window is not None
    assert window.equipment[0] == "rack 2"
    assert USUAL_NOISE_DB > FLOOR_DB


def test_the_racks_of_destiny_are_asked_off() -> None:
    _, site = shipped("destiny-hose-2004")
    arrays = tuple(tuple(float(v) for v in site.microphones_m(site.node(name)).mean(axis=0)) for name in "ABC")
    listening = Listening("destiny", arrays, 0.085, 2.0)  # type: ignore[arg-type]
    window = quiet_window(site.machines, listening, 1e-5)
    assert window is not None
    assert set(window.commanded) == {"payload-rack-2-starboard", "payload-rack-5-port", "payload-rack-4-deck"}
    assert window.gain_db > 3.0
