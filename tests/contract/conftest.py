"""The end points that tests of nodes are held against."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.attach.image.firmware import ImageFirmware
from sim.attach.image.process import NodeProcess
from sim.node.board import Board, Pins
from sim.node.firmware import Firmware
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing
from sim.node.program import Program, ProgramMaker
from tests.support.firmware import built


@pytest.fixture(scope="module", params=["python", "native", "sane", pytest.param("qemu", marks=pytest.mark.qemu)])
def make_node(request: pytest.FixtureRequest) -> Iterator[ProgramMaker]:
    """Makes a powered node: the twin, the C firmware (also with sanitizers), the C firmware on a Cortex-M3.

    One image serves a whole file: to be made anew, it is powered up anew.
    """
    kind: str = request.param
    if kind == "python":
        yield Firmware
        return
    image = {"native": "leaknode", "sane": "leaknode-sane", "qemu": "leaknode-mps2.elf"}[kind]
    folder = built({"sane": "checks"}.get(kind, kind))
    process = NodeProcess("qemu" if kind == "qemu" else "native", folder / image)

    def make(
        board: Board,
        oscillator: Oscillator,
        read_slow: Callable[[], NDArray[np.int32]],
        boot_id: int,
        *,
        pins: Pins | None = None,
        outgoing: Outgoing | None = None,
        samples_a_frame: int = 1,
    ) -> Program:
        return ImageFirmware(
            process,
            board,
            oscillator,
            read_slow,
            boot_id,
            pins=pins,
            outgoing=outgoing,
            samples_a_frame=samples_a_frame,
        )

    yield make
    process.end()
