"""leakctl reserve: the time left by hand, from a pressure and the time of a drop by one unit."""

import json
import math

import click

from controller.cli.common import REFUSED
from controller.dashboard.sentences import duration
from controller.isolate.reserve_time import chart_reserve_s
from firmware_bridge.units import PA_PER_MMHG

_UNITS = {"mmhg": ("mmHg", PA_PER_MMHG), "kpa": ("kPa", 1000.0), "pa": ("Pa", 1.0), "hpa": ("hPa", 100.0)}
LIMIT_MMHG = 490.0  # at which a station is left
USUAL_PA, MOST_PA = (40_000.0, 130_000.0), 200_000.0  # of a cabin that people breathe in; beyond the most, of none
HAVEN_S = 600.0  # below this nobody searches any more


@click.command(name="reserve")
@click.option("--pressure", type=click.FloatRange(min=0, min_open=True), required=True, help="Of the cabin now.")
@click.option(
    "--t1", "one_unit_s", type=click.FloatRange(min=0), help="Seconds in which it drops by 1 mmHg (T1mm), or 1 kPa."
)
@click.option("--rate", type=click.FloatRange(min=0), help="Drop per hour instead, in the same unit.")
@click.option(
    "--limit", type=click.FloatRange(min=0, min_open=True), help="To leave at; default 490 mmHg, in the same unit."
)
@click.option("--unit", type=click.Choice(sorted(_UNITS), case_sensitive=False), default="mmhg", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in SI.")
def reserve(
    *, pressure: float, one_unit_s: float | None, rate: float | None, limit: float | None, unit: str, as_json: bool
) -> None:
    """Say how long it takes to the evacuation limit: Tres = P x T1mm x ln(P / limit), as the crew's chart has it.

    Give either --t1, the seconds of a drop by one unit, or --rate, the drop per hour. Exit status 2: refused.

    Example: leakctl reserve --pressure 745 --t1 4500
    """
    name, pa_per_unit = _UNITS[unit.lower()]
    if (one_unit_s is None) == (rate is None):
        click.echo("leakctl: give either --t1 (seconds a unit) or --rate (units an hour), not both or none", err=True)
        raise SystemExit(REFUSED)
    if one_unit_s is None:
        one_unit_s = 3600.0 / rate if rate else math.inf
    limit = LIMIT_MMHG * PA_PER_MMHG / pa_per_unit if limit is None else limit
    if not all(map(math.isfinite, (pressure, limit))) or math.isnan(one_unit_s):
        click.echo("leakctl: pressure, limit and time must be numbers", err=True)
        raise SystemExit(REFUSED)
    meant = " or ".join(f"--unit {key}" for key, (_, pa) in _UNITS.items() if _usual(pressure * pa))
    if pressure * pa_per_unit > MOST_PA:
        remedy = meant or "the unit of your gauge"
        click.echo(f"leakctl: {pressure:g} {name} is no cabin's pressure: give {remedy}", err=True)
        raise SystemExit(REFUSED)
    if pressure <= limit and meant and not _usual(pressure * pa_per_unit):
        click.echo(f"leakctl: warning: {pressure:g} {name} is below the limit; is it another unit? {meant}", err=True)
    reserve_s = 0.0 if pressure <= limit else chart_reserve_s(pressure, one_unit_s, limit)
    endless = not math.isfinite(reserve_s)
    if as_json:
        told = {
            "pressure_pa": pressure * pa_per_unit,
            "limit_pa": limit * pa_per_unit,
            "loss_pa_s": pa_per_unit / one_unit_s if one_unit_s > 0.0 else None,
            "reserve_s": None if endless else reserve_s,
        }
        click.echo(json.dumps(told))
        return
    words = duration(None if endless else reserve_s)
    click.echo(f"reserve time {words}" + ("" if endless else f" ({reserve_s:.0f} s)") + f" to {limit:g} {name}")
    if reserve_s < HAVEN_S:
        click.echo("less than 10 minutes: stop searching, go to the safe haven")


def _usual(pressure_pa: float) -> bool:
    return USUAL_PA[0] <= pressure_pa <= USUAL_PA[1]
