"""Short runs of the shipped rig with faults: who fails when, what is asked, and what came of it."""

from functools import cache
from typing import Any

import numpy as np

from firmware_bridge.declared import parse_declared
from firmware_bridge.wire.commands import Capture, Hello, Ping, Start, TriggerRole
from firmware_bridge.wire.reports import Pong
from sim.scenario.faults import FaultTable
from sim.scenario.nodes import BarometersTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.weather import WeatherTable
from tests.support.scripted_host import Heard, Script, play
from tests.support.shipped import shipped

FROM_S, UNTIL_S, END_S = 20.0, 40.0, 60.0
NODE, SENSOR, ARRAY, MICROPHONE = "P1", "P1-pressure", "A", "A1"
TRUE_COUNT = 9_933_000  # of the quiet cabin, 0.01 Pa each
SCRIPT: Script = (
    (1.0, NODE, Start(500)),
    *((2.0 + k, NODE, Ping(k)) for k in range(58)),
)
AGAIN: Script = (  # for those that lose their memory
    *SCRIPT,
    *((at_s, NODE, Hello(1, 1)) for at_s in (30.5, 50.5)),
    *((at_s, NODE, Start(500)) for at_s in (30.6, 50.6)),
)
SAMPLES, RATE_HZ = 4096, 192e3
BURSTS: Script = tuple(
    (at_s, ARRAY, Capture(k + 1, SAMPLES, TriggerRole.AT_TIME, 0)) for k, at_s in enumerate((10.0, 30.0, 50.0))
)


def quiet(*faults: FaultTable, **changes: Any) -> ScenarioTable:
    """The shipped rig in a cabin that does nothing, its pressure read without error but one count of noise."""
    scenario, _ = shipped()
    changes = {"leaks": (), "weather": WeatherTable(), "barometers": BarometersTable(noise_pa=0.01), **changes}
    return scenario.model_copy(update={"faults": faults, **changes})


def fault(
    where: str, name: str, kind: str, from_s: float = FROM_S, until_s: float = UNTIL_S, **keys: Any
) -> FaultTable:
    raw = {"target": {where: name}, "kind": kind, "from_s": from_s, "until_s": until_s, **keys}
    return parse_declared(raw, "test", FaultTable)


def run(*faults: FaultTable, script: Script = SCRIPT, **changes: Any) -> Heard:
    return play(quiet(*faults, **changes), shipped()[1], script, END_S)


@cache
def healthy() -> Heard:
    return run()


def split(counts: np.ndarray, slack_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Counts taken while the fault acts, and all others."""
    inside = (counts[:, 0] >= FROM_S) & (counts[:, 0] < UNTIL_S + slack_s)
    return counts[inside], counts[~inside]


def boots(heard: Heard) -> list[int]:
    """Boot ids in their order."""
    seen = [packet.boot_id for _, packet in heard.packets(NODE)]
    return list(dict.fromkeys(seen))


def late_s(heard: Heard) -> np.ndarray:
    """(asked at s, answered after s) of every ping."""
    return np.array([(2.0 + pong.ping_id, at_s - 2.0 - pong.ping_id) for at_s, pong in heard.of_kind(NODE, Pong)])
