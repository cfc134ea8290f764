"""The rig of the alarm latency: arrays about a box, a barometer, a siren; and when its sample is an alarm."""

from typing import Any

SITE_NAME = "alarm-bench"
ROOM = "room"
FIRST_UID, P_UID, S_UID = 0xF0, 0xE0, 0xE1
MICROPHONES, RATE_HZ = 4, 192_000
LOW_COUNTS, STEP_COUNTS = 405_300, 40  # a quarter of a pascal each: 101,325 Pa, and 10 Pa more
ALARM_PA = 101_330.0
SIZE_M = (4.0, 3.0, 2.0)


def site_tables(count: int) -> dict[str, Any]:
    """`count` arrays along two walls."""
    offsets = ((-0.035, -0.035, -0.035), (-0.035, 0.035, 0.035), (0.035, -0.035, 0.035), (0.035, 0.035, -0.035))
    nodes: list[dict[str, Any]] = []
    for index in range(count):
        along = 0.4 + 3.2 * (index // 2) / max((count - 1) // 2, 1)
        centre = (along, 0.3 if index % 2 else 2.7, 0.5 + (index % 3) * 0.5)
        sensors = [
            {
                "name": f"A{index}-{channel}",
                "quantity": "ultrasound",
                "channel": channel,
                "position_m": [round(c + o, 3) for c, o in zip(centre, offset, strict=True)],
            }
            for channel, offset in enumerate(offsets)
        ]
        nodes.append({"name": f"A{index}", "uid": f"{FIRST_UID + index:x}", "compartment": ROOM, "sensors": sensors})
    pressure = [{"name": "P-pressure", "quantity": "pressure", "channel": 0}]
    nodes.append({"name": "P", "uid": f"{P_UID:x}", "compartment": ROOM, "sensors": pressure})
    nodes.append({"name": "S", "uid": f"{S_UID:x}", "compartment": ROOM, "siren": True})
    room = {"name": ROOM, "volume_m3": 24.0, "hull": {"shape": "box", "size_m": list(SIZE_M)}}
    return {"format": 1, "name": SITE_NAME, "compartments": [room], "nodes": nodes}
