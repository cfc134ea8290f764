"""Run the speed benchmarks, all or those that are named, and print their tables."""

import sys

from benchmarks.measuring import table
from benchmarks.speed import day, locate, sound, wire

SETS = {"wire": wire.rows, "locate": locate.rows, "sound": sound.rows, "day": day.rows}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(SETS)
    if unknown := [name for name in chosen if name not in SETS]:
        sys.exit(f"no benchmark {', '.join(unknown)}; known are {', '.join(SETS)}")
    for name in chosen:
        print(f"\n{name}\n\n{table(SETS[name]())}", flush=True)
