"""Entries: every happening has one, it says the same after JSON, and it has a sentence."""

import json
import math
import typing
from dataclasses import replace

import msgspec
import pytest

from controller.dashboard.sentences import duration, sentence
from controller.journal.entries import (
    VERSION,
    AlarmEntry,
    AnyEntry,
    DetectionEntry,
    FixEntry,
    LeakRateEntry,
    NodeEntry,
    from_json,
    to_json,
)
from controller.journal.telling import entry_of
from controller.localize.verdict import Rejected
from controller.pipeline.happenings import Happening, Located
from tests.support.entries import HAPPENINGS, STAMP, entries
from tests.support.verdicts import fix

ENTRIES = entries()


def test_every_kind_of_happening_and_of_entry_is_here() -> None:
    """What is added later must be added to these tests too."""
    assert {type(happening) for happening in HAPPENINGS.values()} == set(typing.get_args(Happening))
    assert {type(entry) for entry in ENTRIES.values()} == set(typing.get_args(AnyEntry))


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_survives_json(name: str) -> None:
    entry = ENTRIES[name]
    line = to_json(entry)
    assert b"\n" not in line
    assert from_json(line) == entry
    told = json.loads(line)  # any reader's JSON, without NaN or Infinity
    assert told["version"] == VERSION
    assert told["kind"] == entry.__struct_config__.tag
    assert {"seq", "utc", "t_s"} <= told.keys()


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_has_a_sentence(name: str) -> None:
    told = sentence(ENTRIES[name])
    assert told
    assert "\n" not in told
    assert "None" not in told
    assert "nan" not in told


def test_times_are_those_of_the_stamp() -> None:
    entry = ENTRIES["learned"]
    assert (entry.seq, entry.utc, entry.t_s) == (STAMP.seq, STAMP.utc, 12.346)
    onset = ENTRIES["onset"]
    assert isinstance(onset, DetectionEntry)
    assert onset.since_t_s == 11.0  # of the controller's start, like t_s
    assert (onset.rise_db, onset.rise_sigmas) == (3.22, 41.3)


def test_infinity_is_null() -> None:
    entry = ENTRIES["pressure may fall"]
    assert isinstance(entry, LeakRateEntry)
    assert entry.rate_pa_s.low == 0.0
    assert entry.reserve_s.high is None
    assert entry.reserve_s.low is not None
    assert json.loads(to_json(entry))["reserve_s"]["high"] is None
    assert "to no end" in sentence(entry)


def test_the_fields_of_a_fix() -> None:
    verdict = replace(fix(), rejected=(Rejected("D", "its delays contradict those of all other nodes"),))
    entry = entry_of(Located(verdict), STAMP)
    assert isinstance(entry, FixEntry)
    assert entry.position_m == verdict.position_m
    assert entry.covariance_m2 == verdict.covariance_m2
    assert [(left.node, left.why) for left in entry.rejected] == [("D", verdict.rejected[0].why)]
    assert [place.position_m for place in entry.candidates] == [c.position_m for c in verdict.candidates]
    assert "left out D" in sentence(entry)
    assert sentence(entry).startswith("leak 1 at (1.860, -0.997, 0.465) m ± 2.0 cm (95 %)")


def test_the_fields_of_an_alarm_and_a_node() -> None:
    alarm = ENTRIES["alarm"]
    assert isinstance(alarm, AlarmEntry)
    assert (alarm.key, alarm.alarm_class, alarm.state, alarm.before) == ("leak", "warning", "unacknowledged", "normal")
    assert (alarm.cause, alarm.occurrence, alarm.acknowledged_by) == ("raised", 1, None)
    node, stranger = ENTRIES["a node streams"], ENTRIES["a stranger"]
    assert isinstance(node, NodeEntry)
    assert (node.uid, node.firmware, node.state) == ("a1", "twin 1", "streaming")
    assert isinstance(stranger, NodeEntry)
    assert (stranger.node, stranger.uid, stranger.firmware) == (None, None, None)
    assert sentence(stranger) == "port: hello (asks who is there)"


def test_a_command_is_named_in_lower_case_words() -> None:
    assert sentence(ENTRIES["siren obeys"]) == "S1 acknowledged siren warning: done"
    assert sentence(ENTRIES["capture fails"]) == "A did NOT carry out capture: busy"


def test_the_leak_rate_is_told_in_peoples_units() -> None:
    """1.6 mmHg/h in 921 m3 at 99,330 Pa and 22 C: 56 kg/day by the ideal gas, 745 ln(745 / 490) / 1.6 hours left."""
    told = sentence(ENTRIES["pressure falls"])
    kg_day = 1.6 * 133.322387 / 3600 * 921 / (287.05 * 295.15) * 86400
    hours = 745.04 * math.log(745.04 / 490) / 1.6
    assert f"pressure falls {1.6:.3g} (" in told
    assert f"{kg_day:.3g} (" in told
    assert f"reserve time {hours / 24:.1f} days" in told


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "no end"),
        (0.0, "0 min"),
        (119 * 60.0, "119 min"),
        (2 * 3600.0, "2.0 h"),
        (47.9 * 3600, "47.9 h"),
        (48 * 3600.0, "2.0 days"),
    ],
)
def test_durations_are_told_roughly(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"kind":"nonsense"}', b'{"kind":"note"}', b"\xff\xfe", b"3"])
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        from_json(line)


def test_a_newer_entry_with_more_fields_is_still_read() -> None:
    told = json.loads(to_json(ENTRIES["note"])) | {"mood": "good"}
    assert from_json(json.dumps(told).encode()) == ENTRIES["note"]
