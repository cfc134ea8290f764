"""Tables of the leaks: of every kind, and when each opens and closes. What flows out of them: `sim/world/leak`."""

import math
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name, Position
from sim.scenario.bounds import Seconds, Share

KINDS = ("hole", "ragged", "crack", "seal")
MOST_CHANGES = 16  # of one leak after its first opening and sealing; a history longer than that is noise
Millimetres = Annotated[float, Field(gt=0, le=500)]
Coefficient = Annotated[float, Field(gt=0, le=1)]


class ChangeTable(Declared):
    """From `at_s` on, in `over_s` seconds, the leak goes to `share` of its area: 1 as declared, 0 shut."""

    at_s: Seconds
    over_s: Seconds = 0.0
    share: Share


class _CommonTable(Declared):
    """What leaks of every kind have.

    The leak opens at `opens_at_s` within `opens_over_s`; where `sealed_at_s` is given, all but `sealed_share` of its
    area is shut from then on within `sealed_over_s`; `later` says what becomes of it after that: opened again, sealed
    again. A change that begins before the last one is through takes over from there.

    Sound: the power of the stream times `efficiency` times `inward_share` is heard in the cabin in 20 to 100 kHz;
    `level_spread_db` is the standard deviation of the doubt in it, drawn once a leak. `unsteadiness` is the rms of
    the force on the plate over the momentum flux of the jet.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    compartment: Name
    position_m: Position
    discharge_coefficient: Coefficient = 0.85
    opens_at_s: Seconds
    opens_over_s: Seconds = 0.0
    sealed_at_s: Seconds | None = None
    sealed_over_s: Seconds = 0.0
    sealed_share: Share = 0.0
    later: Annotated[tuple[ChangeTable, ...], Field(max_length=MOST_CHANGES)] = ()
    level_spread_db: Annotated[float, Field(ge=0, le=20)] = 0.0
    efficiency: Annotated[float, Field(ge=0, le=0.1)] = 1e-4
    inward_share: Share = 0.01
    unsteadiness: Share = 0.01

    @field_validator("later")
    @classmethod
    def _later_is_later(cls, later: tuple[ChangeTable, ...], info: ValidationInfo) -> tuple[ChangeTable, ...]:
        """Refuse changes out of order; whether the sealing comes after the opening is asked with the site."""
        known_s = [info.data.get("opens_at_s"), info.data.get("sealed_at_s")]
        begun_s = max((at_s for at_s in known_s if at_s is not None), default=-math.inf)
        for earlier_s, later_s in pairwise((begun_s, *(change.at_s for change in later))):
            if later_s <= earlier_s:
                told = {"later_s": f"{later_s:g}", "earlier_s": f"{earlier_s:g}"}
                raise PydanticCustomError("order", "at_s {later_s} is not after the change at {earlier_s} s", told)
        return later


class HoleTable(_CommonTable):
    """A drilled hole: round and clean. The kind of a leak that names none."""

    kind: Literal["hole"] = "hole"
    diameter_mm: Millimetres


class RaggedTable(_CommonTable):
    """A ragged hole, or one under a patch that covers `covered_share` of it: `jets` streams of unlike size.

    `diameter_mm` is that of the round hole of the same area; the largest stream is `jets_spread` times the smallest.
    """

    kind: Literal["ragged"]
    diameter_mm: Millimetres
    discharge_coefficient: Coefficient = 0.6
    covered_share: Annotated[float, Field(ge=0, le=0.99)] = 0.0
    jets: Annotated[int, Field(ge=1, le=16)] = 3
    jets_spread: Annotated[float, Field(ge=1, le=30)] = 3.0


class _SlotTable(_CommonTable):
    """A gap: `length_mm` along the wall, `width_um` wide when fully open, `depth_mm` through."""

    length_mm: Annotated[float, Field(gt=0, le=10_000)]
    width_um: Annotated[float, Field(gt=0, le=10_000)]
    depth_mm: Annotated[float, Field(gt=0, le=100)]


class CrackTable(_SlotTable):
    """A crack in a wall of `depth_mm`; opens by getting longer. Narrow ones are laminar and silent."""

    kind: Literal["crack"]


class SealTable(_SlotTable):
    """An arc of a seal that lifts from a land of `depth_mm`; opens, slowly, by getting wider."""

    kind: Literal["seal"]
    opens_over_s: Annotated[float, Field(gt=0, le=1e8)]


def _kind(table: object) -> str:
    """The kind that a table names, read from a file or built; files from before there were kinds name none."""
    kind = table.get("kind", "hole") if isinstance(table, dict) else getattr(table, "kind", "")
    return kind if isinstance(kind, str) else ""


LeakTable: TypeAlias = Annotated[
    Annotated[HoleTable, Tag("hole")]
    | Annotated[RaggedTable, Tag("ragged")]
    | Annotated[CrackTable, Tag("crack")]
    | Annotated[SealTable, Tag("seal")],
    Discriminator(
        _kind,
        custom_error_type="leak_kind",
        custom_error_message=f"a leak's kind is one of {', '.join(KINDS)}",
    ),
]
