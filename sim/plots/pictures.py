"""All pictures of a scenario without a run, by name. Each is drawn from a plant of its own, since some step it."""

from collections.abc import Callable, Mapping

from firmware_bridge.site.survey import Site
from sim.plant.opened_plant import OpenedPlant
from sim.plots.hull import draw_hull
from sim.plots.impulse import draw_impulse
from sim.plots.pressures import draw_pressures
from sim.plots.spectra import draw_spectra
from sim.plots.style import Drawn
from sim.scenario.scenario import ScenarioTable

PICTURES: Mapping[str, Callable[[OpenedPlant], Drawn]] = {
    "pressures": draw_pressures,
    "spectra": draw_spectra,
    "impulse": draw_impulse,
    "hull": draw_hull,
}


def picture(what: str, scenario: ScenarioTable, site: Site, seed: int) -> Drawn:
    """One picture of `scenario` as it is with `seed`; KeyError for a name that is not in `PICTURES`."""
    return PICTURES[what](OpenedPlant(scenario, site, seed))
