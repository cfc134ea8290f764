"""Machines that a scenario switches by the clock, and that a node's relay switches: heard from that moment on."""

import numpy as np

from firmware_bridge.units import s_to_ns
from sim.plant.plant import Plant
from sim.scenario.gas import SwitchEvent
from tests.support.shipped import shipped

FAN = "fan-breaker"


def loudness(plant: Plant, at_s: float) -> float:
    return float(np.mean(plant.sound.capture("A", at_s, 4096, 0.0) ** 2))


def switched(*events: SwitchEvent) -> Plant:
    scenario, site = shipped()
    (fan,) = (machine for machine in scenario.machines if machine.name == "cabin fan")
    return Plant(
        scenario.model_copy(
            update={"leaks": (), "machines": (fan.model_copy(update={"switch": FAN}),), "events": events}
        ),
        site,
    )


def test_a_scenario_switches_machines_by_the_clock() -> None:
    plant = switched(
        SwitchEvent(do="switch", at_s=30.0, equipment=FAN, on=True),
        SwitchEvent(do="switch", at_s=20.0, equipment=FAN, on=False),
    )
    plant.step(s_to_ns(60.0))
    assert loudness(plant, 10.0) > 0.0
    assert loudness(plant, 25.0) == 0.0
    assert loudness(plant, 35.0) > 0.0
    assert [(at_s, on) for at_s, _, on in plant.switch_log] == [(20.0, False), (30.0, True)]


def test_a_command_comes_after_what_the_scenario_has_switched_by_then() -> None:
    plant = switched(SwitchEvent(do="switch", at_s=20.0, equipment=FAN, on=False))
    plant.step(s_to_ns(10.0))
    plant.receive("A", s_to_ns(25.0), b"")  # the plant has not been stepped since
    plant.switch(FAN, on=True)
    assert loudness(plant, 22.0) == 0.0
    assert loudness(plant, 27.0) > 0.0
