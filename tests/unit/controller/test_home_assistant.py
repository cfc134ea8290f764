"""What Home Assistant is told: by the documented form of device-based discovery, each template on what we really say.

The form: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload, and the pages of the platforms.
Templates are rendered as there, by jinja2: with `value`, `value_json` where it is JSON, and the filter `to_json`.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jinja2 import Environment, StrictUndefined

from controller.alarm.types import AlarmClass, AlarmState
from controller.journal.entries import AlarmEntry, FixEntry, LeakRateEntry, NoFixEntry, to_json
from controller.outputs.mqtt.home_assistant import discovery
from controller.outputs.mqtt.messages import StatusMessage
from controller.outputs.mqtt.outbox import AlarmEvent
from controller.outputs.mqtt.output import MqttOutput
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.site.survey import Site, load_site
from tests.support.entries import entries
from tests.support.pictures import PHASES, leaking, picture, unlocated
from tests.support.shipped import CONFIGS

SITES = sorted(path.stem for path in (CONFIGS / "sites").glob("*.toml"))
# Keys that the documentation names for a whole device, and of which each at least one is there.
OF_DEVICE = {"identifiers", "connections", "name", "manufacturer", "model", "model_id", "serial_number", "hw_version",
    "sw_version", "suggested_area", "configuration_url", "via_device"}  # fmt: skip
OF_ORIGIN = {"name", "sw_version", "support_url"}
OF_WHOLE = {"device", "origin", "components", "availability", "availability_topic", "availability_mode",
    "payload_available", "payload_not_available", "availability_template", "state_topic", "command_topic", "qos",
    "encoding"}  # fmt: skip
NUMERIC = {"duration": {"d", "h", "min", "s", "ms"}, "atmospheric_pressure": {"cbar", "bar", "hPa", "mmHg", "inHg",
    "inH₂O", "kPa", "mbar", "Pa", "psi"}}  # fmt: skip
MAX_STATE = 255  # characters of a state: https://www.home-assistant.io/docs/configuration/state_object/


def told(site: Site) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(discovery(site)[1])
    return said


def published(site: Site) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads as they leave the output, in situations of every kind."""
    output = MqttOutput(BrokerSettings("nowhere", 1), site.name, lambda *_: None, lambda _: None)
    base = f"leakloc/{site.name}"
    for online in (True, False):
        yield f"{base}/status", msgspec.json.encode(StatusMessage(online))
    for shown in (*(picture(phase) for phase in PHASES), leaking(), unlocated()):
        output.publish_state("2018-08-29T23:00:00.000Z", shown)
        yield from ((f"{base}/{name}", output._retained[name]) for name in ("state", "health"))
    alarm = entries()["alarm"]
    assert isinstance(alarm, AlarmEntry)
    for number, state in enumerate(AlarmState):
        moved = msgspec.structs.replace(alarm, state=state.value, text='says "so" {{ 7 * 7 }}\u2028')
        yield f"{base}/alarm_event", msgspec.json.encode(AlarmEvent(f"run-{number}", number, moved))
    for entry in entries().values():
        if isinstance(entry, FixEntry | NoFixEntry):
            yield f"{base}/fix", to_json(entry)
        if isinstance(entry, LeakRateEntry):
            yield f"{base}/leak_rate", to_json(entry)
    for cleared in ("fix", "leak_rate"):
        yield f"{base}/{cleared}", b""


def rendered(template: str, payload: bytes) -> str:
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    environment.filters["to_json"] = json.dumps
    known: dict[str, Any] = {"value": payload.decode()}
    if payload:
        known["value_json"] = json.loads(payload)
    return environment.from_string(template).render(known).strip()


