"""Scores of controllers whose words are written here: what is right, what is wrong, and in which words it is told."""

import math
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.placed import place
from firmware_bridge.site.survey import Site, load_site
from firmware_bridge.wire.commands import SirenPattern
from sim.heard import Alarm, Detection, Fix, Heard, LeakRate, Other, Span, heard
from sim.run_record import hatches_moved_s
from sim.scenario.expect import ExpectTable
from sim.score import Score, complete, score
from sim.truth import TrueLeak, true_leaks
from tests.support.shipped import CONFIGS, shipped
from tests.support.virtual_rig import scenario

SITE = load_site(CONFIGS / "sites" / f"{scenario().site}.toml")
NONE_RIGHT = ExpectTable(fix="none", leak_alarm="none", at_most="none")
SIREN = [(120.0, "S1", SirenPattern.WARNING)]


def leaks() -> tuple[TrueLeak, ...]:
    return true_leaks(scenario())  # one, at 90 s


def fix(away_m: tuple[float, float, float] = (0.0, 0.0, 0.0), sigma_m: float = 0.01) -> Fix:
    (leak,) = leaks()
    place = tuple(a + b for a, b in zip(leak.position_m, away_m, strict=True))
    spread = tuple(tuple(sigma_m**2 if i == j else 0.0 for j in range(3)) for i in range(3))
    return Fix(position_m=place, covariance_m2=spread, radius95_m=2.45 * sigma_m)  # type: ignore[arg-type]


def alarm(alarm_class: Any = "warning", key: str = "leak", state: str = "unacknowledged") -> Alarm:
    return Alarm(key=key, alarm_class=alarm_class, state=state)


def judge(
    *said: tuple[float, Any],
    true: tuple[TrueLeak, ...] | None = None,
    expected: ExpectTable | None = None,
    siren: Any = SIREN,
    site: Site = SITE,
) -> Score:
    events = [Heard(at_s, event) for at_s, event in said]
    return score(events, siren, leaks() if true is None else true, site, siren_expected=bool(siren), expected=expected)


def test_a_run_in_which_all_goes_well_has_nothing_wrong() -> None:
    rate = LeakRate(mass_rate_kg_s=Span(7e-4, 6e-4, 8e-4), hole_diameter_m=Span(2e-3, 1.8e-3), reserve_s=Span(7200.0))
    done = judge((95.0, Detection()), (100.0, fix((0.03, 0.0, 0.04))), (110.0, rate), (112.0, alarm()))
    assert (done.success, done.wrong) == (True, ())
    assert (done.detected_s, done.fixed_s, done.alarmed_s, done.confirmed_s, done.siren_s) == (5, 10, 22, 22, 30)
    assert done.error_m == pytest.approx(0.05)
    assert done.hole_mm == (2.0, 1.8, None)
    assert done.reserve_h == 2.0
    assert done.true_hole_mm == pytest.approx(2.0)


@pytest.mark.parametrize(("sigma_m", "inside"), [(0.03, True), (0.005, False)])
def test_a_fix_is_held_against_its_own_ellipse(sigma_m: float, inside: bool) -> None:
    along_the_hull = (0.05, 0.0, 0.0)
    assert judge((100.0, fix(along_the_hull, sigma_m)), (101.0, alarm())).inside_95 is inside


@pytest.mark.parametrize(
    ("named", "inside"), [("station", True), ("orbital-module", False), ("attic", False), (None, False)]
)
def test_the_ellipse_lies_on_the_hull_that_the_fix_names_else_on_that_of_the_leak(
    named: str | None, inside: bool
) -> None:
    # 5 cm off along the tube's axis: five sigma on the tube, nothing on the flat wall of a box that looks along it
    (leak,) = leaks()
    x, y, z = leak.position_m
    wall = place(BoxHull((3.0, 3.0, 3.0)), (x + 0.05, y - 1.5, z - 1.5), "+x")
    rooms = tuple(replace(room, hull=wall) if room.name == "station" else room for room in SITE.compartments)
    told = msgspec.structs.replace(fix((0.05, 0.0, 0.0), 0.01), compartment=named)
    judged = judge((100.0, told), (101.0, alarm()), site=replace(SITE, compartments=rooms))
    assert judged.inside_95 is inside


