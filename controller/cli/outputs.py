"""leakctl outputs: what is configured to show alarms, whether it can be driven here, and a drill of one by hand."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import click

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.cli.common import CONFIGURATION, errors_told
from controller.cli.siren_drill import drill
from controller.clock import UtcClock
from controller.config import load_configuration
from controller.errors import ControllerError
from controller.outputs.building import Surroundings, outputs_of, undrivable
from controller.outputs.declared import AnyOutput, ButtonTable, CommandTable, RelayTable
from controller.outputs.switchboard import Switchboard
from firmware_bridge.scaled_loop import run_until_signal
from firmware_bridge.units import s_to_ns

STEP_S = 0.25  # as often as a controller shows how things stand
TEST_TEXT = "TEST by hand: nothing has happened"
CLASSES = {alarm_class.name.lower(): alarm_class for alarm_class in AlarmClass}


@click.command()
@click.argument("config", type=CONFIGURATION)
@click.option("--test", "name", metavar="OUTPUT", help="Drive this output by hand; no controller may run meanwhile.")
@click.option("--class", "word", type=click.Choice(list(CLASSES)), default="warning", show_default=True)
@click.option("--seconds", type=click.FloatRange(0.5, 600), default=5.0, show_default=True, help="How long.")
@click.option("--json", "as_json", is_flag=True, help="Print the outputs as JSON lines.")
def outputs(config: Path, *, name: str | None, word: str, seconds: float, as_json: bool) -> None:
    """List the outputs of a controller file, or test one: a drill, in which nothing is journaled and no alarm raised.

    A lamp and a buzzer play the class's cadence, a relay is held and lets go, a button tells who pressed it, a program
    is run and told `"test": true`, a siren node sounds. What stands anyhow is not touched.

    Example: leakctl outputs configs/controller/desk-rig.toml --test horn --class emergency
    """
    with errors_told():
        configuration = load_configuration(config)
        tables = configuration.table.outputs
        sirens = [node.name for node in configuration.site.nodes if node.siren]
        if name is None:
            _list(tables, sirens, as_json=as_json)
            return
        if name in sirens and all(table.name != name for table in tables):
            sounded = run_until_signal(drill(configuration, name, CLASSES[word], seconds, click.echo), scale=1.0)
            raise SystemExit(0 if sounded else 1)
        table = next((table for table in tables if table.name == name), None)
        if table is None:
            known = ", ".join([*(one.name for one in tables), *sirens]) or "none is configured"
            raise ControllerError(
                f"there is no output {name!r}", remedy=f"name one of [[outputs]], or a siren node: {known}"
            )
        ended = run_until_signal(_drill(table, CLASSES[word], seconds), scale=1.0)
    raise SystemExit(0 if ended else 1)


def _list(tables: tuple[AnyOutput, ...], sirens: list[str], *, as_json: bool) -> None:
    for table in tables:
        problems = undrivable((table,))
        if as_json:
            click.echo(json.dumps({**table.model_dump(mode="json"), "problems": problems}))
            continue
        place = " ".join(table.argv) if isinstance(table, CommandTable) else f"pin {table.pin}"
        click.echo(f"{table.name:16} {table.kind:8} {place}")
        for problem in problems:
            click.echo(f"  cannot be driven here: {problem}")
    for name in sirens:
        if as_json:
            click.echo(json.dumps({"kind": "siren", "name": name, "problems": []}))
        else:
            click.echo(f"{name:16} siren    on its own line")
    if not tables and not sirens and not as_json:
        click.echo("no [[outputs]] are configured, and the site has no siren node")


async def _drill(table: AnyOutput, alarm_class: AlarmClass, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    clock = UtcClock(s_to_ns(loop.time()))
    around = Surroundings(
        lambda request: click.echo(f"TEST {table.name}: pressed; in earnest {request.by!r} would have acknowledged"),
        lambda note: click.echo(f"TEST {note}"),
        lambda: clock.utc(s_to_ns(loop.time())),
    )
    board = Switchboard(
        outputs_of((table,), around),
        lambda part, trouble: click.echo(f"TEST {part}: {trouble or 'well again'}", err=trouble is not None),
    )
    # The class that is asked for must be one that it heeds: a drill that shows nothing is no drill.
    alarm_class = max(alarm_class, _least(table))
    tried = Alarm("leak", AlarmState.UNACKNOWLEDGED, alarm_class, TEST_TEXT, (), 1, s_to_ns(loop.time()))
    click.echo(f"TEST {table.name}: {alarm_class.name.lower()} for {seconds:g} s; no alarm stands")
    running = asyncio.create_task(board.run())
    test = not isinstance(table, ButtonTable)  # what a button asks for goes nowhere but here
    try:
        await _show(board, (), STEP_S, test=test)
        await _show(board, (tried,), seconds, test=test)
        await _show(board, (replace(tried, state=AlarmState.ACKNOWLEDGED),), 1.0, test=test)
        board.show((), test=test)
        await asyncio.sleep(1.0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        board.close()
        told = "; it says alarm until a controller holds it" if isinstance(table, RelayTable) else ""
        click.echo(f"TEST {table.name}: over{told}")
    return True


async def _show(board: Switchboard, alarms: tuple[Alarm, ...], seconds: float, *, test: bool) -> None:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + seconds
    while loop.time() < until_s:
        board.show(alarms, test=test)
        await asyncio.sleep(STEP_S)


def _least(table: AnyOutput) -> AlarmClass:
    return AlarmClass.ADVISORY if isinstance(table, ButtonTable) else CLASSES[table.at_least]
