"""When burst channels are sampled: what a site file may say of it, and what contradicts itself."""

import pytest

from firmware_bridge.errors import SiteError
from firmware_bridge.session.recognition import recognise
from firmware_bridge.site.schema import MAX_SKEW_US
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity
from firmware_bridge.wire.framing import PROTOCOL_VERSION
from firmware_bridge.wire.reports import Channel, Feature, HelloAck
from tests.support.sites import A_CHANNELS, Tables, parsed, site_tables


def late_us(site: Site, node: str = "A") -> dict[str, float]:
    return {sensor.name: round(sensor.late_s * 1e6, 9) for sensor in site.node(node).sensors}


def skewed_tables() -> Tables:
    """Node A takes its two microphones and two contact sensors in turn, 2 us apart."""
    tables = site_tables()
    node = tables["nodes"][0]
    contacts = [
        {"name": f"A-c{at}", "quantity": "surface_velocity", "channel": 2 + at, "position_m": [0.0, 0.5, 0.5 + at]}
        for at in range(2)
    ]
    slow = [{**sensor, "channel": 4 + at} for at, sensor in enumerate(node["sensors"][2:])]
    node.update(skew_us=2.0, sensors=[*node["sensors"][:2], *slow, *contacts])
    return tables


def test_channels_of_a_kind_are_taken_one_after_the_other() -> None:
    site = parsed(skewed_tables())
    assert late_us(site) == {"A1": 0.0, "A2": 2.0, "A-p": 0.0, "A-t": 0.0, "A-c0": 0.0, "A-c1": 2.0}
    assert site.node("A").skewed
    assert not site.node("B").skewed
    assert not parsed(site_tables()).node("A").skewed


def test_a_sensor_may_say_better() -> None:
    """Two converters at once, say: the second channel is taken with the first."""
    tables = skewed_tables()
    tables["nodes"][0]["sensors"][1]["late_us"] = 0.0
    tables["nodes"][0]["sensors"][-1]["late_us"] = 7.5
    assert late_us(parsed(tables)) == {"A1": 0.0, "A2": 0.0, "A-p": 0.0, "A-t": 0.0, "A-c0": 0.0, "A-c1": 7.5}


def test_what_is_slow_is_not_sampled_late() -> None:
    tables = site_tables()
    tables["nodes"][0]["sensors"][2]["late_us"] = 1.0
    tables["nodes"][1]["skew_us"] = 2.0
    with pytest.raises(SiteError) as caught:
        parsed(tables)
    assert "nodes[0] (A).sensors 'A-p': has late_us, but pressure does not come in bursts" in str(caught.value.remedy)
    assert "nodes[1] (B): has skew_us, but neither microphones nor contact sensors" in str(caught.value.remedy)


def test_nanoseconds_written_for_microseconds_are_refused() -> None:
    tables = site_tables()
    tables["nodes"][0]["skew_us"] = 2000.0
    with pytest.raises(Exception, match="skew_us") as caught:
        parsed(tables)
    assert f"{MAX_SKEW_US:g}" in str(caught.value)


def test_a_node_that_says_otherwise_is_complained_of() -> None:
    """It claims to sample all channels at once, and its site file corrects a skew: one of them is wrong."""
    contacts = (Channel(Quantity.SURFACE_VELOCITY, 1e-9, 0.0) for _ in range(2))
    channels = (*A_CHANNELS[:2], *contacts, *A_CHANNELS[2:])
    features = Feature.BURSTS | Feature.TRIGGER_LINE | Feature.SIREN
    site = parsed(skewed_tables())
    version = PROTOCOL_VERSION
    for claims, complaint in ((Feature.SIMULTANEOUS, True), (Feature.NONE, False)):
        hello = HelloAck(version, version, 0xA1, features | claims, 192_000, 16_384, "1.0", channels)
        complaints = recognise(hello, site, lambda: None).complaints
        assert bool(complaints) is complaint, complaints
        assert all("skew_us" in text for text in complaints)
