"""Start the table of peers by the Python that has them: on one core, with one thread each."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = "LEAKLOC_PEERS_PYTHON"  # names another interpreter than that of `make peers`
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def interpreter() -> str:
    """The Python of `make peers`, else this one: peers that it lacks are skipped."""
    own = ROOT / ".venv-peers" / "bin" / "python"
    return os.environ.get(PYTHON) or (str(own) if own.exists() else sys.executable)


def run(arguments: Sequence[str]) -> int:
    """Run `python -m benchmarks.peers` and return its exit status; its output is its own."""
    environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": str(ROOT)}
    command = [interpreter(), "-W", "ignore", "-m", "benchmarks.peers", *arguments]
    return subprocess.run(command, check=False, env=environment, cwd=Path.cwd()).returncode
