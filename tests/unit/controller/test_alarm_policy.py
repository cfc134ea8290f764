"""Which class what evidence of a leak deserves."""

import itertools
import math
from dataclasses import replace

import pytest

from controller.alarm.keys import LEAK
from controller.alarm.policy import LeakEvidence, Settings, leak_conditions
from controller.alarm.types import AlarmClass, Condition
from controller.localize.verdict import Fix, NoFix, Reason
from firmware_bridge.units import S_PER_HOUR
from tests.support.verdicts import fix, no_fix, size_of, trend

ADVISORY, CAUTION, WARNING, EMERGENCY = AlarmClass
LOUD = ("A", "B")
ONE, TWO = ("P1",), ("P1", "P2")
# In a volume of 921 m3 at 745 mmHg: 0.3 mmHg/h last 1,040 h; 40 mmHg/h 7.8 h; 160 mmHg/h, 2.67 a minute, 2 h.
SLOW, MODERATE, FAST, RAPID = 0.3, 1.6, 6.0, 160.0


def condition(loud: tuple[str, ...] = (), mmhg_h: float | None = None, agreeing: tuple[str, ...] = TWO) -> Condition:
    told = None if mmhg_h is None else trend(mmhg_h, agreeing=agreeing)
    evidence = LeakEvidence(loud, None, told, None if told is None else size_of(told))
    (one,) = leak_conditions(evidence, Settings())
    return one


OR_A_LEAK = "that was switched on, or a leak; pressure shows none so far"


def test_nothing_speaks_for_a_leak() -> None:
    assert leak_conditions(LeakEvidence(), Settings()) == []
    assert leak_conditions(LeakEvidence(verdict=no_fix()), Settings()) == []


@pytest.mark.parametrize(
    ("loud", "mmhg_h", "agreeing", "expected"),
    [
        # One kind, or one sensor, alone: at most a caution, however bad it looks. What has no place may be a machine.
        (LOUD, None, TWO, ADVISORY),
        ((), SLOW, ONE, ADVISORY),
        ((), MODERATE, ONE, CAUTION),
        ((), FAST, ONE, CAUTION),
        ((), RAPID, ONE, CAUTION),
        ((), RAPID, (), CAUTION),
        # Two pressure sensors that agree: the whole ladder.
        ((), SLOW, TWO, ADVISORY),
        ((), MODERATE, TWO, CAUTION),
        ((), FAST, TWO, WARNING),
        ((), RAPID, TWO, EMERGENCY),
        # Sound and pressure, even of one sensor: two kinds, at least a warning.
        (LOUD, SLOW, ONE, WARNING),
        (LOUD, MODERATE, ONE, WARNING),
        (LOUD, FAST, TWO, WARNING),
        (LOUD, RAPID, ONE, EMERGENCY),
    ],
)
def test_the_ladder(
    loud: tuple[str, ...], mmhg_h: float | None, agreeing: tuple[str, ...], expected: AlarmClass
) -> None:
    assert condition(loud, mmhg_h, agreeing).alarm_class is expected


def test_more_evidence_never_makes_it_milder() -> None:
    kinds = list(itertools.product([(), LOUD], [None, SLOW, MODERATE, FAST, RAPID], [ONE, TWO]))
    for (loud, rate, agreeing), (louder, faster, more) in itertools.product(kinds, kinds):
        stronger = len(louder) >= len(loud) and (faster or 0) >= (rate or 0) and len(more) >= len(agreeing)
        if stronger and (loud or rate):
            assert condition(louder, faster, more).alarm_class >= condition(loud, rate, agreeing).alarm_class


def test_sound_alone_is_a_caution_where_only_a_leak_sounds_so() -> None:
    """One place on the wall, and high as a jet; else a machine that was switched on may sound alike."""
    cases: list[tuple[Fix | NoFix | None, bool, AlarmClass]] = [
        (fix(), True, CAUTION),
        (fix(), False, ADVISORY),
        (no_fix(Reason.AMBIGUOUS), True, ADVISORY),
        (no_fix(Reason.EQUIPMENT), True, ADVISORY),
        (None, True, ADVISORY),
    ]
    for verdict, hissing, expected in cases:
        (one,) = leak_conditions(LeakEvidence(LOUD, verdict, hissing=hissing), Settings())
        assert one.alarm_class is expected, (verdict, hissing)


def test_a_machine_is_no_second_witness_of_a_fall() -> None:
    told = trend(SLOW, agreeing=TWO)
    for reason, expected in [(Reason.EQUIPMENT, ADVISORY), (Reason.TOO_QUIET, WARNING)]:
        (one,) = leak_conditions(LeakEvidence(LOUD, no_fix(reason), told, size_of(told)), Settings())
        assert one.alarm_class is expected


