"""Orders: captures in step on their trigger lines, their pace, and a siren that is told until it obeys."""

from collections.abc import Callable, Iterable

import pytest

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.tasking import MAX_BURST_ID, SIREN_PATTERNS, SIREN_WAIT_S, Order, Settings, Tasking, Tasks
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, s_to_ns
from firmware_bridge.wire.commands import Capture, Siren, SirenPattern, TriggerRole
from tests.support.hearing import ROOM, box_site
from tests.support.rig import COMPARTMENT
from tests.support.shipped import shipped
from tests.support.told import outcome
from tests.support.verdicts import alarm

SETTINGS = Settings()


def everybody(_node: str) -> bool:
    return True


def only(nodes: Iterable[str]) -> Callable[[str], bool]:
    return set(nodes).__contains__


class Desk:
    """A tasking that is asked at times in seconds."""

    def __init__(self, site: Site, compartment: str) -> None:
        self.tasking = Tasking(site, compartment, SETTINGS)

    def step(
        self,
        at_s: float,
        *alarms: Alarm,
        delivering: Callable[[str], bool] = everybody,
        alert: bool = False,
        settled: bool = True,
    ) -> Tasks:
        return self.tasking.step(s_to_ns(at_s), delivering, alarms, alert=alert, settled=settled)

    def sirens(self, at_s: float, *alarms: Alarm, **how: bool) -> list[Order]:
        orders = self.step(at_s, *alarms, delivering=only(["S1"]), **how).orders
        assert all(isinstance(order.command, Siren) for order in orders)
        return list(orders)


@pytest.fixture
def arrays() -> Desk:
    """A, C and E share a trigger line; B and D stand alone."""
    return Desk(box_site(alone=("B", "D")), ROOM)


@pytest.fixture
def rig() -> Desk:
    """The shipped site: it has a siren, S1."""
    _, site = shipped()
    return Desk(site, COMPARTMENT)


def captures(tasks: Tasks) -> dict[str, Capture]:
    return {order.node: order.command for order in tasks.orders if isinstance(order.command, Capture)}


def patterns(orders: Iterable[Order]) -> list[SirenPattern]:
    return [order.command.pattern for order in orders if isinstance(order.command, Siren)]


def test_one_node_of_a_line_drives_it_and_the_others_wait(arrays: Desk) -> None:
    tasks = arrays.step(10.0)
    asked = captures(tasks)
    assert {node: command.role for node, command in asked.items()} == {
        "A": TriggerRole.DRIVE,
        "C": TriggerRole.WAIT_EDGE,
        "E": TriggerRole.WAIT_EDGE,
        "B": TriggerRole.AT_TIME,
        "D": TriggerRole.AT_TIME,
    }
    start_ns = s_to_ns(10.0 + SETTINGS.capture_lead_s)
    assert asked["A"].start_ns == asked["B"].start_ns == asked["D"].start_ns == start_ns
    assert asked["C"].start_ns == asked["E"].start_ns == start_ns + NS_PER_S  # given up a second after the edge is due
    assert {command.samples for command in asked.values()} == {SETTINGS.burst_samples}
    assert len({command.burst_id for command in asked.values()}) == 1
    # The driver comes last, so that whoever waits for its edge was told before.
    line = [order.node for order in tasks.orders if order.node in "ACE"]
    assert line[-1] == "A"


def test_the_plan_says_whose_bursts_to_expect_until_when(arrays: Desk) -> None:
    tasks = arrays.step(10.0)
    plan = tasks.capture
    assert plan is not None
    assert set(plan.nodes) == captures(tasks).keys()
    assert plan.closes_ns == s_to_ns(10.0 + SETTINGS.capture_window_s)
    assert all(command.burst_id == plan.burst_id for command in captures(tasks).values())


