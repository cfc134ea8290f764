"""The main job in virtual time: every part real but the cables, judged against the truth."""

from pathlib import Path

import pytest

from controller.app import App
from controller.journal.entries import (
    AlarmEntry,
    AnyEntry,
    CommandEntry,
    DetectionEntry,
    DetectionOverEntry,
    FixEntry,
    LeakRateEntry,
    NodeEntry,
    NoFixEntry,
    ReadingsEntry,
)
from controller.journal.reader import read_entries
from controller.pipeline.events import Acknowledge
from firmware_bridge.site.survey import load_site
from firmware_bridge.wire.commands import SirenPattern
from sim.scenario.faults import FaultTable
from sim.scenario.weather import WeatherTable
from sim.score import complete, score
from sim.truth import true_leaks
from sim.virtual_time import run_virtual
from tests.support.shipped import CONFIGS
from tests.support.virtual_rig import Run, run_virtual_rig, scenario

# Seldom enough to keep the test short: fewer bursts to render, the same decisions.
SELDOM = {"tasking": {"capture_period_s": 4.0, "alert_period_s": 10.0}}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    journal = tmp_path_factory.mktemp("journal")
    run = run_virtual(run_virtual_rig(scenario(), 400.0, journal=journal, settings=SELDOM))
    return run, journal


def test_the_leak_is_found_alarmed_and_sized(found: tuple[Run, Path]) -> None:
    run, _ = found
    table = scenario()
    site = load_site(CONFIGS / "sites" / f"{table.site}.toml")
    judged = score(run.heard, run.plant.siren_log, true_leaks(table), site, siren_expected=True)
    assert judged.success
    assert complete(run.heard, run.plant.siren_log)
    assert judged.false_alarms == 0
    assert judged.error_m is not None
    assert judged.error_m < 0.10
    assert judged.where is not None
    assert "toilet panel" in judged.where
    assert judged.hole_mm is not None
    _, low, high = judged.hole_mm
    assert low <= 2.0 <= (high or 1e9)


def test_things_happen_in_their_order(found: tuple[Run, Path]) -> None:
    run, _ = found
    kinds = [type(entry) for _, entry in run.entries]
    order = [kinds.index(kind) for kind in (DetectionEntry, AlarmEntry, FixEntry, LeakRateEntry)]
    assert order == sorted(order)
    classes = [e.alarm_class for e in run.of_kind(AlarmEntry) if e.cause != "new evidence"]
    assert classes == ["advisory", "caution", "warning"]  # a sound; a hiss from one place on the wall; and pressure


def test_the_siren_node_acknowledged_what_it_plays(found: tuple[Run, Path]) -> None:
    run, _ = found
    commands = run.of_kind(CommandEntry)
    assert [e.command for e in commands] == ["siren silent", "siren caution", "siren warning"]
    assert all(e.done for e in commands)
    assert [pattern for _, _, pattern in run.plant.siren_log] == [SirenPattern.CAUTION, SirenPattern.WARNING]


def test_the_journal_holds_every_decision(found: tuple[Run, Path]) -> None:
    run, journal = found
    decided = [entry for entry in read_entries(journal) if not isinstance(entry, ReadingsEntry)]
    assert decided == [entry for _, entry in run.entries]


def test_the_same_seed_gives_the_same_decisions(found: tuple[Run, Path], tmp_path: Path) -> None:
    run, _ = found
    # With a journal, as then: its timers decide which of several nodes that answer at the same instant is told first.
    again = run_virtual(run_virtual_rig(scenario(), 130.0, journal=tmp_path, settings=SELDOM))
    told = [_without_utc(entry) for _, entry in again.entries[:-1]]  # the last one says that it was stopped
    assert told == [_without_utc(entry) for _, entry in run.entries[: len(told)]]


def _without_utc(entry: AnyEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "utc"}


def test_nothing_is_raised_where_nothing_leaks() -> None:
    weather = WeatherTable(slope_rms_pa_h=30.0, temperature_rms_k=0.05)
    run = run_virtual(run_virtual_rig(scenario(leaks=(), weather=weather), 300.0, settings=SELDOM))
    assert not run.of_kind(AlarmEntry)
    assert not run.of_kind(DetectionEntry)