def test_a_fix_elsewhere_is_wrong_even_if_a_right_one_follows() -> None:
    done = judge((100.0, fix((0.5, 0.0, 0.0))), (105.0, fix()), (110.0, alarm()))
    assert done.wrong == ("1 fixes away from any leak",)
    assert done.false_fixes == 1
    assert done.error_m == 0.0
    assert done.first_error_m == pytest.approx(0.5)


def test_a_fix_before_the_leak_opens_is_a_false_one() -> None:
    done = judge((50.0, fix()), (100.0, fix()), (110.0, alarm()))
    assert done.false_fixes == 1


def test_an_alarm_before_the_leak_opens_is_a_false_one() -> None:
    done = judge((50.0, alarm("caution")), (100.0, fix()), (110.0, alarm()))
    assert (done.false_alarms, done.success) == (1, False)


def test_alarms_of_other_things_and_alarms_that_go_are_no_leak_alarms() -> None:
    done = judge((50.0, alarm(key="node.A")), (60.0, alarm(state="normal")), (100.0, fix()), (110.0, alarm()))
    assert done.false_alarms == 0


def test_silence_is_wrong_where_something_leaks() -> None:
    done = judge(siren=[])
    assert done.wrong == ("no fix within 10 cm", "leak alarm reached none, not advisory")


def test_silence_is_right_where_nothing_leaks() -> None:
    assert judge(true=(), siren=[]).success
    assert judge((10.0, Detection()), (20.0, Other("pressure")), true=(), siren=[]).success


def test_anything_said_of_a_leak_is_wrong_where_nothing_leaks() -> None:
    done = judge((10.0, fix()), (11.0, alarm("advisory")), true=(), siren=[])
    assert (done.false_fixes, done.false_alarms) == (1, 1)
    assert done.error_m == float("inf")
    assert len(done.wrong) == 3


def test_a_lying_sensor_may_raise_what_the_scenario_allows_and_no_more() -> None:
    allowed = ExpectTable(fix="none", leak_alarm="none", at_most="caution")
    assert judge((10.0, alarm("caution")), true=(), expected=allowed, siren=[]).success
    done = judge((10.0, alarm("emergency")), true=(), expected=allowed, siren=[])
    assert "leak alarm reached emergency, caution at most is right" in done.wrong


def test_where_no_fix_can_be_had_a_lucky_one_is_wrong() -> None:
    silent = ExpectTable(fix="none", leak_alarm="warning")
    assert judge((100.0, alarm()), expected=silent).success
    assert judge((95.0, fix()), (100.0, alarm()), expected=silent).wrong == ("1 fixes where none can be had",)


def test_where_any_answer_will_do_a_wrong_one_will_not() -> None:
    either = ExpectTable(fix="any", leak_alarm="none")
    assert judge(expected=either).success
    assert judge((100.0, fix()), expected=either).success
    assert not judge((100.0, fix((0.3, 0.0, 0.0))), expected=either).success


def test_a_siren_that_stays_silent_is_wrong_where_one_is_plugged_in() -> None:
    events, warning = [Heard(100.0, fix()), Heard(110.0, alarm())], ExpectTable(leak_alarm="warning")
    done = score(events, [], leaks(), SITE, siren_expected=True, expected=warning)
    assert done.wrong == ("the siren stayed silent",)
    assert score(events, [], leaks(), SITE, siren_expected=True).success  # an advisory may be silent


def test_of_two_leaks_the_nearest_that_is_open_counts() -> None:
    near, far = {"opens_at_s": 90.0}, {"opens_at_s": 200.0, "position_m": (0.6, 1.1, 0.0), "name": "second"}
    table = scenario()
    both = tuple(table.leaks[0].model_copy(update=change) for change in (near, far))
    true = true_leaks(scenario(leaks=both))
    second = Fix(position_m=(0.6, 1.1, 0.0), covariance_m2=fix().covariance_m2, radius95_m=0.02)
    early = judge((150.0, second), (160.0, alarm()), true=true)
    late = judge((150.0, fix()), (160.0, alarm()), (250.0, second), true=true)
    assert early.false_fixes == 1  # it was not open yet
    assert (late.false_fixes, late.error_m) == (0, 0.0)
    assert late.true_hole_mm == pytest.approx(2.0 * 2**0.5)