def test_only_who_is_there_is_asked_and_somebody_else_drives(arrays: Desk) -> None:
    asked = captures(arrays.step(10.0, delivering=only("CDE")))
    assert {node: command.role for node, command in asked.items()} == {
        "C": TriggerRole.DRIVE,
        "E": TriggerRole.WAIT_EDGE,
        "D": TriggerRole.AT_TIME,
    }
    nobody = arrays.step(20.0, delivering=only(""))
    assert nobody.capture is None
    assert captures(nobody) == {}


def test_captures_keep_their_period_and_an_alert_makes_it_shorter(arrays: Desk) -> None:
    period, alert = SETTINGS.capture_period_s, SETTINGS.alert_period_s
    assert arrays.step(10.0).capture is not None
    assert arrays.step(10.0 + 0.9 * period).capture is None
    assert arrays.step(10.0 + period).capture is not None
    # An alert does not wait for the long period to end.
    assert arrays.step(10.0 + period + 0.9 * alert, alert=True).capture is None
    assert arrays.step(10.0 + period + 1.95 * alert, alert=True).capture is not None
    assert arrays.step(10.0 + period + 2.0 * alert, alert=True).capture is None


def test_no_capture_is_asked_twice_in_one_step_however_late(arrays: Desk) -> None:
    assert arrays.step(10.0).capture is not None
    assert arrays.step(1000.0).capture is not None
    assert arrays.step(1000.5).capture is None


def test_burst_ids_and_tickets_do_not_repeat(arrays: Desk) -> None:
    orders, bursts = [], []
    for at_s in range(0, 400, 4):
        tasks = arrays.step(float(at_s))
        assert tasks.capture is not None
        orders += [order.ticket for order in tasks.orders]
        bursts.append(tasks.capture.burst_id)
    assert len(set(orders)) == len(orders) == 500
    assert min(orders) > 0  # ticket 0 is the session's own
    assert len(set(bursts)) == len(bursts)
    arrays.tasking._burst_id = MAX_BURST_ID - 1
    tasks = arrays.step(1000.0)
    assert tasks.capture is not None
    assert 0 <= tasks.capture.burst_id < MAX_BURST_ID  # the wire has 32 bits


@pytest.mark.parametrize("alarm_class", AlarmClass)
def test_a_siren_plays_the_gravest_alarm_that_nobody_noticed(rig: Desk, alarm_class: AlarmClass) -> None:
    milder = alarm(AlarmClass.ADVISORY, key="broker")
    (order,) = rig.sirens(1.0, alarm(alarm_class), milder)
    assert order.node == "S1"
    assert order.command == Siren(SIREN_PATTERNS[alarm_class])


def test_every_class_has_a_pattern_and_an_advisory_is_silent() -> None:
    assert set(SIREN_PATTERNS) == set(AlarmClass)
    assert SIREN_PATTERNS[AlarmClass.ADVISORY] is SirenPattern.SILENT
    assert len(set(SIREN_PATTERNS.values())) == len(AlarmClass)


@pytest.mark.parametrize("state", [AlarmState.ACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED])
def test_what_was_noticed_or_is_over_is_silent(rig: Desk, state: AlarmState) -> None:
    (order,) = rig.sirens(1.0, alarm(AlarmClass.WARNING, state))
    assert order.command == Siren(SirenPattern.SILENT)


def test_an_order_is_repeated_until_it_is_confirmed(rig: Desk) -> None:
    (first,) = rig.sirens(1.0, alarm())
    assert patterns([first]) == [SirenPattern.WARNING]
    assert rig.sirens(1.0 + 0.9 * SETTINGS.siren_retry_s, alarm()) == []
    (again,) = rig.sirens(1.0 + SETTINGS.siren_retry_s, alarm())
    assert again.command == first.command
    assert again.ticket != first.ticket
    rig.tasking.outcome(outcome("S1", first.command))
    assert rig.sirens(60.0, alarm()) == []


