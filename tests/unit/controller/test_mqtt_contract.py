"""The contract: documents are fresh, what is published fits its schema, discovery and flow name what there is."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator

from controller.alarm.types import AlarmState
from controller.journal.entries import AlarmEntry, OperatorEntry, ReadingsEntry
from controller.outputs.mqtt.asyncapi import document, schemas
from controller.outputs.mqtt.commands import COMMANDS
from controller.outputs.mqtt.contract import PUBLISHED, TOPICS, topic_of
from controller.outputs.mqtt.home_assistant import discovery
from controller.outputs.mqtt.output import MqttOutput
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.site.survey import load_site
from tests.support.entries import entries
from tests.support.pictures import picture
from tests.support.shipped import CONFIGS
from tests.unit.controller.test_mqtt_door import EXTRA, payload

DOCS = Path(__file__).parents[3] / "docs"
SITE = load_site(CONFIGS / "sites" / "soyuz-orbital-module.toml")
# Of Home Assistant's MQTT integration: what a component must have, and device classes that we use with their platform.
NEEDED = {"binary_sensor": {"state_topic"}, "sensor": {"state_topic"}, "event": {"state_topic", "event_types"}}
ALLOWED = {"platform", "name", "unique_id", "state_topic", "value_template", "device_class", "entity_category",
    "json_attributes_topic", "options", "unit_of_measurement", "state_class", "event_types"}  # fmt: skip
CLASSES = {"binary_sensor": {"safety", "problem"}, "sensor": {"enum", "duration", "atmospheric_pressure"}}


def wrong(kinds: tuple[type, ...], said: object) -> list[str]:
    """What is wrong with a payload by the published schemas; nothing where it is one of `kinds`."""
    whole = {"anyOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in kinds]}
    validator = Draft7Validator({**whole, "components": {"schemas": schemas()}})
    return [error.message for error in validator.iter_errors(said)]


def test_the_document_is_fresh_and_whole() -> None:
    """`leakctl schema mqtt > docs/asyncapi.json` makes it."""
    text = (DOCS / "asyncapi.json").read_text(encoding="utf-8")
    assert json.loads(text) == document()

    def follow(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                at: Any = document_
                for part in node["$ref"].removeprefix("#/").split("/"):
                    at = at[part]
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    document_ = json.loads(text)
    follow(document_)
    assert len(document_["channels"]) == len(document_["operations"]) == len(TOPICS)
    for schema in document_["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_every_topic_stands_in_the_document_for_people() -> None:
    text = (DOCS / "mqtt.md").read_text(encoding="utf-8")
    for topic in PUBLISHED:
        name = re.sub(r"{(\w+)}", r"<\1>", topic.name)
        assert f"`{name}`" in text, name
    for verb in COMMANDS:
        assert f"`{verb}`" in text, verb


def test_all_that_is_published_fits_its_schema() -> None:
    output = MqttOutput(BrokerSettings("nowhere", 1), "site", lambda *_: None, lambda _: None)
    told = [entry for entry in entries().values() if not isinstance(entry, ReadingsEntry)]
    for entry in told:
        output.publish(entry)
        for topic, said in output._retained.items():
            found = topic_of(topic)
            assert found is not None, topic
            assert found.retained
            assert (found.may_be_empty and not said) or wrong(found.payloads, json.loads(said)) == []
    output.publish_state("2018-08-29T23:00:00.000Z", picture())
    for topic in ("state", "reserve", "health"):
        found = topic_of(topic)
        assert found is not None
        assert wrong(found.payloads, json.loads(output._retained[topic])) == []
    event = topic_of("event")
    assert event is not None
    assert len(output._events) == len(told)
    for said in output._events:
        assert wrong(event.payloads, json.loads(said)) == []


def test_a_schema_refuses_what_is_not_so() -> None:
    alarm = json.loads(msgspec.json.encode(entries()["alarm"]))
    assert wrong((AlarmEntry,), alarm) == []
    assert wrong((AlarmEntry,), {**alarm, "occurrence": "two"})
    assert wrong((AlarmEntry,), {key: value for key, value in alarm.items() if key != "key"})


@pytest.mark.parametrize("verb", COMMANDS)
def test_schemas_of_commands_let_in_and_refuse_what_the_door_does(verb: str) -> None:
    said = json.loads(payload(verb))
    assert wrong((COMMANDS[verb],), said) == []
    assert wrong((COMMANDS[verb],), {**said, "unknown": 1})
    for key in ("id", "utc", "by", *list(EXTRA[verb])[:1]):
        assert wrong((COMMANDS[verb],), {name: value for name, value in said.items() if name != key})


def test_an_answer_goes_only_to_who_asked_here() -> None:
    async def main() -> list[str]:
        output = MqttOutput(BrokerSettings("nowhere", 1), "site", lambda *_: None, lambda _: None)
        answer = entries()["asked"]
        assert isinstance(answer, OperatorEntry)
        output.publish(answer)
        output._marked["r1"] = None
        output.publish(answer)
        output.publish(answer)
        return [reply.id for reply in output._replies]

    assert asyncio.run(main()) == ["r1"]


def test_home_assistant_gets_a_device_with_all_that_it_needs() -> None:
    topic, said = discovery(SITE)
    assert topic == "homeassistant/device/leakloc_soyuz-om/config"
    config = json.loads(said)
    assert config["device"]["identifiers"]
    assert config["origin"]["name"] == "leakloc"
    assert config["qos"] in {0, 1, 2}
    components = config["components"]
    kinds = {component["platform"] for component in components.values()}
    assert kinds == set(NEEDED)
    assert {"leak", "trouble", "alarm_class", "reserve", "place", "alarm", "pressure_P1-pressure"} <= set(components)
    assert len({component["unique_id"] for component in components.values()}) == len(components)
    for component in components.values():
        assert set(component) <= ALLOWED, "a key that Home Assistant does not know would be ignored silently"
        assert NEEDED[component["platform"]] <= set(component)
        assert component.get("device_class") in {None, *CLASSES.get(component["platform"], ())}
        assert component["value_template"].count("{{") == component["value_template"].count("}}") > 0
        assert (component.get("device_class") == "enum") == ("options" in component)
    listened = [component["state_topic"] for component in components.values()]
    listened += [one["topic"] for one in config["availability"]]
    assert all(topic_of(name.removeprefix("leakloc/soyuz-om/")) in PUBLISHED for name in listened)
    assert set(components["alarm"]["event_types"]) == {state.value for state in AlarmState}
    assert len(said) < 65_536


def test_the_node_red_flow_can_be_imported_and_names_topics_that_exist() -> None:
    flow = json.loads((CONFIGS / "deploy" / "node-red-flow.json").read_text(encoding="utf-8"))
    known = {node["id"] for node in flow}
    assert len(known) == len(flow)
    topics: list[str] = []
    for node in flow:
        assert node["type"]
        assert {target for wire in node.get("wires", ()) for target in wire} <= known
        assert node.get("z", "leakloc-tab") in known
        assert node.get("broker", "leakloc-broker") in known | {"127.0.0.1"}
        topics += [node["topic"]] if node.get("topic") else []
        topics += re.findall(r"'(leakloc/[^']+)'", node.get("func", ""))
    assert len(topics) == 4
    for name in topics:
        assert topic_of(name.removeprefix("leakloc/soyuz-om/").replace("+", "x")) is not None, name


def test_the_rights_name_topics_that_exist() -> None:
    text = (CONFIGS / "deploy" / "mosquitto.acl").read_text(encoding="utf-8")
    rights = [line.split() for line in text.splitlines() if line.startswith(("topic", "pattern"))]
    assert {right[1] for right in rights} <= {"read", "write", "readwrite"}
    for _, _, topic in rights:
        if topic.startswith("leakloc/+/command/"):
            assert topic_of(topic.removeprefix("leakloc/+/").replace("/+/", "/hatch/")) is not None
