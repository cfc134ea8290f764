"""leakctl replay: a recorded run, decided again, and compared with what was decided then."""

import asyncio
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from controller.cli.common import errors_told
from controller.dashboard.sentences import sentence
from controller.dashboard.terminal import TerminalView
from controller.evidence.replay import Replay, recorded_parts
from controller.journal.entries import to_json
from firmware_bridge.units import NS_PER_S

DIFFERENT = 1
MAX_SPEED = 1000.0


class _Speed(click.ParamType[float]):
    """A number, or `max`."""

    name = "speed"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Times faster than it happened; infinite for `max`."""
        if value == "max":
            return float("inf")
        try:
            speed = float(str(value))
        except ValueError:
            speed = 0.0
        if not 0.01 <= speed <= MAX_SPEED:
            self.fail(f"{value!r} is neither max nor a number from 0.01 to {MAX_SPEED:g}", param, ctx)
        return speed


@click.command()
@click.argument("recording", type=click.Path(path_type=Path, exists=True))
@click.option("--speed", type=_Speed(), default="max", metavar="N|max", help="Times faster than it happened.")
@click.option("--json", "as_json", is_flag=True, help="Print decisions as JSON lines, as leakctl run does.")
@click.option("--view", is_flag=True, help="Live view on standard error, as leakctl run shows it.")
def replay(recording: Path, *, speed: float, as_json: bool, view: bool) -> None:
    """Decide a recorded run again: one file, or a folder's newest run.

    Ends with 1 where a decision differs from the one that was recorded (another version, other arithmetic, a fault).

    Example: leakctl replay journal/events/20261123T073302114Z-leak.mcap --json | jq -c 'select(.kind=="fix")'
    """
    with errors_told():
        again = Replay(recorded_parts(recording, _left_out))
        screen = TerminalView(Console(stderr=True)) if view else None
        if screen is not None:
            screen.start()
        try:
            asyncio.run(_play(again, speed, screen, as_json=as_json))
        finally:
            if screen is not None:
                screen.stop()
    found = again.comparison
    same = found.differences == 0
    verdict = {
        "decisions": found.decisions,
        "sent": found.sent,
        "differences": found.differences,
        "first_difference": found.first,
    }
    if as_json:
        click.echo(json.dumps({"kind": "replay", "same": same, **verdict}), err=True)
    elif same:
        click.echo(
            f"replayed: {found.decisions} decisions and {found.sent} messages to nodes, all as recorded", err=True
        )
    else:
        click.echo(f"leakctl: {found.differences} differences; the first: {found.first}", err=True)
    sys.exit(0 if same else DIFFERENT)


def _left_out(why: str) -> None:
    click.echo(f"leakctl: left out: {why}", err=True)


async def _play(again: Replay, speed: float, screen: TerminalView | None, *, as_json: bool) -> None:
    """As fast as asked; a step that takes longer to decide than it took then is not waited for."""
    loop = asyncio.get_running_loop()
    began_s, first_ns = loop.time(), None
    for moment in again.moments():
        first_ns = moment.now_ns if first_ns is None else first_ns
        if speed != float("inf"):
            due_s = began_s + (moment.now_ns - first_ns) / NS_PER_S / speed
            await asyncio.sleep(max(0.0, due_s - loop.time()))
        for entry in moment.entries:
            if as_json:
                click.echo(to_json(entry).decode())
            elif screen is None:
                click.echo(f"{entry.utc}  {sentence(entry)}")
            else:
                screen.tell(sentence(entry))
        if screen is not None:
            screen.show(moment.picture, moment.elapsed_s)
