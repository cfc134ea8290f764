"""leaksim run: put up a rig for a controller at some multiple of real time, or run a whole scenario in virtual time."""

import asyncio
import sys
from pathlib import Path

import click

from firmware_bridge.links.broker_address import parse_broker_address
from firmware_bridge.scaled_loop import run_until_signal
from firmware_bridge.site.survey import Site
from sim.attach.image.nodes import programs
from sim.attach.plug_in import alone_in, controller_file, fresh_journal, lines, plugs, write_controller_file
from sim.attach.rig import Rig, render_in_thread
from sim.cli.common import (
    DEFAULT_SCENARIO,
    FAILED,
    MAX_SPEED,
    errors_told,
    folder_for,
    load,
    nodes_option,
    say,
    seed_option,
    small_option,
)
from sim.cli.progress import progress_shown
from sim.cli.telling import tell_own_frames, tell_record
from sim.errors import SubjectError
from sim.plant.plant import Plant
from sim.run_record import RunRecord
from sim.scenario.scenario import ScenarioTable
from sim.subject import DEFAULT, Subject, find_subject
from sim.trial import TrialSettings, run_trial

MIN_SPEED = 0.5


class Speed(click.ParamType[float | None]):
    """A multiple of real time, or `max`, which is None."""

    name = "N|max"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Refuse what is neither."""
        if value is None or str(value) == "max":
            return None
        try:
            speed = float(str(value))
        except ValueError:
            speed = 0.0
        if not MIN_SPEED <= speed <= MAX_SPEED:
            self.fail(f"{value!r} is neither max nor a number from {MIN_SPEED:g} to {MAX_SPEED:g}", param, ctx)
        return speed


@click.command()
@click.argument("name", default=DEFAULT_SCENARIO, metavar="[SCENARIO]")
@seed_option
@small_option
@nodes_option
@click.option("--speed", type=Speed(), default="1", show_default=True,
              help="Times real time; max: in virtual time with the installed controller, and judged.")  # fmt: skip
@click.option("--ports", type=click.Path(path_type=Path, file_okay=False), default=Path("/tmp/leakloc"),  # noqa: S108
              show_default=True, help="Folder in which the serial ports appear.")  # fmt: skip
@click.option("--broker", metavar="HOST:PORT", help="Broker of the MQTT nodes; without it they are not plugged in.")
@click.option(
    "--controller", default=DEFAULT, show_default=True, help="With max: which installed controller, or module:function."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False),
              help="With max: folder for the report; default: out/SCENARIO-seedN.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="With max: print events and summary as JSON lines.")
def run(
    name: str,
    *,
    seed: int | None,
    small: bool,
    nodes: str,
    speed: float | None,
    ports: Path,
    broker: str | None,
    controller: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Put up the rig of a scenario until Ctrl-C; attach a controller to it with leakctl run.

    SCENARIO is a name of leaksim list, or the path of a TOML file; without it that is ms09-2018.

    With --speed max the whole scenario runs at once, as fast as this machine can, and is judged: exit status 0 only if
    everything went as the scenario expects.

    Example: leaksim run ms09-2018 --broker 127.0.0.1:1883

    Example: leaksim run quiet-week --small --speed max

    Example: leaksim run ms09-2018 --nodes native --speed max
    """
    if speed is not None and (out is not None or as_json):
        raise click.UsageError("--out and --json are for --speed max: a rig that is put up is not judged")
    with errors_told("--out" if speed is None else "--ports"):
        scenario, site, site_file = load(name, small=small)
        chosen = scenario.seed if seed is None else seed
        if speed is None:
            subject = find_subject(controller)
            folder = folder_for(out, f"{scenario.name}-seed{chosen}")
            record = _virtual(scenario, site, chosen, subject, controller, nodes, as_json=as_json)
            tell_record(record, folder, as_json=as_json)
            sys.exit(0 if record.score.success else FAILED)
        _put_up(scenario, site, site_file, chosen, nodes, speed, ports, _address(broker))


def _virtual(
    scenario: ScenarioTable, site: Site, seed: int, subject: Subject, name: str, nodes: str, *, as_json: bool
) -> RunRecord:
    with progress_shown(scenario.name, scenario.duration_s) as on_progress:
        settings = TrialSettings(
            seed,
            controller=name,
            nodes=nodes,
            on_line=lambda _at_s, line: say(line.decode()) if as_json else None,
            on_progress=on_progress,
        )
        try:
            return run_trial(scenario, site, subject, settings)
        except SubjectError as error:
            tell_own_frames(error)
            raise


def _put_up(
    scenario: ScenarioTable,
    site: Site,
    site_file: Path,
    seed: int,
    nodes: str,
    speed: float,
    ports: Path,
    address: tuple[str, int] | None,
) -> None:
    with alone_in(ports, "--ports"):
        _serve(scenario, site, site_file, seed, nodes, speed, ports, address)


def _serve(
    scenario: ScenarioTable,
    site: Site,
    site_file: Path,
    seed: int,
    nodes: str,
    speed: float,
    ports: Path,
    address: tuple[str, int] | None,
) -> None:
    where = plugs(scenario, site, ports)
    configuration = ports / "controller.toml"
    journal = fresh_journal(ports)
    write_controller_file(configuration, controller_file(where, site_file, address, journal))
    scale = f" --time-scale {speed:g}" if speed != 1.0 else ""
    leakctl = Path(sys.executable).parent / "leakctl"
    click.echo(f"rig of {scenario.name} is up; now: {leakctl} run {configuration}{scale}", err=True)
    click.echo(f"its journal will be in {journal}", err=True)
    opens_at_s = min((leak.opens_at_s for leak in scenario.leaks), default=0.0)
    if opens_at_s > 0.0:
        told = f"a leak opens at {opens_at_s:g} s; a controller that is started later takes its sound for the usual one"
        click.echo(told, err=True)
    if address is None and where.topics:
        names = ", ".join(where.topics)
        click.echo(f"without --broker, MQTT nodes are not plugged in: {names} will be missed", err=True)

    async def serve() -> None:
        with programs(nodes) as program:
            rig = Rig(Plant(scenario, site, seed, program), lines(where, address), render_in_thread)
            telling = asyncio.create_task(_tell_openings(scenario))
            try:
                await rig.run()
            finally:
                telling.cancel()

    try:
        run_until_signal(serve(), scale=speed)
    finally:
        configuration.unlink(missing_ok=True)


async def _tell_openings(scenario: ScenarioTable) -> None:
    """A line when a leak opens, for who watches; the controller does not see it."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for leak in sorted(scenario.leaks, key=lambda one: one.opens_at_s):
        await asyncio.sleep(began_s + leak.opens_at_s - loop.time())
        click.echo(f"{leak.opens_at_s:g} s: leak {leak.name!r} opens", err=True)


def _address(broker: str | None) -> tuple[str, int] | None:
    try:
        return None if broker is None else parse_broker_address(broker)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--broker") from error
