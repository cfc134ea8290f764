"""Tables of the gas in the cabin: what it is at the start, what moves, breathes and feeds it, and what happens when.

Leaks have tables of their own; what all this does to the gas is `sim/plant/gas.py`.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name
from firmware_bridge.units import PA_PER_HPA, celsius_to_kelvin
from sim.scenario.bounds import Seconds, Share

MAX_EQUIPMENT = 64  # of each kind; a station has a dozen
MAX_EVENTS = 1024
OXYGEN_SHARE = 0.21  # of cabin air: 213 hPa at one atmosphere

Celsius = Annotated[float, Field(ge=-50, le=80)]
PartialHpa = Annotated[float, Field(ge=0, le=2000)]
KgDay = Annotated[float, Field(ge=0, le=100)]
FlowLitresS = Annotated[float, Field(ge=0, le=10_000)]
GasName = Literal["nitrogen", "oxygen", "air"]


class AirTable(Declared):
    """The air at the start; nitrogen is what oxygen, carbon dioxide and vapour leave of the pressure."""

    pressure_hpa: Annotated[float, Field(ge=100, le=2000)]
    temperature_c: Celsius
    relative_humidity: Share
    oxygen_hpa: PartialHpa | None = None  # default: 21 % of the pressure
    carbon_dioxide_hpa: PartialHpa = 4.0

    @property
    def pressure_pa(self) -> float:
        """Pressure at the start, Pa."""
        return self.pressure_hpa * PA_PER_HPA

    @property
    def temperature_k(self) -> float:
        """Temperature at the start, K."""
        return celsius_to_kelvin(self.temperature_c)

    @property
    def oxygen_partial_hpa(self) -> float:
        """Oxygen as given, or its usual share."""
        return OXYGEN_SHARE * self.pressure_hpa if self.oxygen_hpa is None else self.oxygen_hpa

    @model_validator(mode="after")
    def _parts_fit(self) -> "AirTable":
        if self.oxygen_partial_hpa + self.carbon_dioxide_hpa > self.pressure_hpa:
            raise ValueError(
                f"oxygen ({self.oxygen_partial_hpa:g} hPa) and carbon dioxide ({self.carbon_dioxide_hpa:g} hPa)"
                f" are more than pressure_hpa {self.pressure_hpa:g}"
            )
        return self


class FillTable(Declared):
    """A compartment that starts with another pressure or temperature than the rest: a vehicle, an airlock.

    Its air is mixed like that of `[air]`.
    """

    compartment: Name
    pressure_hpa: Annotated[float, Field(ge=0.001, le=2000)]
    temperature_c: Celsius | None = None


class WallsTable(Declared):
    """What holds the temperature: conductance between gas and walls, which stay as warm as the gas was at the start.

    10 W/K for 1 m3 is 1060 W/K for a laboratory of 106 m3: its air follows the walls in 80 s or so.
    """

    conductance_w_k_m3: Annotated[float, Field(ge=0, le=10_000)] = 10.0


class CrewTable(Declared):
    """People in one compartment; rates for one person."""

    compartment: Name
    count: Annotated[int, Field(ge=0, le=100)]
    oxygen_kg_day: KgDay = 0.84
    carbon_dioxide_kg_day: KgDay = 1.0
    water_kg_day: KgDay = 1.9
    heat_w: Annotated[float, Field(ge=0, le=2000)] = 84.0


class EquipmentTable(Declared):
    """Something that can be switched: by its own name, or together with others by that of `switch`."""

    name: Name
    switch: Name | None = None
    on: bool = True


class ScrubberTable(EquipmentTable):
    """Takes carbon dioxide, or the vapour above saturation at `coil_c`, out of the air blown through it."""

    compartment: Name
    removes: Literal["carbon_dioxide", "water"] = "carbon_dioxide"
    flow_l_s: FlowLitresS
    efficiency: Share = 0.8
    coil_c: Annotated[float, Field(ge=0, le=40)] = 10.0


class SupplyTable(EquipmentTable):
    """Lets gas in: all the time, or from where its partial pressure falls below `below_hpa` until `until_hpa`.

    For "air" only the former; `until_hpa` is 2 hPa above `below_hpa` where it is not given.
    """

    compartment: Name
    gas: GasName
    kg_day: Annotated[float, Field(gt=0, le=1e5)]
    below_hpa: Annotated[float, Field(gt=0, le=2000)] | None = None
    until_hpa: Annotated[float, Field(gt=0, le=2000)] | None = None
    temperature_c: Celsius = 20.0

    @model_validator(mode="after")
    def _limits_fit(self) -> "SupplyTable":
        if self.below_hpa is None and self.until_hpa is not None:
            raise ValueError("until_hpa means nothing without below_hpa")
        if self.below_hpa is not None and self.gas == "air":
            raise ValueError("below_hpa: a regulator feeds nitrogen or oxygen, not air")
        if self.below_hpa is not None and self.until_hpa is not None and self.until_hpa <= self.below_hpa:
            raise ValueError(f"until_hpa {self.until_hpa:g} is not above below_hpa {self.below_hpa:g}")
        return self


class DuctTable(EquipmentTable):
    """A fan that blows from one compartment into another; 66 l/s (140 cfm) is that between a station's modules.

    It blows the less the more the pressure is against it, and nothing from `stall_pa` on.
    """

    source: Name
    target: Name
    flow_l_s: FlowLitresS = 66.0
    stall_pa: Annotated[float, Field(ge=1, le=100_000)] = 500.0


class CabinTable(Declared):
    """All that moves, breathes and feeds the gas."""

    walls: WallsTable = WallsTable()
    fills: Annotated[tuple[FillTable, ...], Field(max_length=MAX_EQUIPMENT)] = ()
    crews: Annotated[tuple[CrewTable, ...], Field(max_length=MAX_EQUIPMENT)] = ()
    scrubbers: Annotated[tuple[ScrubberTable, ...], Field(max_length=MAX_EQUIPMENT)] = ()
    supplies: Annotated[tuple[SupplyTable, ...], Field(max_length=MAX_EQUIPMENT)] = ()
    ducts: Annotated[tuple[DuctTable, ...], Field(max_length=MAX_EQUIPMENT)] = ()


class OpenEvent(Declared):
    """A hatch is opened, within `over_s`."""

    do: Literal["open"]
    at_s: Seconds
    hatch: Name
    over_s: Seconds = 0.0


class CloseEvent(Declared):
    """A hatch is closed, within `over_s`."""

    do: Literal["close"]
    at_s: Seconds
    hatch: Name
    over_s: Seconds = 0.0


class ThrottleEvent(Declared):
    """A hatch, or the valve in it, is left with `share` of its area open."""

    do: Literal["throttle"]
    at_s: Seconds
    hatch: Name
    share: Share
    over_s: Seconds = 0.0


class IntroduceEvent(Declared):
    """`kg` of gas are let into a compartment, evenly within `over_s`."""

    do: Literal["introduce"]
    at_s: Seconds
    compartment: Name
    gas: GasName
    kg: Annotated[float, Field(gt=0, le=10_000)]
    over_s: Annotated[float, Field(ge=1, le=1e8)] = 60.0
    temperature_c: Celsius = 20.0


class VentEvent(Declared):
    """A valve of `area_mm2` lets a compartment's gas out into vacuum for `over_s`: an airlock is emptied."""

    do: Literal["vent"]
    at_s: Seconds
    compartment: Name
    area_mm2: Annotated[float, Field(gt=0, le=1e6)]
    over_s: Annotated[float, Field(ge=0.1, le=1e8)]