def test_a_lost_node_is_named_and_the_leak_is_found_without_it() -> None:
    faults = (FaultTable(node="C", kind="off", from_s=60.0, until_s=1000.0),)
    run = run_virtual(run_virtual_rig(scenario(faults=faults), 140.0, settings=SELDOM))
    nodes = [e for e in run.of_kind(AlarmEntry) if e.key == "nodes"]
    assert nodes[0].text == "node lost: C"
    fixes = run.of_kind(FixEntry)
    assert fixes
    assert "C" not in fixes[-1].nodes_used
    leak = scenario().leaks[0]
    assert max(abs(a - b) for a, b in zip(fixes[-1].position_m, leak.position_m, strict=True)) < 0.10


def test_a_node_that_comes_back_is_readmitted() -> None:
    faults = (FaultTable(node="P1", kind="off", from_s=40.0, until_s=60.0),)
    run = run_virtual(run_virtual_rig(scenario(faults=faults, leaks=()), 120.0, settings=SELDOM))
    states = [e.state for e in run.of_kind(NodeEntry) if e.node == "P1"]
    assert states[-1] == "streaming"
    assert "lost" in states
    nodes = [e.state for e in run.of_kind(AlarmEntry) if e.key == "nodes"]
    assert nodes == ["unacknowledged", "returned_unacknowledged"]


def test_damaged_lines_cost_frames_not_the_fix() -> None:
    faults = tuple(
        FaultTable(node=n, kind="garbage", from_s=0.0, until_s=1e6, share=0.01) for n in ("A", "B", "C", "D")
    )
    run = run_virtual(run_virtual_rig(scenario(faults=faults), 170.0, settings=SELDOM))
    assert run.picture is not None
    damaged = [node.health.counters.bad_frames for node in run.picture.nodes if node.health]
    assert sum(damaged) > 10
    fixes = run.of_kind(FixEntry)
    assert len(fixes) + len(run.of_kind(NoFixEntry)) > 0
    leak = scenario().leaks[0]
    for fix in fixes:
        assert max(abs(a - b) for a, b in zip(fix.position_m, leak.position_m, strict=True)) < 3 * fix.radius95_m + 0.01


def test_an_acknowledgement_silences_the_siren_until_it_gets_worse() -> None:
    acknowledged: list[float] = []

    def during(app: App, run: Run, now_s: float) -> None:
        if not acknowledged and any(e.alarm_class == "caution" for e in run.of_kind(AlarmEntry)):
            acknowledged.append(now_s)
            app.deliver(Acknowledge("leak", 2, "tester"))

    run = run_virtual(run_virtual_rig(scenario(), 400.0, settings=SELDOM, during=during))
    patterns = [pattern for _, _, pattern in run.plant.siren_log]
    assert patterns == [SirenPattern.CAUTION, SirenPattern.SILENT, SirenPattern.WARNING]
    by = [e.acknowledged_by for e in run.of_kind(AlarmEntry) if e.state == "acknowledged"]
    assert by[0] == "tester"


def test_cut_cables_do_not_end_a_leak() -> None:
    """Not hearing is not silence: with every array gone the leak stays as it was last known."""
    faults = tuple(FaultTable(node=n, kind="off", from_s=130.0, until_s=1e6) for n in ("A", "B", "C", "D"))
    run = run_virtual(run_virtual_rig(scenario(faults=faults), 220.0, settings=SELDOM))
    assert not run.of_kind(DetectionOverEntry)
    leak = [e.state for e in run.of_kind(AlarmEntry) if e.key == "leak"]
    assert set(leak) == {"unacknowledged"}
    assert run.picture is not None
    assert run.picture.phase == "leak"
    assert run.picture.verdict is not None
    lost = [e for e in run.of_kind(AlarmEntry) if e.key == "nodes"]
    assert lost[-1].text == "nodes lost: A, B, C, D"


def test_a_sealed_leak_is_over_when_quiet_was_heard() -> None:
    (leak,) = scenario().leaks
    sealed = leak.model_copy(update={"sealed_at_s": 120.0})
    run = run_virtual(run_virtual_rig(scenario(leaks=(sealed,)), 240.0, settings=SELDOM))
    assert len(run.of_kind(DetectionOverEntry)) == 1
    leaks = [e for e in run.of_kind(AlarmEntry) if e.key == "leak" and e.cause != "new evidence"]
    assert [(e.alarm_class, e.state) for e in leaks] == [
        ("advisory", "unacknowledged"),
        ("caution", "unacknowledged"),
        ("caution", "returned_unacknowledged"),
    ]
    assert run.picture is not None
    assert run.picture.phase == "watching"