def test_a_short_reserve_time_is_grave_by_itself() -> None:
    """Near the limit of 490 mmHg 1.6 mmHg/h leave little time: 12.8 h from 510 mmHg, 2.5 h from 494."""
    for pressure_mmhg, expected in ((745.0, CAUTION), (510.0, WARNING), (494.0, EMERGENCY)):
        told = trend(MODERATE, pressure_pa=pressure_mmhg * 133.322387)
        size = size_of(told)
        hours = pressure_mmhg / MODERATE * math.log(pressure_mmhg / 490.0)
        assert size.reserve_s.value / S_PER_HOUR == pytest.approx(hours, rel=1e-6)
        (one,) = leak_conditions(LeakEvidence((), None, told, size), Settings())
        assert one.alarm_class is expected, hours


def test_the_ladder_is_a_setting() -> None:
    told = trend(MODERATE)
    strict = replace(Settings(), warning_mmhg_h=1.0)
    (one,) = leak_conditions(LeakEvidence((), None, told, size_of(told)), strict)
    assert one.alarm_class is WARNING


def test_a_rapid_loss_is_an_emergency_however_much_there_is_to_lose() -> None:
    """2.6 mmHg a minute: at one atmosphere the reserve would be short as well, so that limit is taken away here."""
    rate_only = replace(Settings(), emergency_reserve_h=0.01, warning_reserve_h=0.02)
    for mmhg_min, expected in ((2.5, WARNING), (2.7, EMERGENCY)):
        told = trend(60 * mmhg_min)
        (one,) = leak_conditions(LeakEvidence((), None, told, size_of(told)), rate_only)
        assert one.alarm_class is expected


def test_the_text_says_what_is_known_and_no_figure_that_moves() -> None:
    told = trend()
    cases = [
        (LeakEvidence(LOUD), f"a new sound, place unknown: a machine {OR_A_LEAK}"),
        (
            LeakEvidence(LOUD, fix(where="by the hatch"), hissing=False, beside="pump"),
            f"a new sound, in orbital-module, by the hatch: pump {OR_A_LEAK}",
        ),
        (LeakEvidence((), None, told, size_of(told)), "pressure falls: possible leak, place unknown"),
        (LeakEvidence(LOUD, no_fix(), told, size_of(told)), "leak confirmed by sound and pressure, place unknown"),
        (
            LeakEvidence(LOUD, fix(where="0.11 m aft of the toilet panel")),
            "possible leak, heard, in orbital-module, 0.11 m aft of the toilet panel",
        ),
        (LeakEvidence(LOUD, fix((1.0, 0.0, 0.5))), "possible leak, heard, in orbital-module, at (1.00, 0.00, 0.50) m"),
    ]
    for evidence, text in cases:
        (one,) = leak_conditions(evidence, Settings())
        assert (one.key, one.text) == (LEAK, text)


def test_the_evidence_names_sensors_and_figures() -> None:
    told = trend(sigmas=6.3, agreeing=ONE)
    (one,) = leak_conditions(LeakEvidence(LOUD, fix(radius95_m=0.021), told, size_of(told)), Settings())
    heard, located, falls = one.evidence
    assert "A, B" in heard
    assert "2.1 cm" in located
    assert falls == "pressure falls 6.3 sigma over 960 s at P1"
    (unlocated,) = leak_conditions(LeakEvidence(LOUD, no_fix(Reason.AMBIGUOUS)), Settings())
    assert unlocated.evidence[1].startswith("no fix: ")


def test_two_barometers_on_one_node_are_one_source() -> None:
    """They share its supply, its clock and its reboots."""
    told = trend(RAPID, agreeing=TWO)
    for nodes, expected in ((frozenset({"N1"}), CAUTION), (frozenset({"N1", "N2"}), EMERGENCY)):
        (one,) = leak_conditions(LeakEvidence((), None, told, size_of(told), nodes), Settings())
        assert one.alarm_class is expected


@pytest.mark.parametrize(("mmhg_h", "raised"), [(0.12, "raises"), (0.09, "holds"), (0.07, "nothing")])
def test_what_crew_and_feeds_do_by_themselves_raises_nothing(mmhg_h: float, raised: str) -> None:
    """From 0.1 mmHg/h on; down to a fifth below it only an alarm that stands is held."""
    told = trend(mmhg_h)
    found = leak_conditions(LeakEvidence((), None, told, size_of(told)), Settings())
    assert [("holds" if one.only_holds else "raises") for one in found] == ([] if raised == "nothing" else [raised])


def test_the_deadband_is_for_slow_falls_only() -> None:
    """Sound beside it, or a reserve time that is short all the same, is no matter of a deadband."""
    told = trend(0.05)
    (heard,) = leak_conditions(LeakEvidence(LOUD, None, told, size_of(told)), Settings())
    assert (heard.alarm_class, heard.only_holds) == (WARNING, False)
    low = trend(0.05, pressure_pa=491.0 * 133.322387)
    (short,) = leak_conditions(LeakEvidence((), None, low, size_of(low)), Settings())
    assert (short.alarm_class, short.only_holds) == (WARNING, False)
