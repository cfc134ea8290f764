"""Which program runs on a rig's nodes: the twin, or a firmware image a node; images end with the rig."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
from numpy.typing import NDArray

from sim.attach.image.firmware import ImageFirmware
from sim.attach.image.process import KINDS, NodeProcess, image_path
from sim.node.board import Board, Pins
from sim.node.firmware import Firmware
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing
from sim.node.program import Program, ProgramMaker

TWIN = "python"
CHOICES = (TWIN, *KINDS)


@contextmanager
def programs(kind: str) -> Iterator[ProgramMaker]:
    """What to hand to a plant as its nodes' program: `python`, `native` or `qemu`.

    Raises:
        NodeImageError: the image was not built, or cannot run here.
    """
    if kind == TWIN:
        yield Firmware
        return
    image_path(kind)  # said at once, not when the first node is made
    with ExitStack() as stack:

        def started() -> NodeProcess:
            process = NodeProcess(kind)
            stack.callback(process.end)
            return process

        yield on_images(started)


def on_images(process: Callable[[], NodeProcess]) -> ProgramMaker:
    """Programs that are images; each is powered up in what `process` gives."""

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
            process(),
            board,
            oscillator,
            read_slow,
            boot_id,
            pins=pins,
            outgoing=outgoing,
            samples_a_frame=samples_a_frame,
        )

    return make
