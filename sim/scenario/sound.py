"""Tables of airborne sound: how rooms answer, what stands in them, and what sounds beside the leak.

Places and directions are in the site frame. What becomes of them is `sim/plant`.
"""

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name, Position
from sim.scenario.bounds import Seconds, Share

MOST_CHANGES = 64  # of one machine; a busier one is a burst or a fault
MOST_LINES = 64  # of one machine; a comb with more is a broad band
GAP_S = 0.002  # switching takes a millisecond each way
ShortText = Annotated[str, Field(min_length=1, max_length=60)]
Level = Annotated[float, Field(ge=-50, le=160)]  # dB re 20 uPa at 1 m; a siren has 120
Component = Annotated[float, Field(ge=-1000, le=1000)]
Direction = tuple[Component, Component, Component]
Gradient = Annotated[float, Field(ge=-5, le=5)]


class AcousticsTable(Declared):
    """How the room answers.

    Paths are followed up to `reflections` bounces; with `late_reverberation` a diffuse tail of the rest follows them.
    `temperature_gradient_k_m` changes the speed of sound from place to place about the air's temperature in the
    room's middle; `humid_speed` lets humidity quicken it (0.7 m/s at 22 C and 50 %).
    """

    reflections: Annotated[int, Field(ge=0, le=4)] = 2
    wall_reflection: Share = 0.6
    late_reverberation: bool = False
    temperature_gradient_k_m: tuple[Gradient, Gradient, Gradient] = (0.0, 0.0, 0.0)
    humid_speed: bool = False


class MachineTable(Declared):
    """A fan, pump, valve or converter, in every listened compartment where none is named.

    It sounds all the time, or from each `on_at_s` to the next `off_at_s`; where an `off_at_s` comes first it has
    sounded ever before. With a `direction` it has a beam: a disc of `piston_radius_mm` (0 for none) times a cardioid to
    the power `beam_exponent`, and levels are on the axis. `hiss_level_db` is that of a jet in the octave about
    `hiss_peak_khz`. Whatever switches `name` or `switch` switches it too.
    """

    compartment: Name | None = None
    name: ShortText
    position_m: Position
    level_db_at_20khz: Annotated[float, Field(ge=-50, le=120)]
    lines_khz_db: Annotated[
        tuple[tuple[Annotated[float, Field(gt=0, le=500)], Level], ...], Field(max_length=MOST_LINES)
    ] = ()
    hiss_peak_khz: Annotated[float, Field(ge=1, le=500)] | None = None
    hiss_level_db: Level | None = None
    direction: Direction | None = None
    piston_radius_mm: Annotated[float, Field(ge=0, le=500)] = 0.0
    beam_exponent: Annotated[float, Field(ge=0, le=8)] = 1.0
    on_at_s: Annotated[tuple[Seconds, ...], Field(max_length=MOST_CHANGES)] = ()
    off_at_s: Annotated[tuple[Seconds, ...], Field(max_length=MOST_CHANGES)] = ()
    switch: Name | None = None

    @property
    def intervals(self) -> tuple[tuple[float, float | None], ...]:
        """When it sounds by its own clock: (start, stop), s; minus infinity for ever before, None for never."""
        changes = sorted([(at_s, True) for at_s in self.on_at_s] + [(at_s, False) for at_s in self.off_at_s])
        if not changes or not changes[0][1]:
            changes = [(-math.inf, True), *changes]
        stops = [at_s for at_s, on in changes if not on]
        starts = [at_s for at_s, on in changes if on]
        return tuple((start, stops[i] if i < len(stops) else None) for i, start in enumerate(starts))

    @model_validator(mode="after")
    def _holds_together(self) -> "MachineTable":
        """Refuse half a hiss, a beam without direction, and switching that does not alternate."""
        if (self.hiss_peak_khz is None) != (self.hiss_level_db is None):
            raise ValueError("give hiss_peak_khz and hiss_level_db together")
        if self.direction is not None and not any(self.direction):
            raise ValueError("direction (0, 0, 0) points nowhere")
        if self.direction is None and self.piston_radius_mm > 0.0:
            raise ValueError("piston_radius_mm needs a direction")
        changes = sorted([(at_s, True) for at_s in self.on_at_s] + [(at_s, False) for at_s in self.off_at_s])
        for (earlier_s, before), (later_s, after) in pairwise(changes):
            if before == after or later_s - earlier_s < GAP_S:
                raise ValueError(
                    f"on_at_s and off_at_s must take turns, 2 ms apart or more; see {earlier_s:g} and {later_s:g}"
                )
        return self


class RackTable(Declared):
    """A box full of equipment between `low_m` and `high_m`, edges along the site's axes; it hides what is behind it.

    What goes through it loses `transmission_db`; around its edges sound comes late and weak.
    """

    name: ShortText
    compartment: Name
    low_m: Position
    high_m: Position
    transmission_db: Annotated[float, Field(ge=0, le=120)] = 30.0

    @model_validator(mode="after")
    def _is_a_box(self) -> "RackTable":
        """Refuse a box inside out or thinner than a centimetre."""
        if not all(high - low >= 0.01 for low, high in zip(self.low_m, self.high_m, strict=True)):
            raise ValueError("each coordinate of high_m must be 0.01 m or more above that of low_m")
        return self


class BurstTable(Declared):
    """A place where a valve hisses, Velcro is torn or something knocks now and then, at random.

    `level_db` is the mean at 1 m in the octave about 20 kHz at the loudest; events spread about it by 3 dB and about
    `duration_ms` by a factor of two either way.
    """

    name: ShortText
    kind: Literal["valve", "velcro", "knock"]
    compartment: Name
    position_m: Position
    rate_per_h: Annotated[float, Field(ge=0, le=36_000)]
    level_db: Level
    duration_ms: Annotated[float, Field(ge=1, le=10_000)]
