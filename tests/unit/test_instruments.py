"""Somebody else's sensors: what their sites may declare, what their messages say, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.errors import SiteError
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.session.conversation import Settings
from firmware_bridge.session.events import CommandOutcome, LinkHealth, SessionEvent, StateChanged
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.foreign_text import MAX_PATTERN_BYTES, MAX_TEXT_BYTES
from firmware_bridge.session.instrument import MAX_LINE_BYTES, MAX_VALUES_PER_S, InstrumentSession
from firmware_bridge.session.states import State
from firmware_bridge.session.tape import Call
from firmware_bridge.site.instruments import path_of
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.commands import Identify
from tests.support.sites import parsed, site_tables

TOPIC, STATE = "tele/cabin/SENSOR", "esphome/cabin/pressure/state"
TASMOTA = b'{"Time":"2026-11-23T10:00:00","BME280":{"Temperature":22.5,"Humidity":41.0,"Pressure":1013.2}}'

PUBLISHED: dict[str, Any] = {
    "name": "cabin",
    "compartment": "lab",
    "source": {"kind": "mqtt"},
    "readings": [
        {
            "name": "c-p",
            "quantity": "pressure",
            "unit": "hPa",
            "topic": TOPIC,
            "path": "BME280.Pressure",
            "range": [500.0, 1200.0],
        },
        {"name": "c-t", "quantity": "temperature", "unit": "C", "topic": TOPIC, "path": "BME280.Temperature"},
        {"name": "c-s", "quantity": "pressure", "unit": "mmHg", "topic": STATE},
    ],
}
ON_LINE: dict[str, Any] = {
    "name": "gauge",
    "compartment": "lab",
    "source": {"kind": "serial", "port": "/dev/ttyUSB0", "poll": "P?\r", "poll_s": 2.0, "ends": "\r\n"},
    "readings": [{"name": "g-p", "quantity": "pressure", "unit": "Torr", "pattern": r"P=\s*([0-9.]+)\s*TORR"}],
    "stale_after_s": 5.0,
}


def conversation(table: dict[str, Any]) -> InstrumentSession:
    tables = site_tables()
    tables["instruments"] = [table]
    site = parsed(tables)
    place = next(node.instrument.place for node in site.nodes if node.instrument)
    found = Exchange(site, [place], Settings()).conversation(place)
    assert isinstance(found, InstrumentSession)
    found.open_asked()
    found.opened(NS_PER_S)
    return found


def values(events: tuple[SessionEvent, ...]) -> dict[str, float]:
    return {e.sensor: float(e.value[0]) for e in events if isinstance(e, ScalarBlock)}


def published(session: InstrumentSession, payload: bytes, topic: str = TOPIC, at_s: float = 2.0) -> dict[str, float]:
    at_ns = round(at_s * NS_PER_S)
    return values(session.received(at_ns, topic.encode() + b"\0" + payload, at_ns).events)


def health(session: InstrumentSession, at_s: float = 100.0) -> LinkHealth:
    return next(e for e in session.tick(round(at_s * NS_PER_S)).events if isinstance(e, LinkHealth))


def test_what_a_gateway_publishes_becomes_pascal_and_kelvin() -> None:
    session = conversation(PUBLISHED)
    assert published(session, TASMOTA) == pytest.approx({"c-p": 101_320.0, "c-t": 295.65})
    assert published(session, b" 760.0\n", STATE) == pytest.approx({"c-s": 101_325.0}, rel=1e-6)  # 760 mmHg
    assert session.state is State.STREAMING
    assert health(session, 3.0).counters.frames == 3


def test_blocks_are_as_those_of_nodes() -> None:
    session = conversation(PUBLISHED)
    step = session.received(5 * NS_PER_S, TOPIC.encode() + b"\0" + TASMOTA, 4 * NS_PER_S)
    (change,) = [e for e in step.events if isinstance(e, StateChanged)]
    assert (change.node, change.state) == ("cabin", State.STREAMING)
    first = next(e for e in step.events if isinstance(e, ScalarBlock))
    assert (first.node, first.quantity, first.time_ns.tolist()) == ("cabin", Quantity.PRESSURE, [4 * NS_PER_S])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[1013.2]",
        b'{"BME280": null}',
        b'{"BME280": {"Pressure": NaN}}',
        b'{"BME280": {"Pressure": 1e999}}',
        b'{"BME280": {"Pressure": true}}',
        b'{"BME280": {"Pressure": "many"}}',
        b'{"BME280": {"Pressure": "nan"}}',
        b'{"BME280": {"Pressure": "0x10"}}',
        b'{"BME280": {"Pressure": "1_013"}}',
        b'{"BME280": {"Pressure": [1013.2]}}',
        b'{"BME280": {"Pressure": 0}}',  # outside its range
        b'{"BME280": {"Pressure": 1e30}}',
        b'{"BME280": {"Pressure": 1' + b"0" * 5000 + b"}}",
        b"[" * 50_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"\xff\xfe\x00",
        b'{"BME280": {"Pressure": 1013.2}}' + b" " * MAX_TEXT_BYTES,
    ],
)
def test_hostile_messages_are_counted_and_ignored(payload: bytes) -> None:
    session = conversation(PUBLISHED)
    assert published(session, payload) == {}
    counters = health(session).counters
    assert (counters.frames, counters.undecodable) == (0, 2)  # two readings of that topic
    assert session.state is State.HELLO
    assert published(session, TASMOTA, at_s=101.0)  # and then it is heard all the same


@given(st.binary(max_size=300))
@settings(max_examples=50)
def test_no_bytes_do_harm(data: bytes) -> None:
    for table in (PUBLISHED, ON_LINE):
        session = conversation(table)
        session.received(NS_PER_S, data, NS_PER_S)
        session.received(NS_PER_S, TOPIC.encode() + b"\0" + data, NS_PER_S)


def test_a_pattern_is_held_against_short_texts_only() -> None:
    table = {**PUBLISHED, "readings": [{**PUBLISHED["readings"][2], "pattern": ".*p=([0-9.]+).*"}]}
    session = conversation(table)
    assert published(session, b" " * (MAX_PATTERN_BYTES - 5) + b"p=760", STATE)
    assert published(session, b" " * (MAX_PATTERN_BYTES - 4) + b"p=760", STATE) == {}


@pytest.mark.parametrize(("unit", "least"), [("K", 0.0), ("C", -273.15), ("Pa", -1000.0), ("hPa", -10.0)])
def test_what_no_gas_can_be_is_refused_without_a_range(unit: str, least: float) -> None:
    quantity = "temperature" if unit in {"K", "C"} else "pressure"
    table = {
        **PUBLISHED,
        "readings": [{"name": "c-x", "quantity": quantity, "unit": unit, "topic": STATE}],
    }
    session = conversation(table)
    assert published(session, f"{least:.2f}".encode(), STATE)
    assert published(session, f"{least - 0.01:.2f}".encode(), STATE) == {}


def test_too_many_messages_are_lost_and_counted() -> None:
    session = conversation(PUBLISHED)
    heard = sum(len(published(session, b"760", STATE)) for _ in range(MAX_VALUES_PER_S + 20))
    assert heard == MAX_VALUES_PER_S
    assert health(session).counters.lost_frames == 20
    assert published(session, b"760", STATE, at_s=3.1)


def said(session: InstrumentSession, line: bytes, at_s: float = 2.0) -> dict[str, float]:
    return values(session.received(round(at_s * NS_PER_S), line, round(at_s * NS_PER_S)).events)


def test_a_serial_gauge_is_asked_and_its_lines_are_read() -> None:
    session = conversation(ON_LINE)
    assert session.tick(4 * NS_PER_S).data == b"P?\r"
    assert session.tick(5 * NS_PER_S).data == b""  # every two seconds
    assert said(session, b"25 TORR\r\n") == {}  # begun in the middle
    assert said(session, b"P= 745.") == {}
    assert said(session, b"25 TORR\r\n") == pytest.approx({"g-p": 745.25 * 101_325 / 760})
    assert said(session, b"P= 7zz TORR\r\nERR 3\r\n") == {}
    assert health(session).counters.undecodable == 2


def test_a_line_without_end_takes_no_memory() -> None:
    session = conversation(ON_LINE)
    for _ in range(100):
        said(session, b"x" * 400)
    assert len(session._partial) <= MAX_LINE_BYTES
    assert said(session, b"P= 1 TORR\r\nP= 745 TORR\r\n") == pytest.approx({"g-p": 745 * 101_325 / 760})


def test_silence_is_a_lost_node() -> None:
    session = conversation(ON_LINE)
    said(session, b"\r\nP= 745 TORR\r\n")
    assert session.tick(round(6.9 * NS_PER_S)).events == () or session.state is State.STREAMING
    events = session.tick(round(7.2 * NS_PER_S)).events
    assert [e.state for e in events if isinstance(e, StateChanged)] == [State.LOST]


def test_it_takes_no_commands() -> None:
    (outcome,) = conversation(ON_LINE).send(0, 7, Identify(1)).events
    assert isinstance(outcome, CommandOutcome)
    assert (outcome.ticket, outcome.done) == (7, False)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Pressure", ("Pressure",)),
        ("BME280.Pressure", ("BME280", "Pressure")),
        ("a[0].b", ("a", 0, "b")),
        ("[2]", (2,)),
        ("", None),
        (".a", None),
        ("a..b", None),
        ("a[x]", None),
    ],
)
def test_paths(text: str, path: tuple[str | int, ...] | None) -> None:
    assert path_of(text) == path


def reading(table: dict[str, Any], at: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = table["instruments"][0]["readings"][at]
    return found


@pytest.mark.parametrize(
    ("table", "spoil", "why"),
    [
        (PUBLISHED, lambda t: reading(t).update(unit="C"), "pressure is not measured in C"),
        (PUBLISHED, lambda t: reading(t).pop("topic"), "`topic` is missing"),
        (PUBLISHED, lambda t: reading(t).update(path="a..b"), "is not of the form"),
        (PUBLISHED, lambda t: reading(t).update(pattern="(.*)"), "both path and pattern"),
        (PUBLISHED, lambda t: reading(t).update(range=[3.0, 2.0]), "range ends where it begins"),
        (PUBLISHED, lambda t: reading(t).update(scale=0.0), "scale is 0"),
        (PUBLISHED, lambda t: t["instruments"][0].update(name="A"), "'A' is used 2 times"),
        (PUBLISHED, lambda t: t["instruments"][0].update(compartment="moon"), "no compartment 'moon'"),
        (ON_LINE, lambda t: reading(t).update(pattern="([0-9"), "no regular expression"),
        (ON_LINE, lambda t: reading(t).update(pattern="[0-9]+"), "exactly one"),
        (ON_LINE, lambda t: reading(t).update(path="a"), "neither topic nor path"),
        (ON_LINE, lambda t: reading(t).update(pattern="(?:[0-9]+,?)*([0-9]+)"), "repeats what itself repeats"),
    ],
)
def test_contradictions_are_told(table: dict[str, Any], spoil: Callable[[dict[str, Any]], object], why: str) -> None:
    tables = site_tables()
    tables["instruments"] = [{**table, "readings": [dict(one) for one in table["readings"]]}]
    spoil(tables)
    with pytest.raises(SiteError, match=why.replace("(", r"\(")):
        parsed(tables)


def test_an_instrument_is_chosen_by_its_place() -> None:
    tables = site_tables()
    tables["instruments"] = [ON_LINE]
    exchange = Exchange(parsed(tables), ["/dev/ttyUSB0", "/dev/ttyACM0"], Settings())
    assert exchange.conversation("/dev/ttyUSB0").node == "gauge"
    assert exchange.conversation("/dev/ttyACM0").node is None
    assert exchange.call("/dev/ttyUSB0", Call.OPENED, 0).data == b"P?\r"
