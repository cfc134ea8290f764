"""Text tables as people write them: delimiters, decimal commas, names and units of columns. No meaning of rows."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.errors import ControllerError

MAX_ROWS = 5_000_000  # a day of 28 pairs twice a second; 2 GB of memory
MAX_COLUMNS = 1100  # one for each of 1000 sensors, and some
UNITS = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6,
    "ns": 1e-9, "ps": 1e-12,
}  # fmt: skip
LENGTHS = {"m": 1.0, "meters": 1.0, "metres": 1.0, "meter": 1.0, "mm": 1e-3, "cm": 1e-2, "km": 1e3, "ft": 0.3048}
BLANKS = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "--", "inf", "+inf", "-inf", "?"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_REMARK = re.compile(r"\s#")
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?$")


@dataclass(frozen=True, slots=True)
class Table:
    """Header as written, and rows of fields with their line numbers."""

    name: str
    header: tuple[str, ...]
    rows: list[tuple[int, list[str]]]

    def refuse(self, line: int, column: str, what: str, remedy: str) -> ControllerError:
        """The error for one field."""
        return ControllerError(f"{self.name}, line {line}, column {column}: {what}", remedy=remedy)

    def number(self, line: int, column: str, text: str) -> float | None:
        """A field's number; None where it is blank or NaN. ControllerError where it is neither."""
        plain = text.strip()
        try:
            value = float(plain)
        except ValueError:
            if plain.lower() in BLANKS:
                return None
            if _COMMA.match(plain):
                return float(plain.replace(",", "."))
            raise self.refuse(line, column, f"{text!r} is not a number", "write it like 0.00123 or 1.23e-3") from None
        return value if abs(value) < float("inf") else None

    def coordinate(self, line: int, row: Sequence[str], where: tuple[int, str], most_m: float) -> float:
        """A position's coordinate in metres, at most `most_m` from the origin; `where` is its column and unit."""
        column = self.header[where[0]]
        value = self.number(line, column, row[where[0]])
        if value is None:
            raise self.refuse(line, column, "the coordinate is missing", "every row of this table needs a position")
        value *= LENGTHS.get(where[1], 1.0)
        if abs(value) > most_m:
            raise self.refuse(
                line, column, f"{value:g} m is too far, beyond {most_m:g} m", "check the unit or the origin"
            )
        return value


def read_table(name: str, text: str, assumed: Mapping[int, Sequence[str]]) -> Table:
    """Split `text`; without a header the columns are those `assumed` for their count. ControllerError says why not."""
    lines = text.removeprefix("\ufeff").splitlines()
    remark = ""
    kept: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        plain = line.strip()
        if not plain or not plain.strip(",;\t "):
            continue
        if plain[0] in "#%" or plain.startswith("//"):
            if not kept:
                remark = plain.lstrip("#%/ ")
            continue
        kept.append((number, line))
    if not kept:
        raise ControllerError(f"{name}: the table is empty", remedy="write a header and at least one row")
    if len(kept) > MAX_ROWS:
        raise ControllerError(f"{name}: {len(kept)} rows, more than {MAX_ROWS}", remedy="split the file")
    delimiter = _delimiter([line for _, line in kept[:20]])
    fields = list(_split(kept, delimiter))
    first = fields[0][1]
    if _is_header(first):
        header, fields = tuple(first), fields[1:]
        if not fields:
            raise ControllerError(f"{name}: there is a header but no row", remedy="write at least one row")
    else:
        said = next(_split([(0, remark)], delimiter), (0, []))[1] if remark else []
        if len(said) == len(first) and _is_header(said):
            header = tuple(said)
        elif len(first) in assumed:
            header = tuple(assumed[len(first)])
        else:
            raise ControllerError(
                f"{name}, line {fields[0][0]}: {len(first)} columns without a header", remedy="name the columns first"
            )
    if len(header) > MAX_COLUMNS:
        raise ControllerError(f"{name}: {len(header)} columns, more than {MAX_COLUMNS}", remedy="one row a sensor")
    for number, row in fields:
        if not any(extra.strip() for extra in row[len(header) :]):
            del row[len(header) :]
        if len(row) > len(header):
            raise ControllerError(
                f"{name}, line {number}: {len(row)} fields under {len(header)} columns",
                remedy="quote fields that hold the delimiter, or use ; with decimal commas",
            )
        row.extend([""] * (len(header) - len(row)))
    return Table(name, header, fields)


