"""The whole decision, stepped by hand: from noise to a fix, an alarm, a siren, and a person who takes notice."""

import numpy as np
import pytest

from controller.alarm.types import AlarmChange, AlarmClass, AlarmState
from controller.journal.entries import to_json
from controller.journal.telling import Stamp, entry_of
from controller.localize.locate import LocateJob
from controller.localize.verdict import NoFix, Verdict
from controller.pipeline.events import Acknowledge, BrokerState, LocateDone
from controller.pipeline.happenings import (
    Learned,
    Located,
    PressureFalls,
    SoundOnset,
    SoundOver,
)
from firmware_bridge.session.events import CommandOutcome, StateChanged
from tests.support.stepping import LEARNED_S, Stage, alarm_of, classes, ready
from tests.support.verdicts import fix, no_fix


@pytest.fixture
def stage() -> Stage:
    """Everything plugged in, the floor learned, nothing going on."""
    return ready()


def leak(stage: Stage) -> None:
    """A leak as loud and as fast as all evidence needs: 20 dB, and 1 Pa/s or 27 mmHg/h."""
    stage.loud_db, stage.loss_pa_s = 20.0, 1.0


def test_a_quiet_cabin_raises_nothing(stage: Stage) -> None:
    last = stage.run(300.0)
    assert [type(one) for _, one in stage.story.told if not isinstance(one, StateChanged)].count(Learned) == 1
    assert last.picture.alarms == ()
    assert last.picture.phase == "watching"
    assert stage.story.jobs == []
    assert stage.sirens() == ["SILENT"]


def test_a_leak_is_heard_located_confirmed_and_sounded(stage: Stage) -> None:
    began_s = stage.now_s
    leak(stage)
    last = stage.run(120.0)
    order = [type(one) for at_s, one in stage.story.told if at_s > began_s and not isinstance(one, CommandOutcome)]
    first = {kind: order.index(kind) for kind in (SoundOnset, AlarmChange, Located, PressureFalls)}
    assert sorted(first, key=first.__getitem__) == [SoundOnset, AlarmChange, Located, PressureFalls]
    raised = classes(stage.of(AlarmChange, began_s))
    assert raised[0] == "leak ADVISORY unacknowledged"  # a sound, which may be a machine's
    assert raised[1] == "leak CAUTION unacknowledged"  # it hisses from one place on the wall
    assert "leak WARNING unacknowledged" in raised  # and pressure: two kinds
    assert stage.sirens(began_s) == ["CAUTION", "WARNING"]
    picture = last.picture
    assert picture.phase == "leak"
    assert picture.verdict == fix()
    assert picture.trend is not None
    assert picture.size is not None
    assert picture.size.rate_pa_s.low < 1.0 < picture.size.rate_pa_s.high
    assert picture.alarms[0].text == "leak confirmed by sound and pressure, in orbital-module, at (1.86, -1.00, 0.47) m"


