"""How alarms stood when a controller ended, whatever ended it: the newest of what the disk has. It writes nothing.

The journal is the truth: what stands in it after the last snapshot was made is newer than the snapshot.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from controller.errors import ControllerError
from controller.journal.entries import AlarmEntry
from controller.journal.reader import LineReader
from controller.journal.spare import read_spare
from controller.journal.standing import Quiet, Standing, StandingAlarm, read_standing
from controller.journal.writer import FILE_PATTERN

_SCAN_MARK = b'"kind":"alarm"'


def recovered(folder: Path) -> tuple[Standing | None, str]:
    """How alarms stand by all that is in `folder`, None where nothing says; and what is to be told of it."""
    told = ""
    snapshots: list[Standing] = []
    reads: tuple[Callable[[Path], Standing | None], ...] = (read_standing, read_spare)
    for read in reads:
        try:
            snapshot = read(folder)
        except (ControllerError, OSError) as error:
            told += f"; {error}: alarms are gathered from the journal"
        else:
            snapshots += [] if snapshot is None else [snapshot]
    newest = max(snapshots, key=lambda snapshot: snapshot.number, default=None)
    try:
        return (gather_standing(folder) if newest is None else brought_up(folder, newest)), told
    except OSError as error:
        return newest, f"{told}; the journal cannot be read ({error.strerror})"


def gather_standing(folder: Path) -> Standing | None:
    """What the journal says of every alarm's last change; None where it says nothing.

    Files count in the order in which they were written last: names tell nothing where clocks start in the past.
    """
    last: dict[str, AlarmEntry] = {}
    for file in sorted(folder.glob(FILE_PATTERN), key=lambda path: (path.stat().st_mtime_ns, path.name)):
        last |= {entry.key: entry for entry in _alarms(file)}
    if not last:
        return None
    newest = max(entry.utc for entry in last.values())
    return Standing(newest, tuple(_gathered(entry) for entry in last.values()))


def brought_up(folder: Path, snapshot: Standing) -> Standing:
    """The snapshot with what the journal of the same run says after it: the disk may have taken the one, not the other.

    Other runs have snapshots of their own, and which of two runs came first no clock without a battery can say.
    """
    if not snapshot.run:
        return snapshot
    later: dict[str, AlarmEntry] = {}
    last_seq = 0
    for file in sorted(folder.glob(f"journal-{snapshot.run}-*.jsonl")):
        for entry in _alarms(file):
            if entry.seq < last_seq:  # an earlier start of the same second wrote before
                later.clear()
            last_seq = entry.seq
            if entry.seq > snapshot.seq:
                later[entry.key] = entry
    if not later:
        return snapshot
    alarms = {alarm.key: alarm for alarm in snapshot.alarms} | {key: _gathered(entry) for key, entry in later.items()}
    utc = max(snapshot.utc, *(entry.utc for entry in later.values()))
    return msgspec.structs.replace(snapshot, utc=utc, alarms=tuple(alarms.values()), seq=last_seq)


def _alarms(file: Path) -> list[AlarmEntry]:
    with file.open("rb") as source:
        return [entry for entry in LineReader(only=_SCAN_MARK).read(source) if isinstance(entry, AlarmEntry)]


def _gathered(entry: AlarmEntry) -> StandingAlarm:
    quiet = None
    if entry.suppressed_by is not None:
        left_s = None if entry.until_t_s is None else entry.until_t_s - entry.t_s
        until = None if left_s is None else _shifted(entry.utc, left_s)
        quiet = Quiet(entry.suppressed_by, entry.reason or "", entry.up_to or "advisory", until, left_s)
    age_s = 0.0 if entry.raised_t_s is None else entry.raised_t_s - entry.t_s
    return StandingAlarm(
        key=entry.key,
        state=entry.state,
        alarm_class=entry.alarm_class,
        text=entry.text,
        evidence=entry.evidence,
        occurrence=entry.occurrence,
        raised_utc=_shifted(entry.utc, age_s),
        acknowledged_by=entry.acknowledged_by,
        members=entry.members,
        present=entry.present,
        quiet=quiet,
    )


def _shifted(utc: str, by_s: float) -> str:
    try:
        instant = datetime.fromisoformat(utc) + timedelta(seconds=by_s)
    except (ValueError, OverflowError):
        return utc
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
