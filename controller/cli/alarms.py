"""leakctl alarms: which alarms stand, and how much attention they took."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from controller.alarm.statistics import WANTED_SHARES, Moved, Statistics, statistics
from controller.alarm.types import AlarmClass, AlarmState
from controller.cli.common import REFUSED, errors_told
from controller.cli.journal import Instant
from controller.dashboard.sentences import duration
from controller.errors import ControllerError
from controller.journal.entries import AlarmEntry
from controller.journal.reader import check_own, journal_files, read_entries
from controller.journal.recovery import recovered
from controller.journal.standing import Standing, StandingAlarm


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--stats", is_flag=True, help="Figures after EEMUA 191: rates, floods, stale and chattering alarms.")
@click.option("--since", type=Instant(), help="With --stats: from this instant on, such as 2018-08-29T23:00 (UTC).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def alarms(folder: Path, *, stats: bool, since: datetime | None, as_json: bool) -> None:
    """Say which alarms stand, from the journal's folder; with --stats, how much attention alarms took.

    The controller need not run. What stands is read from alarms.json, or gathered from the journal without it.

    \b
    Example: leakctl alarms journal/
    leakctl alarms journal/ --stats --since 2018-08-01
    """  # noqa: D301
    with errors_told():
        if stats:
            check_own(folder)
            _tell_statistics(_statistics(folder, since), as_json=as_json)
            return
        standing = _standing(folder)
    if as_json:
        click.echo(msgspec.json.encode(standing).decode())
        return
    listed = [alarm for alarm in standing.alarms if alarm.state != AlarmState.NORMAL]
    click.echo(f"as of {standing.utc}: " + (f"{len(listed)} alarms" if listed else "no alarm stands"))
    for alarm in sorted(listed, key=_rank):
        click.echo(_line(alarm))


def _standing(folder: Path) -> Standing:
    standing, told = recovered(folder)
    if told:
        click.echo(f"leakctl: {told.removeprefix('; ')}", err=True)
    if standing is not None:
        return standing
    if not journal_files(folder):
        click.echo(f"leakctl: neither alarms.json nor journal files in {folder}; name a journal's folder", err=True)
        sys.exit(REFUSED)
    newest = max((entry.utc for entry in read_entries(folder) if not isinstance(entry, int)), default="the beginning")
    return Standing(newest, ())


def _rank(alarm: StandingAlarm) -> tuple[bool, int, str]:
    name = alarm.alarm_class.upper()
    severity = AlarmClass[name] if name in AlarmClass.__members__ else AlarmClass.EMERGENCY
    return alarm.quiet is not None, -severity, alarm.raised_utc


def _line(alarm: StandingAlarm) -> str:
    state = alarm.state.replace("_", " ")
    line = f"{alarm.alarm_class.upper():9}  {alarm.key} #{alarm.occurrence}  {state}  since {alarm.raised_utc}"
    line += f"  {alarm.text}"
    if alarm.acknowledged_by is not None:
        line += f"  (acknowledged by {alarm.acknowledged_by})"
    if alarm.quiet is not None:
        until = f" until {alarm.quiet.until_utc}" if alarm.quiet.until_utc is not None else ""
        line += f"  ({alarm.quiet.reason}, {alarm.quiet.by}{until})"
    return line


def _statistics(folder: Path, since: datetime | None) -> Statistics:
    moves: list[Moved] = []
    first_s = last_s = None
    for entry in read_entries(folder):
        if isinstance(entry, int):
            continue
        at_s = datetime.fromisoformat(entry.utc).timestamp()
        first_s = at_s if first_s is None else min(first_s, at_s)
        last_s = at_s if last_s is None else max(last_s, at_s)
        if isinstance(entry, AlarmEntry):
            moves.append(
                Moved(at_s, entry.key, AlarmClass[entry.alarm_class.upper()], AlarmState(entry.state), entry.cause)
            )
    if first_s is None or last_s is None:
        raise ControllerError(f"nothing was written in {folder} yet", remedy="let a controller run with this journal")
    since_s = first_s if since is None else max(first_s, since.timestamp())
    moves.sort(key=lambda move: move.at_s)  # stable; clocks that were set may have mixed the files
    return statistics(moves, since_s, max(last_s, since_s))


def _tell_statistics(found: Statistics, *, as_json: bool) -> None:
    shares = {c.name.lower(): count for c, count in found.by_class.items()}
    if as_json:
        told: dict[str, Any] = {**asdict(found), "by_class": shares, "complaints": found.complaints}
        click.echo(json.dumps(told))
        return
    rows = [
        ("span", duration(found.span_s)),
        ("announced", str(found.announced)),
        ("per 10 minutes", f"{_number(found.mean_per_10_min)} on average, {found.peak_per_10_min} at most"),
        ("per hour", f"{_number(found.mean_per_hour)} on average, {found.peak_per_hour} at most"),
        ("per day", f"{_number(found.mean_per_day)} on average"),
        ("in flood", f"{_percent(found.flood_share)} of the time, {found.floods} times"),
        ("standing", f"{found.standing}, {len(found.stale)} for more than a day{_listed(found.stale)}"),
        ("kept quiet", str(found.quieted)),
        ("chattering", f"{len(found.chattering)}{_listed(found.chattering)}"),
        ("acknowledged", _after(found.median_acknowledged_s)),
        *((c.name.lower(), _share(count, found.announced, c)) for c, count in found.by_class.items()),
        ("most frequent", ", ".join(f"{key} {count}" for key, count in found.most_frequent) or "none"),
    ]
    for name, value in rows:
        click.echo(f"{name:15} {value}")
    for complaint in found.complaints:
        click.echo(f"NOT GOOD        {complaint}")


def _share(count: int, announced: int, alarm_class: AlarmClass) -> str:
    share = count / announced if announced else None
    return f"{count} ({_percent(share)}; about {100 * WANTED_SHARES[alarm_class]:g} % is usual)"


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"after {seconds:.0f} s (median)"


def _number(value: float | None) -> str:
    return "too short to say" if value is None else f"{value:.2f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _listed(keys: tuple[str, ...]) -> str:
    return f" ({', '.join(keys)})" if keys else ""
