"""The siren of a real process with a real clock: a drill by hand, and a host that is killed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from firmware_bridge.wire.commands import SirenPattern
from sim.node.firmware import HOST_LOST_NS
from tests.support.firmware import built

pytestmark = [pytest.mark.integration]
HOST = """
import os, sys, time
from firmware_bridge.wire.codec import encode
from firmware_bridge.wire.commands import Ping, Siren, SirenPattern
from firmware_bridge.wire.framing import encode_packet
line = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
os.write(line, b"\\0" + encode_packet(encode(Siren(SirenPattern.SILENT), sequence=1)))
while True:
    os.write(line, encode_packet(encode(Ping(1), sequence=0)))
    print("pinged", flush=True)
    time.sleep(1)
"""
WATCH_S = HOST_LOST_NS / 1e9
SITE = """
format = 1
name = "bench"
compartments = [{ name = "lab", volume_m3 = 24.0, hull = { shape = "box", size_m = [4.0, 3.0, 2.0] } }]
[[nodes]]
name = "S"
uid = "c0ffee"
compartment = "lab"
siren = true
[[nodes]]
name = "A"
uid = "a1"
compartment = "lab"
sensors = [{ name = "A1", quantity = "ultrasound", channel = 0, position_m = [0.5, 0.5, 0.5] }]
"""
CONTROLLER = """
format = 1
site = "site.toml"
links = [{ kind = "serial", port = "%s" }]
mqtt = { enabled = false }
"""


def until_it_sounds(said: IO[str]) -> SirenPattern:
    for line in said:
        found = re.search(r"siren (\d)", line)
        if found is not None and int(found[1]) != SirenPattern.SILENT:
            return SirenPattern(int(found[1]))
    raise AssertionError("it ended without a sound")


@pytest.mark.slow
def test_a_killed_host_is_an_alarm_within_the_watch_time(tmp_path: Path) -> None:
    name = tmp_path / "node"
    node = subprocess.Popen([built("native") / "leaknode", "--pty", name], stderr=subprocess.PIPE, text=True)
    assert node.stderr is not None
    try:
        while not name.exists():
            time.sleep(0.02)
        # Somebody keeps the terminal open: a cable outlives the program at its other end.
        kept = os.open(name, os.O_RDWR | os.O_NOCTTY)
        host = subprocess.Popen([sys.executable, "-c", HOST, name], stdout=subprocess.PIPE)
        assert host.stdout is not None
        for _ in range(3):
            assert host.stdout.readline() == b"pinged\n"
        host.send_signal(signal.SIGKILL)
        killed_s = time.monotonic()
        host.wait()
        host.stdout.close()
        told = until_it_sounds(node.stderr)
        assert told is SirenPattern.CAUTION
        assert WATCH_S - 1.5 < time.monotonic() - killed_s < WATCH_S + 5.0
        os.close(kept)
    finally:
        node.kill()
        node.wait()
        node.stderr.close()


def test_a_drill_sounds_the_siren_and_leaves_it_at_rest(tmp_path: Path) -> None:
    name = tmp_path / "node"
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    config = tmp_path / "controller.toml"
    config.write_text(CONTROLLER % name, encoding="utf-8")
    leaknode = [str(built("native") / "leaknode"), "--pty", str(name), "--uid", "c0ffee"]
    node = subprocess.Popen(leaknode, stderr=subprocess.PIPE, text=True)
    assert node.stderr is not None
    try:
        while not name.exists():
            time.sleep(0.02)
        words = ["outputs", str(config), "--test", "S", "--class", "warning", "--seconds", "0.5"]
        drill = subprocess.run([sys.executable, "-m", "controller", *words], capture_output=True, text=True)
        assert drill.returncode == 0, drill.stdout + drill.stderr
        assert drill.stdout.splitlines()[-1] == "TEST S: over; it did all that it was told"
    finally:
        node.terminate()
        said = node.stderr.read()
        node.wait()
        node.stderr.close()
    played = [int(number) for number in re.findall(r"siren (\d)", said)]
    assert played[-2:] == [SirenPattern.WARNING, SirenPattern.SILENT]
