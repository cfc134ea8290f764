"""The C firmware for tests: built once a run; without its tools a test is skipped, but never on a build machine."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware_bridge" / "firmware"
BUILT = ROOT / "build" / "firmware"
REQUIRED = "LEAKLOC_ALL_TOOLS"  # .ci/run sets it: there a missing tool is a failure
TOOLS = {
    "native": ("gcc",),
    "checks": ("gcc",),
    "qemu": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "rp2350": ("arm-none-eabi-gcc",),
    "lint": ("cppcheck",),
}


def built(target: str) -> Path:
    """The folder of what `make TARGET` makes; skips the test where that cannot be made here."""
    missing = [tool for tool in TOOLS[target] if shutil.which(tool) is None]
    if missing:
        told = f"no {' and no '.join(missing)} on this machine"
        if os.environ.get(REQUIRED):
            pytest.fail(told)
        pytest.skip(told)
    _make(target)
    return BUILT


@cache
def _make(target: str) -> None:
    made = subprocess.run(["make", "-C", str(FIRMWARE), target], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
