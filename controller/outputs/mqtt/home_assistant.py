"""What Home Assistant is told, so that a site appears there by itself: one device, its entities. Values go elsewhere.

Device-based MQTT discovery (Home Assistant 2024.11 and later): one retained message with all components.
"""

import json
from importlib.metadata import version
from typing import Any

from controller.alarm.types import AlarmClass, AlarmState
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity

PREFIX = "homeassistant"  # Home Assistant's default
_ALARM_EVENT = (
    "{{ {'event_type': value_json.alarm.state, 'id': value_json.id, 'alarm': value_json.alarm.key, "
    "'alarm_class': value_json.alarm.alarm_class, 'cause': value_json.alarm.cause, 'text': value_json.alarm.text} "
    "| to_json }}"
)
# A topic that was cleared comes as an empty payload, which has no value_json.
_WHERE = (
    "{% if value_json is not defined %}none{% elif value_json.kind == 'fix' %}"
    "{{ (value_json.compartment ~ ': ' ~ (value_json.where or value_json.position_m))[:250] }}"
    "{% else %}{{ ('unknown: ' ~ value_json.explanation)[:250] }}{% endif %}"
)
_RATE = "{{ value_json.rate_mmhg_h.value | round(3) if value_json is defined else 0 }}"


def discovery(site: Site) -> tuple[str, bytes]:
    """Topic and payload for a site."""
    own = f"leakloc_{site.name}"
    release = version("leakloc")
    payload = {
        "device": {
            "identifiers": [own],
            "name": f"Leak locator {site.title}",
            "manufacturer": "leakloc",
            "model": "leak localization controller",
            "sw_version": release,
        },
        "origin": {"name": "leakloc", "sw_version": release},
        "availability": [
            {
                "topic": f"leakloc/{site.name}/status",
                "value_template": "{{ 'online' if value_json.online else 'offline' }}",
            }
        ],
        "qos": 1,
        "components": _components(site, own, f"leakloc/{site.name}"),
    }
    return f"{PREFIX}/device/{own}/config", json.dumps(payload, separators=(",", ":")).encode()


def _components(site: Site, own: str, base: str) -> dict[str, dict[str, Any]]:
    state, health = f"{base}/state", f"{base}/health"
    classes = ["none", *(one.name.lower() for one in AlarmClass)]
    components: dict[str, dict[str, Any]] = {
        "leak": _one("binary_sensor", "Leak", state, "{{ 'ON' if value_json.leak else 'OFF' }}", device_class="safety"),
        "trouble": _one(
            "binary_sensor",
            "Leak locator in trouble",
            health,
            "{{ 'OFF' if value_json.well else 'ON' }}",
            device_class="problem",
            entity_category="diagnostic",
            json_attributes_topic=health,
        ),
        "alarm_class": _one(
            "sensor",
            "Gravest alarm",
            state,
            "{{ value_json.alarm_class or 'none' }}",
            device_class="enum",
            options=classes,
        ),
        "phase": _one(
            "sensor",
            "Phase",
            state,
            "{{ value_json.phase }}",
            device_class="enum",
            options=["learning", "watching", "leak"],
            entity_category="diagnostic",
        ),
        "reserve": _one(
            "sensor",
            "Reserve time",
            state,
            "{{ value_json.reserve_s }}",
            device_class="duration",
            unit_of_measurement="s",
            state_class="measurement",
        ),
        "place": _one("sensor", "Place of the leak", f"{base}/fix", _WHERE),
        "leak_rate": _one(
            "sensor",
            "Fall of pressure",
            f"{base}/leak_rate",
            _RATE,
            unit_of_measurement="mmHg/h",
            state_class="measurement",
        ),
        "alarm": _one(
            "event", "Alarm", f"{base}/alarm_event", _ALARM_EVENT, event_types=[one.value for one in AlarmState]
        ),
    }
    for node in site.nodes:
        for sensor in node.of_quantity(Quantity.PRESSURE):
            template = f"{{{{ value_json.pressures_pa.get({json.dumps(sensor.name)}) }}}}"
            components[f"pressure_{sensor.name}"] = _one(
                "sensor",
                f"Pressure {sensor.name}",
                state,
                template,
                device_class="atmospheric_pressure",
                unit_of_measurement="Pa",
                state_class="measurement",
            )
    for name, component in components.items():
        component["unique_id"] = f"{own}_{name}"
    return components


def _one(platform: str, name: str, topic: str, template: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"platform": platform, "name": name, "state_topic": topic, "value_template": template, **more}
