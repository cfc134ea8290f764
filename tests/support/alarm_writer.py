"""A process that raises, acknowledges and writes alarms as fast as it can until it is killed; says what is on the disk.

As the controller does: first how things stand, then the entries. Run it by `python -m tests.support.alarm_writer`.
"""

import sys
from itertools import count
from pathlib import Path

from controller.alarm.machine import AlarmMachine, Settings
from controller.alarm.types import AlarmClass, Condition
from controller.clock import UtcClock
from controller.journal.recovery import recovered
from controller.journal.standing import Times, alarms_of, standing_of, write_standing
from controller.journal.telling import Stamp, entry_of
from controller.journal.writer import JournalWriter

LEAK = Condition("leak", AlarmClass.EMERGENCY, "leak", ("because",))
NODES = Condition("nodes", AlarmClass.CAUTION, "nodes lost: A", ("A: silent",), frozenset("A"))


def main(folder: Path, stamp: str) -> None:
    clock = UtcClock(0)
    machine = AlarmMachine(Settings(off_delay_s=0.0))
    writer = JournalWriter(folder, stamp, max_file_bytes=20_000, max_files=4)
    standing, _ = recovered(folder)
    now_ns = 0
    if standing is not None:
        machine.restore(0, alarms_of(standing, Times(0, clock.utc, clock.ns_of)))
    for seq in count(1):
        now_ns += 1_000_000_000
        changes = machine.step(now_ns, [LEAK] if seq % 3 else [NODES])
        leak = next((alarm for alarm in machine.record if alarm.key == "leak"), None)
        if seq % 5 == 0 and leak is not None:
            changes += machine.acknowledge("leak", leak.occurrence, "Gerst")[0]
        if not changes:
            continue
        entries = [entry_of(change, Stamp(seq, clock.utc(now_ns), now_ns / 1e9, 0)) for change in changes]
        write_standing(folder, standing_of(machine.record, Times(now_ns, clock.utc, clock.ns_of)))
        writer.append(entries, durable=True)
        states = {alarm.key: [alarm.state.value, alarm.occurrence] for alarm in machine.record}
        sys.stdout.write(f"{states['leak'][1]} {states['leak'][0]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
