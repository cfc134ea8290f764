"""Timing by median over repetitions, and a table; ratios are of rows of one run, as machines are shared and noisy."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

REPETITIONS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `against` names the row whose time this one's is compared with."""

    name: str
    seconds: float
    amount: str = ""
    against: str | None = None


def timed(work: Callable[[], object], repetitions: int = REPETITIONS) -> float:
    """Median seconds of `work` after one warm-up."""
    work()
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


def table(rows: list[Row]) -> str:
    """Markdown table."""
    seconds = {row.name: row.seconds for row in rows}
    lines = ["| what | ms | amount | against |", "| --- | ---: | --- | --- |"]
    for row in rows:
        ratio = f"{row.seconds / seconds[row.against]:.2f} of the time of {row.against}" if row.against else ""
        lines.append(f"| {row.name} | {1000 * row.seconds:.2f} | {row.amount} | {ratio} |")
    return "\n".join(lines)
