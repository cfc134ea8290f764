"""What breaks, as the whole decision sees it: nodes, bursts, broker, siren; each is told once and ends no leak."""

import pytest

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.health import DEAF_AFTER_CAPTURES
from controller.pipeline.events import BrokerState
from controller.pipeline.happenings import SoundOver
from firmware_bridge.session.events import CommandOutcome, StateChanged
from firmware_bridge.session.states import State
from firmware_bridge.wire.commands import Capture, Start, TriggerRole
from tests.support.stepping import LEARNED_S, SETTINGS, Stage, alarm_of, ready
from tests.support.told import moved, outcome, report

GRACE_S = SETTINGS.health.startup_grace_s


def test_lost_nodes_are_one_alarm_that_names_them() -> None:
    stage = ready()
    stage.unplug("A", "P2")
    last = stage.run(10.0)
    (nodes,) = [a for a in last.picture.alarms if a.key == "nodes"]
    assert nodes.text == "nodes lost: A, P2"
    stage.plug("A", "P2")
    last = stage.run(5.0)
    assert [a.state for a in last.picture.alarms if a.key == "nodes"] == [AlarmState.RETURNED_UNACKNOWLEDGED]


def test_nothing_plugged_in_is_told_after_the_grace() -> None:
    empty = Stage()
    assert empty.run(GRACE_S - 1.0).picture.alarms == ()
    last = empty.run(2.0)
    assert last.picture.alarms[0].text == "nodes lost: A, B, C, D, P1, P2, S1"
    assert last.picture.phase == "learning"
    assert empty.story.orders == []


def test_a_node_that_is_lost_while_it_sounds_does_not_end_the_leak() -> None:
    stage = ready()
    stage.loud_db = 20.0
    stage.run(20.0)
    stage.unplug("A", "B", "C", "D")
    stage.run(200.0)
    assert alarm_of(stage) == (AlarmClass.CAUTION, AlarmState.UNACKNOWLEDGED, 2)
    assert stage.of(SoundOver) == []


def test_a_broker_that_goes_and_comes() -> None:
    stage = ready()
    stage.say(BrokerState(False, "127.0.0.1:1883: refused"))
    last = stage.run(1.0)
    (broker,) = last.picture.alarms
    assert (broker.key, broker.alarm_class, broker.evidence) == (
        "broker",
        AlarmClass.ADVISORY,
        ("127.0.0.1:1883: refused",),
    )
    stage.say(BrokerState(True, "connected"))
    last = stage.run(1.0)
    assert last.picture.alarms[0].state is AlarmState.RETURNED_UNACKNOWLEDGED


def test_a_siren_that_does_not_obey_is_an_alarm_of_its_own() -> None:
    stage = ready()
    stage.siren_works = False
    stage.loud_db = 20.0
    stage.run(60.0)
    assert alarm_of(stage, "siren") == (AlarmClass.CAUTION, AlarmState.UNACKNOWLEDGED, 1)
    assert stage.sirens(LEARNED_S).count("CAUTION") >= 5  # told again and again
    stage.siren_works = True
    stage.run(10.0)
    assert alarm_of(stage, "siren") == (AlarmClass.CAUTION, AlarmState.RETURNED_UNACKNOWLEDGED, 1)


def test_captures_of_one_node_that_do_not_arrive_make_it_poor() -> None:
    stage = ready()
    stage.up.discard("B")  # it streams, but its bursts do not come
    last = stage.run(4.0 * (DEAF_AFTER_CAPTURES + 4))
    (poor,) = last.picture.alarms
    assert (poor.key, poor.alarm_class, poor.text) == ("sensors", AlarmClass.ADVISORY, "not fully working: B")
    assert last.picture.captures >= DEAF_AFTER_CAPTURES


def test_late_and_broken_bursts_are_counted() -> None:
    stage = ready()
    stray = stage.burst("A", Capture(777_777, 4096, TriggerRole.AT_TIME, 0))
    stage.say(stray, stray)
    assert stage.run(1.0).picture.late_bursts == 2


def test_what_the_session_does_by_itself_is_not_told() -> None:
    stage = ready()
    before = len(stage.of(CommandOutcome))
    stage.say(
        outcome("A", Capture(1, 100, TriggerRole.AT_TIME, 0), done=False, text="busy"),
        outcome("A", Start(100), ticket=0),
    )
    stage.run(1.0)
    assert len(stage.of(CommandOutcome)) == before


def test_every_state_of_every_link_is_told() -> None:
    stage = ready()
    began_s = stage.now_s
    changes = [
        moved(None, State.OPENING, link="new port"),
        moved("A", State.DEGRADED, link="port A"),
        moved("A", State.LOST, link="old port"),
    ]
    stage.say(*changes, report("A"))
    last = stage.run(1.0)
    assert stage.of(StateChanged, began_s) == changes
    shown = {node.node: node for node in last.picture.nodes}
    assert shown["A"].state is State.DEGRADED  # what an old port says is told and not believed
    assert shown["A"].health is not None


def test_where_it_is_known_that_nothing_stood_a_siren_is_told_so_at_once() -> None:
    """Only a siren that was told something sounds by itself when its controller dies."""
    stage = Stage()
    stage.pipeline.restore_alarms(0, [])
    stage.plug()
    assert stage.run(2.0).picture.phase == "learning"
    assert stage.sirens() == ["SILENT"]


@pytest.mark.parametrize("state", [AlarmState.UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED])
def test_what_stood_before_a_restart_and_calls_is_never_silenced(state: AlarmState) -> None:
    stage = Stage()
    before = Alarm("leak", state, AlarmClass.EMERGENCY, "leak", (), 3, 0)
    stage.pipeline.restore_alarms(0, [before])
    stage.plug()
    while stage.run(1.0).picture.phase == "learning":
        assert set(stage.sirens()) <= {"EMERGENCY"}
    stage.run(30.0)
    assert set(stage.sirens()) == {"EMERGENCY"}


def test_a_siren_from_before_a_restart_is_silenced_when_the_cabin_is_known_to_be_quiet() -> None:
    """It may sound for a leak that we have not heard yet; the noise floor must be learned first."""
    stage = Stage()
    stage.plug()
    while stage.run(1.0).picture.phase == "learning":
        assert stage.sirens() == []
    assert stage.sirens() == ["SILENT"]
