"""The inbox: what a step takes, what overtakes what, and that a recording of it says the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.evidence.steps import events_of, step_data, step_of
from controller.pipeline.events import Event, OwnHealth, SearchAsked
from controller.pipeline.inbox import BURSTS_A_STEP, MAX_BYTES, MAX_WAITING, Inbox
from firmware_bridge.samples import ScalarBlock, WaveBlock
from firmware_bridge.session.events import SessionEvent, StateChanged
from firmware_bridge.session.states import State
from firmware_bridge.units import NS_PER_S
from tests.support.pressing import scalars
from tests.support.told import moved

NODES = ("A", "B", "C")


def burst(node: str, number: int, samples: int = 4) -> WaveBlock:
    silence = np.broadcast_to(np.float32(0.0), (1, samples))  # of no memory
    made = WaveBlock.__new__(WaveBlock)
    for name, value in {"node": node, "burst_id": number, "pressure_pa": silence}.items():
        object.__setattr__(made, name, value)
    return made


def inbox(*events: Event) -> Inbox:
    made = Inbox(lambda place: None)
    for event in events:
        made.put(event)
    return made


def test_a_slow_sample_waits_for_no_more_than_a_few_bursts() -> None:
    bursts: list[Event] = [burst("A", number) for number in range(10)]
    sample, person = scalars(1.0, 9e4), SearchAsked(True, "Alex")
    box = inbox(*bursts, sample, person)
    assert box.take(0) == [*bursts[:BURSTS_A_STEP], sample, person]
    later = scalars(2.0, 9e4)
    box.put(later)
    assert box.take(1) == [*bursts[BURSTS_A_STEP : 2 * BURSTS_A_STEP], later]
    rest: list[Event] = []
    while box.waiting:
        rest += box.take(2)
    assert rest == bursts[2 * BURSTS_A_STEP :]


def test_a_burst_is_judged_before_its_node_is_lost() -> None:
    bursts = [burst("A", number) for number in range(6)]
    others = [burst("B", number) for number in range(6)]
    lost = moved("A", State.LOST)
    box = inbox(*bursts, *others, lost, burst("A", 7))
    assert box.take(0) == [*bursts, lost]
    assert box.take(0) == others[:BURSTS_A_STEP]


def test_what_does_not_wait_is_in_order_and_says_so() -> None:
    events: list[Event] = [*(burst("A", number) for number in range(BURSTS_A_STEP)), scalars(1.0, 9e4), moved("A")]
    box = inbox(*events)
    assert box.take(0) == events
    assert box.places is None


EVENTS = st.lists(st.tuples(st.sampled_from("WWWWSCP"), st.sampled_from(NODES)), max_size=40)


@settings(max_examples=150)
@given(st.lists(EVENTS, min_size=1, max_size=6))
def test_a_recording_takes_the_same_in_the_same_order(rounds: list[list[tuple[str, str]]]) -> None:
    drops: list[int] = []
    box = Inbox(drops.append)
    pending: list[SessionEvent] = []
    number = 0
    put: list[Event] = []
    got: list[Event] = []

    def step() -> None:
        events = box.take(NS_PER_S)
        mark = step_of(step_data(events, drops, 0, box.places))
        drops.clear()
        again = list(events_of(mark, pending))
        assert [one if isinstance(one, SearchAsked | OwnHealth) else id(one) for one in again] == [
            one if isinstance(one, SearchAsked | OwnHealth) else id(one) for one in events
        ]
        got.extend(events)

    for events in rounds:
        for kind, node in events:
            number += 1
            event: Event
            match kind:
                case "W":
                    event = burst(node, number)
                case "S":
                    event = scalars(float(number), 9e4, node=node)
                case "C":
                    event = moved(node)
                case _:
                    event = SearchAsked(True, node)
            box.put(event)
            put.append(event)
            if isinstance(event, WaveBlock | ScalarBlock | StateChanged):
                pending.append(event)
        step()
    while box.waiting:
        step()
    assert pending == []
    assert {id(event) for event in got} == {id(event) for event in put}
    for node in NODES:  # what is of one node's sound and state keeps its order
        own = [e for e in put if isinstance(e, WaveBlock) and e.node == node]
        assert [e for e in got if isinstance(e, WaveBlock) and e.node == node] == own
    assert [e for e in got if not isinstance(e, WaveBlock)] == [e for e in put if not isinstance(e, WaveBlock)]


def test_a_flood_of_bursts_is_bounded_and_costs_no_sample() -> None:
    places: list[int] = []
    box = Inbox(places.append)
    sample = scalars(1.0, 9e4)
    box.put(sample)
    for number in range(3 * MAX_WAITING):
        box.put(burst("A", number))
    assert len(box.waiting) <= MAX_WAITING
    taken = box.take(0)
    assert taken[0] is sample
    assert isinstance(taken[-1], OwnHealth)
    assert box.dropped == len(places) > 0


def test_long_bursts_make_way_by_their_bytes_and_only_the_flooders() -> None:
    """Bursts of a tenth of what may wait: A sends thirty, B one, and a person speaks."""
    dropped: list[int] = []
    box = Inbox(dropped.append)
    person, lone = SearchAsked(True, "Alex"), burst("B", 0, MAX_BYTES // 40)
    box.put(lone)
    box.put(person)
    for number in range(30):
        box.put(burst("A", number, MAX_BYTES // 40))
        waiting = [event for event in box.waiting if isinstance(event, WaveBlock)]
        assert sum(event.pressure_pa.nbytes for event in waiting) <= MAX_BYTES
    assert lone in box.waiting
    assert person in box.waiting
    kept = [event.burst_id for event in box.waiting if isinstance(event, WaveBlock) and event.node == "A"]
    assert kept == list(range(30 - len(kept), 30))  # the newest, in order
    assert len(kept) >= 4
    assert len(dropped) == box.dropped == 30 - len(kept)
    while box.waiting:
        box.take(0)
    box.put(burst("A", 31, MAX_BYTES // 4))  # as large as may be: what was taken no longer counts
    assert box.dropped == len(dropped) == 30 - len(kept)