class SwitchEvent(Declared):
    """Equipment is switched on or off: ducts, scrubbers, supplies, machines of that name or behind that switch."""

    do: Literal["switch"]
    at_s: Seconds
    equipment: Name
    on: bool


EventTable: TypeAlias = Annotated[
    OpenEvent | CloseEvent | ThrottleEvent | IntroduceEvent | VentEvent | SwitchEvent,
    Field(discriminator="do"),
]


def gas_problems(
    cabin: CabinTable,
    events: Sequence[EventTable],
    rooms: Iterable[str],
    hatches: Iterable[str],
    other_equipment: Iterable[str] = (),
) -> list[str]:
    """What `cabin` and `events` name that is not there, or name twice; one line each, with its key.

    `other_equipment` are names that switch events may use beside those of `cabin`: machines.
    """
    rooms, hatches = tuple(rooms), tuple(hatches)
    equipment = [*cabin.scrubbers, *cabin.supplies, *cabin.ducts]
    switches = {*(table.name for table in equipment), *(table.switch for table in equipment), *other_equipment}
    asked: list[tuple[str, str, str]] = []
    for key in ("fills", "crews", "scrubbers", "supplies"):
        asked += [
            (f"cabin.{key}[{i}].compartment", t.compartment, "compartment") for i, t in enumerate(getattr(cabin, key))
        ]
    for i, duct in enumerate(cabin.ducts):
        asked += [(f"cabin.ducts[{i}].source", duct.source, "compartment")]
        asked += [(f"cabin.ducts[{i}].target", duct.target, "compartment")]
    for i, event in enumerate(events):
        if isinstance(event, IntroduceEvent | VentEvent):
            asked.append((f"events[{i}].compartment", event.compartment, "compartment"))
        elif isinstance(event, SwitchEvent):
            asked.append((f"events[{i}].equipment", event.equipment, "equipment"))
        else:
            asked.append((f"events[{i}].hatch", event.hatch, "hatch"))
    known = {"compartment": set(rooms), "hatch": set(hatches), "equipment": {name for name in switches if name}}
    problems = [
        f"{key}: there is no {what} {name!r}; there are {', '.join(sorted(known[what])) or 'none'}"
        for key, name, what in asked
        if name not in known[what]
    ]
    problems += [
        f"cabin.ducts[{i}]: joins {d.source!r} to itself" for i, d in enumerate(cabin.ducts) if d.source == d.target
    ]
    names = [table.name for table in equipment]
    problems += [
        f"cabin: equipment {name!r} is named twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    filled = [table.compartment for table in cabin.fills]
    problems += [
        f"cabin.fills: {name!r} is filled twice" for name in sorted({n for n in filled if filled.count(n) > 1})
    ]
    return problems
