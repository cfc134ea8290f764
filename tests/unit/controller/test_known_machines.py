"""A machine that the site file lists is not a leak in the wall behind it, and a leak is not the machine in front."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

import numpy as np

from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix, NoFix, Reason, Verdict
from firmware_bridge.site.machines import Machine
from firmware_bridge.site.survey import Site
from tests.support.hearing import BOX, ROOM, SPEED_M_S, Listener, Source, array_site

ALONE = array_site(BOX, {"A": (0.3, 0.3, 0.3)})  # tells a direction and hardly how far
GENERATION = count()
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2
PUMP = (1.6, 2.0, 0.8)  # 0.4 m in front of a wall
OFF = (0.1, -0.1, 0.1)  # its middle is listed, it is heard at its fan


def listing(site: Site, at: Iterable[float]) -> Site:
    x, y, z = (float(value) for value in at)
    pump = Machine("pump", ROOM, (x, y, z), None, may_switch_off=False, commanded=False, switch=None)
    return replace(site, machines=(pump,))


def told(site: Site, at: tuple[float, float, float]) -> Verdict:
    now = Listener(site, np.random.default_rng(1)).captures([Source(at)], 2)
    return Locator(site, ROOM, Settings()).locate(LocateJob(now, (), TEMPERATURE_K, next(GENERATION), steady=True))


def test_what_sounds_at_a_listed_machine_as_much_as_at_a_wall_is_the_machine() -> None:
    assert isinstance(told(ALONE, PUMP), Fix)  # nobody said that something stands there
    verdict = told(listing(ALONE, np.add(PUMP, OFF)), PUMP)
    assert isinstance(verdict, NoFix)
    assert verdict.reason is Reason.EQUIPMENT
    assert "pump" in verdict.explanation


def test_a_leak_in_another_direction_than_the_machine_stays_a_leak() -> None:
    leak = (3.0, 0.8, 1.2)
    verdict = told(listing(ALONE, PUMP), leak)
    assert isinstance(verdict, Fix)
    assert np.linalg.norm(np.subtract(verdict.position_m, leak)) < 2 * verdict.radius95_m


def test_arrays_all_around_tell_a_leak_from_the_machine_in_front_of_it() -> None:
    around = array_site(BOX, {"A": (0.3, 0.3, 0.3), "B": (2.7, 0.4, 1.6), "C": (0.4, 2.1, 1.7), "D": (2.6, 2.0, 0.3)})
    leak = (PUMP[0], 2.4, PUMP[2])
    verdict = told(listing(around, PUMP), leak)
    assert isinstance(verdict, Fix)
    assert np.linalg.norm(np.subtract(verdict.position_m, leak)) < 0.01
    assert verdict.inside_m is not None
    assert verdict.inside_m < 0.10
    assert isinstance(told(listing(around, PUMP), PUMP), NoFix)


def test_a_machine_without_a_place_is_never_asked() -> None:
    nowhere = replace(listing(ALONE, PUMP).machines[0], position_m=None)
    assert isinstance(told(replace(ALONE, machines=(nowhere,)), PUMP), Fix)