def _split(lines: Sequence[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in lines:
        body = _REMARK.split(line, maxsplit=1)[0] if "#" in line else line
        if delimiter == " ":
            yield number, body.split()
        elif '"' not in body:
            yield number, [field.strip() for field in body.split(delimiter)]
        else:
            yield (
                number,
                [field.strip() for field in next(csv.reader([body], delimiter=delimiter, skipinitialspace=True))],
            )


def _delimiter(lines: Sequence[str]) -> str:
    """The sign that every line has; a semicolon or tab before a comma, which may be a decimal one."""
    for sign in (";", "\t", ","):
        if all(sign in line for line in lines):
            return sign
    return " "


def _is_header(fields: Sequence[str]) -> bool:
    """Whether a row names columns: it has no number, or it starts with a name for time and has only whole ones."""
    numbers = [field for field in fields if _NUMBER.match(field.strip()) or _COMMA.match(field.strip())]
    if not numbers:
        return len(fields) > 1
    return split_unit(fields[0])[0] in ROLES["time"] and all(field.strip().isdigit() for field in numbers)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENDS = "sensor mic node receiver station channel hydrophone"
ROLES: dict[str, frozenset[str]] = {
    "time": _names(
        "t time epoch event timestamp utc shot frame seconds time_stamp event_id t0 datetime date_time window"
    ),
    "a": _names("a i first s1 rx_a rx1 id_a ch_a from name_a")
    | {end + tail for end in _ENDS.split() for tail in ("_a", "_i", "1", "_1")},
    "b": _names("b j second s2 rx_b rx2 id_b ch_b to ref reference name_b")
    | {end + tail for end in _ENDS.split() for tail in ("_b", "_j", "2", "_2")},
    "delay": _names(
        "delay tdoa tau dt lag tdelay time_delay time_difference delta_t dtoa diff difference delay_ab"
        " range_difference rdoa range_diff delta_r"
    ),
    "sigma": _names(
        "sigma std stddev std_dev sd uncertainty err error sigma_delay delay_sigma sigma_tdoa tdoa_sigma"
        " arrival_sigma sigma_arrival"
    ),
    "sensor": _names(
        "sensor mic node id name channel ch station receiver hydrophone sensor_id node_id mic_id microphone rx"
        " sensor_name anchor"
    ),
    "arrival": _names("arrival toa arrival_time t_arrival time_of_arrival onset pick arrivals t_toa"),
    "x": _names("x px pos_x x_pos easting east"),
    "y": _names("y py pos_y y_pos northing north"),
    "z": _names("z pz pos_z z_pos height up alt altitude elevation"),
}


def split_unit(field: str) -> tuple[str, str]:
    """A column's plain name and its unit as written: `Delay [µs]` is ("delay", "µs"), `t_s` is ("t", "s")."""
    plain = field.strip().strip("\"'").lower()
    plain = re.sub(r"[\[\]()/]+", " ", plain).strip()
    plain = re.sub(r"[\s.\-_]+", "_", plain)
    stem, _, unit = plain.rpartition("_")
    if stem and (unit in UNITS or unit in LENGTHS):
        return stem, unit
    return plain, ""


def roles_of(header: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Column and unit of each role that the header names; the first of two that mean the same."""
    found: dict[str, tuple[int, str]] = {}
    for at, field in enumerate(header):
        name, unit = split_unit(field)
        for role, names in ROLES.items():
            if name in names and role not in found:
                found[role] = at, unit
                break
    return found
