"""Run the benchmarks, all or those that are named, and print their tables: speed, and how often a leak is found."""

import sys

from benchmarks.accuracy import locate_table
from benchmarks.measuring import table
from benchmarks.speed import day, locate, sound, wire

SETS = {"wire": wire.rows, "locate": locate.rows, "sound": sound.rows, "day": day.rows}
FOUND = "found"  # minutes: how often, by signal, noise and machines

if __name__ == "__main__":
    known = [*SETS, FOUND]
    chosen = sys.argv[1:] or known
    if unknown := [name for name in chosen if name not in known]:
        sys.exit(f"no benchmark {', '.join(unknown)}; known are {', '.join(known)}")
    for name in chosen:
        if name == FOUND:
            print(f"\n{name}\n")
            locate_table.main(locate_table.CASES)
        else:
            print(f"\n{name}\n\n{table(SETS[name]())}", flush=True)
