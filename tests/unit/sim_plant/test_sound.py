"""Tables of sound as the plant builds them: rooms of every hull, racks, beams, bursts, leaks that open slowly."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import place
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.sphere import SphereHull
from sim.plant.leaks import PlantLeak, declared_leaks
from sim.plant.place import Place
from sim.plant.sound import Sound
from sim.plant.sound_sources import leak_source, machine_source
from sim.scenario.scenario import ScenarioTable
from sim.scenario.sound import AcousticsTable, BurstTable, MachineTable, RackTable
from sim.world.leak.hole import Hole
from sim.world.leak.schedule import Change, Opening
from sim.world.sound.revolution import RevolutionRoom
from tests.support.shipped import shipped

FloatArray = NDArray[np.float64]
DOME = tuple((1.2 - 1.2 * math.cos(a), 1.2 * math.sin(a)) for a in np.linspace(0.0, math.pi / 2.0, 13))
MODULE = RevolutionHull((*DOME, (3.0, 1.2), (3.6, 0.7)))
HULLS: list[Hull] = [BoxHull((3.0, 2.5, 2.0)), CylinderHull(1.2, 3.0), SphereHull(1.3), MODULE]


@pytest.mark.parametrize("hull", HULLS)
@pytest.mark.parametrize("axis", ["+x", "-y", "+z"])
def test_every_hull_is_a_room_wherever_it_stands(hull: Hull, axis: str) -> None:
    there = place(hull, (5.0, -2.0, 1.0), axis)  # type: ignore[arg-type]
    found = Place.of(there)
    low, high = hull.corners_m
    tried = np.random.default_rng(1).uniform(low, high, (400, 3))
    within = tried[hull.signed_distance_m(tried) < -0.05][:20]
    in_site = there.to_site(within)  # type: ignore[attr-defined]
    assert found.inside(in_site) == pytest.approx(within, abs=1e-9)
    clearance_m = found.room.clearance_m(within)
    # facets of the dome, 7.5 degrees wide, lie up to 1.2 m (1 - cos 3.75 deg) = 2.6 mm inside it
    assert clearance_m == pytest.approx(-hull.signed_distance_m(within), abs=3e-3)
    assert found.room.volume_m3 == pytest.approx(hull.volume_m3, rel=0.01)
    paths = found.room.paths(within[0], within[1:3], 1)
    assert (paths.bounces == 1).sum() >= 2


def test_a_dome_drawn_as_lines_becomes_one() -> None:
    room = Place.of(MODULE).room
    assert isinstance(room, RevolutionRoom)
    assert room.domes == (True, False, False)
    assert room.profile_m == (DOME[0], DOME[-1], (3.0, 1.2), (3.6, 0.7))
    straight = RevolutionRoom.drawn(((0.0, 0.3), (1.0, 0.6), (2.0, 0.9), (3.0, 1.2)))
    assert not any(straight.domes)


@pytest.mark.parametrize("degrees", [17.0, 45.0, 80.0])
def test_a_leak_on_a_facet_sits_on_the_dome(degrees: float) -> None:
    angle = math.radians(degrees)
    position = MODULE.project(np.array([[1.2 - 1.2 * math.cos(angle), 1.2 * math.sin(angle), 0.0]]))[0]
    found = Place.of(MODULE)
    x, y, z = (float(part) for part in position)
    inside = np.array([found.point((x, y, z), on_wall=True)])
    # within the 2 mm in which a source is on the wall and not mirrored by it
    assert 0.0 < float(found.room.clearance_m(inside)[0]) < 2e-3


def test_a_rack_and_a_beam_turn_with_the_hull() -> None:
    found = Place.of(place(BoxHull((3.0, 2.5, 2.0)), (5.0, 0.0, 0.0), "+y"))
    # own x is the site's +y, own y the site's -x
    rack = found.rack(RackTable(name="r", compartment="c", low_m=(4.0, 1.0, 0.5), high_m=(4.5, 2.0, 1.5)))
    assert rack.low_m == pytest.approx((1.0, 0.5, 0.5))
    assert rack.high_m == pytest.approx((2.0, 1.0, 1.5))
    table = MachineTable(name="fan", position_m=(4.0, 1.0, 1.0), level_db_at_20khz=50.0, direction=(0.0, 2.0, 0.0))
    beam = machine_source(table, found).directivity
    assert beam is not None
    assert beam.axis == pytest.approx((2.0, 0.0, 0.0))


def test_machines_switch_hiss_and_sound_as_declared() -> None:
    found = Place.of(BoxHull((3.0, 2.5, 2.0)))
    table = MachineTable(
        name="valve", position_m=(1.0, 1.0, 1.0), level_db_at_20khz=30.0, hiss_peak_khz=25.0, hiss_level_db=60.0,
        on_at_s=(20.0,), off_at_s=(10.0, 30.0),
    )  # fmt: skip
    source = machine_source(table, found)
    assert source.intervals == ((-math.inf, 10.0), (20.0, 30.0))
    frequency_hz = np.linspace(25e3 / math.sqrt(2.0), 25e3 * math.sqrt(2.0), 2001)
    level_db = 10.0 * math.log10(float(np.trapezoid(source.psd(frequency_hz), frequency_hz)) / 4e-10)
    assert level_db == pytest.approx(60.0, abs=0.02)
    always = MachineTable(name="fan", position_m=(1.0, 1.0, 1.0), level_db_at_20khz=30.0)
    assert always.intervals == ((-math.inf, None),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hiss_peak_khz": 20.0},
        {"direction": (0.0, 0.0, 0.0)},
        {"piston_radius_mm": 20.0},
        {"on_at_s": (1.0, 2.0)},
        {"on_at_s": (1.0,), "off_at_s": (1.0005,)},
        {"off_at_s": (1.0, 2.0)},
        {"level_db_at_20khz": 300.0},
        {"lines_khz_db": ((40.0, 400.0),)},
    ],
)
def test_refuses_machines_that_cannot_be(wrong: dict[str, object]) -> None:
    fan = {"name": "fan", "position_m": (1.0, 1.0, 1.0), "level_db_at_20khz": 30.0}
    MachineTable.model_validate(fan)
    with pytest.raises(ValidationError):
        MachineTable.model_validate({**fan, **wrong})


def test_refuses_racks_bursts_and_gradients_that_cannot_be() -> None:
    with pytest.raises(ValidationError, match="high_m"):
        RackTable(name="r", compartment="c", low_m=(1.0, 1.0, 1.0), high_m=(1.0, 2.0, 2.0))
    with pytest.raises(ValidationError):
        BurstTable.model_validate({
            "name": "b", "kind": "bang", "compartment": "c", "position_m": (0.0, 0.0, 0.0),
            "rate_per_h": 1.0, "level_db": 60.0, "duration_ms": 10.0,
        })  # fmt: skip
    with pytest.raises(ValidationError):
        AcousticsTable(temperature_gradient_k_m=(0.0, 0.0, 50.0))


def test_a_leak_that_opens_slowly_gets_louder_with_its_area() -> None:
    hole = Hole(2e-3, 0.85)
    slow = Opening((Change(100.0, 20.0, 1.0), Change(200.0, 0.0, 0.1)))
    source = leak_source(
        PlantLeak("l", "c", (1.0, 0.0, 1.0), hole, slow), Place.of(BoxHull((3.0, 2.5, 2.0))), 101_325.0, 295.15
    )
    assert source is not None
    assert source.intervals == ((100.0, None),)
    assert source.level_db is not None
    for at_s in (102.0, 105.0, 110.0, 117.0, 150.0, 199.99, 200.01, 500.0):
        factor = np.broadcast_to(source.level_db.amplitude(round(at_s * 1e5), 1, 1e5), 1)[0]
        expected_db = hole.opened(slow.share(at_s)).inward_level_db(101_325.0, 295.15)
        expected_db -= hole.inward_level_db(101_325.0, 295.15)
        assert 20.0 * math.log10(factor) == pytest.approx(expected_db, abs=0.3)
    sudden = Opening((Change(100.0, 0.0, 1.0), Change(200.0, 0.0, 0.0), Change(300.0, 0.0, 1.0)))
    source = leak_source(
        PlantLeak("l", "c", (1.0, 0.0, 1.0), hole, sudden), Place.of(BoxHull((3.0, 2.5, 2.0))), 101_325.0, 295.15
    )
    assert source is not None
    assert source.level_db is None
    assert source.intervals == ((100.0, 200.0), (300.0, None))


def furnished(**acoustics: object) -> tuple[ScenarioTable, Sound]:
    scenario, site = shipped()
    room = site.nodes[0].compartment
    racks = [RackTable(name="r", compartment=room, low_m=(1.2, -0.3, -0.3), high_m=(1.5, 0.3, 0.3))]
    bursts = [
        BurstTable(
            name="v", kind="velcro", compartment=room, position_m=(0.5, 0.0, 0.0),
            rate_per_h=3600.0, level_db=60.0, duration_ms=300.0,
        )
    ]  # fmt: skip
    changed = scenario.acoustics.model_copy(update=acoustics)
    scenario = scenario.model_copy(update={"acoustics": changed, "racks": racks, "bursts": bursts})
    return scenario, Sound(scenario, site, np.random.SeedSequence(1), declared_leaks(scenario))


def test_the_whole_sound_with_everything_in_it_is_one_function_of_time() -> None:
    _, sound = furnished(late_reverberation=True, temperature_gradient_k_m=(0.0, 0.0, 1.0), humid_speed=True)
    node = next(iter(sound.true_microphones_m))
    early, later = sound.capture(node, 100.0, 4096, 1e-5), sound.capture(node, 100.0, 3000, 1e-5)
    assert np.abs(early[:, :3000] - later).max() < 1e-9 * early.std()


def test_switching_changes_what_follows_and_not_what_is_past() -> None:
    scenario, sound = furnished()
    node = next(iter(sound.true_microphones_m))
    name = scenario.machines[0].name
    before = sound.capture(node, 50.0, 8192, 0.0)
    around = sound.capture(node, 60.0 - 2048 / 192e3, 8192, 0.0)
    sound.switch_at(name, False, 60.0)
    sound.switch_at("nobody", False, 60.0)
    assert np.array_equal(sound.capture(node, 50.0, 8192, 0.0), before)
    again = sound.capture(node, 60.0 - 2048 / 192e3, 8192, 0.0)
    scale = around.std()
    # the source's own filter reaches 5 ms ahead, fading; a millisecond before the switch it is below 1e-3
    assert np.abs(again - around)[:, : 2048 - 1000].max() < 1e-9 * scale
    assert (again - around)[:, 6000:].std() > 0.05 * scale
    sound.switch_at(name, True, 61.0)
    assert np.array_equal(sound.capture(node, 60.0 - 2048 / 192e3, 8192, 0.0), again)
    with pytest.raises(ValueError, match="already"):
        sound.switch_at(name, False, 60.5)
