"""What `leakctl pressure` says of logs of many kinds of cabin, leaking and not.

    python -m benchmarks.accuracy.log_table [LOGS] [KIND ...]

Rows: a kind of cabin (`made_logs`) and a leak; columns: how many logs were said to leak, after how long, how many of
them before there was a leak, and how many 95 % intervals of the slope hold the truth.
"""

import math
import sys
import zlib
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.made_logs import KINDS, Kind, MadeLog, made
from controller.cli.pressure_columns import Log, cleaned
from controller.cli.pressure_log import Answer, judge_log
from controller.detect.pressure import Settings
from controller.measure.leak_size import TWO_SIDED_95
from controller.measure.leak_size import Settings as SizeSettings

VOLUME_M3 = 916.0
# Pa/h, and when it is open: none; one that nobody can tell; ones of 0.2, 0.8 and 2.3 mmHg/h; one of 75 Pa/s
LEAKS = (
    (0.0, "middle"),
    (0.1, "start"),
    (30.0, "middle"),
    (107.0, "middle"),
    (300.0, "middle"),
    (300.0, "start"),
    (300.0, "closed"),
    (60_000.0, "middle"),
)
EARLY_S = 300.0  # a belief before the leak by more is false
WORTH_PA_H = 1.0  # a smaller leak that is not told is no miss


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of cabin with one leak."""

    found: float
    after_min: float
    last_min: float
    false: float
    held: float


def judged(log: MadeLog) -> Answer:
    """What is said of it."""
    return judge_log(
        cleaned(Log(log.time_s, {"pressure_pa": log.pressure_pa}, {})), VOLUME_M3, Settings(), SizeSettings()
    )


def cell(kind: Kind, rate_pa_h: float, leak: str, logs: int) -> Cell:
    """`logs` of them, each with its own seed."""
    found, false, held, after_s = 0, 0, [], []
    for number in range(logs):
        seed = [zlib.crc32(kind.name.encode()), round(10 * rate_pa_h), len(leak), number]
        log = made(kind, rate_pa_h, np.random.default_rng(seed), leak)
        answer = judged(log)
        if not answer.leak:
            if leak == "start":
                could_pa_s = answer.fall.rate_pa_s - TWO_SIDED_95 * answer.fall.sigma_pa_s
                held.append(could_pa_s <= log.slope_pa_s)
            continue
        early = rate_pa_h < WORTH_PA_H or (answer.detected_s or 0.0) < log.onset_s - EARLY_S
        if early:
            false += 1
            continue
        found += 1
        after_s.append((answer.detected_s or 0.0) - log.onset_s)
        if rate_pa_h < 10_000.0:
            rate, sigma = answer.fall.rate_pa_s, answer.fall.sigma_pa_s
            held.append(abs(rate - log.slope_pa_s) <= TWO_SIDED_95 * sigma)
    minutes = np.array(after_s) / 60.0
    nothing = math.nan
    return Cell(
        found / logs,
        float(np.median(minutes)) if found else nothing,
        float(minutes.max()) if found else nothing,
        false / logs,
        float(np.mean(held)) if held else nothing,
    )


def main(arguments: list[str]) -> None:
    """Print the table."""
    logs = int(arguments[0]) if arguments else 20
    print(f"{logs} logs a row; minutes after the leak began (or the log did): median, last\n")
    print("| cabin | leak, Pa/h | open from | found | median | last | false | intervals that hold |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for kind in [kind for kind in KINDS if not arguments[1:] or kind.name in arguments[1:]]:
        for rate_pa_h, leak in LEAKS:
            one = cell(kind, rate_pa_h, leak, logs)
            numbers = f"{one.found:.2f} | {one.after_min:.0f} | {one.last_min:.0f} | {one.false:.2f} | {one.held:.2f}"
            print(f"| {kind.name} | {rate_pa_h:g} | {leak} | {numbers.replace('nan', '')} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
