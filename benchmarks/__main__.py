"""Run the benchmarks, all or those that are named: speed, how often a leak is found, how honest fixes are.

`peers` takes arguments of its own (`python -m benchmarks peers 12 --save FILE`); `honesty` runs only when named.
"""

import os
import sys

from benchmarks.accuracy import (
    honesty,
    isolation,
    layout_table,
    locate_table,
    log_table,
    nitrogen_table,
    pressure_table,
)
from benchmarks.measuring import table
from benchmarks.peers import beside
from benchmarks.speed import alarm_latency, alarm_waiting, day, journal, locate, sound, terminals, wire

SETS = {
    "wire": wire.rows,
    "terminals": terminals.rows,
    "locate": locate.rows,
    "sound": sound.rows,
    "day": day.rows,
    "journal": journal.rows,
    "alarm_latency": alarm_latency.rows,
    "alarm_waiting": alarm_waiting.rows,
}
LAYOUTS = "layouts"  # minutes: microphones laid out in other ways
FOUND = "found"  # minutes: how often, by signal, noise and machines
PEERS = "peers"  # minutes: the same beside other people's programs
ISOLATION = "isolation"  # minutes: a leak's compartment found by shutting hatches
PRESSURE = "pressure"  # minutes: false falls in a quiet year, and how true intervals are
# Scenario, seeds, hours; false-depress must print nothing.
PRESSURE_SCENARIOS = (
    ("ms09-2018", "6", "0.5"),
    ("spektr-1997", "2", "0.06"),
    ("false-depress-2009", "2", "0.12"),
    ("zvezda-crack-2020", "1", "2"),
    ("destiny-hose-2004", "2", "18"),
)
LOGS_OF_A_KIND = "3"  # logs a row of the table; `python -m benchmarks.accuracy.log_table` makes 20
HONESTY = "honesty"  # an hour: whether fixes are as good as they say

if __name__ == "__main__":
    if sys.argv[1:2] == [PEERS]:
        sys.exit(beside.run(sys.argv[2:]))
    known = [*SETS, FOUND, LAYOUTS, ISOLATION, PRESSURE, PEERS, HONESTY]
    chosen = sys.argv[1:] or known[:-1]
    if unknown := [name for name in chosen if name not in known]:
        sys.exit(f"no benchmark {', '.join(unknown)}; known are {', '.join(known)}")
    for name in chosen:
        print(f"\n{name}\n", flush=True)
        if name == FOUND:
            locate_table.main(locate_table.CASES)
        elif name == LAYOUTS:
            layout_table.main(layout_table.CASES)
        elif name == PRESSURE:
            pressure_table.main(["quiet", "1"])
            pressure_table.main(["coverage", "100"])
            for scenario in PRESSURE_SCENARIOS:
                print(f"\n{scenario[0]}, pressure alone", flush=True)
                pressure_table.main(["scenario", *scenario])
            print("\nlogs of many kinds of cabin", flush=True)
            log_table.main([LOGS_OF_A_KIND])
            if log := os.environ.get("LEAKLOC_CABIN_LOG"):
                pressure_table.main(["log", log])
            nitrogen_table.main(["quiet", "1"])
            nitrogen_table.main(["coverage", "100"])
        elif name == ISOLATION:
            isolation.main(isolation.CASES)
        elif name == PEERS:
            beside.run([])
        elif name == HONESTY:
            honesty.main(1.0)
        else:
            print(table(SETS[name]()), flush=True)
