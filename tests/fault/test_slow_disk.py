"""A disk on which every write takes half a minute: lamps and decisions do not wait for it, and nothing is left out."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from controller.app import STEP_S, App
from controller.config import fitted
from controller.declared import ControllerTable
from controller.journal.entries import AlarmEntry
from controller.journal.reader import read_entries
from controller.logbook import Observers
from firmware_bridge.declared import parse_declared
from sim.virtual_time import run_virtual
from tests.support.bench import Bench
from tests.support.sites import small_site

PIN = 17
WRITE_S = 30.0
SETTINGS = {
    "format": 1,
    "site": "-",
    "mqtt": {"enabled": False},
    "health": {"startup_grace_s": 2.0, "lost_after_s": 2.0},  # nobody is at the links
    "outputs": [{"kind": "lamp", "name": "red", "pin": PIN}],
}


def test_lamps_are_lit_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factory = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    told_s: list[float] = []
    lit_s: list[float] = []
    decided_s: list[float] = []

    async def slow(work: Callable[[], object]) -> object:
        await asyncio.sleep(WRITE_S)
        return work()

    async def main() -> None:
        now_s = asyncio.get_running_loop().time

        def look(*_: object) -> None:
            decided_s.append(now_s())
            if factory.pin(PIN).state and not lit_s:
                lit_s.append(now_s())
                assert not any(isinstance(entry, AlarmEntry) for entry in read_entries(tmp_path))

        own = fitted(parse_declared(SETTINGS, "test", ControllerTable), small_site(), "test")
        ports = tuple(Bench().ports.values())
        observers = Observers(lambda e: told_s.append(now_s()) if isinstance(e, AlarmEntry) else None, look)
        app = App(own, ports, None, tmp_path, observers, runner=slow)
        running = asyncio.create_task(app.run())
        await asyncio.sleep(3.0 * WRITE_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())
    assert lit_s[0] == pytest.approx(2.0, abs=2 * STEP_S)
    assert told_s[0] == lit_s[0]
    assert max(b - a for a, b in pairwise(decided_s)) <= STEP_S + 1e-6, "no decision waited for the disk"
    assert any(isinstance(entry, AlarmEntry) for entry in read_entries(tmp_path))
