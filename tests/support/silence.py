"""Windows without a leak: microphones' noise alone, and the shipped rigs with their machines running."""

from collections.abc import Iterator

import numpy as np

from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix, NoFix
from tests.support.box_room import microphones
from tests.support.rig import RigEar, without_leak
from tests.support.shipped import shipped
from tests.support.trials import SAMPLES, TEMPERATURE_K, Doubt, box_site, captured

WINDOWS_A_RIG = 25
QUIET, CAPTURES = 8, 2
FIRST_S, EVERY_S = 60.0, 5.0


def noise_alone(windows: int, seed: int = 41) -> Iterator[Fix | NoFix]:
    """A burst a window, of microphones that hear nothing but themselves; boxes as in `trials`."""
    random = np.random.default_rng(seed)
    locator: Locator | None = None
    for window in range(windows):
        if locator is None or window % WINDOWS_A_RIG == 0:
            locator = Locator(box_site(microphones(random), Doubt()), "box", Settings())
        burst = captured([random.standard_normal((16, SAMPLES))], window)
        yield locator.locate(LocateJob(burst, (), TEMPERATURE_K, window))


def machines_alone(name: str, windows: int) -> Iterator[Fix | NoFix]:
    """A shipped rig without its leak: a baseline, then window after window of what goes on as before."""
    scenario, site = shipped(name)
    room = scenario.leaks[0].compartment if scenario.leaks else site.compartments[0].name
    nodes = [node.name for node in site.nodes if node.compartment == room and site.microphones_m(node).size]
    done = 0
    while done < windows:
        rig = done // WINDOWS_A_RIG
        ear = RigEar(without_leak(scenario), site, 7000 + rig, nodes)
        quiet = ear.quiet(QUIET)
        locator = Locator(site, room, Settings())
        for window in range(min(WINDOWS_A_RIG, windows - done)):
            at_s = FIRST_S + EVERY_S * window
            heard = tuple(ear.capture(100 + CAPTURES * window + k, at_s + 2.0 * k) for k in range(CAPTURES))
            yield locator.locate(LocateJob(heard, quiet, scenario.air.temperature_k, window + 1))
            done += 1
