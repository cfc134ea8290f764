"""The names of all alarms that there are. What raises them is policy's and faults'."""

LEAK = "leak"
NODES = "nodes"
SENSORS = "sensors"
LINKS = "links"
CLOCKS = "clocks"
BROKER = "broker"
SIREN = "siren"
DISK = "disk"
SELF = "self"
FLOOD = "flood"

ALARM_KEYS = (LEAK, NODES, SENSORS, LINKS, CLOCKS, BROKER, SIREN, DISK, SELF, FLOOD)
PARTED = frozenset({NODES, SENSORS, LINKS, CLOCKS})  # of these, parts may be taken out of service: "nodes:B"
ALWAYS_IN_SERVICE = frozenset({LEAK, FLOOD})  # what the controller is for, and what keeps people from drowning


def part_of(key: str, name: str) -> str:
    """The key under which one part of a grouped alarm is taken out of service."""
    return f"{key}:{name}"


def is_key(key: str) -> bool:
    """Whether there is such an alarm, or such a part of one."""
    group, colon, name = key.partition(":")
    return key in ALARM_KEYS or (bool(colon) and bool(name) and group in PARTED)
