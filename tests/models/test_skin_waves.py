"""Leaks felt through the skin: what the simulated world shakes, found by the controller's own ways and waves."""

import numpy as np
import pytest

from controller.localize.geodesics import Geodesics
from controller.localize.skin_waves import SkinFix
from controller.localize.verdict import NoFix
from controller.measure.plate import Mode, Skin
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from sim.plant.place import shell_of
from sim.scenario.structure import StructureTable
from sim.world.structure import lamb
from sim.world.structure.paths import Joints
from sim.world.structure.plate import Plate
from tests.support.skin_rig import SkinTrial, shaken


@pytest.mark.parametrize(("own", "worlds"), [(Mode.A0, lamb.Mode.A0), (Mode.S0, lamb.Mode.S0)])
def test_waves_run_as_fast_in_both(own: Mode, worlds: lamb.Mode) -> None:
    """The same equations, solved apart: bisection to rounding here, 1e-9 there."""
    frequency_hz = np.array([20e3, 60e3, 120e3, 250e3])
    mine = Skin(0.0048).wavenumber_rad_m(frequency_hz, own)
    assert mine == pytest.approx(Plate(0.0048).wavenumber_rad_m(worlds, frequency_hz), rel=1e-7)


def test_ways_are_as_long_in_both() -> None:
    for hull in (CylinderHull(1.1, 4.0), BoxHull((2.2, 2.1, 2.6))):
        grid = hull.grid(0.5)
        places = grid[np.random.default_rng(1).choice(len(grid), 24, replace=False)]
        found = Geodesics(hull, places[12:]).ways(places[:12]).length_m.diagonal()
        theirs = [
            min(way.length_m for way in shell_of(hull).paths(one, other, joints=Joints(), wraps=1))
            for one, other in zip(places[:12], places[12:], strict=True)
        ]
        # From end to end the second rim is taken in steps of 4 cm: a millimetre where a way runs close beside it.
        assert found == pytest.approx(np.array(theirs), abs=2e-3)


def fixed(trial: SkinTrial) -> SkinFix:
    assert isinstance(trial.verdict, SkinFix), trial.verdict
    return trial.verdict


@pytest.mark.parametrize("seed", [0, 2])
def test_a_leak_is_felt_where_it_is(seed: int) -> None:
    """Eight sensors surveyed to 3 mm, damping, tail and wraps: some 3 mm over the root of some sensors; 3 cm is ten."""
    trial = shaken(seed)
    assert fixed(trial).mode is Mode.A0
    assert trial.error_m < 0.03
    assert trial.error_m < 2.0 * fixed(trial).radius95_m


def test_a_skin_that_is_thinner_than_told_is_found_out() -> None:
    """Wavenumbers go as the root of the thickness, less in thick plates: 5 % are 2.5 % at most."""
    trial = shaken(0, told_m=0.00315)
    assert trial.error_m < 0.05
    assert 1.005 < fixed(trial).scale < 1.03


def test_a_hull_that_is_still_is_no_leak() -> None:
    """A pinhole, of which damping leaves nothing: whatever is said, it is no place."""
    trial = shaken(3, diameter_mm=0.05, structure=StructureTable(loss_db_m=60.0))
    assert isinstance(trial.verdict, NoFix)
