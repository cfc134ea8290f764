"""The gas of a scenario: tables and events on a small site of two compartments."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.site.survey import Hatch, Site, load_site
from sim.plant.gas import Gas, OnSwitch
from sim.plant.leaks import declared_leaks
from sim.scenario.gas import AirTable, CabinTable, EventTable, FillTable, gas_problems
from sim.scenario.leaks import HoleTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.weather import WeatherTable
from sim.world.gas.species import Species
from sim.world.leak.hole import Hole
from tests.support.shipped import CONFIGS, shipped

HATCH, MODULE, STATION = "docking-hatch", "orbital-module", "station"
EVENTS: TypeAdapter[tuple[EventTable, ...]] = TypeAdapter(tuple[EventTable, ...])
STILL = WeatherTable()


def site() -> Site:
    return load_site(CONFIGS / "sites" / "soyuz-orbital-module.toml")


def shut_site() -> Site:
    surveyed = site()
    hatches = tuple(Hatch(h.name, h.between, False, h.area_m2) for h in surveyed.hatches)
    return replace(surveyed, hatches=hatches)


def scenario(**changes: object) -> ScenarioTable:
    table, _ = shipped()
    return table.model_copy(update={"weather": STILL, "leaks": (), **changes})


def hole(**changes: object) -> HoleTable:
    usual = {
        "name": "hole",
        "compartment": MODULE,
        "position_m": (1.86, -0.99694, 0.46488),
        "diameter_mm": 2.0,
        "opens_at_s": 0.0,
    }
    return HoleTable.model_validate({**usual, **changes})


def gas(
    table: ScenarioTable | None = None,
    cabin: Mapping[str, object] | None = None,
    events: tuple[dict[str, object], ...] = (),
    where: Site | None = None,
    on_switch: OnSwitch = lambda _name, _on, _at_s: None,
) -> Gas:
    told = (scenario() if table is None else table).model_copy(
        update={
            "cabin": parse_declared(dict(cabin or {}), "test", CabinTable),
            "events": EVENTS.validate_python(events),
        }
    )
    seed = np.random.SeedSequence(1)
    return Gas(told, site() if where is None else where, seed, declared_leaks(told), on_switch)


def test_it_starts_as_the_air_table_says() -> None:
    still = gas()
    assert still.felt(MODULE)[0] == pytest.approx(99_330.0, rel=1e-12)
    assert still.felt(MODULE)[1] == pytest.approx(295.15, rel=1e-12)
    partial = still.partial_pa(STATION)
    assert partial[Species.OXYGEN] == pytest.approx(0.21 * 99_330.0)
    assert partial[Species.CARBON_DIOXIDE] == pytest.approx(400.0)
    assert partial[Species.WATER] == pytest.approx(0.45 * 2644.0, rel=5e-3)  # steam tables at 22 C
    assert sum(partial) == pytest.approx(99_330.0)
    still.step(1000.0)
    assert still.felt(STATION)[0] == pytest.approx(99_330.0, rel=1e-12)


def test_a_hole_opens_and_is_sealed_to_the_moment_whatever_the_steps() -> None:
    ends = []
    for step_s in (0.7, 40.0):
        world = gas(scenario(leaks=(hole(opens_at_s=100.5, sealed_at_s=400.25),)))
        now_s = 0.0
        while now_s < 600.0:
            now_s += step_s
            world.step(min(now_s, 600.0))
        ends.append(world.felt(STATION)[0])
        lost_kg = world.network.ledger.lost_kg["leak hole"]
        flow_kg_s = Hole(2e-3, 0.85).mass_flow_kg_s(99_330.0, 295.15)
        # it cools by 0.05 K at most where it is (921 m3, 1e-7 of its gas a second): 1e-4
        assert lost_kg == pytest.approx(299.75 * flow_kg_s, rel=3e-4)
        assert world.leak_rates_kg_s == {"hole": 0.0}
    assert ends[0] == pytest.approx(ends[1], abs=1e-3)


def test_the_true_rate_is_told_by_name() -> None:
    world = gas(scenario(leaks=(hole(),)))
    world.step(1.0)
    assert world.leak_rates_kg_s["hole"] == pytest.approx(Hole(2e-3, 0.85).mass_flow_kg_s(99_330.0, 295.15), rel=1e-3)


def test_a_leak_that_grows_loses_the_mean_of_its_areas() -> None:
    world = gas(scenario(leaks=(hole(opens_over_s=100.0),)))
    world.step(100.0)
    flow_kg_s = Hole(2e-3, 0.85).mass_flow_kg_s(99_330.0, 295.15)
    # the middle of pieces of 1/4 s, rounded to 1/256: errors of both signs, a few 1e-3 at most
    assert world.network.ledger.lost_kg["leak hole"] == pytest.approx(50.0 * flow_kg_s, rel=3e-3)


def test_closing_the_hatch_shows_the_side_of_the_leak() -> None:
    world = gas(scenario(leaks=(hole(),)), events=({"do": "close", "at_s": 60.0, "hatch": HATCH, "over_s": 5.0},))
    assert world.hatch_share(HATCH) == 1.0
    world.step(62.5)
    assert world.hatch_share(HATCH) == pytest.approx(0.5)
    world.step(65.0)
    assert world.hatch_share(HATCH) == 0.0
    before, station_pa = world.felt(MODULE), world.felt(STATION)[0]
    assert before[0] == pytest.approx(station_pa, abs=0.1)  # the last chink lets only a part of the leak through
    world.step(65.0 + 60.0)
    after = world.felt(MODULE)
    # 5 m3: k = 0.6847 sqrt(RT) Cd A / V = 1.065e-4 a second for the mass; the pressure falls faster while it cools
    decay = 60.0 * 1.065e-4
    lost = np.log(before[0] / before[1]) - np.log(after[0] / after[1])
    assert lost == pytest.approx(decay, rel=0.01)  # moist air is 0.7 % lighter than the leak's dry air
    assert decay < np.log(before[0] / after[0]) < 1.4 * decay
    # no longer cooled by what it fed the leak with: 2 mK of 295 K
    assert world.felt(STATION)[0] == pytest.approx(station_pa, abs=1.0)


def test_a_hatch_between_unlike_pressures_can_be_cracked_open() -> None:
    low = {"fills": [{"compartment": MODULE, "pressure_hpa": 500.0}]}
    events = ({"do": "throttle", "at_s": 10.0, "hatch": HATCH, "share": 0.01},)
    world = gas(cabin=low, events=events, where=shut_site())
    world.step(10.0)
    assert world.felt(MODULE)[0] == pytest.approx(50_000.0, rel=1e-12)
    world.step(10.1)
    assert world.hatch_share(HATCH) == 0.01
    assert 50_000.0 < world.felt(MODULE)[0] < 90_000.0
    world.step(1000.0)
    # at the walls' temperature again: the masses over both volumes
    assert world.felt(MODULE)[0] == pytest.approx((50_000.0 * 5.0 + 99_330.0 * 916.0) / 921.0, rel=1e-5)


def test_gas_is_introduced_and_vented() -> None:
    events = (
        {"do": "introduce", "at_s": 10.0, "compartment": STATION, "gas": "nitrogen", "kg": 2.0, "over_s": 100.0},
        {"do": "vent", "at_s": 500.0, "compartment": MODULE, "area_mm2": 100.0, "over_s": 200.0},
    )
    world = gas(events=events, where=shut_site())
    world.step(400.0)
    assert world.network.ledger.in_kg[Species.NITROGEN] == pytest.approx(2.0, rel=1e-9)
    world.step(2000.0)
    left_pa = world.felt(MODULE)[0]
    # 0.85 * 1 cm2 of 5 m3 for 200 s: exp(-0.85e-4 * 199.3 * 200 / 5) at constant temperature; cooler gas leaves slower
    assert left_pa == pytest.approx(99_330.0 * np.exp(-0.85e-4 * 199.3 * 40.0), rel=0.15)
    world.step(4000.0)
    assert world.felt(MODULE)[0] == pytest.approx(left_pa, rel=1e-6)


def fans(world: Gas) -> set[str]:
    return set(world.network._fans)


def test_equipment_listens_to_its_name_and_to_its_switch() -> None:
    cabin = {
        "crews": [{"compartment": STATION, "count": 3}],
        "scrubbers": [
            {"name": "vozdukh", "compartment": STATION, "flow_l_s": 20.0},
            {"name": "dryer", "compartment": STATION, "removes": "water", "flow_l_s": 30.0},
        ],
        "supplies": [{"name": "elektron", "compartment": STATION, "gas": "oxygen", "kg_day": 5.0, "below_hpa": 208.0}],
        "ducts": [
            {"name": "there", "switch": "fans", "source": MODULE, "target": STATION},
            {"name": "back", "switch": "fans", "source": STATION, "target": MODULE},
        ],
    }
    events = (
        {"do": "switch", "at_s": 100.0, "equipment": "fans", "on": False},
        {"do": "switch", "at_s": 200.0, "equipment": "vozdukh", "on": False},
    )
    table = parse_declared(cabin, "test", CabinTable)
    assert not gas_problems(table, EVENTS.validate_python(events), [MODULE, STATION], [HATCH])
    switched: list[tuple[str, bool, float]] = []
    world = gas(cabin=cabin, events=events, on_switch=lambda *what: switched.append(what))
    world.step(99.0)
    assert not switched
    assert fans(world) == {"there", "back"}
    taken_kg = world.network.ledger.out_kg[Species.CARBON_DIOXIDE]
    assert taken_kg > 0.0
    world.step(201.0)
    assert not fans(world)
    taken_kg = world.network.ledger.out_kg[Species.CARBON_DIOXIDE]
    world.step(500.0)
    assert world.network.ledger.out_kg[Species.CARBON_DIOXIDE] == taken_kg
    world.switch("vozdukh", on=True)
    world.step(600.0)
    assert world.network.ledger.out_kg[Species.CARBON_DIOXIDE] > taken_kg
    world.switch("toaster", on=True)
    assert switched == [("fans", False, 100.0), ("vozdukh", False, 200.0)]  # of what it was told to do by itself only


def test_weather_is_one_for_all_in_proportion_to_pressure() -> None:
    restless = WeatherTable(slope_rms_pa_h=500.0, temperature_rms_k=0.5)
    low = {"fills": [{"compartment": MODULE, "pressure_hpa": 500.0}]}
    worlds = [gas(scenario(weather=restless), low, where=shut_site()) for _ in range(2)]
    for world in worlds:
        for second in range(1, 200):
            world.step(float(second))
    world = worlds[0]
    assert world.felt(STATION)[0] != pytest.approx(99_330.0, rel=1e-6)
    assert world.felt(MODULE)[0] / 50_000.0 == pytest.approx(world.felt(STATION)[0] / 99_330.0, rel=1e-9)
    assert world.felt(MODULE) == worlds[1].felt(MODULE)
    assert sum(world.partial_pa(MODULE)) == pytest.approx(world.felt(MODULE)[0], rel=1e-12)


def test_the_tables_say_what_does_not_fit() -> None:
    cabin = CabinTable(
        fills=(FillTable(compartment="attic", pressure_hpa=1.0), FillTable(compartment=MODULE, pressure_hpa=1.0)) * 2
    )
    events = EVENTS.validate_python(
        (
            {"do": "open", "at_s": 0.0, "hatch": "skylight"},
            {"do": "switch", "at_s": 0.0, "equipment": "toaster", "on": True},
        )
    )
    problems = gas_problems(cabin, events, [MODULE], [HATCH])
    assert any("cabin.fills[0].compartment" in line and "'attic'" in line for line in problems)
    assert any("events[0].hatch" in line for line in problems)
    assert any("events[1].equipment" in line for line in problems)
    assert any("filled twice" in line for line in problems)
    assert not gas_problems(CabinTable(), events[1:], [MODULE], [HATCH], ["toaster"])
    with pytest.raises(ValidationError, match="more than pressure_hpa"):
        AirTable(pressure_hpa=150.0, temperature_c=20.0, relative_humidity=0.0, oxygen_hpa=160.0)
    with pytest.raises(DeclaredFileError, match="cannot be"):
        wet = AirTable(pressure_hpa=150.0, temperature_c=80.0, relative_humidity=1.0)
        gas(scenario(air=wet))


@pytest.mark.parametrize(
    "supply",
    [
        {"gas": "air", "below_hpa": 210.0},
        {"gas": "oxygen", "below_hpa": 210.0, "until_hpa": 209.0},
        {"gas": "oxygen", "until_hpa": 209.0},
    ],
)
def test_supplies_that_cannot_be_are_refused(supply: dict[str, object]) -> None:
    with pytest.raises(DeclaredFileError, match="supplies"):
        raw = {"supplies": [{"name": "s", "compartment": STATION, "kg_day": 1.0, **supply}]}
        parse_declared(raw, "test", CabinTable)
