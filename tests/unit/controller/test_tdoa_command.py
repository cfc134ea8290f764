"""leakctl solve: what is typed, what is printed, exit statuses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from controller.cli.main import main as leakctl

SENSORS = np.array([[0.0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0], [0, 0, 2.5], [4, 3, 2.5], [2, 1.5, 2.5]])
SOURCES = np.array([[1.0, 2.0, 1.2], [3.0, 0.5, 2.0], [2.2, 1.4, 0.3]])


def files(
    folder: Path, *, dims: int = 3, sign: float = 1.0, speed: float = 343.0, far: bool = False
) -> tuple[Path, Path]:
    draw = np.random.default_rng(1)
    sensors, delays = folder / "sensors.csv", folder / "delays.csv"
    points = SENSORS[:, :dims]
    axes = ["x_m", "y_m", "z_m"][:dims]
    lines = [f"m{at}," + ",".join(f"{v:g}" for v in point) for at, point in enumerate(points)]
    sensors.write_text("\n".join([",".join(["name", *axes]), *lines]) + "\n")
    rows = ["t_s,a,b,delay_s"]
    for at, source in enumerate(SOURCES[:, :dims]):
        way = source - points.mean(axis=0)
        path = -points @ way / np.linalg.norm(way) if far else np.linalg.norm(points - source, axis=1)
        arrival = path / speed + draw.normal(0.0, 2e-6, len(points))
        rows += [f"{at},m{k},m0,{sign * (arrival[k] - arrival[0]):.9f}" for k in range(1, len(points))]
    delays.write_text("\n".join(rows) + "\n")
    return delays, sensors


def invoke(delays: Path, sensors: Path, *arguments: str) -> Result:
    return CliRunner().invoke(leakctl, ["solve", str(delays), "--sensors", str(sensors), *arguments])


def test_positions_as_a_table_as_json_and_as_csv(tmp_path: Path) -> None:
    delays, sensors = files(tmp_path)
    shown = invoke(delays, sensors, "--out", str(tmp_path / "fixes.csv"))
    assert shown.exit_code == 0, shown.output
    assert "3 of 3 epochs have a fix" in shown.output
    with (tmp_path / "fixes.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    told = json.loads(invoke(delays, sensors, "--json").stdout)
    assert told["fixes"] == 3
    for source, row, epoch in zip(SOURCES, rows, told["epochs"], strict=True):
        assert [float(row[axis]) for axis in ("x_m", "y_m", "z_m")] == pytest.approx(source, abs=0.02)
        assert epoch["status"] == "fix"
        assert epoch["reason"] is None
        assert epoch["position_m"] == pytest.approx(source, abs=0.02)
        assert np.array(epoch["covariance_m2"]).shape == (3, 3)
        assert 0.0 < epoch["radius95_m"] < 0.1
        assert epoch["residual_rms_s"] < 1e-5
        assert epoch["candidates"][0]["probability"] > 0.9


def test_bearings(tmp_path: Path) -> None:
    delays, sensors = files(tmp_path, far=True)
    shown = invoke(delays, sensors, "--far", "--json")
    assert shown.exit_code == 0, (shown.stderr, shown.exception)
    told = json.loads(shown.stdout)
    way = SOURCES[1] - SENSORS.mean(axis=0)
    epoch = told["epochs"][1]
    assert epoch["azimuth_deg"] == pytest.approx(np.degrees(np.arctan2(way[1], way[0])), abs=0.5)
    assert epoch["elevation_deg"] == pytest.approx(np.degrees(np.arcsin(way[2] / np.linalg.norm(way))), abs=0.5)
    assert 0.0 < epoch["radius95_deg"] < 1.0
    assert np.array(epoch["covariance_deg2"]).shape == (2, 2)


def test_temperature_and_speed_are_one_thing(tmp_path: Path) -> None:
    delays, sensors = files(tmp_path, speed=331.3)
    told = json.loads(invoke(delays, sensors, "--temperature", "0", "--json").stdout)
    assert told["speed_m_s"] == 331.3
    assert told["epochs"][0]["position_m"] == pytest.approx(SOURCES[0], abs=0.02)
    assert invoke(delays, sensors, "--temperature", "0", "--speed", "331.3").exit_code == 2


def test_a_reversed_table_gets_a_hint_and_status_3(tmp_path: Path) -> None:
    delays, sensors = files(tmp_path, sign=-1.0)
    wrong = invoke(delays, sensors, "--sigma", "3e-6")
    assert wrong.exit_code == 3
    assert "--sign b-a" in wrong.stderr
    assert invoke(delays, sensors, "--sign", "b-a").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hull", "ball:2"), "ball:2"),
        (("--bounds", "0,1"), "four or six"),
        (("--hull", "box:1,1,1", "--bounds", "0,1,0,1"), "exclude each other"),
        (("--speed", "0"), "--speed"),
        (("--out", "/nowhere/at/all.csv"), "cannot be written"),
    ],
)
def test_what_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    shown = invoke(*files(tmp_path), *arguments)
    assert shown.exit_code == 2
    assert said in shown.stderr


def test_files_that_are_none(tmp_path: Path) -> None:
    delays, sensors = files(tmp_path)
    assert "cannot be read" in invoke(tmp_path / "none.csv", sensors).stderr
    (tmp_path / "binary.csv").write_bytes(b"\x00\x01\x02\xff" * 10)
    shown = invoke(tmp_path / "binary.csv", sensors)
    assert shown.exit_code == 2
    assert "not a text table" in shown.stderr
    delays.write_text(delays.read_text() + "9,m1,m77,0.001\n")
    shown = invoke(delays, sensors)
    assert shown.exit_code == 2
    assert f"{delays}, line 20, column b: no sensor is called 'm77'" in shown.stderr


def test_flat_tables_are_solved_flat(tmp_path: Path) -> None:
    delays, sensors = files(tmp_path, dims=2)
    told = json.loads(invoke(delays, sensors, "--json").stdout)
    assert told["dims"] == 2
    assert told["epochs"][2]["position_m"] == pytest.approx(SOURCES[2, :2], abs=0.02)


def test_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    shown = invoke(*files(tmp_path), "--plot", str(tmp_path / "fixes.png"))
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "fixes.png").stat().st_size > 5000
    assert invoke(*files(tmp_path), "--plot", str(tmp_path / "fixes.nothing")).exit_code == 2
