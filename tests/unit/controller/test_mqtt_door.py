"""Commands over MQTT: what is let in, what is refused and why, and that nothing that arrives does harm."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.alarm.requests import (
    Acknowledge,
    EndInhibition,
    Inhibit,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
    problem,
)
from controller.alarm.types import AlarmClass
from controller.outputs.mqtt.commands import COMMANDS, MAX_PAYLOAD_BYTES, CommandEvent
from controller.outputs.mqtt.door import BURST, MAX_TEXT, WINDOW, Door, Heard, Known
from controller.outputs.node_requests import NodeRequest
from controller.pipeline.events import BeginQuiet, EndQuiet, GasMoved, HatchMoved, SearchAsked

NOW = datetime(2018, 8, 29, 23, 0, 0, tzinfo=UTC)
ASKED = "2018-08-29T22:59:50.000+00:00"
KNOWN = Known(frozenset({"prk-hatch"}), frozenset({"lab"}), frozenset({"rack", "fan"}))
EXTRA: dict[str, dict[str, Any]] = {
    "acknowledge": {"key": "leak", "occurrence": 2},
    "reset": {"key": "leak", "occurrence": 2},
    "shelve": {"key": "nodes", "occurrence": 1, "duration_s": 600},
    "unshelve": {"key": "nodes"},
    "inhibit": {"key": "leak", "duration_s": 3600.0, "reason": "EVA", "up_to": "emergency"},
    "end_inhibition": {"key": "leak"},
    "take_out_of_service": {"key": "nodes:B", "reason": "new cable"},
    "return_to_service": {"key": "nodes:B"},
    "hatch": {"hatch": "prk-hatch", "open": False},
    "search": {"on": True},
    "gas": {"compartment": "lab", "kg": None, "over_s": 60.0},
    "begin_quiet": {"duration_s": 300, "equipment": ["rack"]},
    "end_quiet": {},
    "node": {"node": "B", "do": "identify", "seconds": 3.0},
}
MARKS = ("Alex", ASKED, "r1")
EVENTS: dict[str, CommandEvent] = {
    "acknowledge": Acknowledge("leak", 2, *MARKS),
    "reset": Reset("leak", 2, *MARKS),
    "shelve": Shelve("nodes", 1, 600.0, *MARKS),
    "unshelve": Unshelve("nodes", *MARKS),
    "inhibit": Inhibit("leak", 3600.0, "EVA", "Alex", AlarmClass.EMERGENCY, ASKED, "r1"),
    "end_inhibition": EndInhibition("leak", *MARKS),
    "take_out_of_service": TakeOutOfService("nodes:B", "new cable", "Alex", asked_utc=ASKED, request_id="r1"),
    "return_to_service": ReturnToService("nodes:B", *MARKS),
    "hatch": HatchMoved("prk-hatch", False),
    "search": SearchAsked(True, "Alex"),
    "gas": GasMoved("lab", None, 60.0),
    "begin_quiet": BeginQuiet(300.0, ("rack",), *MARKS),
    "end_quiet": EndQuiet(*MARKS),
    "node": NodeRequest("r1", "B", "identify", 3.0, "Alex"),
}
NOT_OF_ALARMS = HatchMoved | SearchAsked | GasMoved | BeginQuiet | EndQuiet | NodeRequest


class Clock:
    """A wall clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW - timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


def door(*users: str) -> tuple[Door, Clock]:
    clock = Clock()
    made = Door(users, KNOWN, clock)
    clock.now = NOW
    return made, clock


def payload(verb: str, **changes: object) -> bytes:
    said = {"id": "r1", "utc": "2018-08-29T22:59:50Z", "by": "Alex", **EXTRA[verb], **changes}
    return json.dumps({key: value for key, value in said.items() if value is not ...}).encode()


def hear(entrance: Door, verb: str = "acknowledge", **changes: object) -> Heard:
    return entrance.hear(f"command/{verb}", payload(verb, **changes), retained=False)


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_becomes_its_event_and_the_alarms_find_nothing_wrong_with_it(verb: str) -> None:
    heard = hear(door()[0], verb)
    assert (heard.id, heard.event, heard.refusal) == ("r1", EVENTS[verb], "")
    if not isinstance(heard.event, NOT_OF_ALARMS):
        assert heard.event is not None
        assert problem(heard.event) is None


