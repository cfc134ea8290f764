"""Trials: whoever is installed under a name is put on trial, in virtual time, and what it says is judged."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import EntryPoint
from itertools import pairwise
from typing import Any

import pytest

from firmware_bridge.errors import LinkError
from firmware_bridge.link import LinkPort
from firmware_bridge.site.survey import Site
from sim import subject as subject_module
from sim.errors import SubjectError
from sim.plant.plant import Plant
from sim.run_record import MAX_SAMPLES, PressureTrace, RunRecord
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

    with pytest.raises(RuntimeError, match="ended without a word"):
        trial(short)
    with pytest.raises(ValueError, match="out of ideas"):
        trial(broken)


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

    with pytest.raises(ValueError, match="leak\\? what leak"):
        trial(babbling)


def test_the_controller_of_this_house_is_installed_and_others_are_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert callable(find_subject())
    with pytest.raises(SubjectError, match="installed: leakctl"):
        find_subject("somebody-else")
    other = EntryPoint("somebody-else", f"{__name__}:clairvoyant", subject_module.GROUP)
    monkeypatch.setattr(subject_module, "entry_points", lambda group: [other] if group == subject_module.GROUP else [])
    assert find_subject("somebody-else") is clairvoyant


def test_a_pressure_trace_of_any_length_is_bounded_and_even() -> None:
    trace = PressureTrace()
    for second in range(3 * MAX_SAMPLES):
        trace.add(float(second), 1e5)
    times = [sample.at_s for sample in trace.samples]
    assert MAX_SAMPLES // 4 <= len(times) < MAX_SAMPLES
    assert {b - a for a, b in pairwise(times)} == {4.0}
