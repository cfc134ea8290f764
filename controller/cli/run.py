"""leakctl run: a controller on its links until Ctrl-C."""

import asyncio
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from controller.alarm.requests import Acknowledge
from controller.app import App
from controller.cli.common import CONFIGURATION, errors_told, login_name
from controller.cli.ports import ports_of
from controller.clock import wall_clock
from controller.config import Configuration, load_configuration
from controller.dashboard.keys import HINT, Keys, listening
from controller.dashboard.printing import Printer, Style
from controller.declared import SerialLinkTable
from controller.evidence.keeping import Plan
from controller.journal.holding import held
from controller.logbook import Observers
from controller.pipeline.picture import Picture
from controller.service import Service
from firmware_bridge.declared import read_tables
from firmware_bridge.links.broker_address import parse_broker_address
from firmware_bridge.links.recording import Settings
from firmware_bridge.scaled_loop import MAX_SCALE, MIN_SCALE, real_seconds, run_until_signal


@click.command()
@click.argument("config", type=CONFIGURATION)
@click.option("--serial", multiple=True, metavar="PORT", help="Ask these ports instead of the file's serial links.")
@click.option("--broker", metavar="HOST:PORT", help="Use this broker instead of the file's.")
@click.option("--no-mqtt", is_flag=True, help="Run without a broker: MQTT nodes stay unheard, alarms stay local.")
@click.option("--journal", type=click.Path(path_type=Path, file_okay=False), help="Folder for the journal.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    help="Record every byte of the run into this folder, for `leakctl replay`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every event as one JSON line on standard output.")
@click.option("--view/--no-view", default=None, help="Live view on standard error; default: on a terminal.")
@click.option("--by", default=login_name, show_default="your login name", help="Who acknowledges by key in the view.")
@click.option("--narrate", is_flag=True, help="Print every event as a sentence on standard error.")
@click.option(
    "--time-scale",
    type=click.FloatRange(MIN_SCALE, MAX_SCALE),
    default=1.0,
    show_default=True,
    help="The rig's clocks run this many times faster than the machine's (an accelerated test bench).",
)
def run(
    config: Path,
    *,
    serial: tuple[str, ...],
    broker: str | None,
    no_mqtt: bool,
    journal: Path | None,
    record: Path | None,
    as_json: bool,
    view: bool | None,
    by: str,
    narrate: bool,
    time_scale: float,
) -> None:
    """Run the controller until Ctrl-C; in the live view `a` acknowledges the gravest alarm.

    Example: leakctl run configs/controller/desk-rig.toml --json | jq -c 'select(.kind=="alarm")'
    """
    with errors_told():
        configuration = _overridden(load_configuration(config), serial, broker, no_mqtt=no_mqtt)
        folder = journal or config.parent / configuration.table.journal.folder
        show = sys.stderr is not None and sys.stderr.isatty() and not as_json if view is None else view
        keys = show and sys.stdin is not None and sys.stdin.isatty()
        printer = Printer(Style(as_json, show, narrate, HINT if keys else ""))
        plan = _recording(configuration, config.parent / configuration.table.site, folder, record, time_scale)
        with held(folder):
            serving = _serve(configuration, folder, printer, plan, by if keys else None)
            ended = run_until_signal(serving, scale=time_scale)
    sys.exit(1 if ended else 0)  # only a signal ends a healthy controller


def _overridden(
    configuration: Configuration, serial: tuple[str, ...], broker: str | None, *, no_mqtt: bool
) -> Configuration:
    """The configuration with what the command line says instead."""
    table = configuration.table
    if serial:
        others = tuple(link for link in table.links if not isinstance(link, SerialLinkTable))
        ports = tuple(SerialLinkTable(kind="serial", port=port) for port in serial)
        table = table.model_copy(update={"links": ports + others})
    if broker is not None:
        try:
            host, port = parse_broker_address(broker)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--broker") from error
        table = table.model_copy(update={"mqtt": table.mqtt.model_copy(update={"host": host, "port": port})})
    if no_mqtt:
        table = table.model_copy(update={"mqtt": table.mqtt.model_copy(update={"enabled": False})})
    return replace(configuration, table=table)


def _recording(
    configuration: Configuration, site: Path, journal: Path, record: Path | None, time_scale: float
) -> Plan | None:
    """What is to be recorded; None for nothing.

    To keep what the rooms remember takes 0.05 s a minute, in which a bench that runs many times faster drops frames.
    """
    table = configuration.table.recording
    around_events = table.enabled and time_scale <= 1.0
    if not around_events and record is None:
        return None
    events = journal / "events" if table.folder is None else Path(table.folder)
    settings = Settings(
        events=events if around_events else None,
        whole=record,
        before_s=table.before_s,
        after_s=table.after_s,
        max_events_bytes=table.max_megabytes * 1_000_000,
        max_whole_bytes=table.max_whole_megabytes * 1_000_000,
    )
    own = configuration.table.model_dump_json(exclude_none=True).encode()
    return Plan(settings, msgspec.json.encode(read_tables(site)), own, configuration.compartment)


async def _serve(
    configuration: Configuration, journal_folder: Path, printer: Printer, recording: Plan | None, by: str | None
) -> bool:
    """Run until cancelled; returning at all means that something ended that should not have. `by` sits at the keys."""
    ports, hub = ports_of(configuration)

    def ask(request: Acknowledge) -> None:
        app.deliver(request)

    keys, service = Keys(by or "", ask), Service()

    def show(picture: Picture, elapsed_s: float) -> None:
        service.turned(asyncio.get_running_loop().time())
        keys.picture(picture)
        printer.picture(picture, elapsed_s)

    wall = wall_clock if real_seconds(1.0) == 1.0 else None  # UTC of an accelerated bench runs ahead of the machine's
    app = App(configuration, ports, hub, journal_folder, Observers(printer.entry, show), recording=recording, wall=wall)
    printer.start()
    try:
        with nullcontext() if by is None else listening(sys.stdin.fileno(), keys.pressed):
            await app.run()
    finally:
        service.close()
        printer.stop()
    return True
