"""Eight nodes that burst a megabyte a second each over terminals, every hundredth frame damaged: what it costs."""

import asyncio
import json
import subprocess
import sys
import time

import numpy as np

from benchmarks.measuring import Row
from benchmarks.speed.flooding import CHANNELS, FIRST_UID
from firmware_bridge.bridge import Bridge
from firmware_bridge.declared import parse_declared
from firmware_bridge.links.uart import UartPort
from firmware_bridge.samples import WaveBlock
from firmware_bridge.session.conversation import Settings
from firmware_bridge.session.events import LinkHealth, SessionEvent
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import Site, build_site

NODES, BYTES_PER_S, SECONDS, DAMAGED = 8, 1e6, 10.0, 0.01


def rows() -> list[Row]:
    """One row: time of one core a second of bursts, and what was lost."""
    return [asyncio.run(_measured())]


def _site() -> Site:
    nodes = [
        {
            "name": f"N{i}",
            "uid": f"{FIRST_UID + i:x}",
            "compartment": "lab",
            "sensors": [
                {
                    "name": f"N{i}-{channel}",
                    "quantity": "ultrasound",
                    "channel": channel,
                    "position_m": [0.1 + 0.4 * i, 0.1 + 0.1 * channel, 0.1],
                }
                for channel in range(CHANNELS)
            ],
        }
        for i in range(NODES)
    ]
    room = {"name": "lab", "volume_m3": 24.0, "hull": {"shape": "box", "size_m": [4.0, 3.0, 2.0]}}
    tables = {"format": 1, "name": "flood", "compartments": [room], "nodes": nodes}
    return build_site(parse_declared(tables, "benchmark", SiteTable), "benchmark")


async def _measured() -> Row:
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed.flooding",
        str(NODES),
        str(BYTES_PER_S),
        str(SECONDS),
        str(DAMAGED),
    ]
    with subprocess.Popen(  # noqa: ASYNC220 - before anything runs
        command, stdout=subprocess.PIPE, text=True
    ) as player:
        assert player.stdout is not None
        paths = json.loads(player.stdout.readline())
        health: dict[str, LinkHealth] = {}
        bursts = 0

        def sink(event: SessionEvent) -> None:
            nonlocal bursts
            if isinstance(event, LinkHealth):
                health[event.link] = event
            bursts += isinstance(event, WaveBlock)

        exchange = Exchange(_site(), paths, Settings())
        bridge = Bridge(exchange, [UartPort(path, 921_600) for path in paths], sink, np.random.default_rng(1))
        began, began_cpu = time.monotonic(), time.process_time()
        task = asyncio.create_task(bridge.run())
        said = await asyncio.to_thread(player.stdout.readline)
        await asyncio.sleep(1.2)  # the last report of each link
        wall, cpu = time.monotonic() - began, time.process_time() - began_cpu
        task.cancel()
        await asyncio.wait([task])
    sent = json.loads(said)
    received = sum(one.counters.received_bytes for one in health.values())
    bad = sum(one.counters.bad_frames for one in health.values())
    lost = sum(one.counters.lost_frames for one in health.values())
    damaged = sum(node[1] for node in sent)
    unsent = sum(node[2] for node in sent)
    intact_lost = max(0, lost - damaged)
    amount = (
        f"{received / SECONDS / 1e6:.1f} MB/s of {NODES * BYTES_PER_S / 1e6:.0f}, "
        f"{100 * cpu / SECONDS:.0f} % of a core, "
        f"{bursts} bursts, {damaged} frames damaged, {bad} seen so, {intact_lost} intact ones lost, {unsent} unsent, "
        f"{wall:.0f} s"
    )
    return Row(f"{NODES} nodes on terminals, a second", cpu / SECONDS, amount)
