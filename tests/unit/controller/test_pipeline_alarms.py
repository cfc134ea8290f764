"""People's requests and our own faults through the inbox: answered, told, and as the whole decision sees them."""

from dataclasses import replace

import pytest

from controller.alarm.requests import Answer
from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState
from controller.pipeline.events import (
    Acknowledge,
    BrokerState,
    Inhibit,
    OwnHealth,
    Request,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
)
from firmware_bridge.session.states import State
from firmware_bridge.units import s_to_ns
from tests.support.stepping import Stage, alarm_of, ready
from tests.support.told import moved, report


@pytest.fixture
def stage() -> Stage:
    return ready()


def asked(stage: Stage, request: Request) -> Answer:
    """What is answered to a request within a step."""
    began_s = stage.now_s
    stage.say(request)
    stage.run(0.25)
    (answer,) = stage.of(Answer, began_s)
    assert isinstance(answer, Answer)
    assert answer.request is request
    return answer


def keys(stage: Stage) -> list[str]:
    assert stage.last is not None
    return [alarm.key for alarm in stage.last.picture.alarms]


def test_every_request_is_answered_done_or_refused_because(stage: Stage) -> None:
    stage.unplug("A")
    stage.run(5.0)
    assert asked(stage, Acknowledge("nodes", 7, "Gerst")).text.startswith("occurrence 7 of 'nodes' is over")
    assert asked(stage, Acknowledge("nodes", 1, "Gerst")).accepted
    assert not asked(stage, Acknowledge("nodes", 1, "Gerst")).accepted
    assert not asked(stage, Reset("nodes", 1, "Gerst")).accepted
    assert asked(stage, Shelve("nodes", 1, 60.0, "Gerst")).accepted
    assert stage.last is not None
    assert [alarm.key for alarm in stage.last.picture.quieted] == ["nodes"]
    assert keys(stage) == []


def test_a_node_under_repair_is_not_missed(stage: Stage) -> None:
    assert asked(stage, TakeOutOfService("nodes:A", "its plug is wet", "Gerst")).accepted
    assert asked(stage, TakeOutOfService("nodes:Z", "?", "Gerst")).text == "the site has no 'Z'"
    stage.unplug("A")
    stage.run(10.0)
    assert keys(stage) == []
    stage.unplug("B")
    stage.run(10.0)
    assert stage.last is not None
    assert [alarm.text for alarm in stage.last.picture.alarms] == ["node lost: B"]
    asked(stage, ReturnToService("nodes:A", "Gerst"))
    stage.run(1.0)
    assert stage.last.picture.alarms[0].text == "nodes lost: A, B"
    assert alarm_of(stage, "nodes") == (AlarmClass.CAUTION, AlarmState.UNACKNOWLEDGED, 2)


def test_a_planned_depressurization_sounds_no_siren(stage: Stage) -> None:
    assert asked(stage, Inhibit("leak", 3600.0, "airlock depressurization", "Gerst")).accepted
    began_s = stage.now_s
    stage.loss_pa_s = 1.0  # 27 mmHg/h
    stage.run(200.0)
    assert keys(stage) == []
    assert stage.sirens(began_s) == []
    stage.loss_pa_s = 10.0  # 4.5 mmHg a minute was not announced
    stage.run(200.0)
    assert alarm_of(stage) is not None
    assert alarm_of(stage)[:2] == (AlarmClass.EMERGENCY, AlarmState.UNACKNOWLEDGED)  # type: ignore[index]
    assert stage.sirens(began_s)[-1] == "EMERGENCY"


def test_nodes_behind_a_lost_broker_are_the_brokers_alarm(stage: Stage) -> None:
    stage.say(moved("P1", State.LOST, link="port P1"), moved("P1", State.STREAMING, link="mqtt:leakloc/P1"))
    stage.run(1.0)
    stage.say(BrokerState(False, "refused"), moved("P1", State.LOST, link="mqtt:leakloc/P1", reason="silent"))
    stage.run(10.0)
    assert keys(stage) == ["broker"]
    assert stage.last is not None
    assert stage.last.picture.alarms[0].text == "MQTT broker is away; nodes cut off: P1"
    assert stage.last.picture.alarms[0].alarm_class is AlarmClass.CAUTION


def test_our_own_faults_are_alarms_that_return(stage: Stage) -> None:
    stage.say(OwnHealth("disk", "no space left"), OwnHealth("locator", "it failed"))
    stage.run(1.0)
    assert sorted(keys(stage)) == ["disk", "self"]
    stage.say(OwnHealth("disk", None), OwnHealth("locator", None))
    stage.run(2.0)
    assert stage.last is not None
    assert {alarm.state for alarm in stage.last.picture.alarms} == {AlarmState.RETURNED_UNACKNOWLEDGED}


def test_a_poor_line_and_a_wrong_clock(stage: Stage) -> None:
    for second in range(90):
        counters = replace(report("A").counters, frames=10 * second, bad_frames=second)
        stage.say(replace(report("A", link="port A"), counters=counters))
        stage.say(replace(report("B", link="port B"), clock_rate_error=1e-3))
        stage.run(1.0)
    assert sorted(keys(stage)) == ["clocks", "links"]


def test_what_stood_before_a_restart_is_told_and_sounds_until_somebody_takes_notice() -> None:
    stage = Stage()
    before = Alarm("leak", AlarmState.UNACKNOWLEDGED, AlarmClass.WARNING, "leak", ("heard",), 3, s_to_ns(-60.0))
    stage.pipeline.restore_alarms(0, [before])
    stage.plug()
    stage.run(60.0)
    (told,) = stage.of(AlarmChange)
    assert isinstance(told, AlarmChange)
    assert (told.cause, told.alarm.state, told.alarm.occurrence) == ("recovered", AlarmState.UNACKNOWLEDGED, 3)
    assert stage.sirens() == ["WARNING"]
    asked(stage, Acknowledge("leak", 3, "Gerst"))
    stage.run(5.0)
    assert stage.sirens() == ["WARNING", "SILENT"]
    assert asked(stage, Reset("leak", 3, "Gerst")).accepted
    assert keys(stage) == []
    assert {alarm.key: alarm.state for alarm in stage.pipeline.alarm_record} == {"leak": AlarmState.NORMAL}
