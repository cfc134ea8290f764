"""leakctl plan: how well a site can find a leak where, and what one node more would bring."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from controller.cli.common import CONFIGURATION, errors_told
from controller.cli.plan_picture import draw
from controller.errors import ControllerError
from controller.plan.hearing import Air, Listening, Noise, remembered
from controller.plan.plan import Advance, Asked, plan
from controller.plan.source import Leak
from controller.plan.telling import as_json, lines
from controller.tasking import Settings
from firmware_bridge.site.survey import Site, load_site

KELVIN = 273.15
_TASKING = Settings()


@click.command(name="plan")
@click.argument("site_file", type=CONFIGURATION, metavar="SITE.toml")
@click.option("--compartment", help="Which one, where several have a hull and microphones.")
@click.option("--diameter-mm", type=click.FloatRange(0.01, 100), default=1.0, show_default=True, help="Of the hole.")
@click.option("--pressure-kpa", type=click.FloatRange(1, 200), help="Of the cabin; default: the site's.")
@click.option("--temperature-c", type=click.FloatRange(-50, 80), help="Of the air; default: the site's.")
@click.option("--humidity", type=click.FloatRange(0, 100), default=50.0, show_default=True, help="Relative, %.")
@click.option(
    "--noise-db",
    type=click.FloatRange(-20, 140),
    default=37.0,
    show_default=True,
    help="At each microphone in 20 to 100 kHz, dB re 20 µPa: its own and that of machines.",
)
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=60.0, show_default=True, help="Of listening.")
@click.option("--rate-khz", type=click.FloatRange(48, 2000), default=192.0, show_default=True, help="Of the nodes.")
@click.option(
    "--spacing-cm", type=click.FloatRange(1, 200), default=10.0, show_default=True, help="Of the map's places."
)
@click.option(
    "--places",
    type=click.IntRange(0, 200),
    default=45,
    show_default=True,
    help="That are tried for one node more; 0: none.",
)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object, with the map.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the map (needs matplotlib).")
def plan_command(
    site_file: Path,
    *,
    compartment: str | None,
    diameter_mm: float,
    pressure_kpa: float | None,
    temperature_c: float | None,
    humidity: float,
    noise_db: float,
    seconds: float,
    rate_khz: float,
    spacing_cm: float,
    places: int,
    json_: bool,
    plot: Path | None,
) -> None:
    """Say how well a site can find a leak where: expected 95 % radius over the hull, blind spots, what nodes are worth.

    Expected is what direct sound, survey, clocks and thermometer allow; what stands in the way and what echoes is not
    in the site file. The exit status is 2 when the input is refused.

    Example: leakctl plan configs/sites/soyuz-orbital-module.toml --plot plan.png
    """
    with errors_told():
        site = load_site(site_file)
        room = _compartment(site, compartment)
        kelvin = (site.air.temperature_c if temperature_c is None else temperature_c) + KELVIN
        pressure_pa = site.air.pressure_hpa * 100.0 if pressure_kpa is None else pressure_kpa * 1e3
        captures = max(1, int(seconds / _TASKING.alert_period_s))
        asked = Asked(
            Leak(diameter_mm * 1e-3, pressure_pa, kelvin),
            Noise(noise_db),
            Air(kelvin, pressure_pa, humidity / 100.0),
            Listening(remembered(captures), _TASKING.burst_samples, rate_khz * 1e3),
            spacing_cm / 100.0,
            places,
        )
        try:
            with _progress() as advance:
                found = plan(site, room, asked, advance)
        except ValueError as error:
            raise ControllerError(str(error), remedy="plan a part of the site by itself") from error
        if plot is not None:
            draw(plot, found)
    if json_:
        click.echo(json.dumps(as_json(found), allow_nan=False))
        return
    click.echo("\n".join(lines(found)))
    if found.spacing_m > asked.spacing_m:
        click.echo(
            f"leakctl: the map is coarser than asked, {found.spacing_m * 100:.0f} cm: the hull is large", err=True
        )


def _compartment(site: Site, asked: str | None) -> str:
    """The compartment to plan; ControllerError where there is none, or several to choose from."""
    heard = {node.compartment for node in site.nodes if site.microphones_m(node).size}
    able = [room.name for room in site.compartments if room.hull is not None and room.name in heard]
    if asked is not None and asked not in able:
        rooms = {room.name: room for room in site.compartments}
        if asked not in rooms:
            what, remedy = f"no compartment {asked!r}", f"known are {', '.join(rooms)}"
        elif rooms[asked].hull is None:
            what, remedy = f"compartment {asked!r} has no hull", "describe it by `hull` in the site file"
        else:
            what, remedy = f"compartment {asked!r} has no microphones", "add a node with ultrasound sensors"
        raise ControllerError(what, remedy=remedy)
    if not able:
        raise ControllerError(
            f"no compartment of {site.name!r} has both a hull and microphones",
            remedy="describe one by `hull`, and add a node with ultrasound sensors to it",
        )
    if asked is None and len(able) > 1:
        raise ControllerError(
            "several compartments can be planned", remedy=f"choose --compartment of {', '.join(able)}"
        )
    return asked or able[0]


@contextmanager
def _progress() -> Iterator[Advance]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _what, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("planning", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
