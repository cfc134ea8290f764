"""THE CONTRACT of alarm outputs (controller/outputs/output.py): every kind of them is held to the same promises."""

from collections.abc import Awaitable, Callable
from functools import wraps

import pytest

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.outputs.command import MAX_WAITING
from controller.outputs.output import Output, Shown
from controller.outputs.switchboard import CALM_S, RESTART_S, Switchboard
from sim.virtual_time import run_virtual
from tests.support.outputs import KINDS, LEAST, OnBench, on_bench
from tests.support.verdicts import alarm

ADVISORY, CAUTION, WARNING, EMERGENCY = AlarmClass
ACKNOWLEDGED, SHELVED = AlarmState.ACKNOWLEDGED, AlarmState.SHELVED


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    assert isinstance(request.param, str)
    return request.param


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: object) -> None:
        async def main() -> None:
            await test(**fixtures)

        run_virtual(main())

    return run


def expected(kind: str, alarm_class: AlarmClass | None) -> AlarmClass | bool | None:
    """A relay knows two classes: all well, and not."""
    if alarm_class is not None and alarm_class < LEAST.get(kind, ADVISORY):
        alarm_class = None
    return alarm_class is not None if kind == "relay" else alarm_class


def shows(bench: OnBench, *alarms: Alarm) -> AlarmClass | bool | None:
    bench.output.show(Shown(alarms))
    return bench.calls()


@pytest.mark.parametrize("alarm_class", list(AlarmClass))
@in_virtual_time
async def test_it_shows_the_gravest_that_nobody_acknowledged(kind: str, alarm_class: AlarmClass) -> None:
    bench = on_bench(kind)
    lesser = [alarm(one, key=one.name) for one in AlarmClass if one <= alarm_class]
    graver = [alarm(one, ACKNOWLEDGED, one.name) for one in AlarmClass if one > alarm_class]
    assert shows(bench, *graver, *lesser) == expected(kind, alarm_class)


@in_virtual_time
async def test_it_follows_the_class_up_and_down(kind: str) -> None:
    bench = on_bench(kind)
    course = (None, CAUTION, WARNING, EMERGENCY, CAUTION, None, ADVISORY, None)
    seen = [shows(bench, *([] if one is None else [alarm(one)])) for one in course]
    assert seen == [expected(kind, one) for one in course]


@pytest.mark.parametrize("state", [ACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED])
@in_virtual_time
async def test_it_falls_silent_when_all_took_notice(kind: str, state: AlarmState) -> None:
    bench = on_bench(kind)
    shows(bench, alarm(WARNING))
    assert shows(bench, alarm(WARNING, state)) == expected(kind, None)
    assert shows(bench, alarm(WARNING, AlarmState.LATCHED_UNACKNOWLEDGED)) == expected(kind, WARNING)


@in_virtual_time
async def test_the_same_again_changes_nothing(kind: str) -> None:
    bench = on_bench(kind)
    shows(bench, alarm(WARNING), alarm(CAUTION, key="nodes"))
    before = bench.effects()
    for number in range(100):  # the words, and lesser alarms, may change meanwhile
        shows(bench, alarm(WARNING, text=f"news {number}"), alarm(ADVISORY, key="links"))
    assert bench.effects() == before


@in_virtual_time
async def test_what_waits_is_bounded_and_nothing_is_waited_for(kind: str) -> None:
    bench = on_bench(kind)  # its `run` is never called: the worst that can happen to a queue
    for number in range(1000):
        shows(bench, alarm(WARNING if number % 2 else CAUTION))
    assert bench.waiting() <= MAX_WAITING
    assert bench.calls() == expected(kind, WARNING)


class Broken:
    """Fails whatever is asked of it."""

    name = "broken"
    trouble: str | None = None

    def __init__(self, *, shows: bool, runs: bool) -> None:
        self.can_show, self.can_run, self.closed = shows, runs, False

    def show(self, shown: Shown) -> None:
        if not self.can_show:
            raise OSError("no such pin")

    async def run(self) -> None:
        if not self.can_run:
            raise OSError("the wire is off")
        import asyncio

        await asyncio.Event().wait()

    def close(self) -> None:
        self.closed = True
        raise OSError("cannot close either")


@in_virtual_time
async def test_one_that_fails_stops_nobody(kind: str) -> None:
    bench, told = on_bench(kind), []
    outputs: list[Output] = [Broken(shows=False, runs=True), bench.output, Broken(shows=False, runs=True)]
    board = Switchboard(outputs, lambda part, trouble: told.append((part, trouble)))
    board.show(())
    board.show((alarm(CAUTION), alarm(EMERGENCY, key="nodes")))
    assert bench.calls() == expected(kind, EMERGENCY)
    assert all(part == "output broken" for part, _ in told)
    board.close()


def test_a_failure_is_told_once_and_so_is_its_end() -> None:
    import asyncio

    async def main() -> list[tuple[str, bool]]:
        told: list[tuple[str, bool]] = []
        broken = Broken(shows=False, runs=False)
        board = Switchboard([broken], lambda part, trouble: told.append((part, trouble is not None)))
        running = asyncio.create_task(board.run())
        for _ in range(100):
            board.show((alarm(),))
            await asyncio.sleep(0.25)
        broken.can_show = True
        board.show(())
        broken.can_run = True
        await asyncio.sleep(RESTART_S + CALM_S + 1.0)
        board.show(())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        board.close()
        assert broken.closed
        return told

    told = run_virtual(main())
    assert told[0] == ("output broken", True)
    assert told[-1] == ("output broken", False)
    assert len(told) <= 4  # two faults, one after the other, are two pieces of news


@in_virtual_time
async def test_closed_is_dark_and_a_relay_is_let_go(kind: str) -> None:
    bench = on_bench(kind)
    shows(bench)
    assert bench.calls() == expected(kind, None)
    board = Switchboard([bench.output], lambda part, trouble: None)
    board.close()
    if kind == "relay":
        assert bench.calls() is True  # de-energised means alarm


@in_virtual_time
async def test_before_anything_is_known_a_relay_says_alarm() -> None:
    assert on_bench("relay").calls() is True
