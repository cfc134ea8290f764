"""Where truth, written twice, meets: the controller's formulas against the simulated world's. Only here."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.detect.bands import band_levels
from controller.detect.pressure import Fall
from controller.detect.pressure import Settings as PressureSettings
from controller.localize.forward import sound_speed
from controller.localize.hull_search import predicted_delays
from controller.measure.coherence import coherent_groups
from controller.measure.correlation import correlate
from controller.measure.cross_spectra import CrossSpectra
from controller.measure.leak_size import Settings, leak_size, reserve_s
from controller.measure.tdoa import measure_tdoa
from firmware_bridge.units import PA_PER_MMHG
from sim.world.air import Air
from sim.world.gas.cabin import CompartmentSpec
from sim.world.gas.network import GasNetwork
from sim.world.gas.species import GAS_CONSTANT_J_KG_K, Fill, Species
from sim.world.leak.hole import Hole
from sim.world.sound.room import BoxRoom, CylinderRoom
from tests.support.hearing import mean_of
from tests.support.pressing import watched
from tests.support.rig import COMPARTMENT, RigEar, leaking_at
from tests.support.shipped import shipped

LEAK_M = (1.86, -0.99694, 0.46488)
CABIN = "cabin"
SPEED_M_S = Air(295.15, 99_330.0, 0.45).sound_speed_m_s


def leaking(volume_m3: float, pressure_pa: float, hole: Hole) -> GasNetwork:
    """One volume held at 22 C, of a gas with the gas constant of real air: nitrogen and some carbon dioxide."""
    nitrogen, heavy = (float(GAS_CONSTANT_J_KG_K[species]) for species in (Species.NITROGEN, Species.CARBON_DIOXIDE))
    share = (1.0 / 287.05 - 1.0 / nitrogen) / (1.0 / heavy - 1.0 / nitrogen)  # of the pressure: densities add up
    fill = Fill(295.15, ((1.0 - share) * pressure_pa, 0.0, share * pressure_pa, 0.0))
    gas = GasNetwork([CompartmentSpec(CABIN, volume_m3, 1e9, 295.15)], {CABIN: fill})
    gas.set_vent("hole", CABIN, hole)
    return gas


@pytest.mark.parametrize("temperature_k", [283.15, 295.15, 308.15])
def test_both_hear_at_the_same_speed(temperature_k: float) -> None:
    """331.3 sqrt(T / 273.15) against sqrt(1.4 R T): the constants differ by 1e-4; the prior's sigma is 0.2 m/s."""
    controller, sigma = sound_speed(temperature_k, 0.0)
    world = Air(temperature_k, 99_330.0, 0.45).sound_speed_m_s
    assert controller == pytest.approx(world, abs=sigma / 2)


@pytest.mark.parametrize("diameter_m", [0.0005, 0.002, 0.0127])
@pytest.mark.parametrize("volume_m3", [5.0, 921.0])
def test_a_hole_is_sized_from_what_the_gas_does(diameter_m: float, volume_m3: float) -> None:
    """Half a minute of the world's gas; its rate falls by k t / 2 meanwhile, which the newest pressure half undoes."""
    hole = Hole(diameter_m, 0.85)
    gas = leaking(volume_m3, 99_330.0, hole)
    flow_kg_s = hole.mass_flow_kg_s(99_330.0, 295.15)
    gas.step(30.0)
    pressure_pa = gas.state(CABIN).pressure_pa
    rate_pa_s = (pressure_pa - 99_330.0) / 30.0
    size = leak_size(Fall(30.0, rate_pa_s, 0.0, pressure_pa), volume_m3, 295.15, Settings())
    decay = 1 - pressure_pa / 99_330.0
    assert size.hole_diameter_m.value == pytest.approx(diameter_m, rel=decay + 1e-4)
    assert size.mass_rate_kg_s.value == pytest.approx(flow_kg_s, rel=decay + 1e-4)


def test_reserve_time_is_when_the_world_reaches_the_limit() -> None:
    hole = Hole(0.01, 0.85)
    gas = leaking(921.0, 745 * PA_PER_MMHG, hole)
    loss_pa_s = gas.vent_flow_kg_s("hole") * 287.05 * 295.15 / 921.0
    gas.step(reserve_s(gas.state(CABIN).pressure_pa, loss_pa_s, 490 * PA_PER_MMHG))
    assert gas.state(CABIN).pressure_pa == pytest.approx(490 * PA_PER_MMHG, rel=1e-4)  # Psi is rounded to four digits


def test_the_fall_of_the_worlds_gas_is_what_the_watch_finds() -> None:
    """Five hours of quiet and one of 2 mm, without weather and without a crew."""
    gas = leaking(921.0, 99_330.0, Hole(0.002, 0.85))
    at_s = np.arange(0.0, 6 * 3600.0, 10.0)
    pressure_pa = np.full(at_s.size, 99_330.0)
    for row in np.flatnonzero(at_s > 5 * 3600.0):
        gas.step(10.0)
        pressure_pa[row] = gas.state(CABIN).pressure_pa
    found, _ = watched(at_s, {"P": pressure_pa}, settings=PressureSettings(crew=0), volume_m3=921.0)
    assert found
    fall = found[-1][1].fall
    world_pa_s = gas.vent_flow_kg_s("hole") * 287.05 * 295.15 / 921.0
    assert -fall.rate_pa_s == pytest.approx(world_pa_s, abs=1.96 * fall.sigma_pa_s)
    assert fall.sigma_pa_s < 0.1 * world_pa_s


