"""leakctl solve: positions or bearings from a table of time differences of arrival."""

import csv
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.cli.common import errors_told
from controller.cli.solve_picture import draw
from controller.errors import ControllerError
from controller.tdoa.epoch import SensorArray, rank_of
from controller.tdoa.region import Region, parse_bounds, parse_hull
from controller.tdoa.rows import Reading
from controller.tdoa.solve import Settings, Solution, solve
from controller.tdoa.tables import read_epochs, read_sensors
from controller.tdoa.verdict import Answer, Candidate, bearing_deg

NO_FIX = 3
MAX_BYTES = 1_000_000_000  # five million rows
LONG = 100  # epochs from which a bar is worth showing
MAX_SPEED_M_S = 299_792_458.0
DEFAULT_SPEED_M_S = 343.0  # air at 20 °C
KELVIN = 273.15

TABLE = click.Path(path_type=Path, dir_okay=False)


@click.command(name="solve")
@click.argument("table", type=TABLE, metavar="TDOA.csv")
@click.option("--sensors", "sensor_file", type=TABLE, required=True, help="Table name,x_m,y_m[,z_m].")
@click.option("--speed", type=click.FloatRange(0, MAX_SPEED_M_S, min_open=True), help="Wave speed, m/s; default 343.")
@click.option("--temperature", type=click.FloatRange(-100, 100), help="Of air, °C, instead of a speed.")
@click.option(
    "--speed-sigma", type=click.FloatRange(0), default=0.0, help="How unsure the speed is, m/s: it is estimated."
)
@click.option("--dims", type=click.Choice(["2", "3"]), help="Default: 3 where the sensors' heights differ.")
@click.option("--far", is_flag=True, help="Bearings of far sources instead of positions.")
@click.option("--hull", help="The source is within box:LX,LY,LZ or cylinder:RADIUS,LENGTH[,AXIS], each with @X,Y,Z.")
@click.option("--bounds", help="The source is within XMIN,XMAX,YMIN,YMAX[,ZMIN,ZMAX]; blanks are open.")
@click.option("--least-elevation", type=click.FloatRange(-90, 90), help="With --far: no source is lower, degrees.")
@click.option("--toward", type=click.FloatRange(-360, 360), help="With --far: within 90 degrees of this azimuth.")
@click.option(
    "--sigma", type=click.FloatRange(0, min_open=True), help="Of a delay, s; default: the table's, or estimated."
)
@click.option("--sensor-sigma", type=click.FloatRange(0), default=0.0, help="Of the sensors' positions, m.")
@click.option(
    "--noise",
    type=click.Choice(["auto", "arrivals", "delays"]),
    default="auto",
    help="What errs on its own: arrivals (delays of one sensor err together), delays, or told from the table.",
)
@click.option(
    "--sign", type=click.Choice(["a-b", "b-a"]), default="a-b", help="delay_s is arrival at a minus at b, or back."
)
@click.option("--window", type=click.FloatRange(0), default=0.0, help="Rows within so many seconds are one epoch.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a CSV, a row an epoch.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw a picture (needs matplotlib).")
def solve_command(
    table: Path,
    *,
    sensor_file: Path,
    speed: float | None,
    temperature: float | None,
    speed_sigma: float,
    dims: str | None,
    far: bool,
    hull: str | None,
    bounds: str | None,
    least_elevation: float | None,
    toward: float | None,
    sigma: float | None,
    sensor_sigma: float,
    noise: str,
    sign: str,
    window: float,
    as_json: bool,
    out: Path | None,
    plot: Path | None,
) -> None:
    """Solve time differences of arrival for positions or bearings, one an epoch.

    TDOA.csv has columns t_s,a,b,delay_s[,sigma_s]: sensor a heard it delay_s after sensor b. Arrival times
    (t_s,sensor,arrival_s, or a column for each sensor) are taken as well. The exit status is 0 when at least one epoch
    has a fix, 3 when none has, 2 when the input is refused.

    Example: leakctl solve delays.csv --sensors sensors.csv --temperature 21 --json | jq '.epochs[].position_m'
    """
    if speed is not None and temperature is not None:
        raise click.UsageError("--speed and --temperature say the same thing: give one")
    if temperature is not None:
        speed = 331.3 * math.sqrt((temperature + KELVIN) / KELVIN)
    speed = DEFAULT_SPEED_M_S if speed is None else speed
    with errors_told():
        region = _region(hull, bounds)
        array, notes = _dimensions(read_sensors(str(sensor_file), _text(sensor_file)), dims, hull, bounds, far=far)
        epochs = read_epochs(str(table), _text(table), array, Reading(speed, window, sign == "b-a"))
        settings = Settings(
            speed, speed_sigma, far, sigma, sensor_sigma, noise, sign, None if far else region, least_elevation, toward
        )
        if region is not None and not far and np.median(region.excess_m(array.position_m)) > 0.0:
            notes.append("most sensors are outside the hull or bounds: is their frame the same?")
        with _progress(len(epochs)) as advance:
            solution = solve(array, epochs, settings, advance)
        notes += solution.hints
        if out is not None:
            _write(out, solution, array.dims, far=far)
    _print(solution, array.dims, speed, notes, as_json=as_json, far=far)
    if plot is not None:
        with errors_told():
            draw(plot, array, solution, far=far)
    sys.exit(0 if any(answer.best for answer in solution.answers) else NO_FIX)


