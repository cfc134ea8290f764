"""Tables of sensors and delays become sensors and epochs. Files are opened elsewhere."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from controller.errors import ControllerError
from controller.tdoa.arrivals import from_arrivals, long_arrivals, sensor_column, wide_arrivals
from controller.tdoa.columns import LENGTHS, UNITS, Table, read_table, roles_of, split_unit
from controller.tdoa.epoch import Epoch, SensorArray
from controller.tdoa.rows import Names, Reading, Row, grouped, plain_name, sigma_of, time_of

MAX_SENSORS = 1000  # their covariance is inverted whole: some seconds an epoch
MIN_SENSORS = 2
MAX_COORDINATE_M = 1e12  # beyond the planets' orbits a metre is lost in float64


def read_sensors(name: str, text: str) -> SensorArray:
    """Sensors of a table `name,x_m,y_m[,z_m]` in its own order; two dimensions where it has no z."""
    table = read_table(name, text, {3: ("name", "x_m", "y_m"), 4: ("name", "x_m", "y_m", "z_m"), 2: ("x_m", "y_m")})
    roles = roles_of(table.header)
    if "x" not in roles or "y" not in roles:
        geodetic = any(split_unit(field)[0] in {"lat", "latitude", "lon", "longitude", "lng"} for field in table.header)
        raise ControllerError(
            f"{name}: no columns x_m and y_m among {', '.join(table.header)}",
            remedy="project latitude and longitude to metres (a map grid such as UTM) first"
            if geodetic
            else "the header is name,x_m,y_m[,z_m]",
        )
    axes = ["x", "y"] + (["z"] if "z" in roles and any(row[roles["z"][0]].strip() for _, row in table.rows) else [])
    named = roles.get("sensor") or roles.get("a")
    names: list[str] = []
    points: list[list[float]] = []
    for at, (line, row) in enumerate(table.rows):
        label = row[named[0]].strip() if named else str(at)
        if not label:
            raise table.refuse(line, table.header[named[0] if named else 0], "the name is empty", "name every sensor")
        if label in names:
            raise table.refuse(
                line, table.header[named[0] if named else 0], f"sensor {label!r} stands twice", "rename one"
            )
        names.append(label)
        points.append([table.coordinate(line, row, roles[axis], MAX_COORDINATE_M) for axis in axes])
    if not MIN_SENSORS <= len(names) <= MAX_SENSORS:
        raise ControllerError(
            f"{name}: {len(names)} sensors, not {MIN_SENSORS} to {MAX_SENSORS}",
            remedy="give the sensors that were heard",
        )
    position = np.array(points)
    if np.ptp(position, axis=0).max() <= 0.0:
        raise ControllerError(f"{name}: all sensors stand at one point", remedy="give their positions in metres")
    return SensorArray(tuple(names), position)


def read_epochs(name: str, text: str, array: SensorArray, reading: Reading) -> list[Epoch]:
    """Epochs in order of time, from delays or arrivals (a row or a column a sensor); ControllerError says why not."""
    table = read_table(
        name,
        text,
        {3: ("a", "b", "delay_s"), 4: ("t_s", "a", "b", "delay_s"), 5: ("t_s", "a", "b", "delay_s", "sigma_s")},
    )
    roles = roles_of(table.header)
    if {"a", "b", "delay"} <= roles.keys():
        rows = _delays(table, roles, array, reading)
        return grouped(rows, reading, arrivals=False)
    known = {plain_name(sensor): at for at, sensor in enumerate(array.names)}
    wide = {at: known[key] for at, field in enumerate(table.header) if (key := sensor_column(field, known)) is not None}
    if len(wide) >= 3 and "arrival" not in roles:
        return from_arrivals(wide_arrivals(table, roles, wide), reading)
    if "sensor" in roles and ("arrival" in roles or "time" in roles):
        found = long_arrivals(table, roles, array)
        if "arrival" not in roles and reading.window_s <= 0.0:
            if len({one.sensor for one in found}) < len(found):
                raise ControllerError(
                    f"{name}: sensors are heard more than once and nothing tells which arrivals belong together",
                    remedy="add a column t_s that one event's rows share, or give --window",
                )
            found = [replace(one, label=found[0].label, time_s=found[0].time_s) for one in found]
        return from_arrivals(found, reading)
    lacking = [column for role, column in (("a", "a"), ("b", "b"), ("delay", "delay_s")) if role not in roles]
    raise ControllerError(
        f"{name}, line 1: no column {' and '.join(lacking)} among {', '.join(table.header)}",
        remedy="the header is t_s,a,b,delay_s[,sigma_s], or t_s,sensor,arrival_s, or t_s and a column for each sensor",
    )


def _delays(table: Table, roles: Mapping[str, tuple[int, str]], array: SensorArray, reading: Reading) -> list[Row]:
    column_a, column_b, (column_d, unit) = roles["a"][0], roles["b"][0], roles["delay"]
    in_metres = unit in LENGTHS or (
        not unit and split_unit(table.header[column_d])[0] in {"rdoa", "range_difference", "delta_r"}
    )
    scale = LENGTHS.get(unit, 1.0) / reading.speed_m_s if in_metres else UNITS.get(unit, 1.0)
    scale *= -1.0 if reading.reverse else 1.0
    names = Names(array, table, [column_a, column_b])
    rows: list[Row] = []
    for line, row in table.rows:
        first, second = names.find(line, column_a, row[column_a]), names.find(line, column_b, row[column_b])
        if first == second:
            raise table.refuse(
                line, table.header[column_b], f"{row[column_b]!r} is compared with itself", "name two sensors"
            )
        value = table.number(line, table.header[column_d], row[column_d])
        label, time_s = time_of(table, line, row, roles)
        sigma = sigma_of(table, line, row, roles, reading.speed_m_s)
        rows.append(Row(label, time_s, first, second, None if value is None else value * scale, sigma, line))
    return rows
