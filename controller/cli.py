"""leakctl: run a controller, check a configuration, read a journal. Parsing and printing only."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click
from pydantic import TypeAdapter

from controller.app import App, Observers
from controller.config import (
    Configuration,
    ControllerTable,
    MqttLinkTable,
    SerialLinkTable,
    load_configuration,
)
from controller.dashboard.printing import Printer, Style
from controller.dashboard.sentences import sentence
from controller.journal.entries import to_json
from controller.journal.reader import journal_files, read_entries
from firmware_bridge.errors import BridgeError
from firmware_bridge.link import LinkPort
from firmware_bridge.links.broker_address import parse_broker_address
from firmware_bridge.links.mqtt import MqttHub, MqttPort
from firmware_bridge.links.uart import UartPort
from firmware_bridge.scaled_loop import MAX_SCALE, MIN_SCALE, run_until_signal
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import load_site
from firmware_bridge.units import Quantity

CONFIGURATION = click.Path(path_type=Path, dir_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leakloc", prog_name="leakctl")
def main() -> None:
    """Find air leaks of a pressurized hull: listen, locate, alarm.

    Example: leakctl check configs/controller/desk-rig.toml && leakctl run configs/controller/desk-rig.toml
    """


def _fail(error: BridgeError) -> None:
    click.echo(f"leakctl: {error}", err=True)
    sys.exit(2)


@main.command()
@click.argument("config", type=CONFIGURATION)
@click.option("--serial", multiple=True, metavar="PORT", help="Ask these ports instead of the file's serial links.")
@click.option("--broker", metavar="HOST:PORT", help="Use this broker instead of the file's.")
@click.option("--no-mqtt", is_flag=True, help="Run without a broker: MQTT nodes stay unheard, alarms stay local.")
@click.option("--journal", type=click.Path(path_type=Path, file_okay=False), help="Folder for the journal.")
@click.option("--json", "as_json", is_flag=True, help="Print every event as one JSON line on standard output.")
@click.option("--view/--no-view", default=None, help="Live view on standard error; default: on a terminal.")
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
    as_json: bool,
    view: bool | None,
    narrate: bool,
    time_scale: float,
) -> None:
    """Run the controller until Ctrl-C.

    Example: leakctl run configs/controller/desk-rig.toml --json | jq -c 'select(.kind=="alarm")'
    """
    try:
        configuration = _overridden(load_configuration(config), serial, broker, no_mqtt=no_mqtt)
        folder = journal or config.parent / configuration.table.journal.folder
        show = sys.stderr is not None and sys.stderr.isatty() and not as_json if view is None else view
        printer = Printer(Style(as_json, show, narrate))
        ended = run_until_signal(_serve(configuration, folder, printer), scale=time_scale)
    except BridgeError as error:
        _fail(error)
    else:
        sys.exit(1 if ended else 0)  # only a signal ends a healthy controller


@main.command()
@click.argument("config", type=CONFIGURATION)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def check(config: Path, *, as_json: bool) -> None:
    """Say whether a controller or site file is valid, and precisely what is wrong where.

    Example: leakctl check configs/sites/soyuz-orbital-module.toml
    """
    try:
        summary = _summary(config)
    except BridgeError as error:
        if as_json:
            click.echo(json.dumps({"valid": False, "what": error.what, "remedy": error.remedy.strip()}))
        else:
            click.echo(f"leakctl: {error}", err=True)
        sys.exit(2)
    click.echo(json.dumps({"valid": True, "summary": summary}) if as_json else f"{config}: valid; {summary}")


@main.command()
@click.argument("kind", type=click.Choice(["site", "controller"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a file format, for editors.

    Example: leakctl schema site > configs/schema/site.json
    """
    model = SiteTable if kind == "site" else ControllerTable
    click.echo(json.dumps(TypeAdapter(model).json_schema(), indent=2))


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print entries as JSON lines.")
@click.option("--kind", multiple=True, help="Only entries of this kind (alarm, fix, detection, ...).")
def journal(path: Path, *, as_json: bool, kind: tuple[str, ...]) -> None:
    """Read a journal: a folder, or one of its files.

    Example: leakctl journal journal/ --kind alarm --kind fix
    """
    if not journal_files(path):
        click.echo(f"leakctl: no journal files in {path}", err=True)
        sys.exit(2)
    for entry in read_entries(path):
        if isinstance(entry, int):
            click.echo(f"leakctl: line {entry} is unreadable (a write that a crash tore?)", err=True)
        elif not kind or entry.__struct_config__.tag in kind:
            click.echo(to_json(entry).decode() if as_json else f"{entry.utc}  {sentence(entry)}")


def _summary(path: Path) -> str:
    """One line on a valid file; which kind it is shows in its keys."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""  # the loader says better what is wrong
    if "\n[[compartments]]" in text or "\n[[nodes]]" in text:
        site = load_site(path)
    else:
        configuration = load_configuration(path)
        links = len(configuration.table.links)
        return f"{links} links, site {configuration.site.name!r}, listening in {configuration.compartment!r}"
    microphones = len(site.sensors_of(Quantity.ULTRASOUND))
    return (
        f"site {site.name!r}: {len(site.nodes)} nodes, {microphones} microphones, {len(site.compartments)} compartments"
    )


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


async def _serve(configuration: Configuration, journal_folder: Path, printer: Printer) -> bool:
    """Run until cancelled; returning at all means that something ended that should not have."""
    ports, hub = _ports(configuration)
    app = App(configuration, ports, hub, journal_folder, Observers(printer.entry, printer.picture))
    printer.start()
    try:
        await app.run()
    finally:
        printer.stop()
    return True


def _ports(configuration: Configuration) -> tuple[list[LinkPort], MqttHub | None]:
    """Every place to ask for a node; MQTT links only while MQTT is on."""
    ports: list[LinkPort] = [
        UartPort(link.port, link.baud_rate) for link in configuration.table.links if isinstance(link, SerialLinkTable)
    ]
    prefixes = [link.prefix for link in configuration.table.links if isinstance(link, MqttLinkTable)]
    broker = configuration.broker
    if broker is None or not prefixes:
        return ports, None
    hub = MqttHub(broker, on_change=lambda _connected, _reason: None)  # the alarm output tells of the broker
    ports += [MqttPort(hub, prefix) for prefix in prefixes]
    return ports, hub
