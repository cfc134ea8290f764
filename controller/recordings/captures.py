"""Pieces of a recording as the captures that the locator takes. What a piece is, is told in `recording`."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from controller.errors import ControllerError
from controller.measure.captures import Capture
from controller.recordings.recording import Pieces
from controller.recordings.table_site import MAX_MICROPHONES
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity

MIN_HEARD = 3


def heard_site(site: Site, order: Sequence[str], pieces: Pieces) -> Site:
    """The site without microphones (`order`: a name a channel) that no piece holds."""
    heard = {name for row, name in enumerate(order) if pieces.present[:, row].any()}
    deaf = {sensor.name for sensor in site.sensors_of(Quantity.ULTRASOUND)} - heard
    nodes = tuple(replace(node, sensors=tuple(s for s in node.sensors if s.name not in deaf)) for node in site.nodes)
    if len(heard) < MIN_HEARD:
        raise ControllerError(f"{len(heard)} microphones recorded anything", remedy="three or more are needed")
    if len(heard) > MAX_MICROPHONES:
        raise ControllerError(
            f"{len(heard)} microphones, more than {MAX_MICROPHONES}", remedy="leave some out; dozens add little"
        )
    return replace(site, nodes=nodes)


def captures_of(
    site: Site, order: Sequence[str], pieces: Pieces, *, first_id: int, one_clock: bool, rate_sigma: float
) -> tuple[Capture, ...]:
    """A capture a piece; channels are those of `order`."""
    row_of = {name: row for row, name in enumerate(order)}
    captures = []
    for number, (waves, there) in enumerate(zip(pieces.pressure_pa, pieces.present, strict=True), start=first_id):
        blocks = {}
        for node in site.nodes:
            known = [s.name for s in node.of_quantity(Quantity.ULTRASOUND) if s.name in row_of]
            names = [name for name in known if there[row_of[name]]]
            if names:
                blocks[node.name] = WaveBlock(
                    node=node.name,
                    sensors=tuple(names),
                    burst_id=number,
                    start_ns=0,
                    # A recording does not tell how far clocks that are not said to be one are apart.
                    start_sigma_ns=0.0 if one_clock and node.trigger_line is not None else math.inf,
                    rate_hz=pieces.fs_hz,
                    pressure_pa=np.ascontiguousarray(waves[[row_of[name] for name in names]]),
                    triggered=one_clock,
                    saturated=False,
                    missing=(),
                    nominal_hz=pieces.fs_hz,
                    rate_sigma=rate_sigma,
                )
        captures.append(Capture(number, blocks))
    return tuple(captures)
