"""A run on a real clock, with a thread that writes and a person who asks: recorded, it is decided again bit by bit."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller.app import App
from controller.config import fitted
from controller.declared import ControllerTable
from controller.evidence.keeping import Plan
from controller.evidence.replay import Replay, recorded_parts
from controller.journal.entries import AnyEntry, NoteEntry, to_json
from controller.logbook import Observers
from firmware_bridge.declared import parse_declared
from firmware_bridge.links.recording import Settings
from firmware_bridge.wire.commands import Identify
from tests.support.bench import Bench
from tests.support.sites import site_tables, small_site

pytestmark = pytest.mark.integration


def test_a_run_on_a_real_clock_is_decided_again(tmp_path: Path) -> None:
    told: list[AnyEntry] = []
    raw: dict[str, Any] = {"format": 1, "site": "-", "mqtt": {"enabled": False}, "health": {"startup_grace_s": 1.0}}
    table = parse_declared(raw, "test", ControllerTable)
    configuration = fitted(table, small_site(), "test")
    own = table.model_dump_json(exclude_none=True).encode()
    plan = Plan(Settings(whole=tmp_path), msgspec.json.encode(site_tables()), own, configuration.compartment)

    async def main() -> None:
        rig = Bench()
        rig.plug("A", "B")
        observers = Observers(told.append, lambda _picture, _elapsed_s: None)
        app = App(configuration, tuple(rig.ports.values()), None, None, observers, recording=plan)
        task = asyncio.create_task(app.run())
        await asyncio.sleep(2.5)
        app._bridge.send("A", 1 << 40, Identify(1))
        await rig.unplug("B")
        await asyncio.sleep(5.0)
        app._bridge.greet("A")
        await asyncio.sleep(2.5)
        task.cancel()
        await asyncio.wait([task])
        await rig.unplug("A")

    asyncio.run(main())
    again = Replay(recorded_parts(tmp_path))
    entries = [to_json(entry) for moment in again.moments() for entry in moment.entries]
    assert (again.comparison.differences, again.comparison.first) == (0, None)
    decided = [to_json(entry) for entry in told if not isinstance(entry, NoteEntry)]
    assert len(decided) > 8  # both nodes known, one asked, one lost with its alarm, one greeted anew
    assert entries == decided
