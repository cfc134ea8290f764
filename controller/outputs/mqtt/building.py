"""Puts the MQTT output of a running controller together: outbox, door and discovery. It decides nothing."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.outputs.mqtt.commands import CommandEvent
from controller.outputs.mqtt.door import Known
from controller.outputs.mqtt.home_assistant import discovery
from controller.outputs.mqtt.outbox import Outbox, Runner
from controller.outputs.mqtt.output import Extras, MqttOutput
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.site.survey import Site

Hears = tuple[Callable[[bool, str], None], Callable[[CommandEvent], None], Callable[[str], None]]


@dataclass(frozen=True, slots=True)
class Choices:
    """Who may command, () for whoever the broker lets; whether Home Assistant is told what there is."""

    users: tuple[str, ...] = ()
    home_assistant: bool = False


def known_of(site: Site) -> Known:
    """What commands may name."""
    return Known(
        frozenset(hatch.name for hatch in site.hatches),
        frozenset(room.name for room in site.compartments),
        frozenset(machine.name for machine in site.machines),
    )


def mqtt_output(
    broker: BrokerSettings | None, site: Site, choices: Choices, folder: Path | None, runner: Runner, hears: Hears
) -> MqttOutput | None:
    """The output, None without a broker; alarm events wait in `folder`.

    `hears` are told of the broker, of commands and of refusals.
    """
    if broker is None:
        return None
    on_change, on_ask, on_refused = hears
    run = secrets.token_hex(4)
    retained = (discovery(site),) if choices.home_assistant else ()
    return MqttOutput(
        broker,
        site.name,
        on_change,
        on_ask,
        lambda on_ready: Outbox(folder, run, runner, on_ready),
        Extras(choices.users, known_of(site), retained, on_refused),
    )
