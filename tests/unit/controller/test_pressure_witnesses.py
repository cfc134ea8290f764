"""An Emergency needs witnesses: what one sensor, or one announcement, says of gas makes none while barometers stand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from controller.alarm.types import AlarmClass
from controller.pipeline.events import Event, GasMoved
from controller.pipeline.pipeline import Pipeline, Settings
from firmware_bridge.site.survey import load_site
from firmware_bridge.units import Quantity, s_to_ns
from tests.support.pressing import START_PA, scalars

SITES = Path(__file__).parents[3] / "configs" / "sites"
CALM_S = 900
NOISE = {Quantity.PRESSURE: 0.3, Quantity.PP_NITROGEN: 0.5, Quantity.TEMPERATURE: 0.005}


def gravest(
    site: str,
    compartment: str,
    lie_pa: Callable[[str, float], float],
    *,
    loss_pa_s: float = 0.0,
    gas: GasMoved | None = None,
    until_s: int = 1800,
) -> AlarmClass:
    """Of the leak's alarm, sampled once a second; `lie_pa` is what a sensor adds at so many seconds after the calm."""
    random = np.random.default_rng(3)
    facts = load_site(SITES / f"{site}.toml")
    pipeline = Pipeline(facts, compartment, Settings())
    sensors = [(node.name, sensor) for node in facts.nodes for sensor in node.sensors if sensor.quantity in NOISE]
    worst = AlarmClass.ADVISORY
    for second in range(1, until_s):
        after_s = max(0, second - CALM_S)
        pressure_pa = START_PA - loss_pa_s * after_s
        true = {
            Quantity.PRESSURE: pressure_pa,
            Quantity.PP_NITROGEN: 0.78 * pressure_pa,
            Quantity.TEMPERATURE: 295.0,
        }
        events: list[Event] = [gas] if gas is not None and second == CALM_S else []
        for node, sensor in sensors:
            value = true[sensor.quantity] + NOISE[sensor.quantity] * float(random.standard_normal())
            value += lie_pa(sensor.name, after_s)
            events.append(scalars(float(second), value, quantity=sensor.quantity, node=node, sensor=sensor.name))
        for alarm in pipeline.step(s_to_ns(float(second)), events).picture.alarms:
            if alarm.key == "leak":
                worst = max(worst, alarm.alarm_class)
    return worst


def nobody(_sensor: str, _after_s: float) -> float:
    return 0.0


@pytest.mark.parametrize("drift_pa_s", [0.5, 5.0])
def test_nitrogen_that_falls_alone_calls_nobody_out(drift_pa_s: float) -> None:
    told = gravest("destiny-2004", "destiny", lambda s, t: -drift_pa_s * t if s == "G1-nitrogen" else 0.0)
    assert told <= AlarmClass.CAUTION


def test_gas_that_was_announced_and_never_comes_calls_nobody_out() -> None:
    gas = GasMoved("zvezda", 30.0, 600.0)
    assert gravest("zvezda-prk-2020", "zvezda", nobody, gas=gas) <= AlarmClass.CAUTION


def test_a_true_loss_is_an_emergency_as_before() -> None:
    assert gravest("destiny-2004", "destiny", nobody, loss_pa_s=5.0, until_s=CALM_S + 60) is AlarmClass.EMERGENCY
