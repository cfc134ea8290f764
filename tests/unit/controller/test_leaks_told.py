"""Several leaks at once, as alarms, MQTT, journal and terminal tell them."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from controller.alarm.policy import LeakEvidence, Settings, leak_conditions
from controller.alarm.types import AlarmClass
from controller.dashboard.sentences import sentence
from controller.dashboard.terminal import render
from controller.journal.entries import DetectionOverEntry, FixEntry, LeakGoneEntry, NoFixEntry, from_json, to_json
from controller.journal.telling import entry_of
from controller.localize.probability import weighed
from controller.localize.track import Leak
from controller.localize.verdict import NoFix, Reason
from controller.outputs.mqtt.output import MqttOutput
from controller.pipeline.happenings import LeakGone, Located
from firmware_bridge.links.broker import BrokerSettings
from tests.support.entries import STAMP
from tests.support.pictures import picture
from tests.support.verdicts import fix, no_fix, size_of, trend

FIRST, SECOND = fix((0.0, 1.0, 0.5), where="at the window"), fix((1.0, 2.4, 1.5), where="at the hatch")


def told(happening: Located | LeakGone) -> FixEntry | NoFixEntry | LeakGoneEntry:
    entry = entry_of(happening, STAMP)
    assert isinstance(entry, FixEntry | NoFixEntry | LeakGoneEntry)
    return entry


class Topics:
    """What an output that is not connected would publish."""

    def __init__(self) -> None:
        self._output = MqttOutput(BrokerSettings("nowhere", 1, None, None), "site", lambda *_: None, lambda _: None)

    def take(self, *happenings: Located | LeakGone) -> None:
        for happening in happenings:
            self._output.publish(told(happening))

    def over(self) -> None:
        self._output.publish(DetectionOverEntry(seq=1, utc=STAMP.utc, t_s=1.0, nodes=("A",)))

    def retained(self, topic: str) -> bytes:
        return self._output._retained[topic]

    @property
    def fix(self) -> int | str:
        """Number of the leak on `fix`, or why there is none."""
        said = json.loads(self.retained("fix"))
        return said["leak"] if said["kind"] == "fix" else said["reason"]

    @property
    def leaks(self) -> list[int]:
        return [one["leak"] for one in json.loads(self.retained("leaks"))["leaks"]]


def test_mqtt_keeps_the_first_leak_on_fix_and_all_on_leaks() -> None:
    topics = Topics()
    assert topics.retained("leaks") == b""  # what an earlier controller left is cleared
    topics.take(Located(FIRST, 1), Located(SECOND, 2), Located(SECOND, 2))
    assert (topics.fix, topics.leaks) == (1, [1, 2])
    topics.take(LeakGone(1, FIRST))
    assert (topics.fix, topics.leaks) == (2, [2])
    topics.take(Located(FIRST, 3))
    assert (topics.fix, topics.leaks) == (2, [2, 3])
    topics.take(LeakGone(2, SECOND), LeakGone(3, FIRST), Located(no_fix()))
    assert (topics.fix, topics.leaks) == ("too_quiet", [])
    topics.take(Located(FIRST, 4))
    assert (topics.fix, topics.leaks) == (4, [4])
    topics.over()
    assert (topics.retained("fix"), topics.retained("leaks")) == (b"", b"")
    topics.take(Located(SECOND, 5))
    assert topics.leaks == [5]


@pytest.mark.parametrize("happening", [Located(SECOND, 2), LeakGone(2, SECOND), Located(no_fix())])
def test_what_is_told_survives_the_journal(happening: Located | LeakGone) -> None:
    entry = told(happening)
    assert from_json(to_json(entry)) == entry


def test_a_line_from_before_there_were_numbers_is_read() -> None:
    said = json.loads(to_json(told(Located(FIRST, 1))))
    for key in ("leak", "probability", "elsewhere"):
        del said[key]
    for place in said["candidates"]:
        del place["probability"]
    old = from_json(json.dumps(said).encode())
    assert isinstance(old, FixEntry)
    assert (old.leak, old.probability) == (1, None)


def test_probabilities_of_a_told_fix_sum_to_one() -> None:
    both = replace(FIRST, candidates=weighed(FIRST.candidates))
    entry = told(Located(both, 1))
    assert isinstance(entry, FixEntry)
    assert entry.elsewhere is not None
    assert sum(place.probability or 0.0 for place in entry.candidates) + entry.elsewhere == pytest.approx(1.0)
    assert entry.probability == entry.candidates[0].probability


def test_sentences_name_the_leak() -> None:
    assert sentence(told(Located(SECOND, 2))).startswith("leak 2 at (1.000, 2.400, 1.500) m")
    assert sentence(told(LeakGone(2, SECOND))) == "leak 2 is heard no more, at the hatch"
    assert sentence(told(LeakGone(2, fix((1.0, 2.0, 3.0))))) == "leak 2 is heard no more, at (1.00, 2.00, 3.00) m"


def test_the_live_view_shows_all_leaks() -> None:
    console = Console(width=120, file=io.StringIO())
    console.print(render(replace(picture(verdict=FIRST), leaks=(Leak(1, FIRST), Leak(2, SECOND))), (), 1.0))
    shown = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    assert "at the window" in shown
    assert "leak 2" in shown
    assert "at the hatch" in shown
    assert "(1.000, 2.400, 1.500) m" in shown


def test_an_alarm_tells_of_all_leaks() -> None:
    (condition,) = leak_conditions(LeakEvidence(("A",), FIRST, leaks=(FIRST, SECOND)), Settings())
    assert condition.text == "possible leak, heard, in orbital-module, at the window; another at the hatch"
    assert sum("located within" in reason for reason in condition.evidence) == 2
    assert condition.alarm_class is AlarmClass.CAUTION


def test_a_sound_inside_the_room_is_an_advisory_and_no_witness() -> None:
    inside = NoFix(Reason.OFF_HULL, "the sound comes from inside the room near (1, 2, 3) m: equipment?")
    (alone,) = leak_conditions(LeakEvidence(("A",), inside), Settings())
    assert alone.alarm_class is AlarmClass.ADVISORY
    assert alone.text == "a sound began inside the room: equipment?"
    assert any("inside the room" in reason for reason in alone.evidence)
    falling = trend(agreeing=("P1",))  # one barometer alone: a caution, which sound of a leak would make a warning
    (both,) = leak_conditions(LeakEvidence(("A",), inside, falling, size_of(falling)), Settings())
    (leak,) = leak_conditions(LeakEvidence(("A",), FIRST, falling, size_of(falling)), Settings())
    assert both.alarm_class is AlarmClass.CAUTION
    assert leak.alarm_class is AlarmClass.WARNING
    assert "inside the room" in both.text
