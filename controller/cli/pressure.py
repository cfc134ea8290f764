"""leakctl pressure: what a log of cabin pressure says of a leak."""

import json
import math
import sys
from pathlib import Path

import click

from controller.cli.common import errors_told
from controller.cli.pressure_columns import UNITS_PA, read_log
from controller.cli.pressure_log import Answer, as_json, judge_log
from controller.dashboard.sentences import duration
from controller.detect.pressure import Settings
from controller.measure.leak_size import Interval
from controller.measure.leak_size import Settings as SizeSettings
from firmware_bridge.units import S_PER_DAY

NO_LEAK = 3
LONG_ROWS = 50_000  # of a log: five seconds' worth
_SIZE = SizeSettings()


@click.command(name="pressure")
@click.argument("log_file", type=click.Path(path_type=Path, dir_okay=False), metavar="LOG.csv")
@click.option(
    "--volume",
    "volume_m3",
    type=click.FloatRange(min=0.001, max=1e6),
    required=True,
    help="Of the connected air, m3.",
)
@click.option("--unit", type=click.Choice(sorted(UNITS_PA)), help="Of pressure, where the column does not say it.")
@click.option("--crew", type=click.IntRange(0, 100), help="People who breathe in it; default: unknown.")
@click.option(
    "--oxygen-feed", type=click.FloatRange(0, 1000), default=0.0, show_default=True, help="For them, kg a day."
)
@click.option(
    "--limit-mmhg",
    type=click.FloatRange(1, 1000),
    default=_SIZE.evacuation_limit_mmhg,
    show_default=True,
    help="At which it is left.",
)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the log (needs matplotlib).")
def pressure(
    log_file: Path,
    *,
    volume_m3: float,
    unit: str | None,
    crew: int | None,
    oxygen_feed: float,
    limit_mmhg: float,
    json_: bool,
    plot: Path | None,
) -> None:
    """Say whether a cabin leaks, how much, through what hole, and how long it lasts, from a log of its pressure.

    The first line of the log names its columns: t_s (or _min, _h, _d; or dates in time), pressure_pa (or _hpa, _kpa,
    _mmhg; pressure_1_pa and so on are several barometers), temperature_k (or _c; may be missing). Commas, or
    semicolons with decimal commas. Gaps, repeated and unordered rows are allowed. Exit status: 0 a leak, 3 none, 2
    refused.

    Example: leakctl pressure cabin.csv --volume 916 --crew 6
    """
    with errors_told():
        log = read_log(log_file, unit)
        settings = Settings(crew=crew, oxygen_feed_kg_day=oxygen_feed)
        size = SizeSettings(evacuation_limit_mmhg=limit_mmhg)
        with click.progressbar(
            length=2 * log.time_s.size,
            label="rows",
            file=sys.stderr,
            hidden=log.time_s.size < LONG_ROWS or not _watched(),
        ) as bar:
            answer = judge_log(log, volume_m3, settings, size, bar.update)
        if plot is not None:
            from controller.cli.pressure_picture import draw

            draw(log, answer, plot)
    click.echo(json.dumps(as_json(answer)) if json_ else "\n".join(_lines(answer)))
    sys.exit(0 if answer.leak else NO_LEAK)


def _watched() -> bool:
    """Whether somebody sees how far it is."""
    return sys.stderr.isatty()


def _lines(answer: Answer) -> list[str]:
    lines = [f"{'LEAK' if answer.leak else 'no leak'}: {answer.reason}"]
    if answer.leak:
        size, time_s = answer.size, answer.size.reserve_s
        lasts = f"{_time(time_s.value)} ({_time(time_s.low)} to {_time(time_s.high)})"
        lines += [
            f"rate          {_span(size.rate_mmhg_h, 1.0)} mmHg/h, {_span(size.mass_rate_kg_s, S_PER_DAY)} kg/day",
            f"hole          {_span(size.hole_diameter_m, 1000.0)} mm",
            f"reserve time  {lasts}",
        ]
    return [*lines, *(f"{name} {why}" for name, why in answer.complaints)]


def _span(interval: Interval, factor: float) -> str:
    value, low, high = (factor * part for part in (interval.value, interval.low, interval.high))
    return f"{value:.3g} ({low:.3g} to {high:.3g})"


def _time(seconds: float) -> str:
    return duration(seconds if math.isfinite(seconds) else None)
