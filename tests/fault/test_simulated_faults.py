"""All faults together: declared for what can fail so, and the same bytes for the same seed."""

from typing import Any

import pytest

from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.wire.commands import Levels, Start
from sim.scenario.faults import PARAMETERS, FaultTable
from tests.support.faulty_runs import ARRAY, BURSTS, MICROPHONE, NODE, SCRIPT, SENSOR, fault, run

EVERY = (
    fault("sensor", SENSOR, "garbage", 3.0, 15.0, share=0.3),
    fault("sensor", SENSOR, "intermittent", 15.0, 25.0, share=0.5, mean_s=1.0),
    fault("node", NODE, "garbage", 30.0, 40.0, mean_s=3.0),
    fault("node", "P2", "intermittent", 5.0, 50.0, share=0.3, mean_s=3.0),
    fault("node", NODE, "slow", 5.0, 25.0, delay_s=0.1, jitter_s=0.2),
    fault("link", NODE, "garbage", 40.0, 55.0, bit_flips=0.001, inserted_bytes=0.001, truncated=0.05, duplicated=0.1),
    fault("link", "P2", "delayed", 5.0, 50.0, delay_s=0.1, jitter_s=0.5),
    fault("sensor", MICROPHONE, "garbage", 20.0, 40.0),
)
EVERY_SCRIPT = (*SCRIPT, *BURSTS, (1.0, "P2", Start(500)), (30.0, "P2", Start(500)), (2.0, ARRAY, Levels(1000)))


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (run(*EVERY, script=EVERY_SCRIPT) for _ in range(2))
    assert set(first.pieces) == set(second.pieces) >= {NODE, "P2", ARRAY}
    for node, pieces in first.pieces.items():
        assert pieces == second.pieces[node]
    other = run(*EVERY, script=EVERY_SCRIPT, seed=2)
    assert other.data(NODE) != first.data(NODE)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"kind": "off"}, "say what fails"),
        ({"node": "A", "target": {"node": "A"}, "kind": "off"}, "say what fails"),
        ({"node": "A", "kind": "slow"}, "short for off and garbage"),
        ({"target": {"node": "A", "link": "A"}, "kind": "off"}, "name one of"),
        ({"target": {}, "kind": "off"}, "name one of"),
        ({"target": {"link": "A"}, "kind": "wrong"}, "a link cannot be wrong"),
        ({"target": {"sensor": "A1"}, "kind": "off", "delay_s": 1.0}, "delay_s means nothing to a sensor that is off"),
        ({"target": {"node": "A"}, "kind": "wrong"}, "say what is wrong"),
        ({"target": {"sensor": "A1"}, "kind": "slow", "lag_s": -1.0}, "lag_s"),
    ],
)
def test_faults_that_mean_nothing_are_refused(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclaredFileError, match=message):
        parse_declared({"from_s": 0.0, "until_s": 1.0, **raw}, "test", FaultTable)


def test_every_kind_is_declared_for_what_can_fail_so() -> None:
    kinds = {"off", "stuck", "garbage", "wrong", "slow", "delayed", "intermittent"}
    assert {kind for where, kind in PARAMETERS if where == "sensor"} == kinds
    assert {kind for where, kind in PARAMETERS if where == "node"} == kinds
    assert {kind for where, kind in PARAMETERS if where == "link"} == kinds - {"wrong"}
