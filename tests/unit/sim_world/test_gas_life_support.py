"""People, scrubbers, condensers, feeds and regulators, against the books of published cabins."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from sim.world.gas.cabin import CompartmentSpec
from sim.world.gas.life_support import Condenser, Crew, Feed, Regulator, Scrubber
from sim.world.gas.network import GasNetwork
from sim.world.gas.species import Fill, Species, air, saturation_pa

WARM_K = 295.15
PA_PER_MMHG = 133.322
DAY_S = 86_400.0
STATION_M3 = 916.0
DRY = Crew(6, water_kg_day=0.0)


def station(fill: Fill | None = None, volume_m3: float = STATION_M3) -> GasNetwork:
    usual = air(101_325.0, WARM_K, oxygen_pa=21_300.0, carbon_dioxide_pa=400.0, relative_humidity=0.4)
    return GasNetwork(
        [CompartmentSpec("cabin", volume_m3, 1e9, WARM_K)],
        {"cabin": usual if fill is None else fill},
    )


def test_six_people_without_oxygen_feed_look_like_a_leak() -> None:
    scrubbed, kept = station(), station()
    for gas in (scrubbed, kept):
        gas.set_source("crew", "cabin", DRY)
    # as much as people give: a bed that takes all of it, at the density of the start
    start = scrubbed.state("cabin")
    density = start.mass_kg[Species.CARBON_DIOXIDE] / STATION_M3
    scrubbed.set_source("scrubber", "cabin", Scrubber(6.0 / DAY_S / density / 0.8, 0.8))
    falls = []
    for gas in (scrubbed, kept):
        gas.advance(DAY_S)
        falls.append((start.pressure_pa - gas.state("cabin").pressure_pa) / PA_PER_MMHG)
    # published with two digits and one; the crew's oxygen fades by 0.5 % at 100 Pa of 21 kPa
    assert falls[0] == pytest.approx(3.2, abs=0.05)
    assert falls[1] == pytest.approx(0.4, abs=0.05)


def test_a_crew_takes_and_gives_what_the_handbook_says() -> None:
    gas = station()
    gas.set_source("crew", "cabin", Crew(1))
    gas.advance(DAY_S)
    ledger = gas.ledger
    fade = 21_300.0 / 21_400.0
    assert ledger.out_kg[Species.OXYGEN] == pytest.approx(0.84 * fade, rel=1e-4)
    assert ledger.in_kg[Species.CARBON_DIOXIDE] == pytest.approx(1.0 * fade, rel=1e-4)
    assert ledger.in_kg[Species.WATER] == pytest.approx(1.9 * fade, rel=1e-4)
    # 84 W of warmth, and what 1.9 kg of vapour and 1 kg of CO2 at 34 C bring more than 0.84 kg of oxygen takes
    carried_j = (1.9 * 1865.0 + 1.0 * 846.0) * 307.15 - 0.84 * 918.0 * WARM_K
    assert ledger.energy_in_j == pytest.approx(fade * (84.0 * DAY_S + carried_j), rel=1e-3)


def test_people_in_a_closed_box_end_at_zero_oxygen_not_below() -> None:
    gas = station(air(101_325.0, WARM_K, oxygen_pa=2_000.0), volume_m3=5.0)
    gas.set_source("crew", "cabin", Crew(6))
    gas.advance(DAY_S)
    assert 0.0 <= gas.state("cabin").partial_pa[Species.OXYGEN] < 1.0
    assert gas.state("cabin").pressure_pa > 0.0


def test_a_scrubber_empties_a_room_exponentially() -> None:
    gas = station(volume_m3=100.0)
    gas.set_source("scrubber", "cabin", Scrubber(0.05, 0.8))
    gas.advance(2500.0)
    expected_pa = 400.0 * math.exp(-0.05 * 0.8 * 2500.0 / 100.0)
    assert gas.state("cabin").partial_pa[Species.CARBON_DIOXIDE] == pytest.approx(expected_pa, rel=1e-3)


def test_a_condenser_dries_down_to_its_dew_point_and_no_further() -> None:
    gas = station(air(101_325.0, WARM_K, oxygen_pa=21_300.0, relative_humidity=0.9), volume_m3=100.0)
    gas.set_source("dryer", "cabin", Condenser(0.1, 281.15))
    gas.advance(20_000.0)  # 20 time constants
    # 8 C: 1072 Pa (ASHRAE saturation table: 1072.8)
    assert saturation_pa(281.15) == pytest.approx(1072.8, rel=2e-3)
    assert gas.state("cabin").partial_pa[Species.WATER] == pytest.approx(1072.8, rel=3e-3)


@pytest.mark.parametrize(("celsius", "table_pa"), [(0.01, 611.66), (10.0, 1228.2), (20.0, 2339.3), (30.0, 4246.9)])
def test_saturation_is_that_of_the_steam_tables(celsius: float, table_pa: float) -> None:
    assert saturation_pa(celsius + 273.15) == pytest.approx(table_pa, rel=4e-3)  # 0.31 % at 30 C is the worst


def test_a_regulator_saws_between_its_limits_and_its_ledger_knows() -> None:
    gas = station(volume_m3=100.0)
    gas.set_source("crew", "cabin", DRY)
    gas.set_source(
        "o2", "cabin", Regulator(opens_pa=21_100.0, closes_pa=21_200.0, flow_kg_s=5e-4, temperature_k=WARM_K)
    )
    assert not gas.feeding("o2")
    seen, partials = [], []
    for minute in range(1, 600):
        gas.advance(60.0 * minute)
        seen.append(gas.feeding("o2"))
        partials.append(gas.state("cabin").partial_pa[Species.OXYGEN])
    assert max(partials[100:]) <= 21_200.0 * (1.0 + 1e-6)
    assert min(partials) >= 21_100.0 * (1.0 - 1e-6)
    turns = sum(1 for before, after in pairwise(seen) if before != after)
    # 100 Pa in 100 m3 are 0.130 kg: 6 people (5.8e-5 kg/s) use it in 37 min, the valve gives it in 5
    cycle_s = 0.1304 * (1.0 / 5.81e-5 + 1.0 / (5e-4 - 5.81e-5))
    assert turns / 2 == pytest.approx(600 * 60.0 / cycle_s, abs=2)
    assert gas.ledger.in_kg[Species.OXYGEN] > 0.0
    gas.set_source("o2", "cabin", None)
    gas.advance(40_000.0)
    assert gas.state("cabin").partial_pa[Species.OXYGEN] < 21_100.0


def test_a_regulator_that_is_asked_for_feeds_at_once() -> None:
    gas = station(air(101_325.0, WARM_K, oxygen_pa=19_000.0))
    gas.set_source("o2", "cabin", Regulator(19_500.0, 19_700.0, 1e-3))
    assert gas.feeding("o2")


def test_what_comes_in_brings_its_heat() -> None:
    adiabatic = GasNetwork([CompartmentSpec("a", 10.0)], {"a": Fill(300.0, (1e5, 0.0, 0.0, 0.0))})
    adiabatic.set_source("bottle", "a", Feed((0.01, 0.0, 0.0, 0.0), 250.0))
    adiabatic.advance(100.0)
    # U = m cv T: 11.23 kg of 300 K and the enthalpy of 1 kg at 250 K
    mass_kg = 1e5 * 10.0 / (296.80 * 300.0)
    expected_k = (mass_kg * 743.2 * 300.0 + 1.0 * 1040.0 * 250.0) / ((mass_kg + 1.0) * 743.2)
    assert adiabatic.state("a").temperature_k == pytest.approx(expected_k, rel=1e-4)  # digits of the constants


@pytest.mark.parametrize(
    "make",
    [
        lambda: Feed((-1.0, 0.0, 0.0, 0.0)),
        lambda: Crew(-1),
        lambda: Scrubber(1.0, 1.5),
        lambda: Condenser(1.0, 0.0),
        lambda: Regulator(2.0, 1.0, 1.0),
        lambda: Regulator(1.0, 2.0, 0.0),
    ],
)
def test_refuses_what_cannot_be(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"no |regulator"):
        make()
