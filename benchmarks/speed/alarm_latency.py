"""How long from a sample on the wire to the siren's command on the wire, and to the alarm at an MQTT consumer.

The detection windows are declared ([onset], [pressure]) and not measured here: one sample above a limit stands for the
end of such a window. All else is as in `leakctl run`: eight arrays whose lines are full, and asked for captures;
sessions, health, detectors, policy, alarm machine, tasking, locator, broker, journal on disk.
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Row
from benchmarks.speed.alarm_rig import ALARM_PA, SITE_NAME, site_tables
from controller.alarm.keys import LEAK
from controller.alarm.policy import LeakEvidence, leak_conditions
from controller.alarm.policy import Settings as PolicySettings
from controller.alarm.types import AlarmClass, Condition
from controller.app import App
from controller.config import fitted
from controller.declared import ControllerTable
from controller.journal.entries import AnyEntry, FixEntry, NoFixEntry
from controller.logbook import Observers
from controller.pipeline import pipeline as pipeline_room
from controller.pipeline.events import Event
from controller.pipeline.happenings import Happening
from controller.pipeline.picture import Picture
from firmware_bridge.declared import parse_declared
from firmware_bridge.links.uart import UartPort
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import build_site

ROOT = Path(__file__).parents[2]
NODES = 8
BYTES_PER_S = 92_160.0  # 921,600 baud, eight data bits of ten
SECONDS = 200.0
TARGETS_MS = {"siren_ms": 50.0, "mqtt_ms": 100.0}


def rows(seconds: float = SECONDS, bytes_per_s: float = BYTES_PER_S) -> list[Row]:
    """One run, each node at `bytes_per_s` if its player can; the load of the machine is told beside it."""
    before = os.getloadavg()[0]
    found = asyncio.run(_measure(seconds, bytes_per_s))
    load = f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
    table = []
    for name, what in (("siren_ms", "siren command on the wire"), ("mqtt_ms", "alarm at an MQTT consumer")):
        times = np.array(found[name])
        missed = found["raised"] - len(times)
        for share in (50, 99, 100):
            amount = f"{len(times)} alarms, {missed} not heard within 0.4 s; target of p99 {TARGETS_MS[name]:g} ms; "
            amount += f"{NODES} nodes at {found['bytes_per_s'] / 1000:.0f} kB/s each, {found['captures']} captures, "
            amount += f"{found['entries']} journal entries, {found['verdicts']} verdicts; {load}"
            label = f"p{share}" if share < 100 else "longest"
            table.append(Row(f"sample to {what}, {label}", float(np.percentile(times, share)) / 1000, amount))
    return table


async def _measure(seconds: float, bytes_per_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        port = await _broker(Path(folder))
        player = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.speed.alarm_nodes", str(NODES), str(bytes_per_s), str(seconds),
            str(port[0]), f"leakloc/{SITE_NAME}/alarm/{LEAK}", stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert player.stdout is not None
        paths = json.loads(await player.stdout.readline())
        _probe()
        work: Counter[str] = Counter()
        app = _app(paths, port[0], Path(folder) / "journal", work)
        running = asyncio.create_task(app.run())
        try:
            ended = asyncio.ensure_future(player.stdout.readline())
            await asyncio.wait({ended, running}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            return {**json.loads(await ended), **work}
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for process in (player, port[1]):
                if process.returncode is None:
                    process.terminate()
                await process.wait()


def _app(paths: list[str], port: int, journal: Path, work: Counter[str]) -> App:
    site = build_site(parse_declared(site_tables(NODES), "bench", SiteTable), "bench")
    raw = {
        "format": 1,
        "site": "-",
        "mqtt": {"host": "127.0.0.1", "port": port},
        "alarm_times": {"off_delay_s": 0.0, "chatter_hold_s": 0.0},  # it comes and goes on purpose
    }
    configuration = fitted(parse_declared(raw, "bench", ControllerTable), site, "bench")

    def on_picture(picture: Picture, _elapsed_s: float) -> None:
        work["captures"] = picture.captures

    def on_entry(entry: AnyEntry) -> None:
        work["entries"] += 1
        work["verdicts"] += isinstance(entry, FixEntry | NoFixEntry)

    observers = Observers(on_entry, on_picture)
    return App(configuration, [UartPort(path, 921_600) for path in paths], None, journal, observers)


def _probe() -> None:
    """Let one high sample be what the end of a detection window is: a condition of the policy."""
    high = False
    take = pipeline_room.Pipeline._take

    def taking(self: pipeline_room.Pipeline, now_ns: int, event: Event) -> list[Happening]:
        nonlocal high
        if isinstance(event, ScalarBlock) and event.node == "P":
            high = float(event.value[-1]) > ALARM_PA
        return take(self, now_ns, event)

    def conditions(evidence: LeakEvidence, settings: PolicySettings) -> list[Condition]:
        leak_conditions(evidence, settings)
        return [Condition(LEAK, AlarmClass.WARNING, "the bench's sample is high")] if high else []

    pipeline_room.Pipeline._take = taking  # type: ignore[method-assign]
    pipeline_room.leak_conditions = conditions  # type: ignore[attr-defined]


async def _broker(folder: Path) -> tuple[int, asyncio.subprocess.Process]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    told = folder / "mosquitto.conf"
    await asyncio.to_thread(told.write_text, f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = await asyncio.create_subprocess_exec(
        str(ROOT / ".venv" / "bin" / "mosquitto"), "-c", str(told), stderr=asyncio.subprocess.DEVNULL
    )
    for _ in range(50):
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            break
        except OSError:
            await asyncio.sleep(0.1)
    return port, process


if __name__ == "__main__":
    for row in rows(*map(float, sys.argv[1:3])):  # seconds, bytes a second and node
        print(f"{row.name}: {1000 * row.seconds:.1f} ms ({row.amount})")
