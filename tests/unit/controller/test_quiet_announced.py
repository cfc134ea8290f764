"""A quiet window that a person announces, from the command to relays, entries and the answer."""

import asyncio
import json

import pytest

from controller.journal.entries import OperatorEntry, QuietWindowEntry
from controller.journal.telling import Stamp, entry_of
from controller.outputs.mqtt.building import known_of
from controller.outputs.mqtt.commands import CommandEvent
from controller.outputs.mqtt.output import Extras, MqttOutput
from controller.pipeline.events import BeginQuiet, EndQuiet, QuietRequest
from controller.pipeline.happenings import Happening, QuietAnswer, QuietAsked, QuietOver
from controller.quiet.window import Listening, announced_window, quiet_window
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.site.fittings import Equipment
from firmware_bridge.units import s_to_ns
from tests.support.verdicts import fix
from tests.unit.controller.test_isolation_watch import Stage, falling, heard, quiet_site
from tests.unit.controller.test_mqtt_door import payload
from tests.unit.controller.test_quiet_window import LISTENING, RELAY, machine

BY = "Alex"
STAMP = Stamp(1, "2018-08-29T23:00:00.000Z", 1.0, 0)


def ask(stage: Stage, request: QuietRequest) -> list[Happening]:
    return stage.watch.quiet_asked(s_to_ns(stage.now_s), request, None, None, heard())


def test_it_lasts_as_long_as_was_said_whatever_is_found_meanwhile() -> None:
    relay = Equipment("relay", "N-lab", 0)
    stage = Stage(quiet_site(), "lab")
    begun, answer = ask(stage, BeginQuiet(120.0, ("rack",), BY))
    assert isinstance(begun, QuietAsked)
    assert begun.window.commanded == ("rack",)
    assert isinstance(answer, QuietAnswer)
    assert (answer.accepted, answer.text) == (True, "quiet for 2 min")
    assert stage.watch.wanted == {relay: False}
    stage.run(60)  # no leak is suspected at all
    stage.run(59, {"lab": 0.05}, falling(("lab",), 0.05, 24.0), heard(fix(), sounding=True))
    assert stage.watch.quiet is not None
    stage.run(2)
    assert stage.of(QuietOver) == [QuietOver(("rack",), found=False)]
    assert stage.watch.wanted == {relay: True}


def test_whoever_asked_for_it_a_person_may_end_it_or_make_it_another() -> None:
    stage = Stage(quiet_site(), "lab")
    leak = falling(("lab",), 0.05, 24.0)
    stage.run(70, {"lab": 0.05}, leak)
    assert stage.watch.quiet is not None  # our own
    over, done = ask(stage, EndQuiet(BY))
    assert over == QuietOver(("rack",), found=False)
    assert isinstance(done, QuietAnswer)
    assert done.accepted
    (vain,) = ask(stage, EndQuiet(BY))
    assert isinstance(vain, QuietAnswer)
    assert not vain.accepted
    ask(stage, BeginQuiet(60.0, (), BY))
    ask(stage, BeginQuiet(600.0, ("rack",), BY))
    stage.run(300)
    assert stage.watch.quiet is not None
    assert stage.watch.quiet.equipment == ("rack",)
    assert stage.of(QuietOver) == []


def test_what_the_site_has_not_is_refused() -> None:
    stage = Stage(quiet_site(), "lab")
    (answer,) = ask(stage, BeginQuiet(60.0, ("rack", "kettle"), BY))
    assert isinstance(answer, QuietAnswer)
    assert not answer.accepted
    assert "'kettle'; known is rack" in answer.text
    assert stage.watch.quiet is None


def test_what_is_gained_is_reckoned_as_for_our_own() -> None:
    machines = [machine("near", 1.0), machine("far", 4.0, 45.0), machine("pump", 2.0, 40.0, off=False)]
    own = quiet_window(machines, LISTENING)
    assert own is not None
    theirs = announced_window(machines, LISTENING, own.equipment, own.duration_s, BY)
    assert (theirs.gain_db, theirs.bursts, theirs.enough) == pytest.approx((own.gain_db, own.bursts, own.enough))
    assert theirs.commanded == ()
    assert BY in theirs.why
    nothing = announced_window(machines, LISTENING, (), 60.0, BY)
    assert nothing.gain_db == 0.0
    deaf = announced_window(machines, Listening("lab", (), 0.085, 2.0), ("near",), 60.0, BY)
    assert (deaf.gain_db, deaf.enough) == (0.0, False)
    relayed = announced_window([machine("r", 1.0, relay=RELAY)], LISTENING, ("r", "r"), 60.0, BY)
    assert (relayed.equipment, relayed.commanded) == (("r",), ("r",))


def test_the_command_is_answered_once_by_what_became_of_it() -> None:
    """As it goes in a controller: door, inbox, watch, entries, reply."""

    async def main() -> list[tuple[str, str, bool]]:
        stage, asked = Stage(quiet_site(), "lab"), list[CommandEvent]()
        output = MqttOutput(
            BrokerSettings("nowhere", 1),
            "one",
            lambda *_: None,
            asked.append,
            extras=Extras(known=known_of(stage.site)),
        )
        for verb, changes in (("begin_quiet", {"id": "q1"}), ("begin_quiet", {"id": "q2", "equipment": ["tv"]}),
                              ("end_quiet", {"id": "q3"}), ("end_quiet", {"id": "q4"})):  # fmt: skip
            now = output._door._not_before.isoformat()
            output.hear(f"command/{verb}", payload(verb, utc=now, **changes))
            for event in asked:
                assert isinstance(event, BeginQuiet | EndQuiet)
                for happening in ask(stage, event):
                    entry = entry_of(happening, STAMP)
                    output.publish(entry)
                    output.publish(entry)
            asked.clear()
        retained = json.loads(output._retained["quiet_window"] or b"null")
        assert retained is None
        return [(reply.id, reply.action, reply.accepted) for reply in output._replies]

    assert asyncio.run(main()) == [
        ("q1", "begin_quiet", True),
        ("q2", "begin_quiet", False),
        ("q3", "end_quiet", True),
        ("q4", "end_quiet", False),
    ]


def test_who_announced_what_is_written_down() -> None:
    stage = Stage(quiet_site(), "lab")
    window, answer = (entry_of(one, STAMP) for one in ask(stage, BeginQuiet(300.0, ("rack",), BY, "then", "r9")))
    assert isinstance(window, QuietWindowEntry)
    assert window.why == "Alex announced rack off for 5 min in lab"
    assert isinstance(answer, OperatorEntry)
    assert (answer.action, answer.by, answer.accepted) == ("begin_quiet", BY, True)
    assert (answer.duration_s, answer.reason, answer.asked_utc, answer.request_id) == (300.0, "rack", "then", "r9")