def _text(path: Path) -> str:
    """A file's text; ControllerError where there is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ControllerError(f"{path} has more than {MAX_BYTES} bytes", remedy="split it")
        raw = path.read_bytes()
    except OSError as error:
        raise ControllerError(f"{path} cannot be read ({error.strerror})", remedy="check the path") from error
    for encoding in ("utf-16",) if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "latin-1"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ControllerError(f"{path} is not a text table", remedy="save it as CSV in UTF-8")


def _region(hull: str | None, bounds: str | None) -> Region | None:
    try:
        if hull and bounds:
            raise ValueError("--hull and --bounds exclude each other")
        return parse_hull(hull) if hull else parse_bounds(bounds) if bounds else None
    except ValueError as error:
        raise ControllerError(str(error), remedy="see leakctl solve --help") from error


def _dimensions(
    array: SensorArray, dims: str | None, hull: str | None, bounds: str | None, *, far: bool
) -> tuple[SensorArray, list[str]]:
    """The array in the dimensions that are asked or that make sense, and what to say about them."""
    notes: list[str] = []
    given = array.position_m
    flat = array.dims == 3 and bool(np.ptp(given[:, 2]) == 0.0)
    spatial = hull is not None or (bounds is not None and bounds.count(",") == 5)
    if dims == "3" and array.dims == 2:
        array = SensorArray(array.names, np.column_stack([given, np.zeros(len(given))]))
        notes.append("the sensors have no z: all are taken at z = 0")
    elif array.dims == 3 and (dims == "2" or (dims is None and flat and not spatial)):
        array = SensorArray(array.names, np.ascontiguousarray(given[:, :2]))
        if dims is None:
            notes.append("all sensors have one z: solved in their plane; --dims 3 looks above and below it")
    rank = rank_of(array.position_m)
    if rank < array.dims - 1:
        notes.append("all sensors are on one line: in three dimensions that leaves a circle; --dims 2 gives its radius")
    elif rank < array.dims:
        which = "line" if array.dims == 2 else "plane"
        remedy = ("--least-elevation" if array.dims == 3 else "--toward") if far else "--bounds or --hull"
        notes.append(f"all sensors are in one {which}: its two sides look alike unless {remedy} tells them apart")
    return array, notes


@contextmanager
def _progress(epochs: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    if not console.is_terminal or epochs < LONG:
        yield lambda _: None
        return
    columns = (TextColumn("solving"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("solving", total=epochs)
        yield lambda more: progress.advance(task, more)


def _print(solution: Solution, dims: int, speed_m_s: float, notes: list[str], *, as_json: bool, far: bool) -> None:
    fixes = sum(1 for answer in solution.answers if answer.best)
    if as_json:
        summary = {
            "speed_m_s": speed_m_s,
            "dims": dims,
            "far": far,
            "fixes": fixes,
            "sigma_s": solution.sigma_s,
            "noise_share_of_arrivals": solution.noise_share,
            "hints": notes,
            "epochs": [answer.as_json() for answer in solution.answers],
        }
        click.echo(json.dumps(summary, allow_nan=False))
        return
    click.echo(
        f"{'t':>16}  {'place' if not far else 'bearing':<32} {'95 %':>9}  {'rms':>9}  used  left out, or why no fix"
    )
    for answer in solution.answers:
        click.echo(_line(answer))
    sigma = f"; sigma of a delay {_short(solution.sigma_s, 's')}" if solution.sigma_s else ""
    click.echo(f"{fixes} of {len(solution.answers)} epochs have a fix; speed {speed_m_s:g} m/s{sigma}")
    for note in notes:
        click.echo(f"leakctl: {note}", err=True)


def _line(answer: Answer) -> str:
    label, used = answer.label[:16] or "-", f"{answer.used:>2}/{answer.delays:<2}"
    if answer.best is None:
        return f"{label:>16}  {'no fix':<54} {used}  {answer.reason}: {answer.explanation}"
    said = "; ".join(
        f"{one.first}-{one.second} ({_short(one.off_s, 's')})"
        if one.second is not None
        else f"{one.first} ({_short(one.off_s, 's')})"
        for one in answer.rejected
    )
    radius = (
        "?" if answer.radius95 is None else f"{answer.radius95:.2f} °" if answer.far else _short(answer.radius95, "m")
    )
    rms = "" if answer.residual_rms_s is None else _short(answer.residual_rms_s, "s")
    note = f" {answer.note}" if answer.note else ""
    where = _where(answer.best, far=answer.far)
    return f"{label:>16}  {where:<32} {radius:>9}  {rms:>9}  {used}  {said}{note}"


def _where(one: Candidate, *, far: bool) -> str:
    if not far:
        return "(" + ", ".join(f"{value:.4f}" for value in one.where) + ") m"
    azimuth, elevation = bearing_deg(one.where)
    return f"azimuth {azimuth:.2f}°" + ("" if elevation is None else f", elevation {elevation:.2f}°")


def _short(value: float, unit: str) -> str:
    """Three digits with a prefix."""
    if abs(value) < 1e-14:
        return f"0 {unit}"
    for factor, prefix in ((1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.1g} {unit}"


def _write(path: Path, solution: Solution, dims: int, *, far: bool) -> None:
    axes = ["azimuth_deg", "elevation_deg"][: dims - 1] if far else [f"{axis}_m" for axis in "xyz"[:dims]]
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            radius = "radius95_deg" if far else "radius95_m"
            writer.writerow(["t_s", "status", "reason", *axes, radius, "residual_rms_s", "used", "delays", "left_out"])
            for answer in solution.answers:
                best = answer.best
                where = (
                    [""] * len(axes)
                    if best is None
                    else [repr(v) for v in (bearing_deg(best.where) if far else best.where) if v is not None]
                )
                left = " ".join(
                    f"{one.first}-{one.second}" if one.second is not None else one.first for one in answer.rejected
                )
                numbers = ["" if value is None else repr(value) for value in (answer.radius95, answer.residual_rms_s)]
                status = "fix" if best else "no_fix"
                writer.writerow(
                    [answer.label, status, answer.reason or "", *where, *numbers, answer.used, answer.delays, left]
                )
    except OSError as error:
        raise ControllerError(f"{path} cannot be written ({error.strerror})", remedy="choose another --out") from error
