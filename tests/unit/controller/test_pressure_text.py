"""Logs as spreadsheets and loggers write them: the same numbers come out, or it is refused with what to do."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.cli.pressure_columns import read_log
from controller.cli.pressure_text import number
from controller.errors import ControllerError

HPA = [993.25, 993.20, 993.15, 993.05, 993.10, 992.95]
EPOCH_S = 1_770_000_000  # 2026-02-02


def comma(value: float | str) -> str:
    return str(value).replace(".", ",")


def clock(form: str) -> Callable[[int], str]:
    return lambda row: (datetime(2026, 2, 28, 23, 57, tzinfo=UTC) + timedelta(minutes=row)).strftime(form)


@pytest.mark.parametrize(
    ("header", "delimiter", "time", "value"),
    [
        ("t_s,pressure_hpa", ",", lambda row: 60 * row, str),
        ("t_s;pressure_hpa", ";", lambda row: 60 * row, str),
        ("t_s;pressure_hpa", ";", lambda row: 60 * row, comma),
        ("t_s\tpressure_hpa", "\t", lambda row: f"{60 * row},0", comma),
        ("t_s,pressure_hpa", ",", lambda row: 60 * row, lambda value: f'"{comma(value)}"'),
        ("time;pressure_hpa", ";", clock("%d.%m.%Y %H:%M"), comma),
        ("time;pressure_hpa", ";", clock("%d.%m.%Y %H:%M:%S"), comma),
        ("Date/Time,Pressure [hPa]", ",", clock("%Y/%m/%d %H:%M"), str),
        ("time,pressure_hpa", ",", clock("%Y-%m-%d %H:%M:%S"), str),
        ("Time [min],Pressure (hPa)", ",", lambda row: row, str),
        ("t_h,pressure_hpa", ",", lambda row: f"{row / 60:.9f}", str),
        ("time_d;pressure_hpa", ";", lambda row: comma(f"{46346.25 + row / 1440:.9f}"), comma),
        ("timestamp,pressure_hpa", ",", lambda row: EPOCH_S + 60 * row, str),
        ("timestamp,pressure_hpa", ",", lambda row: (EPOCH_S + 60 * row) * 1000, str),
        ("time_ms,pressure_hpa", ",", lambda row: (EPOCH_S + 60 * row) * 1000, str),
        ("time,pressure_hpa", ",", lambda row: (EPOCH_S + 60 * row) * 1_000_000, str),
        ("time,pressure_hpa", ",", lambda row: (EPOCH_S + 60 * row) * 1_000_000_000, str),
        ("utc,t_s,pressure_hpa", ",", lambda row: f"noon,{60 * row}", str),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_is_written_in_other_ways_reads_the_same(
    tmp_path: Path,
    header: str,
    delimiter: str,
    time: Callable[[int], object],
    value: Callable[[float], str],
    encoding: str,
) -> None:
    """A minute a row; 1e-3 s is what nine digits of a day, and doubles of 1.8e18 ns, leave."""
    lines = ["# a remark, with; marks", header, *(f"{time(row)}{delimiter}{value(hpa)}" for row, hpa in enumerate(HPA))]
    path = tmp_path / "log.csv"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    log = read_log(path, None)
    (pressure_pa,) = log.pressure_pa.values()
    assert log.time_s == pytest.approx(60.0 * np.arange(len(HPA)), abs=1e-3)
    assert pressure_pa == pytest.approx(100.0 * np.array(HPA))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_s,pressure_hpa\n0,993,25\n60,993,20\n", "decimal commas"),
        ("t_s,pressure_hpa,pressure_hpa\n0,993,994\n", "pressure_1_hpa"),
        ("t_s,p1_hpa,p2_hpa\n0,993,994\n", "pressure_1_hpa"),
        ("t_s,pressure_hpa\n1770000000000,993\n1770000060000,993\n", "time_ms"),
        ("time,pressure_hpa\n46346.250000,993\n46346.250694,993\n", "time_d"),
        ("time,pressure_hpa\n03/04/2026 12:00,993\n", "2024-05-01"),
        ("t_s,pressure_hpa\n0,-19.5\n60,-19.6\n", "absolute"),
        ("t_s,pressure_hpa\n0,5.1\n60,5.0\n", "absolute"),
        ("t_s,pressure_hpa\n0,7.1\n60,7.0\n", "if it is so, --unit hpa"),
        ("t_s,pressure_hpa,temperature_f\n0,993,72\n60,993,72\n", "Celsius"),
    ],
)
def test_what_could_be_read_wrongly_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ControllerError, match=words):
        read_log(path, None)


def test_a_row_that_a_crash_tore_does_not_refuse_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [f"{60 * row},993,22" for row in range(60)]
    rows[30] = "18001800,993,22,993,22"
    path.write_text("\n".join(["t_s,pressure_hpa,Temp [°C]", *rows]), encoding="latin-1")
    log = read_log(path, None)
    assert log.time_s.size == 60
    assert [values.tolist() for values in log.temperature_k.values()] == [[pytest.approx(295.15)] * 60]


def test_a_missing_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ControllerError, match=r"none\.csv: No such file or directory: give"):
        read_log(tmp_path / "none.csv", None)


@settings(max_examples=100)
@given(st.floats(-1e7, 1e7).map(lambda value: round(value, 3)))
def test_numbers_survive_every_way_to_write_them(value: float) -> None:
    english = f"{value:,.3f}"
    continental = english.translate(str.maketrans(",.", ".,"))
    assert [number(text) for text in (str(value), english, continental, f"{value:.3f}".replace(".", ","))] == [
        value
    ] * 4


@pytest.mark.parametrize("text", ["", "x", "1,2,3", "12,34.5", "1.2.3,4", "--", "1,", ",5", "0x10"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert math.isnan(number(text))