@pytest.mark.parametrize("name", SITES)
def test_the_message_is_as_documented(name: str) -> None:
    site = load_site(CONFIGS / "sites" / f"{name}.toml")
    topic, payload = discovery(site)
    assert topic == f"homeassistant/device/leakloc_{site.name}/config"
    assert len(payload) < 256_000, "the shipped broker takes no more"
    said = told(site)
    assert set(said) <= OF_WHOLE
    assert {"device", "origin", "components"} <= set(said)
    assert set(said["device"]) <= OF_DEVICE
    assert said["device"]["identifiers"]
    assert set(said["origin"]) <= OF_ORIGIN
    assert said["origin"]["name"], "required of device discovery"
    marks = [component["unique_id"] for component in said["components"].values()]
    assert len(set(marks)) == len(marks) > 0
    assert all(mark.startswith(f"leakloc_{site.name}_") for mark in marks), "unique among all sites"
    for component in said["components"].values():
        assert component["platform"] in {"binary_sensor", "sensor", "event"}
        assert component["state_topic"].startswith(f"leakloc/{site.name}/")
        unit, kind = component.get("unit_of_measurement"), component.get("device_class")
        assert kind not in NUMERIC or unit in NUMERIC[kind]
        assert not (kind == "enum" and (unit or "state_class" in component)), "an enum has neither"


@pytest.mark.parametrize("name", SITES)
def test_every_template_says_what_its_platform_takes(name: str) -> None:
    site = load_site(CONFIGS / "sites" / f"{name}.toml")
    said = told(site)
    heard: dict[str, list[bytes]] = {}
    for topic, payload in published(site):
        heard.setdefault(topic, []).append(payload)
    for one in said["availability"]:
        assert {rendered(one["value_template"], payload) for payload in heard[one["topic"]]} == {"online", "offline"}
    for key, component in said["components"].items():
        states = [rendered(component["value_template"], payload) for payload in heard[component["state_topic"]]]
        assert states, key
        for state in states:
            check(component, state)
    values = {key: [rendered(c["value_template"], p) for p in heard[c["state_topic"]]] for key, c in
        said["components"].items()}  # fmt: skip
    assert {"ON", "OFF"} == set(values["leak"])
    assert "warning" in values["alarm_class"]
    assert "none" in values["alarm_class"]
    assert set(values["phase"]) == set(PHASES)
    assert any("aft of the toilet panel" in value for value in values["place"])
    assert any(value.startswith("unknown: ") for value in values["place"])
    assert values["place"][-1] == "none"
    assert float(values["leak_rate"][-1]) == 0.0
    assert {json.loads(value)["event_type"] for value in values["alarm"]} == {state.value for state in AlarmState}


def check(component: dict[str, Any], state: str) -> None:
    """What the platform does not take it ignores, or logs as an error, and shows what is old."""
    match component["platform"]:
        case "binary_sensor":
            assert state in {"ON", "OFF"}
        case "event":
            event = json.loads(state)
            assert event["event_type"] in component["event_types"]
            assert event["alarm_class"].upper() in AlarmClass.__members__
            assert event["text"]
        case _:
            assert len(state) <= MAX_STATE
            if "options" in component:
                assert state in component["options"]
            elif "unit_of_measurement" in component and state != "None":  # which means: unknown
                float(state)


def test_a_barometer_that_says_nothing_is_unknown() -> None:
    site = load_site(CONFIGS / "sites" / "soyuz-orbital-module.toml")
    component = told(site)["components"]["pressure_P1-pressure"]
    assert rendered(component["value_template"], b'{"pressures_pa":{}}') == "None"
    assert float(rendered(component["value_template"], b'{"pressures_pa":{"P1-pressure":99330.1}}')) == 99330.1


def test_attributes_come_from_a_topic_that_holds_an_object() -> None:
    site = load_site(CONFIGS / "sites" / "soyuz-orbital-module.toml")
    heard = dict(published(site))
    for component in told(site)["components"].values():
        if "json_attributes_topic" in component:
            assert isinstance(json.loads(heard[component["json_attributes_topic"]]), dict)
