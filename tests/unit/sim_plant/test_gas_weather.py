"""What the weather of a scenario does to the partial pressures that its sensors read."""

import numpy as np
import pytest

from firmware_bridge.site.survey import load_site
from sim.plant.gas import Gas
from sim.plant.leaks import declared_leaks
from sim.scenario.weather import WeatherTable
from sim.world.gas.species import Species
from tests.support.shipped import CONFIGS, shipped

MODULE = "orbital-module"


def gas(weather: WeatherTable) -> Gas:
    table, _ = shipped()
    told = table.model_copy(update={"weather": weather, "leaks": ()})
    site = load_site(CONFIGS / "sites" / "soyuz-orbital-module.toml")
    return Gas(told, site, np.random.SeedSequence(1), declared_leaks(told), lambda _name, _on, _at_s: None)


@pytest.mark.parametrize("weather", [WeatherTable(slope_rms_pa_h=500.0), WeatherTable(puff_pa=50.0, puff_rate_per_h=9)])
def test_other_gases_come_and_go_and_nitrogen_stays(weather: WeatherTable) -> None:
    world = gas(weather)
    before_pa, nitrogen_pa = world.felt(MODULE)[0], world.partial_pa(MODULE)[Species.NITROGEN]
    for second in range(60, 7200, 60):
        world.step(float(second))
        assert world.partial_pa(MODULE)[Species.NITROGEN] == pytest.approx(nitrogen_pa, rel=1e-12)
        assert sum(world.partial_pa(MODULE)) == pytest.approx(world.felt(MODULE)[0], rel=1e-12)
    assert abs(world.felt(MODULE)[0] - before_pa) > 5.0


def test_warmth_that_thermometers_see_moves_all_gases_alike() -> None:
    world = gas(WeatherTable(temperature_rms_k=0.5))
    before, before_k = np.array(world.partial_pa(MODULE)), world.felt(MODULE)[1]
    world.step(5000.0)
    ratio = world.felt(MODULE)[1] / before_k
    assert abs(ratio - 1.0) > 1e-5
    # relative to still air of 295.15 K: the start is 0.5 K or so off that
    assert np.array(world.partial_pa(MODULE)) / before == pytest.approx([ratio] * 4, rel=1e-6)
