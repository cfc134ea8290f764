"""The declared form of `[[outputs]]` in a controller file, and its contradictions. Nothing is opened here."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field

from controller.alarm.types import AlarmClass
from firmware_bridge.declared import Declared

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
PinNumber = Annotated[int, Field(ge=0, le=27)]  # BCM numbers of the 40-pin header
Word = Literal["advisory", "caution", "warning", "emergency"]
Argument = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
MAX_OUTPUTS = 32  # more than the header has pins


class RelayTable(Declared):
    """A relay that is held while all is well."""

    kind: Literal["relay"]
    name: Name
    pin: PinNumber
    active_high: bool = True
    at_least: Word = "caution"
    follows: Literal["calling", "standing"] = "calling"
    pulses: bool = False


class LampTable(Declared):
    """A lamp: it flashes for what calls, and is lit for what stands."""

    kind: Literal["lamp"]
    name: Name
    pin: PinNumber
    active_high: bool = True
    at_least: Word = "advisory"
    at_most: Word = "emergency"


class BuzzerTable(Declared):
    """A buzzer that has a voice of its own and wants only current."""

    kind: Literal["buzzer"]
    name: Name
    pin: PinNumber
    active_high: bool = True
    at_least: Word = "caution"  # as the siren nodes: advisories make no noise


class ButtonTable(Declared):
    """A button that acknowledges what is shown."""

    kind: Literal["button"]
    name: Name
    pin: PinNumber
    pull_up: bool = True  # the button joins the pin to ground
    debounce_s: Annotated[float, Field(ge=0, le=1)] = 0.05
    by: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")] = (
        "panel button"
    )


class CommandTable(Declared):
    """A program that is run at every change of class."""

    kind: Literal["command"]
    name: Name
    argv: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=64)]
    limit_s: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    at_once: Annotated[int, Field(ge=1, le=8)] = 2
    at_least: Word = "advisory"
    environment: Annotated[dict[Variable, Argument], Field(max_length=32)] = Field(default_factory=dict)


OutputTable = Annotated[RelayTable | LampTable | BuzzerTable | ButtonTable | CommandTable, Field(discriminator="kind")]
AnyOutput = RelayTable | LampTable | BuzzerTable | ButtonTable | CommandTable
OutputTables = Annotated[tuple[OutputTable, ...], Field(max_length=MAX_OUTPUTS)]


def class_of(word: str) -> AlarmClass:
    """The class of that name."""
    return AlarmClass[word.upper()]


def contradictions(tables: tuple[AnyOutput, ...]) -> list[str]:
    """What cannot be so."""
    problems = [
        f"outputs[]: name {name!r} is given {times} times"
        for name, times in Counter(table.name for table in tables).items()
        if times > 1
    ]
    pins = Counter(table.pin for table in tables if not isinstance(table, CommandTable))
    problems += [f"outputs[]: pin {pin} is given {times} times" for pin, times in pins.items() if times > 1]
    for table in tables:
        if isinstance(table, LampTable) and class_of(table.at_least) > class_of(table.at_most):
            problems.append(f"outputs[]: {table.name}: at_least is graver than at_most: it is never lit")
        if isinstance(table, CommandTable) and not table.argv[0]:
            problems.append(f"outputs[]: {table.name}: argv names no program")
    return problems
