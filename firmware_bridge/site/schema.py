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
MAX_EQUIPMENT = 256
MAX_SKEW_US = 50.0  # a converter that takes longer for a channel is too slow for ultrasound on two of them
MAX_LATE_US = MAX_SKEW_US * MAX_SENSORS_A_NODE


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
    lifeboat_seats: Annotated[int, Field(ge=0, le=100)] = 0  # of the vehicles that one enters from here to go home


class HatchTable(Declared):
    """A hatch between two compartments, as it normally stands."""

    name: Name
    between: tuple[Name, Name]
    normally: Literal["open", "closed"]
    area_m2: Annotated[float, Field(ge=0.0001, le=10)] = 0.5  # of its free opening; down to a valve's
    motor: Name | None = None  # the node's switch that moves it: on opens, off closes; without one people do


class SensorTable(Declared):
    """One channel of a node, in the order of the node's channel table.

    `late_us` is how much later than its burst's stated start the channel's samples are taken; what `skew_us` of the
    node says where it is left out.
    """

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
    late_us: Annotated[float, Field(ge=-MAX_LATE_US, le=MAX_LATE_US)] | None = None


class SwitchTable(Declared):
    """Equipment that hangs on a relay of a node."""

    name: Name
    output: Annotated[int, Field(ge=0, le=255)]


class EquipmentTable(Declared):
    """Something that makes noise while it works: a fan, a pump, a rack.

    `noise_db` is its sound in 20 to 100 kHz at 1 m (dB re 20 uPa), where somebody measured it. Only what
    `may_switch_off` is ever advised to be, and only what also `may_command` is switched by the controller itself,
    through the node's switch named `switch`; several pieces may share one.
    """

    name: Name
    compartment: Name
    position_m: Position | None = None
    noise_db: Annotated[float, Field(ge=-20, le=150)] | None = None
    may_switch_off: bool = False
    may_command: bool = False
    switch: Name | None = None


class NodeTable(Declared):
    """One box of electronics, known by the UID that it reports.

    `skew_us` is the time from one burst channel to the next of a converter that takes them in turn, the first of each
    kind (microphones, contact sensors) at the burst's start; 0 where all are taken at once.
    """

    name: Name
    uid: Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")]
    compartment: Name
    trigger_line: Name | None = None
    siren: bool = False
    skew_us: Annotated[float, Field(ge=0, le=MAX_SKEW_US)] = 0.0
    sensors: Annotated[tuple[SensorTable, ...], Field(max_length=MAX_SENSORS_A_NODE)] = ()
    switches: Annotated[tuple[SwitchTable, ...], Field(max_length=MAX_SWITCHES_A_NODE)] = ()


class TopicsTable(Declared):
    """An instrument whose values are published on a broker by somebody else's software."""

    kind: Literal["mqtt"]


class LineTable(Declared):
    """An instrument on a serial line that says one line of text a reading, by itself or when it is asked.

    `poll` is sent every `poll_s`; `ends` closes each of its lines. `mode` is data bits, parity and stop bits.
    """

    kind: Literal["serial"]
    port: Annotated[str, Field(min_length=1, max_length=255)]
    baud_rate: Annotated[int, Field(ge=300, le=12_000_000)] = 9600
    mode: Annotated[str, Field(pattern=r"^[78][NEO][12]$")] = "8N1"
    poll: Annotated[str, Field(max_length=64)] | None = None
    poll_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    ends: Annotated[str, Field(min_length=1, max_length=2)] = "\n"


class ReadingTable(Declared):
    """One value of an instrument: its place (`topic`, then `path` in JSON or `pattern` in text) and unit.

    What is found is x; the value is `scale` x + `offset`, in `unit`. Outside `range` (in `unit`) it is not believed.
    """

    name: Name
    quantity: Literal["pressure", "temperature", "nitrogen", "oxygen", "carbon_dioxide", "water"]
    unit: Literal["Pa", "hPa", "mbar", "kPa", "bar", "mmHg", "Torr", "inHg", "psi", "atm", "K", "C", "F"]
    topic: Annotated[str, Field(pattern=r"^[^+#\s\x00]{1,200}$")] | None = None
    path: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    pattern: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    scale: Annotated[float, Field(ge=-1e9, le=1e9)] = 1.0
    offset: Annotated[float, Field(ge=-1e9, le=1e9)] = 0.0
    range: tuple[float, float] | None = None
    position_m: Position | None = None


class InstrumentTable(Declared):
    """Somebody else's sensor as it is: it speaks no frame of ours, and is heard as any node's sensors are."""

    name: Name
    compartment: Name
    source: Annotated[TopicsTable | LineTable, Field(discriminator="kind")]
    readings: Annotated[tuple[ReadingTable, ...], Field(min_length=1, max_length=MAX_SENSORS_A_NODE)]
    stale_after_s: Annotated[float, Field(ge=1, le=86_400)] = 30.0


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
    equipment: Annotated[tuple[EquipmentTable, ...], Field(max_length=MAX_EQUIPMENT)] = ()
    nodes: Annotated[tuple[NodeTable, ...], Field(min_length=1, max_length=MAX_NODES)]
    instruments: Annotated[tuple[InstrumentTable, ...], Field(max_length=MAX_NODES)] = ()
    landmarks: Annotated[tuple[LandmarkTable, ...], Field(max_length=1000)] = ()
