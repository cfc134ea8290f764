"""How long a slow sample waits behind bursts, in CPU time of the decisions, which a busy machine changes little.

`python -m benchmarks.speed.alarm_waiting`: bursts of eight arrays wait in the inbox, a barometer's sample behind them;
the time is that of all steps until the one that took the sample is over. Beside it, all bursts in one step.
"""

import time

import numpy as np

from benchmarks.measuring import Row
from benchmarks.speed.alarm_rig import MICROPHONES, RATE_HZ, ROOM, site_tables
from controller.pipeline import inbox as room
from controller.pipeline.inbox import BURSTS_A_STEP, Inbox
from controller.pipeline.pipeline import Pipeline, Settings
from firmware_bridge.declared import parse_declared
from firmware_bridge.samples import ScalarBlock, WaveBlock
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import build_site
from firmware_bridge.units import Quantity, s_to_ns

NODES, SAMPLES, TRIALS = 8, 16_384, 30
WAITING = (4, 8, 16)


def rows() -> list[Row]:
    """The longest of all trials, for each number of bursts that wait, with the bound and without."""
    table = []
    for bound, words in ((BURSTS_A_STEP, f"{BURSTS_A_STEP} a step"), (1000, "all in one step")):
        room.BURSTS_A_STEP = bound
        for waiting in WAITING:
            spent_s = _spent_s(waiting)
            amount = f"{words}; median {1000 * float(np.median(spent_s)):.1f} ms of CPU, {TRIALS} trials"
            table.append(Row(f"a sample behind {waiting} bursts, longest", max(spent_s), amount))
    room.BURSTS_A_STEP = BURSTS_A_STEP
    return table


def _spent_s(waiting: int) -> list[float]:
    random = np.random.default_rng(1)
    site = build_site(parse_declared(site_tables(NODES), "bench", SiteTable), "bench")
    pipeline = Pipeline(site, ROOM, Settings())
    spent = []
    for trial in range(TRIALS):
        now_ns = s_to_ns(100.0 + trial)
        box = Inbox(lambda _place: None)
        for number in range(waiting):
            box.put(_burst(f"A{number % NODES}", trial * waiting + number, now_ns, random))
        box.put(ScalarBlock("P", "P-pressure", Quantity.PRESSURE, np.array([now_ns]), np.array([101_325.0]), 1e5))
        began_s = time.process_time()
        taken = False
        while not taken:
            events = box.take(now_ns)
            taken = any(isinstance(event, ScalarBlock) for event in events)
            pipeline.step(now_ns, events)
        spent.append(time.process_time() - began_s)
    return spent


def _burst(node: str, number: int, start_ns: int, random: np.random.Generator) -> WaveBlock:
    pressure = random.normal(0.0, 0.01, (MICROPHONES, SAMPLES)).astype(np.float32)
    names = tuple(f"{node}-{channel}" for channel in range(MICROPHONES))
    return WaveBlock(node, names, number, start_ns, 100.0, RATE_HZ, pressure, True, False, (), RATE_HZ)


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {1000 * row.seconds:.1f} ms ({row.amount})")