def test_the_same_events_give_the_same_decisions() -> None:
    """Not nearly the same: byte for byte, orders and evidence included."""

    def played() -> tuple[list[bytes], list[str], list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
        stage = Stage(locate=lambda job: fix((1.0, 0.1 * len(job.captures), 0.0)))
        stage.plug()
        stage.run(LEARNED_S)
        leak(stage)
        stage.run(40.0)
        stage.unplug("B", "P2")
        stage.run(20.0)
        stage.plug("B")
        stage.say(Acknowledge("leak", 1, "Gerst"), BrokerState(False, "away"))
        stage.loud_db = 0.0
        stage.run(60.0)
        entries = [
            to_json(entry_of(happening, Stamp(seq, "", at_s, 0)))
            for seq, (at_s, happening) in enumerate(stage.story.told)
        ]
        return (
            entries,
            [repr(order) for order in stage.story.orders],
            [b.pressure_pa for _, j in stage.story.jobs for c in j.captures for b in c.blocks.values()],
        )

    (told, orders, spectra), (again, orders_again, spectra_again) = played(), played()
    assert told == again
    assert orders == orders_again
    assert len(told) > 20
    assert len(spectra) == len(spectra_again) > 3
    assert all(np.array_equal(one, other) for one, other in zip(spectra, spectra_again, strict=True))


def test_taking_notice_silences_the_siren_and_grave_news_sound_again(stage: Stage) -> None:
    stage.loud_db = 20.0
    stage.run(20.0)
    assert alarm_of(stage) == (AlarmClass.CAUTION, AlarmState.UNACKNOWLEDGED, 2)  # the first: an advisory, no place yet
    noticed_s = stage.now_s
    stage.say(Acknowledge("leak", 2, "Gerst"))
    stage.run(1.0)
    assert alarm_of(stage) == (AlarmClass.CAUTION, AlarmState.ACKNOWLEDGED, 2)
    assert stage.sirens(noticed_s) == ["SILENT"]
    (change,) = stage.of(AlarmChange, noticed_s)
    assert isinstance(change, AlarmChange)
    assert change.alarm.acknowledged_by == "Gerst"
    stage.loss_pa_s = 1.0
    stage.run(120.0)
    assert alarm_of(stage) == (AlarmClass.WARNING, AlarmState.UNACKNOWLEDGED, 3)
    assert stage.sirens(noticed_s) == ["SILENT", "WARNING"]
    stage.say(Acknowledge("leak", 2, "Gerst"))  # of the milder one: too late
    stage.run(1.0)
    assert alarm_of(stage) == (AlarmClass.WARNING, AlarmState.UNACKNOWLEDGED, 3)
    assert stage.sirens(noticed_s) == ["SILENT", "WARNING"]


def test_a_sealed_leak_ends_and_is_kept_until_somebody_saw_it(stage: Stage) -> None:
    leak(stage)
    stage.run(60.0)
    stage.loud_db = stage.loss_pa_s = 0.0
    sealed_s = stage.now_s
    stage.run(900.0)
    assert len(stage.of(SoundOver, sealed_s)) == 1
    assert alarm_of(stage) == (AlarmClass.WARNING, AlarmState.RETURNED_UNACKNOWLEDGED, 3)
    assert stage.sirens(sealed_s) == ["SILENT"]
    stage.say(Acknowledge("leak", 3, "Gerst"))
    last = stage.run(1.0)
    assert last.picture.alarms == ()
    assert last.picture.phase == "watching"
    assert last.picture.verdict is None


def test_one_job_at_a_time_and_none_without_new_sound(stage: Stage) -> None:
    stage.answer_jobs = False
    stage.loud_db = 20.0
    stage.run(30.0)
    ((_, job),) = stage.story.jobs
    stage.say(LocateDone((fix(),), job.generation))
    stage.run(0.25)
    assert len(stage.story.jobs) == 2  # what was heard meanwhile waited
    assert len(stage.story.jobs[1][1].captures) > len(job.captures) + 3
    stage.unplug("A", "B", "C", "D")
    stage.say(LocateDone((fix(),), job.generation))
    stage.run(10.0)
    assert len(stage.story.jobs) <= 3


def test_a_late_verdict_on_an_old_sound_is_not_told(stage: Stage) -> None:
    stage.answer_jobs = False
    stage.loud_db = 20.0
    stage.run(20.0)
    stage.loud_db = 0.0
    stage.run(60.0)
    assert len(stage.of(SoundOver)) == 1
    stage.loud_db = 20.0
    stage.run(20.0)
    assert len(stage.of(SoundOnset)) == 2
    stage.say(LocateDone((fix(),), 0))
    assert stage.run(1.0).picture.verdict is None


def test_no_fix_is_told_with_its_reason(stage: Stage) -> None:
    quiet: list[Verdict] = []

    def nowhere(_: LocateJob) -> Verdict:
        quiet.append(no_fix())
        return quiet[-1]

    deaf = Stage(locate=nowhere)
    deaf.plug()
    deaf.run(LEARNED_S)
    deaf.loud_db = 20.0
    last = deaf.run(30.0)
    assert isinstance(last.picture.verdict, NoFix)
    assert last.picture.alarms[0].text.startswith(
        "a new sound, place unknown: a machine that was switched on, or a leak"
    )
    assert len(quiet) > 3
    assert len(deaf.of(Located)) == 1


def test_falling_pressure_alone_is_graded_by_rate(stage: Stage) -> None:
    stage.loss_pa_s = 1.0  # 27 mmHg/h at two barometers that agree
    stage.run(200.0)
    assert alarm_of(stage) == (AlarmClass.WARNING, AlarmState.UNACKNOWLEDGED, 1)
    alone = Stage()
    alone.plug("A", "B", "C", "D", "S1", "P1")
    alone.run(LEARNED_S)
    alone.loss_pa_s = 1.0
    alone.run(200.0)
    assert alarm_of(alone) == (AlarmClass.CAUTION, AlarmState.UNACKNOWLEDGED, 1)


def test_an_acknowledgement_of_nothing_is_no_harm(stage: Stage) -> None:
    stage.say(Acknowledge("leak", 1, "Gerst"), Acknowledge("nonsense", -5, ""))
    assert stage.run(1.0).picture.alarms == ()


def test_the_picture_has_readings_by_node(stage: Stage) -> None:
    picture = stage.run(1.0).picture
    assert {(one.node, one.sensor) for one in picture.pressures_pa} == {("P1", "P1-pressure"), ("P2", "P2-pressure")}
    assert {one.node for one in picture.loudness_db} == set("ABCD")
    # A 4,096-sample burst's band level at four microphones: sd 0.15 dB, the loudest of three bands; six sd.
    assert all(abs(one.value) < 1.0 for one in picture.loudness_db)
    assert picture.site == "Soyuz orbital module, docked"
