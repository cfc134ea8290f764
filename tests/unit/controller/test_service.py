"""What systemd is told: once that we are up, then at a quarter of its patience; nothing where it does not listen."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.service import Service


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def said(listening: socket.socket) -> list[str]:
    told = []
    while True:
        try:
            told.append(listening.recv(4096).decode())
        except BlockingIOError:
            return told


def service(listening: socket.socket, **more: str) -> Service:
    return Service({"NOTIFY_SOCKET": listening.getsockname(), **more})


def test_it_is_up_after_its_first_step_and_lives_while_it_steps(ear: socket.socket) -> None:
    ours = service(ear, WATCHDOG_USEC="20000000", WATCHDOG_PID=str(os.getpid()))
    assert said(ear) == []  # not up before anything was done
    ours.turned(100.0)
    assert said(ear) == ["READY=1", "WATCHDOG=1"]
    for quarter in range(1, 20):
        ours.turned(100.0 + 0.25 * quarter)
    assert said(ear) == []
    ours.turned(105.0)
    assert said(ear) == ["WATCHDOG=1"]
    ours.close()
    assert said(ear) == ["STOPPING=1"]
    ours.turned(200.0)
    assert said(ear) == []


@pytest.mark.parametrize("watchdog", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "1e6"},
                                      {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}])  # fmt: skip
def test_nobody_watches_this_process(ear: socket.socket, watchdog: dict[str, str]) -> None:
    ours = service(ear, **watchdog)
    for second in range(1000):
        ours.turned(float(second))
    assert said(ear) == ["READY=1", "WATCHDOG=1"]
    ours.close()


def test_an_impatient_watchdog_does_not_make_it_busy(ear: socket.socket) -> None:
    ours = service(ear, WATCHDOG_USEC="1")
    for step in range(100):
        ours.turned(step * 0.01)
    assert said(ear) == ["READY=1"] + ["WATCHDOG=1"] * 4
    ours.close()


def test_without_systemd_and_with_one_that_is_gone_nothing_happens(ear: socket.socket, tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": "vsock:2:3"}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        ours = Service(environment)
        ours.turned(1.0)
        ours.close()
    nobody_reads = service(ear, WATCHDOG_USEC="1000000")
    for step in range(2000):  # more than its queue holds
        nobody_reads.turned(float(step))
    nobody_reads.close()