def test_a_change_is_ordered_at_once(rig: Desk) -> None:
    (first,) = rig.sirens(1.0, alarm())
    (graver,) = rig.sirens(1.1, alarm(AlarmClass.EMERGENCY))
    assert patterns([graver]) == [SirenPattern.EMERGENCY]
    # The late confirmation of the first is not that of the second.
    rig.tasking.outcome(outcome("S1", first.command))
    assert patterns(rig.sirens(1.1 + SETTINGS.siren_retry_s, alarm(AlarmClass.EMERGENCY))) == [SirenPattern.EMERGENCY]
    rig.tasking.outcome(outcome("S1", graver.command))
    assert patterns(rig.sirens(20.0)) == [SirenPattern.SILENT]


def test_a_siren_that_refuses_is_told_until_it_obeys(rig: Desk) -> None:
    (first,) = rig.sirens(1.0, alarm())
    assert rig.tasking.siren_failure is None
    rig.tasking.outcome(outcome("S1", first.command, done=False, text="no answer in 2 s"))
    assert rig.tasking.siren_failure == "S1: no answer in 2 s; check its cable and power"
    (again,) = rig.sirens(1.0 + SETTINGS.siren_retry_s, alarm())
    rig.tasking.outcome(outcome("S1", again.command))
    assert rig.tasking.siren_failure is None


def test_a_siren_that_came_back_is_told_again(rig: Desk) -> None:
    (first,) = rig.sirens(1.0, alarm())
    rig.tasking.outcome(outcome("S1", first.command))
    rig.tasking.rejoined("S1")
    assert patterns(rig.sirens(1.1, alarm())) == [SirenPattern.WARNING]
    rig.tasking.rejoined("A")  # no siren: nothing to tell
    assert rig.sirens(1.2, alarm()) == []


def test_a_siren_that_is_away_is_told_when_it_is_there(rig: Desk) -> None:
    assert patterns(rig.step(1.0, alarm(), delivering=only("")).orders) == []
    assert patterns(rig.sirens(1.1, alarm())) == [SirenPattern.WARNING]


def test_a_siren_is_not_silenced_before_the_situation_is_known(rig: Desk) -> None:
    """After a restart it may sound for a leak that we have not heard yet."""
    assert rig.sirens(1.0, settled=False) == []
    assert patterns(rig.sirens(2.0, alarm(), settled=False)) == [SirenPattern.WARNING]
    fresh = Desk(shipped()[1], COMPARTMENT)
    assert fresh.sirens(1.0, settled=False) == []
    assert patterns(fresh.sirens(2.0, settled=True)) == [SirenPattern.SILENT]


def test_a_siren_is_told_to_be_silent_where_the_situation_is_never_known(rig: Desk) -> None:
    """As without a microphone: only a siren that was told something watches for a controller that dies."""
    assert rig.sirens(1.0, settled=False) == []
    assert rig.sirens(0.9 * SIREN_WAIT_S, settled=False) == []
    assert patterns(rig.sirens(1.0 + SIREN_WAIT_S, settled=False)) == [SirenPattern.SILENT]


def test_what_we_made_sound_can_be_acknowledged_before_the_situation_is_known(rig: Desk) -> None:
    """Also by a siren that was away for a moment meanwhile."""
    (sounding,) = rig.sirens(1.0, alarm(), settled=False)
    rig.tasking.outcome(outcome("S1", sounding.command))
    rig.tasking.rejoined("S1")
    noticed = alarm(state=AlarmState.ACKNOWLEDGED)
    assert patterns(rig.sirens(2.0, noticed, settled=False)) == [SirenPattern.SILENT]


def test_outcomes_of_others_do_not_matter(rig: Desk) -> None:
    (first,) = rig.sirens(1.0, alarm())
    rig.tasking.outcome(outcome("A", first.command))
    rig.tasking.outcome(outcome("S1", Capture(1, 100, TriggerRole.AT_TIME, 0)))
    assert patterns(rig.sirens(1.0 + SETTINGS.siren_retry_s, alarm())) == [SirenPattern.WARNING]
