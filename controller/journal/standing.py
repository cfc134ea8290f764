"""Alarms as they stand, in one small file that is whole or not there. How a restart finds it is recovery's."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from controller.alarm.types import Alarm, AlarmClass, AlarmState, Suppression
from controller.errors import ControllerError
from controller.journal.lines import LineError, checked, unchecked
from controller.journal.writer import sync_folder
from firmware_bridge.units import ns_to_s, s_to_ns

FILE_NAME = "alarms.json"
VERSION = 1
MAX_TEXT = 500  # characters of a text or a reason; more is cut for the file
MAX_EVIDENCE = 16
MAX_FILE_BYTES = 8_000_000  # 256 alarms of the longest texts, were all in four bytes a character


class Quiet(msgspec.Struct, frozen=True):
    """A suppression; `left_s` is what was left when it was written, for clocks that start in the past."""

    by: str
    reason: str
    up_to: str
    until_utc: str | None = None
    left_s: float | None = None


class StandingAlarm(msgspec.Struct, frozen=True):
    """One alarm; normal ones are kept for their `occurrence`."""

    key: str
    state: str
    alarm_class: str
    text: str
    evidence: tuple[str, ...]
    occurrence: int
    raised_utc: str
    acknowledged_by: str | None = None
    members: tuple[str, ...] = ()
    present: bool = True
    quiet: Quiet | None = None


class Standing(msgspec.Struct, frozen=True, tag_field="kind", tag="alarms"):
    """All alarms at one instant.

    `number` counts what was written of a folder, over restarts. `run` is the stamp of the journal's files that go with
    it, and `seq` the last entry that it holds: what the journal says after that is newer.
    """

    utc: str
    alarms: tuple[StandingAlarm, ...]
    site: str = ""  # whose they are; "" where nobody said
    version: int = VERSION
    number: int = 0
    run: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """What ties the running loop to UTC, both ways; `now_ns` is when this was made."""

    now_ns: int
    utc_of: Callable[[int], str]
    ns_of: Callable[[str], int]


def standing_of(alarms: Iterable[Alarm], times: Times, site: str = "") -> Standing:
    """What is to be written of the `alarms` of a site."""
    return Standing(times.utc_of(times.now_ns), tuple(_written(alarm, times) for alarm in alarms), site)


def alarms_of(standing: Standing, times: Times) -> list[Alarm]:
    """The alarms that were written; one whose state or class we do not know is taken for the gravest that we do."""
    return [_read(one, times) for one in standing.alarms]


def write_standing(folder: Path, standing: Standing) -> None:
    """Replace the file; when this returns it is on the disk, and at no instant was there none.

    Raises:
        OSError: the disk is full or gone; the file is as it was.
    """
    data = checked(msgspec.json.encode(standing)) + b"\n"
    new = folder / f"{FILE_NAME}.new"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    new.replace(folder / FILE_NAME)
    sync_folder(folder)


def read_standing(folder: Path) -> Standing | None:
    """What was written last; None where nothing ever was.

    Raises:
        ControllerError: there is a file, but not as we wrote it.
    """
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ControllerError(f"{path} is damaged", remedy=f"it has more than {MAX_FILE_BYTES} bytes")
        body, vouched = unchecked(path.read_bytes(), longest=MAX_FILE_BYTES)
        if not vouched:
            raise LineError("it has no checksum")
        return msgspec.json.decode(body, type=Standing)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ControllerError(f"cannot read {path}", remedy=f"{error.strerror}; check its permissions") from error
    except (LineError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ControllerError(f"{path} is damaged", remedy=str(error)) from error


def _written(alarm: Alarm, times: Times) -> StandingAlarm:
    quiet = alarm.suppression
    until_ns = quiet.until_ns if quiet else None
    return StandingAlarm(
        key=alarm.key,
        state=alarm.state.value,
        alarm_class=alarm.alarm_class.name.lower(),
        text=alarm.text[:MAX_TEXT],
        evidence=tuple(line[:MAX_TEXT] for line in alarm.evidence[:MAX_EVIDENCE]),
        occurrence=alarm.occurrence,
        raised_utc=times.utc_of(alarm.raised_ns),
        acknowledged_by=alarm.acknowledged_by,
        members=tuple(sorted(alarm.members)),
        present=alarm.present,
        quiet=None
        if quiet is None
        else Quiet(
            by=quiet.by,
            reason=quiet.reason[:MAX_TEXT],
            up_to=quiet.up_to.name.lower(),
            until_utc=None if until_ns is None else times.utc_of(until_ns),
            left_s=None if until_ns is None else ns_to_s(until_ns - times.now_ns),
        ),
    )


def _read(one: StandingAlarm, times: Times) -> Alarm:
    state = AlarmState(one.state) if one.state in set(AlarmState) else AlarmState.UNACKNOWLEDGED
    return Alarm(
        key=one.key,
        state=state,
        alarm_class=_class_of(one.alarm_class),
        text=one.text,
        evidence=one.evidence,
        occurrence=one.occurrence,
        raised_ns=min(times.now_ns, _ns_of(one.raised_utc, times)),
        acknowledged_by=one.acknowledged_by,
        members=frozenset(one.members),
        present=one.present,
        told_ns=times.now_ns,
        suppression=None if one.quiet is None else _suppression(one.quiet, times),
    )


def _suppression(quiet: Quiet, times: Times) -> Suppression:
    until_ns = None
    if quiet.until_utc is not None and quiet.left_s is not None:
        # Whichever ends sooner: a clock without a battery starts in the past, and nobody is to be kept quiet longer.
        until_ns = min(_ns_of(quiet.until_utc, times), times.now_ns + s_to_ns(quiet.left_s))
    return Suppression(quiet.by, quiet.reason, _class_of(quiet.up_to), until_ns)


def _class_of(name: str) -> AlarmClass:
    return AlarmClass[name.upper()] if name.upper() in AlarmClass.__members__ else AlarmClass.EMERGENCY


def _ns_of(utc: str, times: Times) -> int:
    """Loop time of an instant in UTC; now, where it is none."""
    try:
        return times.ns_of(utc)
    except ValueError:
        return times.now_ns