@pytest.mark.parametrize(
    ("verb", "changes", "why"),
    [
        ("acknowledge", {"occurence": 2}, "occurence"),
        ("acknowledge", {"occurrence": "2"}, "occurrence"),
        ("acknowledge", {"occurrence": True}, "occurrence"),
        ("acknowledge", {"occurrence": 2**60}, "occurrence"),
        ("acknowledge", {"by": ...}, "by"),
        ("acknowledge", {"by": " "}, "printable"),
        ("acknowledge", {"by": "A\x1b[2J"}, "printable"),
        ("acknowledge", {"by": "A" * 65}, "by"),
        ("acknowledge", {"utc": ...}, "utc"),
        ("acknowledge", {"utc": "2018-08-29T22:59:50"}, "timezone"),
        ("acknowledge", {"utc": "9999-12-31T23:59:59-23:59"}, "in the future"),
        ("acknowledge", {"utc": "0001-01-01T00:00:00+23:59"}, "ago"),
        ("shelve", {"duration_s": 1e9}, "duration_s"),
        ("inhibit", {"reason": "x" * 201}, "reason"),
        ("inhibit", {"up_to": "all"}, "up_to"),
        ("hatch", {"hatch": "no-such"}, "no such hatch; known are prk-hatch"),
        ("gas", {"compartment": "attic"}, "no such compartment"),
        ("begin_quiet", {"equipment": ["rack", "kettle"]}, "no such equipment; known is fan, rack"),
        ("begin_quiet", {"equipment": ["rack"] * 33}, "equipment"),
        ("begin_quiet", {"equipment": "rack"}, "equipment"),
        ("begin_quiet", {"equipment": ...}, "equipment"),
        ("begin_quiet", {"duration_s": 29.0}, "duration_s"),
        ("begin_quiet", {"duration_s": 3601.0}, "duration_s"),
        ("end_quiet", {"duration_s": 60.0}, "duration_s"),
        ("node", {"do": "explode"}, "do"),
        ("node", {"seconds": 601.0}, "seconds"),
        ("node", {"by": ...}, "by"),
        ("node", {"utc": "2018-08-29T22:00:00Z"}, "ago"),
    ],
)
def test_what_is_wrong_is_refused_with_its_id_and_a_reason(verb: str, changes: dict[str, Any], why: str) -> None:
    heard = hear(door()[0], verb, **changes)
    assert heard.event is None
    assert heard.id == "r1"
    assert why in heard.refusal


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(number: str) -> None:
    said = payload("shelve").replace(b"600", number.encode())
    assert door()[0].hear("command/shelve", said, retained=False).event is None


@pytest.mark.parametrize("bad", ["", "a/b", "a" * 65, "#", "a\n", "+"])
def test_an_id_that_is_no_topic_is_never_answered(bad: str) -> None:
    heard = hear(door()[0], id=bad)
    assert (heard.event, heard.id) == (None, "")


def test_replayed_late_and_early_commands_are_refused() -> None:
    entrance, clock = door()
    assert hear(entrance).event is not None
    assert "taken already" in hear(entrance).refusal
    assert "taken already" in hear(entrance, "reset").refusal, "an id is of one command, whichever"
    clock.now += WINDOW
    assert "ago" in hear(entrance).refusal
    assert "ago" in hear(entrance, id="r2").refusal
    clock.now = NOW - timedelta(minutes=2)
    assert "future" in hear(entrance, id="r3").refusal


def test_what_was_asked_before_a_restart_is_not_done_after_it() -> None:
    """The ids that were used before are not known any more."""
    clock = Clock()
    clock.now = NOW
    entrance = Door((), KNOWN, clock)
    assert "before this controller started" in hear(entrance).refusal
    assert hear(entrance, id="r2", utc="2018-08-29T23:00:01Z").event is not None
    clock.now -= timedelta(seconds=5)  # a clock that is set back locks nobody out
    assert hear(entrance, id="r3", utc="2018-08-29T22:59:58Z").event is not None


