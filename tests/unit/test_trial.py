"""Trials: whoever is installed under a name is put on trial, in virtual time, and what it says is judged."""

import asyncio
import gc
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.errors import LinkError
from firmware_bridge.link import LinkPort
from firmware_bridge.site.survey import Site
from sim import subject as subject_module
from sim.cli import progress
from sim.errors import SubjectError
from sim.plant.plant import Plant
from sim.report.summary import rows
from sim.run_record import MAX_SAMPLES, PressureTrace, RunRecord, slower
from sim.score import LeakScore
from sim.subject import find_subject
from sim.trial import TrialSettings, run_trial
from tests.support.shipped import shipped

FIX = {
    "kind": "fix", "position_m": [1.86, -0.99694, 0.46488], "radius95_m": 0.02,
    "covariance_m2": [[1e-4, 0, 0], [0, 1e-4, 0], [0, 0, 1e-4]],
}  # fmt: skip
ALARM = {"kind": "alarm", "key": "leak", "alarm_class": "warning", "state": "unacknowledged"}


def trial(subject: Any, duration_s: float = 30.0, **settings: Any) -> RunRecord:
    scenario, site = shipped()
    leak = scenario.leaks[0].model_copy(update={"opens_at_s": 5.0})
    links = dict.fromkeys(("P1", "P2"), "serial")  # nothing to listen with: a trial of cables and clocks
    scenario = scenario.model_copy(
        update={"duration_s": duration_s, "leaks": (leak,), "links": links, "expect": None, "small": None}
    )
    return run_trial(scenario, site, subject, TrialSettings(3, **settings))


async def clairvoyant(
    site: Site, ports: Sequence[LinkPort], on_line: Callable[[bytes], None], settings: Mapping[str, Any] | None = None
) -> None:
    assert {port.name for port in ports} == {"memory:P1", "memory:P2"}
    assert site.compartments
    await asyncio.sleep(10.0)
    on_line(json.dumps(FIX).encode())
    await asyncio.sleep(2.0)
    on_line(json.dumps(ALARM | {"said": dict(settings or {})}).encode())
    await asyncio.get_running_loop().create_future()


def test_a_subject_is_heard_in_scenario_time_and_judged() -> None:
    lines: list[tuple[float, bytes]] = []
    progress: list[float] = []
    record = trial(
        clairvoyant,
        settings={"a": 1},
        on_line=lambda at_s, line: lines.append((at_s, line)),
        on_progress=progress.append,
    )
    assert record.score.success
    assert (record.score.fixed_s, record.score.confirmed_s) == (5.0, 7.0)
    assert [at_s for at_s, _ in lines] == pytest.approx([10.0, 12.0], abs=1e-6)
    assert record.heard[1].said["said"] == {"a": 1}
    assert progress == pytest.approx(list(range(1, 31)), abs=0.1)
    assert record.pressure[-1].pressure_pa < record.pressure[0].pressure_pa


def test_a_subject_that_ends_or_breaks_ends_the_trial_with_its_reason() -> None:
    async def short(*_: Any, **__: Any) -> None:
        await asyncio.sleep(3.0)

    async def broken(*_: Any, **__: Any) -> None:
        await asyncio.sleep(3.0)
        raise ValueError("out of ideas")

    with pytest.raises(SubjectError, match=r"controller 'leakctl' ended at 3.0 s: it is to run until it is cancelled"):
        trial(short)
    with pytest.raises(SubjectError, match=r"controller 'mine' ended at 3.0 s: ValueError: out of ideas") as told:
        trial(broken, controller="mine")
    assert isinstance(told.value.__cause__, ValueError)


def test_a_subject_that_cannot_be_called_is_told_how_it_should_be() -> None:
    def of_two(site: Any, ports: Any) -> None:
        raise AssertionError((site, ports))

    with pytest.raises(SubjectError, match=r"cannot be started: TypeError: .*async def run"):
        trial(of_two)
    with pytest.raises(SubjectError, match=r"cannot be started: TypeError: .*async def run"):
        trial(lambda *_: None)


@pytest.mark.parametrize("breaks", [False, True])
def test_what_a_subject_leaves_running_ends_before_its_cables_are_cut(breaks: bool) -> None:
    ends: list[str] = []

    async def read(port: LinkPort) -> None:
        link = await port.open()
        try:
            while True:
                await link.read()
        except BaseException as error:
            ends.append(type(error).__name__)
            raise

    async def careless(_site: Any, ports: Sequence[LinkPort], *_: Any) -> None:
        left = [asyncio.create_task(read(port)) for port in ports]  # and nobody awaits them
        assert len(left) == 2
        await asyncio.sleep(5.0)
        if breaks:
            raise ValueError("out of ideas")
        await asyncio.get_running_loop().create_future()

    complaints: list[Any] = []

    async def with_ears(*args: Any) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        await careless(*args)

    if breaks:
        with pytest.raises(SubjectError):
            trial(with_ears)
    else:
        trial(with_ears)
    gc.collect()
    assert ends == ["CancelledError"] * 2
    assert not complaints


