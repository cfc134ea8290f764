"""leakctl pressure: logs as people have them, in, and the documented answer and exit status, out."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from controller.cli.main import main
from controller.cli.pressure_columns import Log, cleaned
from firmware_bridge.units import PA_PER_MMHG, S_PER_DAY, S_PER_HOUR
from tests.support.pressing import START_PA, restless

HOLE_PA_S = 1.6 * PA_PER_MMHG / S_PER_HOUR
VOLUME_M3 = 916.0


def asked(path: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["pressure", str(path), "--volume", str(VOLUME_M3), *arguments])
    return result.exit_code, result.output


def answer(path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    status, text = asked(path, "--json", *arguments)
    return status, json.loads(text)


def cabin(minutes: int, onset: int | None, *, seed: int = 1) -> NDArray[np.float64]:
    """A log of a restless cabin, a value a minute, with a leak from a minute on."""
    values = START_PA + restless(np.random.default_rng(seed), minutes)
    if onset is not None:
        values *= np.exp(-HOLE_PA_S / START_PA * 60.0 * np.maximum(np.arange(minutes) - onset, 0))
    return values


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_leak_is_told_with_its_numbers_and_status_0(tmp_path: Path) -> None:
    rows = [f"{60 * row},{value:.2f},295.0" for row, value in enumerate(cabin(600, 240))]
    status, told = answer(write(tmp_path / "log.csv", "t_s,pressure_pa,temperature_k", rows))
    assert status == 0
    assert told["leak"] is True
    assert told["detected_t_s"] > 240 * 60
    slope = told["slope_pa_s"]
    assert slope["low"] < slope["value"] < slope["high"] < 0
    assert slope["low"] <= -HOLE_PA_S <= slope["high"]
    for key in ("mass_rate_kg_s", "diameter_m", "reserve_time_s"):
        assert 0 < told[key]["low"] < told[key]["value"] < told[key]["high"]
    assert told["diameter_m"]["low"] < 0.002 < told["diameter_m"]["high"]
    assert told["reason"]


def test_none_is_told_with_status_3_and_what_could_hide(tmp_path: Path) -> None:
    rows = [f"{60 * row},{value:.2f}" for row, value in enumerate(cabin(600, None))]
    path = write(tmp_path / "log.csv", "t_s,pressure_pa", rows)
    status, told = answer(path)
    assert (status, told["leak"]) == (3, False)
    assert "could hide" in told["reason"]
    status, text = asked(path)
    assert status == 3
    assert text.startswith("no leak")


@pytest.mark.parametrize(
    ("unit", "scale", "digits"),
    [("hpa", 100.0, 1), ("mmhg", PA_PER_MMHG, 1), ("kpa", 1000.0, 3), ("pa", 1.0, 0)],
)
def test_units_and_rounding(tmp_path: Path, unit: str, scale: float, digits: int) -> None:
    """Steps of 10, 13, 1 and 1 Pa, in the column's name or by --unit."""
    values = [f"{60 * row},{value / scale:.{digits}f}" for row, value in enumerate(cabin(600, 240, seed=3))]
    named = answer(write(tmp_path / "named.csv", f"t_s,pressure_{unit}", values))
    asked_for = answer(write(tmp_path / "asked.csv", "time,Pressure", values), "--unit", unit)
    assert named == asked_for
    status, told = named
    assert status == 0
    assert told["slope_pa_s"]["low"] <= -HOLE_PA_S <= told["slope_pa_s"]["high"]


def test_gaps_repeats_disorder_holes_and_dates_change_little(tmp_path: Path) -> None:
    clean = cabin(600, 240)
    rows = [f"2024-05-01T{row // 60:02d}:{row % 60:02d}:00,{value:.2f},22.0" for row, value in enumerate(clean)]
    mangled = rows[:100] + rows[150:] + rows[200:230]  # a gap, and rows twice, out of order
    mangled[10:10] = ["2024-05-01T00:10:30,,", "2024-05-01T00:10:40,9999999,22", "# a remark", ""]
    status, told = answer(write(tmp_path / "log.csv", "Date/Time,pressure_pa,temperature_c", mangled))
    assert status == 0
    assert told["slope_pa_s"]["low"] <= -HOLE_PA_S <= told["slope_pa_s"]["high"]


def test_several_barometers_outvote_one_that_drifts(tmp_path: Path) -> None:
    values = cabin(400, None)
    rows = [
        f"{60 * row},{value:.2f},{value + 40:.2f},{value - 25 - 3.0 * max(0, row - 100):.2f}"
        for row, value in enumerate(values)
    ]
    status, told = answer(write(tmp_path / "log.csv", "t_s,pressure_pa,pressure_pa_2,pressure_pa_3", rows))
    assert status == 3
    assert [one["sensor"] for one in told["not_used"]] == ["pressure_pa_3"]


def test_a_thermometer_that_has_nothing_to_do_with_the_gas_does_no_harm(tmp_path: Path) -> None:
    """A computer beside it warms by 3 K within the hour: 1,000 Pa of gas, would one believe it."""
    rows = [
        f"{60 * row},{value:.2f},{305.0 + 3.0 / (1 + math.exp((200 - row) / 15)):.2f}"
        for row, value in enumerate(cabin(600, None))
    ]
    assert answer(write(tmp_path / "log.csv", "t_s,pressure_pa,temperature_k", rows))[0] == 3


