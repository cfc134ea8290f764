"""A day of the quiet week: eight pressure nodes every second, the arrays' levels in bands, the cabin's air and weather.

No controller listens: what is measured is the world, its nodes and their frames.
"""

import resource
import time
from pathlib import Path

from benchmarks.measuring import Row
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity, s_to_ns
from firmware_bridge.wire.codec import encode
from firmware_bridge.wire.commands import Command, Levels, Start
from firmware_bridge.wire.framing import encode_packet
from sim.plant.plant import Plant
from sim.scenario.scenario import load_scenario

CONFIGS = Path(__file__).parents[2] / "configs"
DAY_S = 86_400.0
PARTS = 4  # of the day: memory after the first is what is needed, after the last what is needed however long it lasts
LEVEL_PERIOD_MS = 1000


def rows() -> list[Row]:
    """One day, once: it is long enough to be its own average. Of one core's time, as other programs take theirs."""
    scenario, site = load_scenario(CONFIGS / "scenarios" / "quiet-week.toml", CONFIGS / "sites")
    plant = Plant(scenario, site, 1)
    _start(plant, site)
    names = [node.name for node in site.nodes]
    began = time.process_time()
    frames, now_ns, memory_mb = 0, 0, []
    for part in range(1, PARTS + 1):
        more, now_ns = _on(plant, names, now_ns, s_to_ns(DAY_S * part / PARTS))
        frames += more
        memory_mb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
    barometers = sum(1 for node in site.nodes if node.of_quantity(Quantity.PRESSURE))
    arrays = sum(1 for node in site.nodes if node.of_quantity(Quantity.ULTRASOUND))
    amount = (
        f"{barometers} barometer nodes at 1 Hz, levels of {arrays} arrays every {LEVEL_PERIOD_MS // 1000} s, "
        f"{frames:,} frames; peak memory {memory_mb[0]:.0f} MB after a quarter, {memory_mb[-1]:.0f} MB at the end"
    )
    return [Row("a day of quiet-week, one core", time.process_time() - began, amount)]


def _start(plant: Plant, site: Site) -> None:
    for node in site.nodes:
        orders: list[Command] = [Start(1000)] if any(not sensor.quantity.in_bursts for sensor in node.sensors) else []
        orders += [Levels(LEVEL_PERIOD_MS)] if any(sensor.quantity.in_bursts for sensor in node.sensors) else []
        for sequence, order in enumerate(orders, 1):
            plant.receive(node.name, 0, encode_packet(encode(order, sequence=sequence)))


def _on(plant: Plant, nodes: list[str], now_ns: int, end_ns: int) -> tuple[int, int]:
    """Step to `end_ns`, taking every frame; how many, and the time that was reached."""
    frames = 0
    while now_ns <= end_ns:
        for job in plant.step(now_ns):
            counts, saturated = plant.render(job)
            plant.finish(job, now_ns, counts, saturated=saturated)
        for node in nodes:
            while plant.next_frame(node) is not None:
                frames += 1
        now_ns = max(plant.next_ns(now_ns), now_ns + 1)
    return frames, now_ns
