"""What nodes can measure and the controller does not use yet: it must change no decision and harm nothing."""

import numpy as np
import pytest

from controller.pipeline.events import Event
from controller.pipeline.inbox import DATA as _DATA
from firmware_bridge.samples import LevelBlock, VibrationBlock
from firmware_bridge.session.events import CommandOutcome, SessionEvent, StateChanged
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns
from tests.support.pressing import scalars
from tests.support.stepping import LEARNED_S, Stage

USED = {Quantity.PRESSURE, Quantity.TEMPERATURE, Quantity.ULTRASOUND, Quantity.PP_NITROGEN, Quantity.HATCH}
UNUSED = sorted(set(Quantity) - USED)


def vibration(node: str, burst_id: int, now_ns: int) -> VibrationBlock:
    velocity_m_s = np.full((2, 64), np.nan, dtype=np.float32)  # whoever calculates with it is found out
    sensors = (f"{node}-c1", f"{node}-c2")
    return VibrationBlock(node, sensors, burst_id, now_ns, 1e3, 192e3, velocity_m_s, True, True, ((0, 32),), 192e3)


def level(node: str, quantity: Quantity, now_ns: int) -> LevelBlock:
    bands_hz = np.array([[20e3, 40e3]])
    return LevelBlock(node, quantity, (f"{node}1",), now_ns, NS_PER_S, bands_hz, np.array([[1e12]]), saturated=True)


def everything_unused(stage: Stage, burst_id: int) -> list[Event]:
    """From a node of arrays and from one of barometers, as their bridge would tell it."""
    array = next(node.name for node in stage.site.nodes if node.of_quantity(Quantity.ULTRASOUND))
    now_ns = s_to_ns(stage.now_s)
    events: list[Event] = [vibration(node, burst_id, now_ns) for node in (array, "P1")]
    events += [level(array, quantity, now_ns) for quantity in (Quantity.ULTRASOUND, Quantity.SURFACE_VELOCITY)]
    events += [
        scalars(stage.now_s, value, quantity=quantity, node="P1", sensor=f"P1-{quantity.name}")
        for quantity in UNUSED
        for value in (21_000.0, float("nan"))
    ]
    return events


def played(*, unused: bool) -> Stage:
    """From the first noise to a leak of both kinds, with or without what nobody uses."""
    stage = Stage()
    stage.plug()
    for second in range(round(LEARNED_S) + 60):
        if second == LEARNED_S:
            stage.loud_db, stage.loss_pa_s = 20.0, 1.0
        if unused:
            stage.say(*everything_unused(stage, burst_id=second))
        stage.run(1.0)
    return stage


def test_what_is_not_used_changes_no_decision() -> None:
    without, with_it = played(unused=False), played(unused=True)
    assert len(without.story.told) > 5  # a leak, heard and located, with its alarm
    assert repr(with_it.story.told) == repr(without.story.told)
    assert repr(with_it.story.orders) == repr(without.story.orders)
    assert with_it.last is not None
    assert without.last is not None
    assert with_it.last.picture == without.last.picture


@pytest.mark.parametrize("quantity", UNUSED)
def test_a_quantity_that_nobody_asks_for_is_no_pressure(quantity: Quantity) -> None:
    stage = Stage()
    stage.plug()
    stage.say(scalars(0.0, 21_000.0, quantity=quantity, node="P1", sensor="P1-other"))
    picture = stage.run(1.0).picture
    assert "P1-other" not in {reading.sensor for reading in picture.pressures_pa}
    assert picture.alarms == ()


def test_in_a_full_inbox_every_kind_of_data_makes_way_and_nothing_else() -> None:
    assert {*_DATA, StateChanged, CommandOutcome} == set(SessionEvent.__args__)
    assert not {StateChanged, CommandOutcome} & set(_DATA)
