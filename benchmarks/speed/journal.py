"""What an hour of quiet writes to the disk: nine slow values a second, a whole controller in virtual time, no alarm.

Every batch is forced to the disk at once, so that no page cache joins what an hour would keep apart; the bytes are
those that the kernel charges this process with (write_bytes of /proc/self/io: whole pages, but not what the file system
writes for itself).
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row
from controller.app import App
from controller.config import fitted
from controller.declared import ControllerTable
from controller.journal.entries import AnyEntry
from controller.journal.reader import journal_files
from controller.journal.spare import FILE_NAME as SPARE_NAME
from controller.logbook import Observers
from firmware_bridge.declared import parse_declared
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.session.events import CommandOutcome, StateChanged
from firmware_bridge.session.states import State
from firmware_bridge.site.survey import load_site
from firmware_bridge.units import Quantity, s_to_ns
from firmware_bridge.wire.commands import Siren, SirenPattern
from sim.virtual_time import run_virtual

SITE = Path(__file__).parents[2] / "configs" / "sites" / "quiet-week.toml"
HOUR_S = 3600
VALUES = 9
TYPICAL = {Quantity.PRESSURE: (99_330.0, 2.0), Quantity.TEMPERATURE: (295.15, 0.02)}  # mean, spread; SI


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes of an hour in files, and charged by the kernel (None where it does not say); how often it was asked."""

    file_bytes: int
    charged_bytes: int | None
    batches: int
    alarms: int


def quiet_hour(folder: Path, seconds: int = HOUR_S) -> Written:
    """Run a controller for so long in virtual time with its journal in `folder`."""
    return run_virtual(_quiet(folder, seconds))


async def _quiet(folder: Path, seconds: int) -> Written:
    site = load_site(SITE)
    told: list[AnyEntry] = []
    batches = 0
    before = _charged_bytes()

    async def at_once(work: Callable[[], object]) -> object:
        nonlocal batches
        result = work()
        batches += 1
        _sync(folder)
        return result

    raw = {"format": 1, "site": "-", "mqtt": {"enabled": False}, "tasking": {"capture_period_s": 86_400.0}}
    configuration = fitted(parse_declared(raw, "benchmark", ControllerTable), site, "benchmark")
    observers = Observers(told.append, lambda _picture, _elapsed_s: None)
    app = App(configuration, (), None, folder, observers, runner=at_once)
    running = asyncio.create_task(app.run())
    for node in site.nodes:
        app.deliver(StateChanged(f"port {node.name}", node.name, State.STREAMING, "in step"))
        if node.siren:  # there is no line on which it could answer
            app.deliver(CommandOutcome(node.name, 0, Siren(SirenPattern.SILENT), True, "done"))
    sensors = [(node.name, sensor.name, sensor.quantity) for node in site.nodes for sensor in node.sensors]
    slow = [one for one in sensors if not one[2].in_bursts][:VALUES]
    random = np.random.default_rng(1)
    for second in range(seconds):
        await asyncio.sleep(1.0)
        for node_name, sensor_name, quantity in slow:
            app.deliver(_block(node_name, sensor_name, quantity, second, random))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    after = _charged_bytes()
    return Written(
        file_bytes=_size(folder),
        charged_bytes=None if before is None or after is None else after - before,
        batches=batches,
        alarms=sum(1 for entry in told if entry.__struct_config__.tag == "alarm"),
    )


def _block(node: str, sensor: str, quantity: Quantity, second: int, random: np.random.Generator) -> ScalarBlock:
    mean, spread = TYPICAL.get(quantity, (1.0, 0.1))
    value = mean + spread * random.standard_normal(1)
    return ScalarBlock(node, sensor, quantity, np.array([s_to_ns(float(second))]), value, 1e5)


def _sync(folder: Path) -> None:
    for file in folder.iterdir():
        fd = os.open(file, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def _size(folder: Path) -> int:
    """Of what is written; the spare is room that is taken once."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.name != SPARE_NAME)


def _charged_bytes() -> int | None:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), None)


def rows() -> list[Row]:
    """One hour, once: virtual time makes it the same each time."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as made:
        folder = Path(made)
        began = time.process_time()
        written = quiet_hour(folder)
        took_s = time.process_time() - began
        files = len(journal_files(folder))
    charged = "unknown" if written.charged_bytes is None else f"{written.charged_bytes / 1e6:.2f} MB"
    amount = (
        f"{VALUES} values at 1 Hz: {charged} charged in {written.batches} batches, "
        f"{written.file_bytes / 1e6:.2f} MB in {files} files, {written.alarms} alarms"
    )
    return [Row("journal of a quiet hour, one core", took_s, amount)]
