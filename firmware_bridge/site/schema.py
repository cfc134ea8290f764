"""The declared form of a site file: tables, keys, allowed ranges. What they mean together is checked in survey."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_bridge.declared import Declared

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
Position = tuple[
    Annotated[float, Field(ge=-1000, le=1000)],
    Annotated[float, Field(ge=-1000, le=1000)],
    Annotated[float, Field(ge=-1000, le=1000)],
]
MAX_NODES = 64
MAX_SENSORS_A_NODE = 32


class CylinderTable(Declared):
    """Closed cylinder along x from 0 to its length, centred on y = z = 0."""

    shape: Literal["cylinder"]
    radius_m: Annotated[float, Field(ge=0.05, le=50)]
    length_m: Annotated[float, Field(ge=0.05, le=200)]


class BoxTable(Declared):
    """Box with one corner at the origin."""

    shape: Literal["box"]
    size_m: tuple[
        Annotated[float, Field(ge=0.05, le=200)],
        Annotated[float, Field(ge=0.05, le=200)],
        Annotated[float, Field(ge=0.05, le=200)],
    ]


class CompartmentTable(Declared):
    """One pressurized room; `hull` only where sensors can localize."""

    name: Name
    volume_m3: Annotated[float, Field(gt=0, le=100_000)]
    hull: Annotated[CylinderTable | BoxTable, Field(discriminator="shape")] | None = None


class HatchTable(Declared):
    """A hatch between two compartments, as it normally stands."""

    name: Name
    between: tuple[Name, Name]
    normally: Literal["open", "closed"]


class SensorTable(Declared):
    """One channel of a node, in the order of the node's channel table."""

    name: Name
    quantity: Literal["ultrasound", "pressure", "temperature"]
    channel: Annotated[int, Field(ge=0, lt=MAX_SENSORS_A_NODE)]
    position_m: Position | None = None
    gain: Annotated[float, Field(gt=0, le=1000)] = 1.0
    offset: Annotated[float, Field(ge=-1e5, le=1e5)] = 0.0


class NodeTable(Declared):
    """One box of electronics, known by the UID that it reports."""

    name: Name
    uid: Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")]
    compartment: Name
    trigger_line: Name | None = None
    siren: bool = False
    sensors: Annotated[tuple[SensorTable, ...], Field(max_length=MAX_SENSORS_A_NODE)] = ()


class LandmarkTable(Declared):
    """Something people can point at."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    position_m: Position


class FrameTable(Declared):
    """What people call the negative and positive direction of each axis."""

    x: tuple[str, str] = ("toward -x", "toward +x")
    y: tuple[str, str] = ("toward -y", "toward +y")
    z: tuple[str, str] = ("toward -z", "toward +z")


class SurveyTable(Declared):
    """How well the site is known, one standard deviation each."""

    microphone_sigma_m: Annotated[float, Field(gt=0, le=1)] = 0.002
    hull_sigma_m: Annotated[float, Field(gt=0, le=1)] = 0.005
    trigger_sigma_s: Annotated[float, Field(gt=0, le=1)] = 1e-7
    temperature_sigma_k: Annotated[float, Field(gt=0, le=50)] = 1.0


class AirTable(Declared):
    """What the air is like where no sensor says better."""

    temperature_c: Annotated[float, Field(ge=-50, le=80)] = 22.0
    pressure_hpa: Annotated[float, Field(ge=100, le=2000)] = 1013.25


class SiteTable(Declared):
    """A whole site file."""

    format: Literal[1]
    name: Name
    title: str = ""
    frame: FrameTable = FrameTable()
    air: AirTable = AirTable()
    survey: SurveyTable = SurveyTable()
    compartments: Annotated[tuple[CompartmentTable, ...], Field(min_length=1, max_length=64)]
    hatches: Annotated[tuple[HatchTable, ...], Field(max_length=256)] = ()
    nodes: Annotated[tuple[NodeTable, ...], Field(min_length=1, max_length=MAX_NODES)]
    landmarks: Annotated[tuple[LandmarkTable, ...], Field(max_length=1000)] = ()
