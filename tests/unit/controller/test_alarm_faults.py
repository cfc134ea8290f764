"""Which faults are one alarm: what has one cause is told once, by its cause."""

import pytest

from controller.alarm.faults import FaultEvidence, fault_conditions
from controller.alarm.keys import BROKER, CLOCKS, DISK, LINKS, NODES, SELF, SENSORS, SIREN
from controller.alarm.types import AlarmClass

ADVISORY, CAUTION, WARNING, EMERGENCY = AlarmClass


def test_lost_nodes_are_one_condition() -> None:
    assert fault_conditions(FaultEvidence()) == []
    (one,) = fault_conditions(FaultEvidence(lost_nodes=(("A", "silent"),)))
    assert (one.key, one.alarm_class, one.text) == (NODES, CAUTION, "node lost: A")
    (both,) = fault_conditions(FaultEvidence(lost_nodes=(("A", "silent"), ("B", "hung up"))))
    assert both.text == "nodes lost: A, B"
    assert both.evidence == ("A: silent", "B: hung up")
    assert both.members == {"A", "B"}


def test_every_fault_has_its_own_condition_and_says_why() -> None:
    faults = FaultEvidence(
        lost_nodes=(("A", "silent"),),
        poor_sensors=(("B", "mute: B1"), ("B", "no bursts"), ("P1-pressure", "silent")),
        poor_links=(("C", "5 % damaged"),),
        poor_clocks=(("D", "jumped"),),
        broker="127.0.0.1:1883: refused",
        siren="S1: no answer",
        disk="no space left",
        own=(("locator", "failed"),),
    )
    told = {one.key: one for one in fault_conditions(faults)}
    assert {key: one.alarm_class for key, one in told.items()} == {
        NODES: CAUTION,
        SENSORS: ADVISORY,
        LINKS: ADVISORY,
        CLOCKS: ADVISORY,
        BROKER: ADVISORY,
        SIREN: CAUTION,
        DISK: CAUTION,
        SELF: CAUTION,
    }
    assert told[SENSORS].text == "not fully working: B, P1-pressure"
    assert told[SENSORS].members == {"B", "P1-pressure"}  # what is wrong with them may change its words all the time
    assert told[SENSORS].evidence == ("B: mute: B1", "B: no bursts", "P1-pressure: silent")
    assert told[BROKER].evidence == ("127.0.0.1:1883: refused",)
    assert told[SIREN].evidence == ("S1: no answer",)
    assert told[LINKS].evidence == ("C: 5 % damaged",)
    assert told[DISK].evidence == ("no space left",)


def test_a_lost_node_takes_all_that_is_its_own_with_it() -> None:
    """One cable, one alarm: not one a sensor, a line, a clock and a siren."""
    why = (("S1", "silent; check its cable"),)
    faults = FaultEvidence(
        lost_nodes=why,
        poor_sensors=why,
        poor_links=why,
        poor_clocks=why,
        siren="S1: away",
        siren_nodes=frozenset({"S1"}),
    )
    (one,) = fault_conditions(faults)
    assert (one.key, one.text) == (NODES, "node lost: S1")
    assert one.evidence == ("S1: silent; check its cable", "S1 is a siren: it will not sound")
    two_sirens = FaultEvidence(lost_nodes=why, siren="S2: no answer", siren_nodes=frozenset({"S1", "S2"}))
    assert [one.key for one in fault_conditions(two_sirens)] == [NODES, SIREN]


def test_a_lost_broker_takes_its_nodes_with_it_and_no_others() -> None:
    lost = (("A", "silent"), ("P1", "silent"), ("P2", "silent"))
    behind = frozenset({"P1", "P2", "P3"})
    nodes, broker = fault_conditions(FaultEvidence(lost_nodes=lost, broker="refused", behind_broker=behind))
    assert (nodes.key, nodes.text) == (NODES, "node lost: A")
    assert (broker.key, broker.alarm_class) == (BROKER, CAUTION)
    assert broker.text == "MQTT broker is away; nodes cut off: P1, P2"
    assert broker.members == {"P1", "P2"}
    (there,) = fault_conditions(FaultEvidence(lost_nodes=lost, behind_broker=behind))  # the broker is not to blame
    assert there.text == "nodes lost: A, P1, P2"


@pytest.mark.parametrize("count", [1, 64])
def test_no_fault_is_graver_than_a_caution(count: int) -> None:
    many = tuple((f"N{i}", "silent") for i in range(count))
    other = tuple((f"M{i}", "poor") for i in range(count))
    everything = FaultEvidence(
        lost_nodes=many,
        poor_sensors=other,
        poor_links=other,
        poor_clocks=other,
        broker="x",
        siren="y",
        disk="z",
        own=(("inbox", "full"),),
    )
    assert max(one.alarm_class for one in fault_conditions(everything)) is CAUTION
    assert len(fault_conditions(everything)) == 8  # however many nodes there are