def test_one_who_floods_keeps_nobody_else_out() -> None:
    entrance, clock = door("tablet", "gremlin")
    topic = "command/acknowledge/"
    for number in range(1000):
        entrance.hear(f"{topic}gremlin", payload("acknowledge", id=f"g{number}"), retained=False)
    assert entrance.refused == 1000 - BURST
    assert entrance.hear(f"{topic}tablet", payload("acknowledge"), retained=False).event is not None
    assert len(entrance._ids) == BURST + 1
    clock.now += timedelta(seconds=2)
    again = [entrance.hear(f"{topic}gremlin", payload("acknowledge", id=f"h{n}"), retained=False) for n in range(5)]
    assert [heard.event is not None for heard in again] == [True, True, False, False, False]


def test_only_those_who_may_command() -> None:
    entrance, _ = door("tablet")
    assert "command/hatch/tablet" in entrance.topics
    assert "command/hatch" not in entrance.topics
    for topic in ("command/search", "command/search/", "command/search/other", "command/search/tablet/x"):
        assert entrance.hear(topic, payload("search"), retained=False).event is None
    assert entrance.hear("command/search/tablet", payload("search"), retained=False).event is not None


def test_what_the_broker_kept_is_no_command() -> None:
    heard = door()[0].hear("command/search", payload("search"), retained=True)
    assert "retained" in heard.refusal


TOPICS = st.one_of(
    st.sampled_from([f"command/{verb}" for verb in COMMANDS]),
    st.text(max_size=40),
    st.text(max_size=9).map("command/".__add__),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)),
    max_leaves=12,
)
HOSTILE = st.one_of(
    st.binary(max_size=300),
    JSON.map(lambda said: json.dumps(said).encode()),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "utc", "by", "key", "occurrence", "on"), JSON)).map(
        lambda said: json.dumps({"id": "x", "utc": ASKED, "by": "A", **said}).encode()
    ),
    st.sampled_from(
        [
            b"[" * 4000,
            b'{"id":' * 600,
            b'{"id":"' + b"\\ud800" * 500 + b'"}',
            b'{"occurrence":' + b"9" * 4000 + b"}",
            b"{}" + b" " * MAX_PAYLOAD_BYTES,
            b"\xff" * 4000,
            b'{"id":"a","id":"b"}',
            b"",
        ]
    ),
)


@settings(max_examples=400)
@given(st.lists(st.tuples(TOPICS, HOSTILE, st.booleans()), max_size=8))
def test_nothing_that_arrives_raises_grows_or_is_repeated_to_whoever_reads_the_journal(
    messages: list[tuple[str, bytes, bool]],
) -> None:
    entrance, clock = door()
    for topic, said, retained in messages:
        clock.now += timedelta(seconds=1)
        heard = entrance.hear(topic, said, retained=retained)
        assert (heard.event is None) == bool(heard.refusal)
        assert len(heard.refusal) <= MAX_TEXT
        assert heard.refusal.isprintable()
        assert len(heard.id) <= 64
    assert len(entrance._buckets) <= len(COMMANDS)
    assert len(entrance._ids) <= len(messages)


def test_ten_thousand_spoiled_commands_do_no_harm() -> None:
    """Bytes of valid commands changed, cut, doubled: what is let in all the same is a command like any other."""
    random = np.random.default_rng(12)
    entrance, clock = door()
    verbs = list(COMMANDS)
    let_in = 0
    for number in range(10_000):
        clock.now += timedelta(seconds=1)
        verb = verbs[number % len(verbs)]
        said = bytearray(payload(verb, id=f"m{number}", utc=clock.now.isoformat()))
        for _ in range(int(random.integers(1, 4))):
            at = int(random.integers(len(said)))
            match int(random.integers(4)):
                case 0:
                    said[at] = int(random.integers(256))
                case 1:
                    del said[at:]
                    said = said or bytearray(b"{")
                case 2:
                    said[at:at] = said[at:]
                case _:
                    said[at] ^= 1 << int(random.integers(8))
        heard = entrance.hear(f"command/{verb}", bytes(said), retained=False)
        let_in += heard.event is not None
        if heard.event is not None and not isinstance(heard.event, NOT_OF_ALARMS):
            assert "alarm" in (problem(heard.event) or "alarm"), "nothing but its key is left for the alarms to refuse"
    assert 0 < let_in < 5000
    assert len(entrance._ids) <= WINDOW.seconds + 1