def test_each_leak_is_found_or_not() -> None:
    moves = [{}, {"opens_at_s": 200.0, "position_m": (0.6, 1.1, 0.0), "name": "second"}]
    (first,) = scenario().leaks
    true = true_leaks(scenario(leaks=tuple(first.model_copy(update=change) for change in moves)))
    one = judge((100.0, fix((0.03, 0.0, 0.04))), (130.0, fix()), (140.0, alarm()), (250.0, fix()), true=true)
    assert one.found == (first.name,)
    assert [(leak.name, leak.fixed_s, leak.error_m) for leak in one.leaks] == [
        (first.name, 10.0, 0.0), ("second", None, None),
    ]  # fmt: skip
    second = Fix(position_m=(0.6, 1.1, 0.04), covariance_m2=fix().covariance_m2, radius95_m=0.02)
    both = judge((100.0, fix()), (140.0, alarm()), (250.0, second), true=true)
    assert both.found == (first.name, "second")
    assert both.leaks[1].fixed_s == 50.0
    assert both.leaks[1].error_m == pytest.approx(0.04)


def size(hole_m: float) -> LeakRate:
    return LeakRate(hole_diameter_m=Span(hole_m, 0.9 * hole_m, 1.1 * hole_m))


def hole_mm(*said: tuple[float, Any], hatches_moved_s: float = math.inf, **leak: Any) -> float | None:
    (table,) = scenario().leaks
    true = true_leaks(scenario(leaks=(table.model_copy(update=leak),)))
    events = [Heard(at_s, event) for at_s, event in said]
    done = score(events, SIREN, true, SITE, siren_expected=True, hatches_moved_s=hatches_moved_s)
    return None if done.hole_mm is None else done.hole_mm[0]


def test_a_size_is_judged_while_the_leak_is_as_it_opened() -> None:
    early, late = (120.0, size(2e-3)), (300.0, size(1e-4))
    assert hole_mm(early, late) == 0.1
    assert hole_mm(early, late, hatches_moved_s=200.0) == 2.0
    assert hole_mm(early, late, sealed_at_s=200.0) == 2.0
    assert hole_mm(late, sealed_at_s=200.0) is None
    assert hole_mm(late, hatches_moved_s=200.0) == 0.1  # a crack that shows only behind the shut hatch


def test_hatches_count_from_when_the_leak_is_open_if_its_air_comes_through_them() -> None:
    table, site = shipped("spektr-1997")
    assert hatches_moved_s(table, site) == 455.0
    (close,) = table.events
    before = table.model_copy(update={"events": (close.model_copy(update={"at_s": 10.0}),)})
    assert hatches_moved_s(before, site) == math.inf
    lone = tuple(replace(hatch, normally_open=False) for hatch in site.hatches)
    elsewhere = close.model_copy(update={"hatch": next(h.name for h in lone if "spektr" not in h.between)})
    far = table.model_copy(update={"events": (elsewhere,)})
    assert hatches_moved_s(far, replace(site, hatches=lone)) == math.inf


def test_lines_of_the_wrong_shape_are_counted_with_what_is_missing() -> None:
    (leak,) = leaks()
    bad = {"kind": "fix", "position_m": list(leak.position_m), "radius95_m": 0.1}
    events = [heard(100.0, bad), heard(101.0, bad), heard(102.0, {"kind": "gossip"})]
    done = score(events, SIREN, leaks(), SITE, siren_expected=True)
    assert done.ignored == ("2 fix ignored: Object missing required field `covariance_m2`",)


def test_a_demo_is_complete_with_fix_confirmed_alarm_and_an_acknowledged_siren() -> None:
    command = {"kind": "command", "node": "S1", "command": "siren warning", "done": True}
    said = [Heard(100.0, fix()), Heard(110.0, alarm()), heard(111.0, command)]
    assert complete(said, SIREN)
    assert not complete(said[1:], SIREN)
    assert not complete(said, [])
    assert complete(said[:2], [], siren_expected=False)
    assert not complete([said[0], Heard(110.0, alarm("caution")), said[2]], SIREN)


def test_what_no_score_can_read_is_kept_and_passed_over() -> None:
    strange: list[dict[str, Any]] = [
        {"kind": "fix", "position_m": "here"},
        {"kind": 7},
        {},
        {"kind": "alarm", "alarm_class": "huge"},
    ]
    events = [heard(1.0, said) for said in strange]
    assert [type(one.event) for one in events] == [Other] * 4
    assert [one.said for one in events] == strange


def test_truth_follows_the_opening() -> None:
    (leak,) = leaks()
    assert leaks()[0].opening.share(89.0) == 0.0
    assert leak.opening.share(100.0) == 1.0
