"""Lines that damage frames or come and go, clocks that cannot be relied on: by the counters of every second."""

from dataclasses import replace
from typing import Any

import pytest

from controller.pipeline.line_watch import RECONNECTIONS, LineWatch
from firmware_bridge.session.events import Counters, LinkHealth
from firmware_bridge.session.states import State
from firmware_bridge.units import s_to_ns
from tests.support.told import report

FRAMES_A_SECOND = 20


class Line:
    """One node's reports, second by second."""

    def __init__(self) -> None:
        self.watch = LineWatch(frozenset("AB"))
        self.now_s = 0.0
        self.counters = Counters(connections=1)

    def run(self, seconds: int, *, bad: float = 0.0, **changes: Any) -> None:
        for _ in range(seconds):
            self.now_s += 1.0
            c = self.counters
            lost = round(bad * FRAMES_A_SECOND * self.now_s) - round(bad * FRAMES_A_SECOND * (self.now_s - 1.0))
            self.counters = replace(
                c,
                frames=c.frames + FRAMES_A_SECOND - lost,
                bad_frames=c.bad_frames + lost,
                lost_frames=c.lost_frames + lost,
                received_bytes=c.received_bytes + 1000,
            )
            self.say(**changes)

    def say(self, **changes: Any) -> None:
        told = replace(report("A"), counters=self.counters, **changes)
        self.watch.take(self.now_ns, told)

    @property
    def now_ns(self) -> int:
        return s_to_ns(self.now_s)

    @property
    def poor(self) -> list[str]:
        return [why for _, why in self.watch.poor_lines(self.now_ns)]


def test_frames_that_arrive_whole_and_cannot_be_understood_are_no_matter_of_the_cable() -> None:
    line = Line()
    for _ in range(120):
        line.counters = replace(line.counters, undecodable=line.counters.undecodable + 2)
        line.run(1)
    assert "mend its firmware" in line.poor[0]
    assert "cable" not in line.poor[0]


@pytest.mark.parametrize(("bad", "poor"), [(0.0, False), (0.01, False), (0.05, True), (0.5, True)])
def test_a_line_is_poor_that_damages_more_than_two_percent(bad: float, poor: bool) -> None:
    line = Line()
    line.run(120, bad=bad)
    assert bool(line.poor) == poor
    if poor:
        assert f"{100 * bad:.1f} % of its frames" in line.poor[0]
        assert "check cable" in line.poor[0]


def test_it_takes_half_a_minute_to_say_and_a_minute_to_forget() -> None:
    line = Line()
    line.run(29, bad=0.2)
    assert line.poor == []
    line.run(5, bad=0.2)
    assert line.poor
    line.run(62)
    assert line.poor == []


def test_a_line_at_the_threshold_does_not_chatter() -> None:
    line = Line()
    line.run(120, bad=0.05)
    changes, before = 0, bool(line.poor)
    for _ in range(300):
        line.run(1, bad=0.02)
        changes, before = changes + (bool(line.poor) is not before), bool(line.poor)
    assert changes == 0


def test_a_slow_line_of_few_frames_says_nothing() -> None:
    line = Line()
    for _ in range(120):
        line.now_s += 1.0
        line.counters = replace(line.counters, bad_frames=line.counters.bad_frames + (line.now_s % 10 == 0))
        line.say()
    assert line.poor == []


def test_a_plug_that_comes_and_goes() -> None:
    line = Line()
    for _ in range(RECONNECTIONS):
        line.run(60)
        line.counters = replace(line.counters, connections=line.counters.connections + 1)
        line.run(1)
    assert line.poor == ["connected anew 3 times in ten minutes; look for a loose plug"]
    line.run(600)
    assert line.poor == []


def test_counters_that_begin_anew_are_of_another_line() -> None:
    line = Line()
    line.run(60)
    line.counters = Counters(connections=9, clock_steps=3)
    line.run(60)
    assert line.poor == []
    assert line.watch.poor_clocks(line.now_ns) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clock_sigma_ns": 1e6}, None),
        ({"clock_sigma_ns": 2e8}, "known to ±200 ms only"),
        ({"clock_sigma_ns": float("inf"), "state": State.SYNC}, None),  # it is being learned
        ({"clock_rate_error": -600e-6}, "runs -600 ppm wrong"),
    ],
)
def test_clocks(changes: dict[str, Any], told: str | None) -> None:
    line = Line()
    line.run(5, **changes)
    why = [text for _, text in line.watch.poor_clocks(line.now_ns)]
    assert (told is None and why == []) or (told is not None and told in why[0])


def test_a_clock_that_jumped_is_told_for_ten_minutes() -> None:
    line = Line()
    line.run(5)
    line.counters = replace(line.counters, clock_steps=1)
    line.run(1)
    assert "jumped" in line.watch.poor_clocks(line.now_ns)[0][1]
    line.run(601)
    assert line.watch.poor_clocks(line.now_ns) == ()


def test_strangers_are_not_followed() -> None:
    watch = LineWatch(frozenset("A"))
    for number in range(1000):
        bad = Counters(bad_frames=10_000 * number)
        watch.take(s_to_ns(float(number)), LinkHealth("x", f"N{number}", State.STREAMING, bad, 1e12, 1.0, None, None))
        watch.take(s_to_ns(float(number)), LinkHealth("x", None, State.HELLO, bad, 1e12, 1.0, None, None))
    assert watch.poor_lines(s_to_ns(1000.0)) == ()
    assert watch.poor_clocks(s_to_ns(1000.0)) == ()
