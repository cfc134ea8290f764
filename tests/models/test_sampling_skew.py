"""Converters that take their channels in turn: fixes are as good as with simultaneous ones, if the site says so."""

import tomllib
from typing import Any

import numpy as np
import pytest

from controller.localize.hull_search import predicted_delays
from controller.localize.locate import Locator, Settings
from controller.localize.verdict import Fix
from controller.measure.coherence import coherent_groups
from controller.measure.correlation import correlate
from controller.measure.tdoa import measure_tdoa
from firmware_bridge.site.survey import Site
from sim.scenario.scenario import ScenarioTable
from sim.world.air import Air
from tests.support.hearing import mean_of
from tests.support.rig import COMPARTMENT, RigEar, leaking_at
from tests.support.shipped import CONFIGS, shipped
from tests.support.sites import parsed

LEAK_M = (1.86, -0.99694, 0.46488)
SPEED_M_S = Air(295.15, 99_330.0, 0.45).sound_speed_m_s
SKEW_US = 2.0  # of a cheap microcontroller's converter
MICROPHONES = 8  # on each node: the last is taken 14 us after the first


def eight_each(site_table: dict[str, Any]) -> dict[str, Any]:
    """The shipped rig with twice the microphones on each array node, the others 4 cm beside."""
    for node in site_table["nodes"]:
        ears = [sensor for sensor in node.get("sensors", ()) if sensor["quantity"] == "ultrasound"]
        rest = [sensor for sensor in node.get("sensors", ()) if sensor["quantity"] != "ultrasound"]
        if not ears:
            continue
        centre = np.mean([ear["position_m"] for ear in ears], axis=0)
        for ear in ears[: MICROPHONES - len(ears)]:
            mirrored = (2.0 * centre - ear["position_m"]).round(6).tolist()
            ears.append({**ear, "name": f"{ear['name']}-m", "position_m": mirrored})
        node["sensors"] = [{**sensor, "channel": at} for at, sensor in enumerate([*ears, *rest])]
    return site_table


def rig(*, skewed: bool, told: bool) -> tuple[ScenarioTable, Site]:
    """The scenario whose converters take channels in turn or not, and the site as its file tells of it."""
    scenario, site = shipped()
    table = eight_each(tomllib.loads((CONFIGS / "sites" / f"{scenario.site}.toml").read_text(encoding="utf-8")))
    for node in table["nodes"]:
        if told and any(sensor["quantity"] == "ultrasound" for sensor in node.get("sensors", ())):
            node["skew_us"] = SKEW_US
    arrays = scenario.arrays.model_copy(update={"skew_us": SKEW_US if skewed else 0.0})
    assert site.name == table["name"]
    return leaking_at(scenario.model_copy(update={"arrays": arrays}), LEAK_M), parsed(table)


def delay_errors_s(ear: RigEar, site: Site) -> float:
    """The largest error of a delay from truth, s."""
    heard = ear.leaking(4)
    worst = 0.0
    for group in coherent_groups(site, COMPARTMENT):
        mean = mean_of(group, heard)
        assert mean is not None
        functions = correlate(mean)
        tdoa = measure_tdoa(functions, predicted_delays(functions, np.array(LEAK_M), SPEED_M_S))
        assert tdoa is not None
        true_m = np.vstack([ear.true_microphones_m(node) for node in dict.fromkeys(group.nodes)])
        arrival_s = np.linalg.norm(true_m - np.array(LEAK_M), axis=1) / SPEED_M_S
        rows = [group.sensors.index(name) for name in tdoa.sensors]
        errors_s = tdoa.delay_s - (arrival_s[rows[1:]] - arrival_s[rows[0]])
        worst = max(worst, float(np.abs(errors_s).max()))
    return worst


def test_skew_that_the_site_tells_leaves_no_trace_in_the_delays() -> None:
    """Limits as in the models' test of delays without skew: 6 us of jitter, slant, estimate and echoes."""
    scenario, site = rig(skewed=True, told=True)
    assert delay_errors_s(RigEar(scenario, site, seed=11), site) < 6e-6
    scenario, site = rig(skewed=True, told=False)
    assert delay_errors_s(RigEar(scenario, site, seed=11), site) > 10e-6  # 14 us between first and last


@pytest.mark.parametrize("seed", [31, 32])
def test_a_fix_with_skew_is_as_good_as_without(seed: int) -> None:
    errors = {}
    for skewed in (False, True):
        scenario, site = rig(skewed=skewed, told=skewed)
        verdict = Locator(site, COMPARTMENT, Settings()).locate(RigEar(scenario, site, seed).job(4, 2))
        assert isinstance(verdict, Fix), verdict
        errors[skewed] = (np.subtract(verdict.position_m, LEAK_M), verdict.radius95_m)
    # The same rig, survey errors and noise; what differs is which instants a channel's noise is taken at. Estimates of
    # some 0.5 us at 32 microphones move a place by a fraction of a millimetre.
    assert errors[True][0] == pytest.approx(errors[False][0], abs=2e-3)
    assert errors[True][1] == pytest.approx(errors[False][1], rel=0.2)
