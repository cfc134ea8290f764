"""From `[[outputs]]` to outputs that can be driven, and what of them cannot be driven on this machine."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from controller.alarm.requests import Acknowledge
from controller.alarm.types import AlarmClass
from controller.errors import ControllerError
from controller.outputs.button import AcknowledgeButton
from controller.outputs.command import CommandHook, Settings, missing
from controller.outputs.declared import (
    AnyOutput,
    ButtonTable,
    BuzzerTable,
    CommandTable,
    LampTable,
    RelayTable,
    class_of,
)
from controller.outputs.lamps import Buzzer, Lamp, Relay
from controller.outputs.output import Output
from controller.outputs.pins import GpioPins, Pins

GRAVEST = AlarmClass.EMERGENCY


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outputs may ask of whoever holds them: requests into the inbox, notes into the journal, UTC for people."""

    ask: Callable[[Acknowledge], None]
    note: Callable[[str], None]
    utc: Callable[[], str]


def outputs_of(
    tables: tuple[AnyOutput, ...], around: Surroundings, make_pins: Callable[[], Pins] = GpioPins
) -> tuple[Output, ...]:
    """Open every output; on the running loop. Pins are asked for only where some are configured.

    Raises:
        ControllerError: one cannot be had; those before it are let go.
    """
    pins = make_pins() if any(not isinstance(table, CommandTable) for table in tables) else None
    opened: list[Output] = []
    try:
        for table in tables:
            if isinstance(table, CommandTable):
                opened.append(_hook(table, around))
            elif pins is not None:
                opened.append(_on_pins(table, around, pins))
    except ControllerError:
        for output in opened:
            with suppress(Exception):
                output.close()
        raise
    return tuple(opened)


def undrivable(tables: tuple[AnyOutput, ...]) -> list[str]:
    """What could not be driven here, and why; pins are opened for a moment, not energised."""
    found = [
        f"outputs: {table.name}: {why}"
        for table in tables
        if isinstance(table, CommandTable) and (why := missing(table.argv)) is not None
    ]
    on_pins = [table for table in tables if not isinstance(table, CommandTable)]
    try:
        pins = GpioPins() if on_pins else None
    except ControllerError as error:
        return [*found, f"{error.what}; {error.remedy}"]
    for table in on_pins:
        if pins is not None:
            try:
                pins.probe(table.pin)
            except ControllerError as error:
                found.append(f"{table.name}: {error.what}; {error.remedy}")
    return found


def _hook(table: CommandTable, around: Surroundings) -> Output:
    settings = Settings(table.argv, table.limit_s, table.at_once, class_of(table.at_least), table.environment)
    return CommandHook(table.name, settings, around.utc, around.note)


def _on_pins(table: RelayTable | LampTable | BuzzerTable | ButtonTable, around: Surroundings, pins: Pins) -> Output:
    if isinstance(table, ButtonTable):
        button = AcknowledgeButton(table.name, table.by, around.ask)
        button.attach(
            pins.button(table.pin, pull_up=table.pull_up, debounce_s=table.debounce_s, pressed=button.pressed)
        )
        return button
    pin = pins.output(table.pin, active_high=table.active_high)
    least = class_of(table.at_least)
    if isinstance(table, LampTable):
        return Lamp(table.name, pin, (least, class_of(table.at_most)))
    if isinstance(table, BuzzerTable):
        return Buzzer(table.name, pin, (least, GRAVEST))
    return Relay(table.name, pin, (least, GRAVEST), table.follows, pulses=table.pulses)
