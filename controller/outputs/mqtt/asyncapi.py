"""The contract as an AsyncAPI 3 document with JSON Schemas (draft 7) made from the types. The table is next door's."""

import re
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from controller.journal.entries import VERSION
from controller.outputs.mqtt.contract import TOPICS, Topic

_REF = "#/components/schemas/{name}"


def schemas() -> dict[str, Any]:
    """The schema of every payload and of what they are made of, by the type's name."""
    kinds = list(dict.fromkeys(kind for topic in TOPICS for kind in topic.payloads))
    models = [kind for kind in kinds if issubclass(kind, BaseModel)]
    structs = [kind for kind in kinds if not issubclass(kind, BaseModel)]
    _, found = msgspec.json.schema_components(structs, ref_template=_REF)
    _, described = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    merged = {**found, **described["$defs"]}
    return {name: _draft_7(merged[name]) for name in sorted(merged)}


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "leakloc",
            "version": str(VERSION),
            "description": "What a leak localization controller publishes, and what it takes. See mqtt.md.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "127.0.0.1:1883",
                "protocol": "mqtt",
                "description": "MQTT 3.1.1 or 5; [mqtt] says which.",
            },
            "broker-tls": {"host": "broker.example:8883", "protocol": "secure-mqtt"},
        },
        "channels": {_id(topic): _channel(topic) for topic in TOPICS},
        "operations": {f"{_does(topic)}-{_id(topic)}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {
                kind.__name__: {"name": kind.__name__, "payload": {"$ref": _REF.format(name=kind.__name__)}}
                for kind in sorted(
                    {kind for topic in TOPICS for kind in topic.payloads}, key=lambda kind: kind.__name__
                )
            },
            "schemas": schemas(),
        },
    }


def _does(topic: Topic) -> str:
    return "receive" if topic.taken else "send"


def _id(topic: Topic) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", topic.name).strip("-")


def _channel(topic: Topic) -> dict[str, Any]:
    names = ["site", *re.findall(r"\{(\w+)\}", topic.name)]
    return {
        "address": f"leakloc/{{site}}/{topic.name}",
        "description": topic.says + (" An empty payload: nothing now." if topic.may_be_empty else ""),
        "parameters": {name: {"description": _PARAMETERS[name]} for name in names},
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in topic.payloads},
    }


_PARAMETERS = {
    "site": "name of the site file",
    "key": "the alarm's key",
    "id": "the command's own id",
    "user": "the name with which the client logged in",
}


def _operation(topic: Topic) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": _does(topic),
        "channel": {"$ref": f"#/channels/{_id(topic)}"},
        "bindings": {"mqtt": {"qos": 1, "retain": topic.retained}},
    }
    if topic.taken:
        operation["reply"] = {"channel": {"$ref": "#/channels/reply-id"}}
    return operation


def _draft_7(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Tuples as draft 7 has them, which is what AsyncAPI schemas are."""
    if isinstance(node, list | tuple):
        return [_draft_7(one) for one in node]
    if not isinstance(node, dict):
        return node
    new = {key: _draft_7(value) for key, value in node.items() if key != "discriminator"}
    if "prefixItems" in new:
        new["items"] = new.pop("prefixItems")
        new["additionalItems"] = False
    return new