# Zvezda's transfer chamber behind its shut hatch, as published (it.sputniknews.com 2020-12-28, lz.lv March 2021,
# manchikoni.com/EFE July 2021): mmHg at hours.
CURVES = {
    "December 2020": ((0.0, 730.0), (18.0, 620.0)),
    "March 2021": ((0.0, 730.0), (11.5, 678.0)),
    "July 2021": ((0.0, 473.0), (6 * 24.0, 273.0), (11 * 24.0, 200.0), (15 * 24.0, 160.0)),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_published_curves_of_the_vestibule(tmp_path: Path, name: str) -> None:
    """The rate is ln(P1 / P2) / t of the last stretch; with the 1.4 kg/day of autumn 2020 the first gives 5 to 9 m3."""
    curve = CURVES[name]
    rows = [f"{hours * S_PER_HOUR:.0f},{mmhg}" for hours, mmhg in curve]
    path = write(tmp_path / "log.csv", "t_s,pressure_mmhg", rows)
    status, told = answer(path, "--crew", "0", "--limit-mmhg", "100")
    assert status == 0
    (before_h, before), (last_h, last) = curve[-2:]
    per_h = math.log(before / last) / (last_h - before_h)
    slope = told["slope_pa_s"]
    low, high = (-slope[key] * S_PER_HOUR / (last * PA_PER_MMHG) for key in ("high", "low"))
    assert low <= per_h <= high
    if name == "December 2020":
        assert -slope["value"] * S_PER_HOUR / (last * PA_PER_MMHG) == pytest.approx(9.1e-3, rel=0.01)
        air_kg_m3 = 730.0 * PA_PER_MMHG / (287.05 * 295.15)
        assert 5.0 < 1.4 / S_PER_DAY / (per_h / S_PER_HOUR * air_kg_m3) < 9.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no time"),
        ("t_s\n1\n", "no pressure"),
        ("t_s,pressure_pa\n", "no row has a time"),
        ("t_s,pressure_pa\n0,x\n", "no pressure that a cabin has"),
        ("t_s,pressure_pa\n0,101300\n60,101200\n,\n", ""),
        ("t_s,pressure_pa\n0,1013\n60,1012\n,\n", "--unit hpa"),
        ("t_s,pressure_pa\n0,760\n60,759\n,\n", "or mmhg"),
        ("t_s,pressure_pa\n0,101.3\n60,101.2\n", "--unit kpa"),
        ("t_s,pressure_hpa\n0,101300\n60,101200\n", "--unit pa"),
        ("t_s,pressure_pa,temperature_k\n0,101300,22\n60,101300,22\n", "temperature_c"),
        ("t_s,pressure_pa,temperature_c\n0,101300,295\n60,101300,295\n", "temperature_k"),
        ("t_s,pressure\n0,1013\n", "does not say its unit"),
        ("when,pressure_pa\n0,101300\n", "no time"),
        ("t_s,pressure_pa\nyesterday,101300\n", "neither seconds nor dates"),
        ("t_s,pressure_pa\n0,101300\n1e12,101300\n", "ten years"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    status, said = asked(path)
    assert status == (2 if words else 3)
    assert words in said


def test_no_file_and_too_short_a_log(tmp_path: Path) -> None:
    assert asked(tmp_path / "none.csv")[0] == 2
    status, told = answer(write(tmp_path / "log.csv", "t_s,pressure_pa", ["0,101300"]))
    assert status == 3
    assert "too few" in told["reason"]
    assert told["slope_pa_s"]["low"] is None


def test_the_picture(tmp_path: Path) -> None:
    rows = [f"{60 * row},{value:.2f}" for row, value in enumerate(cabin(400, 200))]
    path = write(tmp_path / "log.csv", "t_s,pressure_pa", rows)
    status, _ = asked(path, "--plot", str(tmp_path / "log.png"))
    assert status == 0
    assert (tmp_path / "log.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("step_pa", [13.33, 133.3])
def test_steps_of_rounding_at_a_hertz_are_no_leak(tmp_path: Path, step_pa: float) -> None:
    """Two hours of a barometer that shows tenths, or whole millimetres of mercury."""
    seconds = np.arange(7200)
    values = START_PA + np.interp(seconds / 60, np.arange(121), restless(np.random.default_rng(2), 121))
    rows = [f"{second},{step_pa * round(value / step_pa):.2f}" for second, value in zip(seconds, values, strict=True)]
    assert answer(write(tmp_path / "log.csv", "t_s,pressure_pa", rows))[0] == 3


def test_spikes_and_empty_cells_are_no_pressure_and_steps_stay() -> None:
    """Single and double spikes go; a step, a fall of 10 kPa a row and the last value stay; NaN stays what it is."""
    values = np.full(60, 100_000.0) + np.random.default_rng(1).standard_normal(60)
    values[30:] -= 500.0
    values[[5, 12, 13, 20]] = 103_000.0, 98_000.0, 98_000.0, math.nan
    values[50:] -= 8000.0 * np.arange(1, 11)
    (kept,) = cleaned(
        Log(np.linspace(0.0, 3540.0, 60), {"p": np.asarray(values, dtype=np.float64)}, {})
    ).pressure_pa.values()
    assert np.flatnonzero(np.isnan(kept)).tolist() == [5, 12, 13, 20]


def test_a_leak_that_was_closed_is_told_as_it_was_when_it_was_open(tmp_path: Path) -> None:
    open_s = np.clip(np.arange(900) - 240, 0, 240) * 60.0
    values = cabin(900, None, seed=4) * np.exp(-HOLE_PA_S / START_PA * open_s)
    rows = [f"{60 * row},{value:.2f}" for row, value in enumerate(values)]
    status, told = answer(write(tmp_path / "log.csv", "t_s,pressure_pa", rows))
    assert status == 0
    assert told["over_t_s"] is not None
    assert told["slope_pa_s"]["low"] <= -HOLE_PA_S <= told["slope_pa_s"]["high"]


def test_a_temperature_that_never_changes_changes_nothing(tmp_path: Path) -> None:
    values = cabin(600, 240)
    alone = write(tmp_path / "alone.csv", "t_s,pressure_pa", [f"{60 * row},{v:.2f}" for row, v in enumerate(values)])
    rows = [f"{60 * row},{value:.2f},295.15" for row, value in enumerate(values)]
    beside = write(tmp_path / "beside.csv", "t_s,pressure_pa,temperature_k", rows)
    # It does not show how the gas cools as it expands: 0.6 K of a torn hull, next to nothing here.
    assert answer(alone)[1]["slope_pa_s"] == pytest.approx(answer(beside)[1]["slope_pa_s"], rel=0.01)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_cabin_that_swings_does_not_leak_and_one_that_leaks_does(tmp_path: Path, seed: int) -> None:
    """No thermometer sees the waves of 150 Pa in 60 to 120 min; the leak loses 600 Pa/h from a third on."""
    random = np.random.default_rng(seed)
    at_min = np.arange(1440)
    wave = 150.0 * np.sin(2.0 * np.pi * (at_min / random.uniform(60.0, 120.0) + random.random()))
    values = START_PA + wave + restless(random, 1440)
    path = write(tmp_path / "log.csv", "t_s,pressure_pa", [f"{60 * row},{pa:.1f}" for row, pa in enumerate(values)])
    status, told = answer(path)
    assert status == 3, told["reason"]
    assert "it falls as it rises" in told["reason"]
    values -= 600.0 / 60.0 * np.maximum(at_min - 480, 0)
    path = write(tmp_path / "log.csv", "t_s,pressure_pa", [f"{60 * row},{pa:.1f}" for row, pa in enumerate(values)])
    status, told = answer(path)
    assert status == 0, told["reason"]


def test_gas_that_is_let_in_is_no_swing_that_hides_a_leak(tmp_path: Path) -> None:
    """Three rises of 70 Pa in 10 minutes each; 107 Pa/h fall all day."""
    at_min = np.arange(1440)
    fed = sum(70.0 * np.clip((at_min - start) / 10.0, 0.0, 1.0) for start in (300, 700, 1100))
    values = START_PA + restless(np.random.default_rng(4), 1440) + fed - 107.0 / 60.0 * np.maximum(at_min - 200, 0)
    rows = [f"{60 * row},{value:.1f}" for row, value in enumerate(values)]
    status, told = answer(write(tmp_path / "log.csv", "t_s,pressure_pa", rows))
    assert status == 0, told["reason"]


def test_a_coarse_barometer_beside_a_slope_is_not_taken_for_an_exact_one(tmp_path: Path) -> None:
    """Counts of 10 Pa less a slope of 107 Pa/h: values seldom repeat, and yet jump by 10 Pa; no jump is a fall."""
    random = np.random.default_rng(5)
    at_s = 5.0 * np.arange(6 * 720)
    counts = 10.0 * np.round((START_PA + 2.0 * random.standard_normal(at_s.size)) / 10.0)
    values = counts - 107.0 / S_PER_HOUR * np.maximum(at_s - 2 * S_PER_HOUR, 0.0)
    rows = [f"{at:.0f},{value:.3f}" for at, value in zip(at_s, values, strict=True)]
    status, told = answer(write(tmp_path / "log.csv", "t_s,pressure_pa", rows))
    assert status == 0
    slope = told["slope_pa_s"]
    assert slope["low"] <= -107.0 / S_PER_HOUR <= slope["high"]
    assert slope["high"] - slope["low"] < 107.0 / S_PER_HOUR


@pytest.mark.parametrize("onset", [None, 240])
def test_a_column_that_never_says_anything_is_no_sensor(tmp_path: Path, onset: int | None) -> None:
    rows = [f"{60 * row},{value:.2f},,nan" for row, value in enumerate(cabin(600, onset))]
    status, _ = answer(write(tmp_path / "log.csv", "t_s,pressure_pa,temperature_k,pressure_2_pa", rows))
    assert status == (3 if onset is None else 0)
