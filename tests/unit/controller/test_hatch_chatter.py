"""A hatch that is said to move all the time: it hides no leak, is named, and does not fill the journal."""

from collections.abc import Callable

import numpy as np
import pytest

from controller.alarm.types import AlarmState
from controller.isolate.hatches import CALM_NS, CHATTER_MOVES, HatchBoard, Source
from controller.isolate.station import station_of
from controller.pipeline.events import Event, HatchMoved
from controller.pipeline.happenings import HatchStands
from controller.pipeline.pipeline import Pipeline, Settings
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns
from tests.support.pressing import START_PA, scalars
from tests.unit.controller.test_isolation_watch import line_site


def bounced(at_s: float, shut: bool) -> Event:
    return scalars(at_s, 0.0 if shut else 1.0, quantity=Quantity.HATCH, node="N-left", sensor="H-1")


def told(_: float, shut: bool) -> Event:
    return HatchMoved("h1", open=not shut)


@pytest.mark.parametrize(("says", "named"), [(bounced, "H-1"), (told, "h1")])
def test_a_leak_is_found_though_a_hatch_is_said_to_move_all_the_time(
    says: Callable[[float, bool], Event], named: str
) -> None:
    site, random = line_site(), np.random.default_rng(4)
    pipeline, pressure_pa, moves, picture = Pipeline(site, "mid", Settings()), START_PA, 0, None
    barometers = [(node.name, one.name) for node in site.nodes for one in node.of_quantity(Quantity.PRESSURE)]
    for second in range(1, 601):
        # 1 Pa/s: 27 mmHg/h, found within a minute where nothing moves (test_pressure_watch.py)
        pressure_pa -= 1.0 if second > 300 else 0.0
        events: list[Event] = [says(float(second), second % 20 < 10)] if second % 10 == 0 or says is bounced else []
        for node, sensor in barometers:
            value = pressure_pa + 0.3 * random.standard_normal()
            events.append(scalars(float(second), value, quantity=Quantity.PRESSURE, node=node, sensor=sensor))
        outcome = pipeline.step(s_to_ns(float(second)), events)
        moves += sum(isinstance(one, HatchStands) for one in outcome.happenings)
        picture = outcome.picture
    assert picture is not None
    alarms = {alarm.key: alarm for alarm in picture.alarms}
    assert alarms["leak"].state is AlarmState.UNACKNOWLEDGED
    ((poor, why),) = pipeline._isolation.poor(s_to_ns(600.0))
    assert (poor, "hatch h1 moves" in why) == (named, True)
    told_so = any("hatch h1 moves" in line for alarm in alarms.values() for line in alarm.evidence)
    assert told_so == (says is told)  # the sensor's node never spoke here: it is told as lost instead
    assert moves < CHATTER_MOVES


def test_people_are_believed_about_a_hatch_whose_sensor_bounces_and_the_sensor_when_it_is_calm() -> None:
    board = HatchBoard(station_of(line_site()))
    now_ns = 0
    for move in range(2 * CHATTER_MOVES):
        now_ns += 10 * NS_PER_S
        board.sense(now_ns, "h1", float(move % 2))
    assert board.chattering(now_ns) == (("h1", Source.SENSOR),)
    shut = "h1" not in board.shut
    assert board.told(now_ns, "h1", shut=shut, source=Source.OPERATOR)
    assert ("h1" in board.shut) == shut
    board.sense(now_ns, "h1", 0.0)
    assert ("h1" in board.shut) == shut
    board.told(now_ns, "h1", shut=False, source=Source.OPERATOR)
    now_ns += CALM_NS
    assert board.sense(now_ns, "h1", 0.0)
    assert "h1" in board.shut
    assert board.chattering(now_ns) == ()
