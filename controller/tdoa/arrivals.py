"""Tables of arrival times become differences, without losing digits. Tables of delays are read elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np

from controller.tdoa.columns import BLANKS, UNITS, Table, split_unit
from controller.tdoa.epoch import Epoch, SensorArray
from controller.tdoa.rows import Names, Reading, Row, grouped, made_epoch, plain_name, sigma_of, time_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """When one sensor heard one epoch's sound."""

    label: str
    time_s: float
    sensor: int
    arrival: Decimal | None  # seconds; exact, as UNIX times lose a quarter of a microsecond in float64
    sigma_s: float
    line: int


def _exact(table: Table, line: int, at: int, text: str, unit: str) -> Decimal | None:
    plain = text.strip()
    if plain.lower() in BLANKS:
        return None
    try:
        value = Decimal(plain)
    except InvalidOperation:
        number = table.number(line, table.header[at], plain)
        return None if number is None else Decimal(repr(number)) * Decimal(repr(UNITS.get(unit, 1.0)))
    return value * Decimal(repr(UNITS.get(unit, 1.0))) if value.is_finite() else None


def long_arrivals(table: Table, roles: Mapping[str, tuple[int, str]], array: SensorArray) -> list[Arrival]:
    """Rows of a sensor and its arrival."""
    column = roles["sensor"][0]
    at, unit = roles.get("arrival") or roles["time"]
    names = Names(array, table, [column])
    found: list[Arrival] = []
    for line, row in table.rows:
        sensor = names.find(line, column, row[column])
        exact = _exact(table, line, at, row[at], unit)
        if "arrival" in roles and "time" in roles:
            label, time_s = time_of(table, line, row, roles)
        elif "arrival" in roles:
            label, time_s = "", 0.0
        else:
            label, time_s = row[at].strip(), float(exact) if exact is not None else float("nan")
        sigma = sigma_of(table, line, row, roles, 1.0)
        found.append(Arrival(label, time_s, sensor, exact, sigma, line))
    return found


def sensor_column(field: str, known: Mapping[str, int]) -> str | None:
    """The sensor that a column is named after, perhaps with a unit."""
    for text in (plain_name(field), split_unit(field)[0]):
        if text in known:
            return text
    return None


def wide_arrivals(table: Table, roles: Mapping[str, tuple[int, str]], wide: Mapping[int, int]) -> list[Arrival]:
    """Rows of an epoch with one column a sensor; `wide` is the sensor of each column."""
    found: list[Arrival] = []
    timed = "time" in roles and roles["time"][0] not in wide
    for line, row in table.rows:
        label, time_s = time_of(table, line, row, roles) if timed else (f"line {line}", float("nan"))
        for at, sensor in wide.items():
            unit = split_unit(table.header[at])[1]
            found.append(Arrival(label, time_s, sensor, _exact(table, line, at, row[at], unit), float("nan"), line))
    return found


def from_arrivals(found: list[Arrival], reading: Reading) -> list[Epoch]:
    """Delays of each epoch's arrivals against its first sensor's."""
    stand_in = [Row(a.label, a.time_s, at, -1, 0.0, a.sigma_s, a.line) for at, a in enumerate(found)]
    epochs: list[Epoch] = []
    for part in grouped(stand_in, reading, arrivals=True):
        members = [found[int(at)] for at in part.first]
        heard = [one for one in members if one.arrival is not None]
        rows: list[Row] = []
        own: list[float] = []
        for one in heard[1:]:
            if one.sensor == heard[0].sensor or one.arrival is None or heard[0].arrival is None:
                continue  # heard twice: an echo; the first stands
            delay = float(one.arrival - heard[0].arrival)
            own.append(one.sigma_s)
            sigma = float(np.hypot(one.sigma_s, heard[0].sigma_s))
            rows.append(Row(part.label, part.time_s, one.sensor, heard[0].sensor, delay, sigma, one.line))
        blank = len(members) - len(heard)
        if rows:
            made = made_epoch(rows, arrivals=True)
            epochs.append(
                Epoch(
                    made.label,
                    part.time_s,
                    made.first,
                    made.second,
                    made.delay_s,
                    made.sigma_s,
                    made.line,
                    blank,
                    True,
                    np.array(own),
                )
            )
        else:
            none = np.array([], np.intp)
            nothing = np.array([], np.float64)
            epochs.append(Epoch(part.label, part.time_s, none, none, nothing, nothing, none, blank, True))
    return epochs
