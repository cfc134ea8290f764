"""Tables of what fails when: a sensor, a node or a link, each in one of seven ways."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name
from sim.scenario.bounds import Seconds, Share

Kind: TypeAlias = Literal["off", "stuck", "garbage", "wrong", "slow", "delayed", "intermittent"]
Where: TypeAlias = Literal["sensor", "node", "link"]

# What each fault may be told beside when; everything else would be ignored, and is refused instead.
PARAMETERS: dict[tuple[Where, Kind], frozenset[str]] = {
    ("sensor", "off"): frozenset({"reads"}),
    ("sensor", "stuck"): frozenset(),
    ("sensor", "garbage"): frozenset({"share"}),
    ("sensor", "wrong"): frozenset({"offset", "gain", "ramp_per_hour"}),
    ("sensor", "slow"): frozenset({"lag_s"}),
    ("sensor", "delayed"): frozenset({"delay_s"}),
    ("sensor", "intermittent"): frozenset({"share", "mean_s", "reads"}),
    ("node", "off"): frozenset(),
    ("node", "stuck"): frozenset(),
    ("node", "garbage"): frozenset({"mean_s"}),
    ("node", "wrong"): frozenset({"step_s", "uid", "version"}),
    ("node", "slow"): frozenset({"delay_s", "jitter_s"}),
    ("node", "delayed"): frozenset({"delay_s"}),
    ("node", "intermittent"): frozenset({"share", "mean_s"}),
    ("link", "off"): frozenset(),
    ("link", "stuck"): frozenset({"direction"}),
    ("link", "garbage"): frozenset(
        {
            "share", "direction", "bit_flips", "lost_bytes", "burst_losses", "inserted_bytes", "truncated",
            "duplicated", "zeros", "baud_ratio",
        }
    ),
    ("link", "slow"): frozenset({"bytes_s", "direction"}),
    ("link", "delayed"): frozenset({"delay_s", "jitter_s", "direction"}),
    ("link", "intermittent"): frozenset({"share", "mean_s"}),
}  # fmt: skip


class TargetTable(Declared):
    """What fails: one sensor, one node, or the link of one node."""

    sensor: Name | None = None
    node: Name | None = None
    link: Name | None = None

    @model_validator(mode="after")
    def _names_one(self) -> "TargetTable":
        if sum(name is not None for name in (self.sensor, self.node, self.link)) != 1:
            raise ValueError("name one of sensor, node and link")
        return self

    @property
    def where(self) -> Where:
        """What kind of thing it is."""
        return "sensor" if self.sensor is not None else "node" if self.node is not None else "link"

    @property
    def name(self) -> str:
        """Its name in the site; a link bears that of its node."""
        return self.sensor or self.node or self.link or ""


class FaultTable(Declared):
    """Something that fails for a while.

    Short for two of them: `node = "A"` with kind `off` unplugs a node, with `garbage` damages a share of its frames.

    `share` is of readings (sensor garbage), of frames (link garbage) or of time (intermittent), `mean_s` the mean
    length of a spell, or the mean time between the reboots of a node. `offset` and `ramp_per_hour` are in the
    sensor's SI unit; a ramp begins at zero. `bit_flips`, `lost_bytes`, `burst_losses` and `inserted_bytes` are shares
    of bytes, `truncated`, `duplicated` and `zeros` shares of frames.
    """

    node: Name | None = None
    target: TargetTable | None = None
    kind: Kind
    from_s: Seconds
    until_s: Seconds
    share: Share = 0.1
    reads: Literal["zero", "full_scale"] = "zero"
    offset: Annotated[float, Field(ge=-1e7, le=1e7)] = 0.0
    gain: Annotated[float, Field(ge=-1000, le=1000)] = 1.0
    ramp_per_hour: Annotated[float, Field(ge=-1e7, le=1e7)] = 0.0
    lag_s: Annotated[float, Field(gt=0, le=36_000)] = 60.0
    delay_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    jitter_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    mean_s: Annotated[float, Field(ge=0.01, le=1e6)] = 10.0
    step_s: Annotated[float, Field(ge=-86_400, le=86_400)] = 0.0
    uid: Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")] | None = None
    version: Annotated[int, Field(ge=0, le=7)] | None = None
    direction: Literal["to_host", "to_node", "both"] = "both"
    bit_flips: Share = 0.0
    lost_bytes: Share = 0.0
    burst_losses: Share = 0.0
    inserted_bytes: Share = 0.0
    truncated: Share = 0.0
    duplicated: Share = 0.0
    zeros: Share = 0.0
    baud_ratio: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    bytes_s: Annotated[float, Field(ge=10, le=1e8)] = 1000.0

    @model_validator(mode="after")
    def _says_what(self) -> "FaultTable":
        if (self.node is None) == (self.target is None):
            raise ValueError("say what fails: target = { sensor, node or link }, or node for short")
        if self.target is None and self.kind not in {"off", "garbage"}:
            raise ValueError(f"node is short for off and garbage only; for {self.kind} give target = {{ node = ... }}")
        allowed = PARAMETERS.get((self.where, self.kind))
        if allowed is None:
            raise ValueError(f"a {self.where} cannot be {self.kind}; links are damaged by garbage")
        given = self.model_fields_set - {"node", "target", "kind", "from_s", "until_s"}
        idle = sorted(given - allowed - ({"share"} if self.target is None else set()))
        if idle:
            known = ", ".join(sorted(allowed)) or "nothing more"
            raise ValueError(f"{', '.join(idle)} means nothing to a {self.where} that is {self.kind}; it takes {known}")
        if (self.where, self.kind) == ("node", "wrong") and not given:
            raise ValueError("say what is wrong with the node: step_s, uid or version")
        return self

    @property
    def where(self) -> Where:
        """What kind of thing fails."""
        if self.target is not None:
            return self.target.where
        return "node" if self.kind == "off" else "link"

    @property
    def name(self) -> str:
        """Name of the sensor, the node, or the node of the link."""
        return self.target.name if self.target is not None else self.node or ""
