"""The end points that tests of nodes are held against: what a node is made of, and what carries it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest

from sim.attach.image.nodes import on_images
from sim.attach.image.process import NodeProcess
from sim.node.firmware import Firmware
from sim.node.program import Program, ProgramMaker
from tests.conftest import MOSQUITTO, Broker
from tests.support.carriers import Line, carried, on_socket, on_terminal, on_topics
from tests.support.firmware import built

IMAGES = {"native": "leaknode", "sane": "leaknode-sane", "qemu": "leaknode-mps2.elf"}
# Frames are the same whatever carries them: every program by hand, two of them on each transport.
ENDPOINTS = [
    *(pytest.param((kind, "hand"), id=kind) for kind in ("python", "native", "sane")),
    pytest.param(("qemu", "hand"), id="qemu", marks=pytest.mark.qemu),
    *(
        pytest.param((kind, line), id=f"{kind}-{line}", marks=pytest.mark.integration)
        for line in ("terminal", "tcp", "mqtt")
        for kind in ("python", "native")
    ),
]


@pytest.fixture(scope="module", params=ENDPOINTS)
def make_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgramMaker]:
    """Makes a powered node: the twin, the C firmware (also with sanitizers), the C firmware on a Cortex-M3.

    One image serves a whole file: to be made anew, it is powered up anew. So does one line.
    """
    kind, transport = request.param
    with _line(transport, tmp_path_factory) as line, _programs(kind) as make:
        if line is None:
            yield make
            return

        def make_carried(*args: Any, **more: Any) -> Program:
            return carried(make(*args, **more), line)

        yield make_carried


def _programs(kind: str) -> AbstractContextManager[ProgramMaker]:
    return nullcontext(Firmware) if kind == "python" else _images(kind)


@contextmanager
def _images(kind: str) -> Iterator[ProgramMaker]:
    folder = built({"sane": "checks"}.get(kind, kind))
    process = NodeProcess("qemu" if kind == "qemu" else "native", folder / IMAGES[kind])
    yield on_images(lambda: process)
    process.end()


@contextmanager
def _line(transport: str, folders: pytest.TempPathFactory) -> Iterator[Line | None]:
    if transport == "hand":
        yield None
    elif transport == "mqtt":
        if not MOSQUITTO.exists():
            pytest.skip("no mosquitto in .venv/bin; `make setup` fetches it")
        broker = Broker(folders.mktemp("broker"))
        with on_topics(broker) as line:
            yield line
        broker.stop()
    else:
        with {"terminal": on_terminal, "tcp": on_socket}[transport]() as line:
            yield line
