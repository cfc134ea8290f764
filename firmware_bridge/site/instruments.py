"""Somebody else's sensors as the site has them: where they are read, and what is wrong there. Reading is session's."""

import re
from dataclasses import dataclass

from firmware_bridge.site.patterns import pattern_problem
from firmware_bridge.site.schema import InstrumentTable, LineTable, ReadingTable, SiteTable
from firmware_bridge.units import is_temperature, to_si

_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,4})\]")
LEAST_PA = -1000.0  # absolute: a gauge near vacuum may be off by its zero, no gas can be
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One value: `topic` where it is published, `path` into JSON or `pattern` of text, and how it becomes SI."""

    name: str
    channel: int
    topic: str | None
    path: Path | None
    pattern: re.Pattern[str] | None
    unit: str
    scale: float
    offset: float
    low: float
    high: float

    def to_si(self, found: float) -> float | None:
        """What was `found`, in SI; None where no such instrument can have meant it."""
        value = self.scale * found + self.offset
        if not self.low <= value <= self.high:
            return None
        value_si = to_si(value, self.unit)
        return value_si if value_si >= (0.0 if is_temperature(self.unit) else LEAST_PA) else None


@dataclass(frozen=True, slots=True)
class Instrument:
    """How one is heard. `place` is the name of its link, `line` its serial line where it has one."""

    place: str
    readings: tuple[Reading, ...]
    stale_after_s: float
    line: LineTable | None

    @property
    def topics(self) -> tuple[str, ...]:
        """Everything that it is to be heard on."""
        return tuple(dict.fromkeys(reading.topic for reading in self.readings if reading.topic is not None))


def instrument_of(table: InstrumentTable) -> Instrument:
    """As declared."""
    line = table.source if isinstance(table.source, LineTable) else None
    place = line.port if line is not None else f"mqtt:instrument/{table.name}"
    readings = tuple(_reading(reading, channel) for channel, reading in enumerate(table.readings))
    return Instrument(place, readings, table.stale_after_s, line)


def path_of(text: str) -> Path | None:
    """`BME280.Pressure` or `sensors[0].p` as keys and places; None where it is neither."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        if steps and text[at] == ".":
            at += 1
        found = _STEP.match(text, at)
        if found is None:
            return None
        steps.append(found[1] if found[2] is None else int(found[2]))
        at = found.end()
    return tuple(steps) or None


def instrument_problems(table: SiteTable) -> list[str]:
    """What contradicts itself."""
    problems = []
    for i, one in enumerate(table.instruments):
        for k, reading in enumerate(one.readings):
            key = f"instruments[{i}] ({one.name}).readings[{k}] ({reading.name})"
            problems += [f"{key}: {what}" for what in _reading_problems(reading, on_line=one.source.kind == "serial")]
    ports = [one.source.port for one in table.instruments if isinstance(one.source, LineTable)]
    problems += [
        f"instruments[].source.port {port!r} is used twice" for port in sorted({p for p in ports if ports.count(p) > 1})
    ]
    return problems


def _reading_problems(reading: ReadingTable, *, on_line: bool) -> list[str]:
    problems = []
    if (reading.quantity == "temperature") is not is_temperature(reading.unit):
        problems.append(f"{reading.quantity} is not measured in {reading.unit}")
    if reading.scale == 0.0:
        problems.append("scale is 0: every value would be the same")
    if reading.range is not None and reading.range[0] >= reading.range[1]:
        problems.append("range ends where it begins, or before")
    if reading.pattern is not None:
        try:
            groups = re.compile(reading.pattern).groups
        except re.error as error:
            problems.append(f"pattern is no regular expression ({error})")
        else:
            if groups != 1:
                problems.append(f"pattern has {groups} groups; exactly one, about the number, is needed")
            problems += filter(None, [pattern_problem(reading.pattern)])
    if reading.path is not None and path_of(reading.path) is None:
        problems.append(f"path {reading.path!r} is not of the form BME280.Pressure or sensors[0].p")
    if on_line:
        if reading.topic is not None or reading.path is not None:
            problems.append("a serial instrument has neither topic nor path; say by `pattern` where the number stands")
        if reading.pattern is None:
            problems.append("`pattern` is missing: a line of the instrument, with its number in brackets")
        return problems
    if reading.topic is None:
        problems.append("`topic` is missing: where the value is published")
    if reading.path is not None and reading.pattern is not None:
        problems.append("has both path and pattern; JSON has the one, text the other")
    return problems


def _reading(table: ReadingTable, channel: int) -> Reading:
    low, high = table.range or (float("-inf"), float("inf"))
    return Reading(
        name=table.name,
        channel=channel,
        topic=table.topic,
        path=None if table.path is None else path_of(table.path),
        pattern=None if table.pattern is None else re.compile(table.pattern),
        unit=table.unit,
        scale=table.scale,
        offset=table.offset,
        low=low,
        high=high,
    )