def test_a_rig_that_breaks_ends_the_trial_though_the_subject_swallows_a_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise LinkError("the line is cut", remedy="mend it")

    async def stubborn(*_: Any, **__: Any) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        # As a bridge does that was cancelled in the moment in which its link broke.
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(Plant, "step", broken)
    with pytest.raises(LinkError, match="the line is cut"):
        trial(stubborn)


def test_a_subject_that_says_no_json_is_told_so() -> None:
    async def babbling(site: Site, ports: Any, on_line: Callable[[bytes], None], settings: Any = None) -> None:
        assert site.nodes, (ports, settings)
        on_line(b"leak? what leak?")

    with pytest.raises(SubjectError, match=r"said no JSON object at 0.0 s: .*leak\? what leak"):
        trial(babbling)


def test_a_subject_that_says_no_json_from_a_callback_is_told_so_too() -> None:
    async def later(_site: Any, _ports: Any, on_line: Callable[[Any], None], _settings: Any = None) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        asyncio.get_running_loop().call_later(2.0, on_line, {"kind": "fix"})
        await asyncio.get_running_loop().create_future()

    with pytest.raises(SubjectError, match=r"at 2.0 s: on_line takes bytes, not dict"):
        trial(later)


def test_the_example_of_the_documentation_runs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    begin, end = text.index('    """Not a controller'), text.index("Run it from the folder")
    room: dict[str, Any] = {}
    exec(textwrap.dedent(text[begin:end]), room)
    record = trial(room["run"], duration_s=110.0)
    assert record.score.success, record.score.wrong
    assert not record.score.ignored


def test_a_controller_that_cannot_be_loaded_is_told_in_a_line() -> None:
    with pytest.raises(SubjectError, match="cannot be loaded: ModuleNotFoundError"):
        find_subject("no_such_module:run")
    with pytest.raises(SubjectError, match="cannot be loaded: AttributeError"):
        find_subject("json:no_such_function")
    with pytest.raises(SubjectError, match="is no function"):
        find_subject("json:__name__")
    assert callable(find_subject("json:loads"))


def test_the_controller_of_this_house_is_installed_and_others_are_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert callable(find_subject())
    with pytest.raises(SubjectError, match="installed: leakctl"):
        find_subject("somebody-else")
    other = EntryPoint("somebody-else", f"{__name__}:clairvoyant", subject_module.GROUP)
    monkeypatch.setattr(subject_module, "entry_points", lambda group: [other] if group == subject_module.GROUP else [])
    assert find_subject("somebody-else") is clairvoyant


def test_the_summary_says_what_was_found_and_what_the_machine_did() -> None:
    record = trial(clairvoyant)
    told = dict(rows(record))
    assert told["leak to fix"] == "5.0 s"
    assert told["hole"] == "-; truth 2 mm"
    assert "this machine" not in told
    assert "leaks found" not in told  # of one: its lines say it
    late = replace(record, speed=12.0, worst_lag_s=3.0)  # it succeeded all the same
    assert dict(rows(late))["this machine"] == "fell 3.0 s behind --speed 12; lost frames are its doing: try --speed 4"
    two = (LeakScore("first", 10.0, 0.03), LeakScore("second", None, None))
    seen = replace(record.score, leaks=two, found=("first",), hole_mm=(2.6, 2.1, 3.2), true_hole_mm=27.67)
    told = dict(rows(replace(record, score=replace(seen, ignored=("1 fix ignored: a reason",)))))
    assert told["leaks found"] == "1 of 2"
    assert told["leak 'first'"] == "right fix 10.0 s after it opened, error 3.00 cm"
    assert told["leak 'second'"] == "not found"
    assert told["hole"] == "2.6 mm (2.1 to 3.2); truth 27.67 mm, outside the interval"
    assert told["controller's lines"] == "1 fix ignored: a reason"


@pytest.mark.parametrize(("speed", "less"), [(12.0, 4), (20.0, 7), (1.0, 1)])
def test_a_slower_speed_can_be_had(speed: float, less: float) -> None:
    assert slower(speed) == less


def test_progress_off_a_terminal_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter((0.0, 3.0, 11.0, 12.0, 22.0))
    monkeypatch.setattr("sim.cli.progress.time.perf_counter", lambda: next(clock))
    with progress.progress_shown("a run", 600.0) as on_progress:
        for at_s in (100.0, 200.0, 300.0, 400.0):
            on_progress(at_s)
    assert capsys.readouterr().err.splitlines() == ["a run: 200 of 600 s", "a run: 400 of 600 s"]


def test_a_pressure_trace_of_any_length_is_bounded_and_even() -> None:
    trace = PressureTrace()
    for second in range(3 * MAX_SAMPLES):
        trace.add(float(second), 1e5)
    times = [sample.at_s for sample in trace.samples]
    assert MAX_SAMPLES // 4 <= len(times) < MAX_SAMPLES
    assert {b - a for a, b in pairwise(times)} == {4.0}
