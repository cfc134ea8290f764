"""Run all speed benchmarks and print their table."""

from benchmarks.measuring import table
from benchmarks.speed import locate, wire

if __name__ == "__main__":
    print(table([*wire.rows(), *locate.rows()]))
