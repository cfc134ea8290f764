"""Processes that tests start, watch and end, by their ids."""

import signal
import subprocess
from pathlib import Path
from typing import Any


def start(processes: list["subprocess.Popen[str]"], *arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
    # A runner in the background of a script ignores SIGINT, and its children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE, text=True, **options)
    finally:
        signal.signal(signal.SIGINT, before)
    processes.append(process)
    return process


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    direct = [int(line) for line in found.stdout.split()]
    return direct + [grandchild for child in direct for grandchild in children_of(child)]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
