"""UTC is set while a controller runs, as on a Pi without a battery: told, followed, and without effect."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from controller.alarm.requests import Shelve
from controller.app import App, inline
from controller.clock import JUMP_S, ClockWatch, UtcClock
from controller.config import fitted
from controller.declared import ControllerTable
from controller.journal.entries import AlarmEntry, AnyEntry
from controller.journal.reader import read_entries
from controller.journal.recovery import recovered
from controller.logbook import Observers
from firmware_bridge.declared import parse_declared
from firmware_bridge.units import NS_PER_S, s_to_ns
from sim.virtual_time import run_virtual
from tests.support.bench import Bench
from tests.support.sites import small_site

ON_DELAY_S, SHELF_S, SET_S = 20.0, 300.0, 15.0
SETTINGS = {
    "format": 1,
    "site": "-",
    "mqtt": {"enabled": False},
    "health": {"startup_grace_s": 5.0, "lost_after_s": 5.0},  # nobody is at the links: an alarm, after its delay
    "alarm_times": {"on_delay_s": ON_DELAY_S},
}


class Machine:
    """UTC as the machine says it, in virtual time."""

    def __init__(self) -> None:
        self.at_start = datetime.now(UTC)  # noqa: TID251 - what the clock of the controller begins with
        self.set_by = timedelta(0)

    def __call__(self) -> datetime:
        return self.at_start + timedelta(seconds=asyncio.get_running_loop().time()) + self.set_by


def course(folder: Path, set_by_s: float, during: Callable[[App, Machine], None]) -> list[tuple[float, AnyEntry]]:
    """Ten minutes and a half; the clock is set while the alarm's delay runs."""
    told: list[tuple[float, AnyEntry]] = []

    async def main() -> None:
        now_s = asyncio.get_running_loop().time
        machine = Machine()
        own = fitted(parse_declared(SETTINGS, "test", ControllerTable), small_site(), "test")
        observers = Observers(lambda entry: told.append((now_s(), entry)), lambda *_: None)
        app = App(own, tuple(Bench().ports.values()), None, folder, observers, runner=inline, wall=machine)
        running = asyncio.create_task(app.run())
        await asyncio.sleep(SET_S)
        machine.set_by = timedelta(seconds=set_by_s)
        await asyncio.sleep(ON_DELAY_S)
        during(app, machine)
        await asyncio.sleep(600.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())
    return told


@pytest.mark.parametrize("set_by_s", [0.0, 8.0 * 365 * 86_400, -3600.0, 2.0, -2.0])
def test_delays_shelves_and_the_order_of_the_journal_do_not_care(tmp_path: Path, set_by_s: float) -> None:
    def shelve(app: App, _: Machine) -> None:
        app.deliver(Shelve("nodes", 1, SHELF_S, "Alex"))

    told = course(tmp_path, set_by_s, shelve)
    alarms = [(at_s, entry) for at_s, entry in told if isinstance(entry, AlarmEntry)]
    nodes = [(at_s, entry.state) for at_s, entry in alarms if entry.key == "nodes"]
    assert [state for _, state in nodes] == ["unacknowledged", "shelved", "unacknowledged"]
    assert nodes[0][0] == pytest.approx(5.0 + ON_DELAY_S, abs=0.6)
    assert nodes[2][0] - nodes[1][0] == pytest.approx(SHELF_S, abs=0.6)
    clocks = [(at_s, entry) for at_s, entry in alarms if entry.key == "clocks"]
    if set_by_s == 0.0:
        assert clocks == []
    else:
        raised_s, first = clocks[0]
        assert raised_s == pytest.approx(SET_S + ON_DELAY_S, abs=1.6)
        assert (first.alarm_class, first.state) == ("advisory", "unacknowledged")
        assert first.text == "clock not to be relied on: controller"
        assert f"{set_by_s:+.1f} s" in first.evidence[0]
    kept = [entry for entry in read_entries(tmp_path) if not isinstance(entry, int)]
    assert [entry.seq for entry in kept] == sorted(entry.seq for entry in kept)
    assert all(a.t_s <= b.t_s for a, b in pairwise(kept))
    began = datetime.fromisoformat(kept[0].utc)
    named = {round((datetime.fromisoformat(entry.utc) - began).total_seconds() - entry.t_s) for entry in kept}
    assert named <= {0, round(set_by_s)}, "each is named by the clock as it was, or as it was set"
    standing, _ = recovered(tmp_path)
    assert standing is not None
    assert {one.key: one.state for one in standing.alarms}["nodes"] == "unacknowledged"


def test_the_jump_is_over_when_it_is_long_ago_and_small_steps_are_followed_in_silence() -> None:
    start = datetime(2018, 8, 29, 23, tzinfo=UTC)
    clock = UtcClock(0, start)
    offset = [0.0]
    now = [0]
    watch = ClockWatch(clock, lambda: start + timedelta(seconds=now[0] / NS_PER_S + offset[0]))

    def at(second: float) -> list[str | None]:
        now[0] = s_to_ns(second)
        return list(watch.look(lambda: now[0]))

    assert at(1.0) == []
    offset[0] = 0.9 * JUMP_S
    assert at(2.0) == []
    assert clock.utc(s_to_ns(2.0)) == "2018-08-29T23:00:02.900Z"
    offset[0] = -30.0
    (told,) = at(3.0)
    assert told is not None
    assert "-30.9 s" in told
    assert clock.utc(s_to_ns(3.0)) == "2018-08-29T22:59:33.000Z"
    assert at(602.0) == []
    assert at(604.0) == [None]
    assert at(605.0) == []


def test_a_process_that_was_held_up_between_two_clocks_is_no_jump() -> None:
    start = datetime(2018, 8, 29, 23, tzinfo=UTC)
    reads = iter([s_to_ns(1.0), s_to_ns(6.0)])
    watch = ClockWatch(UtcClock(0, start), lambda: start + timedelta(seconds=6.0))
    assert list(watch.look(lambda: next(reads))) == []