@pytest.mark.parametrize("room", [CylinderRoom(1.1, 2.6), BoxRoom(3.0, 2.4, 2.0)])
def test_the_first_path_of_the_world_is_the_delay_of_the_forward_model(room: CylinderRoom | BoxRoom) -> None:
    random = np.random.default_rng(1)
    inside = np.array([0.3, 0.3, 0.3]) if isinstance(room, BoxRoom) else np.array([0.3, -0.4, -0.4])
    microphones = inside + random.uniform(0.0, 0.8, (12, 3))
    on_wall = np.array([1.2, 0.7, 0.0]) if isinstance(room, BoxRoom) else np.array([1.2, 1.1 * 0.6, 1.1 * 0.8])
    first = room.paths(on_wall, microphones, 2).length_m[:, 0]
    # The leak sits on the wall within the world's skin of 2 mm, which turns it by less than that at 0.5 m and more.
    assert first == pytest.approx(np.linalg.norm(microphones - on_wall, axis=1), abs=1e-6)


@pytest.fixture(scope="module")
def ear() -> RigEar:
    """The shipped rig: its true microphones are known, so only estimates are off and no survey."""
    scenario, site = shipped()
    return RigEar(leaking_at(scenario, LEAK_M), site, seed=11)


def means(listening: RigEar, captures: int) -> list[CrossSpectra]:
    """Mean cross-spectra of the leak, one a group of the site."""
    heard = listening.leaking(captures)
    groups = coherent_groups(shipped()[1], COMPARTMENT)
    return [mean for group in groups if (mean := mean_of(group, heard)) is not None]


def delay_errors_s(listening: RigEar, spectra: CrossSpectra) -> NDArray[np.float64]:
    """Delays measured around the leak less those that the true microphones must have."""
    functions = correlate(spectra)
    tdoa = measure_tdoa(functions, predicted_delays(functions, np.array(LEAK_M), SPEED_M_S))
    assert tdoa is not None
    true_m = np.vstack([listening.true_microphones_m(node) for node in dict.fromkeys(spectra.group.nodes)])
    arrival_s = np.linalg.norm(true_m - np.array(LEAK_M), axis=1) / SPEED_M_S
    rows = [spectra.group.sensors.index(name) for name in tdoa.sensors]
    return np.asarray(tdoa.delay_s - (arrival_s[rows[1:]] - arrival_s[rows[0]]))


def test_delays_from_the_worlds_sound_are_distances_over_speed(ear: RigEar) -> None:
    """All the way from rendered counts to delays, reflections and machines included, for each group of the site."""
    found = means(ear, 4)
    assert len(found) == 2
    for mean in found:
        # Trigger jitter of 60 ns a burst and node, a source 1 mm inside the wall (1.5 us at a slant), estimates of
        # 0.5 us, and the pull of echoes that the closure test lets pass: 4 us.
        assert np.abs(delay_errors_s(ear, mean)).max() < 6e-6


def test_a_crystals_drift_is_undone() -> None:
    """Crystals that spread by 200 ppm shift the middle of a burst by 42.7 ms x 200 ppm = 8.5 us against each other."""
    scenario, site = shipped()
    wild = scenario.model_copy(update={"clocks": scenario.clocks.model_copy(update={"drift_spread_ppm": 200.0})})
    listening = RigEar(leaking_at(wild, LEAK_M), site, seed=11)
    line = max(means(listening, 4), key=lambda mean: len(mean.group.sensors))
    assert np.ptp(line.mid_shift_s) > 5e-6
    assert np.abs(delay_errors_s(listening, line)).max() < 6e-6  # as above
    forgotten = replace(line, mid_shift_s=np.zeros_like(line.mid_shift_s))
    assert np.abs(delay_errors_s(listening, forgotten)).max() > 6e-6


def test_the_level_of_the_leak_says_nothing_of_where_it_is() -> None:
    """A wider hole is louder at every microphone and heard at the same delays: level is no measure of distance here."""
    scenario, site = shipped()
    levels, delays = [], []
    for diameter_mm in (2.0, 3.0):
        table = leaking_at(scenario, LEAK_M, diameter_mm=diameter_mm, level_spread_db=0.0)
        listening = RigEar(table, site, seed=12)
        block = listening.capture(99, 100.0).blocks["D"]
        levels.append(float(np.median(band_levels(block.pressure_pa, block.rate_hz).level_db[:, 1])))
        line = max(means(listening, 2), key=lambda mean: len(mean.group.sensors))
        functions = correlate(line)
        tdoa = measure_tdoa(functions, predicted_delays(functions, np.array(LEAK_M), SPEED_M_S))
        assert tdoa is not None
        delays.append(dict(zip(tdoa.sensors[1:], tdoa.delay_s, strict=True)))
    assert levels[1] - levels[0] > 1.0
    both = delays[0].keys() & delays[1].keys()
    assert len(both) >= 8
    # Two estimates of 0.5 us each, and jitter of 60 ns; echoes pull both alike.
    assert all(abs(delays[0][name] - delays[1][name]) < 3e-6 for name in both)
