"""The log of a report: sentences with units, and what repeats itself folded."""

from typing import Any

import pytest

from sim.heard import Span, heard
from sim.report.log import log_rows
from sim.report.numbers import plain, ranged
from sim.report.sayings import generic, sentence

RATE = {
    "kind": "leak_rate",
    "window_s": 10.0,
    "mass_rate_kg_s": {"value": 1.5e-4, "low": 0.8e-4, "high": 2.3e-4},
    "hole_diameter_m": {"value": 9.8e-4, "low": 6.5e-4, "high": 1.32e-3},
    "reserve_s": {"value": 135_200.0, "low": 69_164.0, "high": None},
}
FIX = {
    "kind": "fix",
    "position_m": [1.0, 2.0, 3.0],
    "covariance_m2": [[1e-4, 0.0, 0.0], [0.0, 1e-4, 0.0], [0.0, 0.0, 1e-4]],
    "radius95_m": 0.0605,
    "compartment": "cylinder",
    "where": "0.54 m above the cable feed-through",
    "nodes_used": ["A", "B", "C"],
    "rejected": [{"node": "D", "why": "its clock is not known"}],
}

RATE_WORDS = (
    "pressure falls, seen over 10 s: 13 kg/day (6.91 to 19.9), a hole of 0.98 mm (0.65 to 1.32), "
    "37.6 h (19.2 to infinite) in reserve"
)
FIX_WORDS = (
    "leak 0.54 m above the cable feed-through, in cylinder, within 6 cm (95 %), by A, B and C; "
    "D left out: its clock is not known"
)


def node(name: str, state: str, **more: object) -> dict[str, Any]:
    return {
        "kind": "node",
        "link": f"memory:{name}",
        "node": None if state == "hello" else name,
        "state": state,
        **more,
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10_400.0, "10,400"),
        (135_234.5, "135,200"),
        (0.012345, "0.01235"),
        (12.0, "12"),
        (0.0, "0"),
        (-3.14159, "-3.142"),
        (1.23456e-6, "1.235e-06"),
        (float("inf"), "infinite"),
    ],
)
def test_numbers_have_four_digits_and_no_needless_exponent(value: float, words: str) -> None:
    assert plain(value) == words


def test_an_interval_may_be_open_and_a_value_absent() -> None:
    assert ranged(Span(2.0, None, None), 2.0, "mm") == "4 mm (0 to infinite)"
    assert ranged(Span(), 1.0, "mm") is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (RATE, RATE_WORDS),
        (FIX, FIX_WORDS),
        ({"kind": "no_fix", "reason": "ambiguous", "explanation": "two places"},
         "no place can be told (ambiguous): two places"),
        ({"kind": "detection", "nodes": ["A", "C"], "rise_db": 12.383},
         "ultrasound above the noise floor by 12.4 dB at A and C"),
        ({"kind": "alarm", "key": "leak", "alarm_class": "caution", "state": "unacknowledged", "text": "possible leak",
          "evidence": ["heard at C"]}, "caution, unacknowledged: possible leak [heard at C]"),
        ({"kind": "command", "node": "S1", "command": "siren silent", "done": False, "text": "no answer"},
         "S1: siren silent, failed (no answer)"),
        ({"kind": "learned", "nodes": ["A"]}, "noise floor known at A: leaks can be heard from here on"),
    ],
)  # fmt: skip
def test_known_kinds_are_sentences(said: dict[str, Any], words: str) -> None:
    assert sentence(heard(1.0, said)) == words


def test_what_is_not_known_is_told_field_by_field() -> None:
    said = {
        "kind": "mood",
        "seq": 3,
        "reserve_s": 135_234.5,
        "flow_kg_s": 1e-3,
        "good": True,
        "names": list("abcdefghij"),
    }
    assert generic(said) == "reserve 135,200 s, flow 0.001 kg/s, good True, names a, b, c, d, e, f, g, h, and 2 more"
    assert sentence(heard(0.0, {"kind": "fix", "where": 3})) == "where 3"  # of no known shape
    assert len(generic({"kind": "mood", "text": 1000 * "x"})) < 400


def test_nodes_that_start_together_are_one_row_a_state() -> None:
    states = [("A", "hello"), ("B", "hello"), ("A", "sync"), ("B", "sync"), ("B", "streaming"), ("A", "streaming")]
    rows = log_rows(heard(0.1 * at, node(*one)) for at, one in enumerate(states))
    assert [row.words for row in rows] == [
        "A and B: asked who is there",
        "A and B: known, setting the clocks",
        "B and A: data flows",
    ]
    lost = [
        heard(at_s, node(name, "lost", reason="no answer")) for at_s, name in ((50.0, "A"), (51.0, "B"), (90.0, "A"))
    ]
    assert [row.words for row in log_rows(lost)] == ["A and B: lost, no answer", "A: lost, no answer"]


def test_leak_rates_that_say_the_same_are_folded_with_their_number() -> None:
    def rate(at_s: float, kg_s: float) -> Any:
        return heard(at_s, {**RATE, "mass_rate_kg_s": {"value": kg_s, "low": kg_s / 2, "high": 2 * kg_s}})

    rows = log_rows([rate(10.0, 1e-4), rate(20.0, 1.05e-4), rate(30.0, 1.09e-4), rate(40.0, 2e-4)])
    assert [(row.at_s, row.until_s, row.count) for row in rows] == [(10.0, 30.0, 3), (40.0, 40.0, 1)]
    assert "9.42 kg/day" in rows[0].words  # of the last of the three
    between = [rate(10.0, 1e-4), heard(15.0, {"kind": "learned", "nodes": ["A"]}), rate(20.0, 1e-4)]
    assert [row.count for row in log_rows(between)] == [1, 1, 1]


def test_what_nobody_needs_is_not_told() -> None:
    assert log_rows([heard(0.0, {"kind": "note", "text": "started"}), heard(1.0, {"kind": "mood"})]) == []
