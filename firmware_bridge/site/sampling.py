"""When the burst channels of a node are sampled, and what is wrong there; what they measure is the schema's."""

from firmware_bridge.site.fittings import QUANTITY_OF
from firmware_bridge.site.schema import NodeTable, SiteTable

S_PER_US = 1e-6


def sampled_late_s(node: NodeTable) -> dict[str, float]:
    """How much later than its burst's stated start each sensor is sampled, s, by name; 0 for slow sensors.

    A converter that takes its channels in turn takes channel k of a kind (k - first) x skew later than the first.
    """
    first: dict[str, int] = {}
    for sensor in node.sensors:
        first[sensor.quantity] = min(sensor.channel, first.get(sensor.quantity, sensor.channel))
    return {
        sensor.name: 0.0
        if not QUANTITY_OF[sensor.quantity].in_bursts
        else S_PER_US
        * (node.skew_us * (sensor.channel - first[sensor.quantity]) if sensor.late_us is None else sensor.late_us)
        for sensor in node.sensors
    }


def sampling_problems(table: SiteTable) -> list[str]:
    """What contradicts itself."""
    problems = []
    for i, node in enumerate(table.nodes):
        key = f"nodes[{i}] ({node.name})"
        problems += [
            f"{key}.sensors {sensor.name!r}: has late_us, but {sensor.quantity} does not come in bursts; leave it out"
            for sensor in node.sensors
            if sensor.late_us is not None and not QUANTITY_OF[sensor.quantity].in_bursts
        ]
        if node.skew_us and not any(QUANTITY_OF[sensor.quantity].in_bursts for sensor in node.sensors):
            problems.append(f"{key}: has skew_us, but neither microphones nor contact sensors; leave it out")
    return problems
