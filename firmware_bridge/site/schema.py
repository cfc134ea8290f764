"""The declared form of a site file: tables, keys, allowed ranges. What they mean together is checked in survey."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from firmware_bridge.declared import Declared
from firmware_bridge.site.placed import Axis
from firmware_bridge.site.revolution import MAX_PROFILE_POINTS, Profile, RevolutionHull

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
Position = tuple[
    Annotated[float, Field(ge=-1000, le=1000)],
    Annotated[float, Field(ge=-1000, le=1000)],
    Annotated[float, Field(ge=-1000, le=1000)],
]
MAX_NODES = 64
MAX_SENSORS_A_NODE = 32
MAX_SWITCHES_A_NODE = 64


class PoseTable(Declared):
    """Where a hull stands in the site frame: its own origin at `origin_m`, its own x axis along `axis`.

    Lying hulls are turned about z and keep their z upward; standing ones are turned about y and keep their y.
    """

    origin_m: Position = (0.0, 0.0, 0.0)
    axis: Axis = "+x"


class CylinderTable(PoseTable):
    """Closed cylinder along its x from 0 to its length, centred on y = z = 0."""

    shape: Literal["cylinder"]
    radius_m: Annotated[float, Field(ge=0.05, le=50)]
    length_m: Annotated[float, Field(ge=0.05, le=200)]


class BoxTable(PoseTable):
    """Box with one corner at its origin."""

    shape: Literal["box"]
    size_m: tuple[
        Annotated[float, Field(ge=0.05, le=200)],
        Annotated[float, Field(ge=0.05, le=200)],
        Annotated[float, Field(ge=0.05, le=200)],
    ]


class SphereTable(PoseTable):
    """Sphere centred on its origin."""

    shape: Literal["sphere"]
    radius_m: Annotated[float, Field(ge=0.05, le=50)]


def _sound_profile(profile_m: Profile) -> Profile:
    try:
        RevolutionHull(profile_m)
    except ValueError as error:
        raise PydanticCustomError("profile", "{why}", {"why": str(error)}) from error
    return profile_m


class RevolutionTable(PoseTable):
    """Convex body swept about its x axis by a line of points (x, radius), x never decreasing; flat ends close it."""

    shape: Literal["revolution"]
    profile_m: Annotated[
        tuple[
            tuple[Annotated[float, Field(ge=-200, le=200)], Annotated[float, Field(ge=0, le=50)]],
            ...,
        ],
        Field(min_length=2, max_length=MAX_PROFILE_POINTS),
        AfterValidator(_sound_profile),
    ]


HullTable = CylinderTable | BoxTable | SphereTable | RevolutionTable


class CompartmentTable(Declared):
    """One pressurized room; `hull` only where sensors can localize."""

    name: Name
    volume_m3: Annotated[float, Field(gt=0, le=100_000)]
    hull: Annotated[HullTable, Field(discriminator="shape")] | None = None


class HatchTable(Declared):
    """A hatch between two compartments, as it normally stands."""

    name: Name
    between: tuple[Name, Name]
    normally: Literal["open", "closed"]
    area_m2: Annotated[float, Field(ge=0.0001, le=10)] = 0.5  # of its free opening; down to a valve's


class SensorTable(Declared):
    """One channel of a node, in the order of the node's channel table."""

    name: Name
    quantity: Literal[
        "ultrasound",
        "pressure",
        "temperature",
        "surface_velocity",
        "nitrogen",
        "oxygen",
        "carbon_dioxide",
        "water",
        "hatch",
    ]
    channel: Annotated[int, Field(ge=0, lt=MAX_SENSORS_A_NODE)]
    position_m: Position | None = None
    gain: Annotated[float, Field(gt=0, le=1000)] = 1.0
    offset: Annotated[float, Field(ge=-1e5, le=1e5)] = 0.0
    hatch: Name | None = None


class SwitchTable(Declared):
    """Equipment that hangs on a relay of a node."""

    name: Name
    output: Annotated[int, Field(ge=0, le=255)]


class NodeTable(Declared):
    """One box of electronics, known by the UID that it reports."""

    name: Name
    uid: Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")]
    compartment: Name
    trigger_line: Name | None = None
    siren: bool = False
    sensors: Annotated[tuple[SensorTable, ...], Field(max_length=MAX_SENSORS_A_NODE)] = ()
    switches: Annotated[tuple[SwitchTable, ...], Field(max_length=MAX_SWITCHES_A_NODE)] = ()


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
