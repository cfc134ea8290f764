"""Tables of the sensor nodes as built: front ends, slow sensors, crystals, lines, survey errors."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from firmware_bridge.declared import Declared
from sim.scenario.parts import BAROMETERS, CONTACTS, MICROPHONES, with_part

MAX_BANDS = 8  # of BAND_LEVELS

Decibels = Annotated[float, Field(ge=0, le=10)]
LEAST_KHZ = 1.0  # of a filter: a slower one rings for so long that no capture can begin early enough


def _settles(khz: float) -> float:
    """Refuse a corner far below all that is sensed: captures begin as much earlier as it takes to settle."""
    if khz < LEAST_KHZ:
        raise PydanticCustomError("slow", "should be at least {least} kHz", {"least": f"{LEAST_KHZ:g}"})
    return khz


Kilohertz = Annotated[float, Field(gt=0, le=5000), AfterValidator(_settles)]
Quality = Annotated[float, Field(ge=0.3, le=100)]
Pascals = Annotated[float, Field(ge=0, le=10_000)]
Kelvins = Annotated[float, Field(ge=0, le=50)]
ResponseSeconds = Annotated[float, Field(ge=0, le=36_000)]
EffectiveBits = Annotated[float, Field(ge=4, le=16)]
SkewMicroseconds = Annotated[float, Field(ge=0, le=50)]
GainPerKelvin = Annotated[float, Field(ge=-0.05, le=0.05)]


def _refuse_more_bits(effective_bits: float | None, bits: int) -> None:
    if effective_bits is not None and effective_bits > bits:
        raise ValueError(f"effective_bits {effective_bits:g} are more than bits {bits}")


class SurveyErrorTable(Declared):
    """How far the true rig is from its site file, one standard deviation."""

    microphone_sigma_m: Annotated[float, Field(ge=0, le=1)] = 0.0


class ArraysTable(Declared):
    """The ultrasonic front ends; `part` gives defaults for all that is not given here.

    Spreads are standard deviations from one microphone to the next: of `resonance_spread` and `resonance_q_spread`
    relative ones. `skew_us` is the time from one channel to the next of a multiplexed converter.
    """

    part: Literal["spu0410lr5h", "sph0641lu4h"] | None = None
    bits: Annotated[int, Field(ge=8, le=16)] = 14
    effective_bits: EffectiveBits | None = None
    full_scale_pa: Annotated[float, Field(gt=0, le=2000)] = 20.0
    self_noise_db: Annotated[float, Field(ge=-20, le=100)] = 37.0
    noise_rise_khz: Kilohertz | None = None
    noise_rise_order: Annotated[int, Field(ge=1, le=5)] = 2
    sensitivity_spread_db: Decibels = 0.0
    sensitivity_per_k: GainPerKelvin = 0.0
    resonance_khz: Kilohertz | None = None
    resonance_spread: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    resonance_peak_db: Annotated[float, Field(ge=-20, le=30)] = 6.0
    resonance_q: Quality = 3.0
    resonance_q_spread: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    roll_off_khz: Kilohertz | None = None
    anti_alias_khz: Kilohertz | None = None
    overload_db: Annotated[float, Field(ge=80, le=180)] | None = None
    burst_rate_khz: Annotated[float, Field(ge=64, le=500)] = 192.0
    skew_us: SkewMicroseconds = 0.0
    trigger_jitter_ns: Annotated[float, Field(ge=0, le=1e6)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _of_its_part(cls, table: object) -> object:
        return with_part(table, MICROPHONES)

    @model_validator(mode="after")
    def _bits_fit(self) -> "ArraysTable":
        _refuse_more_bits(self.effective_bits, self.bits)
        return self


class ContactsTable(Declared):
    """The contact sensors on the hull; resonant ones have `resonance_khz`, broad ones `low_khz` and `high_khz`."""

    part: Literal["r15", "disc"] | None = None
    bits: Annotated[int, Field(ge=8, le=16)] = 16
    effective_bits: EffectiveBits | None = None
    full_scale_m_s: Annotated[float, Field(gt=0, le=10)] = 1e-5
    self_noise_m_s_rthz: Annotated[float, Field(ge=0, le=1e-3)] = 3.4e-13
    sensitivity_spread_db: Decibels = 0.0
    sensitivity_per_k: GainPerKelvin = 0.0
    resonance_khz: Kilohertz | None = None
    resonance_spread: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    resonance_q: Quality = 3.0
    resonance_q_spread: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    low_khz: Kilohertz | None = None
    high_khz: Kilohertz | None = None
    overload_m_s: Annotated[float, Field(gt=0, le=10)] | None = None
    burst_rate_khz: Annotated[float, Field(ge=64, le=4000)] = 1000.0
    skew_us: SkewMicroseconds = 0.0
    trigger_jitter_ns: Annotated[float, Field(ge=0, le=1e6)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _of_its_part(cls, table: object) -> object:
        return with_part(table, CONTACTS)

    @model_validator(mode="after")
    def _bits_fit(self) -> "ContactsTable":
        _refuse_more_bits(self.effective_bits, self.bits)
        return self


class BarometersTable(Declared):
    """Barometers and the thermometers beside them; spreads are standard deviations from one chip to the next."""

    part: Literal["bmp390", "bmp280", "ms5611", "lps22hh", "sense-hat-log"] | None = None
    noise_pa: Annotated[float, Field(ge=0, le=1000)] = 0.0
    bias_spread_pa: Pascals = 0.0
    drift_spread_pa_day: Pascals = 0.0
    wander_pa_rtday: Pascals = 0.0
    temperature_spread_pa_k: Annotated[float, Field(ge=0, le=100)] = 0.0
    resolution_pa: Annotated[float, Field(ge=0, le=1000)] = 0.0
    response_s: ResponseSeconds = 0.0
    temperature_noise_k: Annotated[float, Field(ge=0, le=10)] = 0.0
    temperature_bias_spread_k: Annotated[float, Field(ge=0, le=10)] = 0.0
    temperature_resolution_k: Annotated[float, Field(ge=0, le=10)] = 0.0
    temperature_response_s: ResponseSeconds = 0.0
    self_heating_k: Kelvins = 0.0

    @model_validator(mode="before")
    @classmethod
    def _of_its_part(cls, table: object) -> object:
        return with_part(table, BAROMETERS)


class GasSensorsTable(Declared):
    """The sensors of partial pressure; none feels any gas but its own."""

    noise_pa: Annotated[float, Field(ge=0, le=1000)] = 5.0
    bias_spread_pa: Pascals = 0.0
    drift_spread_pa_day: Pascals = 0.0
    wander_pa_rtday: Pascals = 0.0
    resolution_pa: Annotated[float, Field(ge=0, le=1000)] = 0.0
    response_s: ResponseSeconds = 30.0


class ClocksTable(Declared):
    """The nodes' crystals: rate at 25 C, and how it moves with the board's temperature, with age and by itself."""

    drift_spread_ppm: Annotated[float, Field(ge=0, le=200)] = 0.0
    slope_spread_ppm_k: Annotated[float, Field(ge=0, le=5)] = 0.0
    parabola_ppm_k2: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0
    turnover_c: Annotated[float, Field(ge=-50, le=100)] = 25.0
    ageing_spread_ppm_day: Annotated[float, Field(ge=0, le=10)] = 0.0
    wander_ppm_rtday: Annotated[float, Field(ge=0, le=10)] = 0.0
    board_warmer_k: Kelvins = 13.0  # than the air about it


class LinesTable(Declared):
    """What nodes on a serial line can send; those behind a broker are not held back.

    Without `baud` a line takes all it is given. `transmit_bytes` is memory for answers and streams: what does not fit
    is dropped by whole frames. Bursts wait in a memory of their own.
    """

    baud: Annotated[int, Field(ge=300, le=50_000_000)] | None = None
    transmit_bytes: Annotated[int, Field(ge=256, le=1 << 20)] = 64 << 10


class StreamsTable(Declared):
    """What firmware puts into frames: instants a SAMPLES frame, and the bands of BAND_LEVELS, kHz.

    Bands above 7/8 of half the burst rate hold noise only: airborne sound ends there.
    """

    samples_a_frame: Annotated[int, Field(ge=1, le=600)] = 1
    bands_khz: Annotated[
        tuple[tuple[Annotated[float, Field(ge=1, le=2000)], Annotated[float, Field(ge=1, le=2000)]], ...],
        Field(min_length=1, max_length=MAX_BANDS),
    ] = ((20.0, 30.0), (30.0, 45.0), (45.0, 60.0), (60.0, 80.0))

    @model_validator(mode="after")
    def _bands_rise(self) -> "StreamsTable":
        for low_khz, high_khz in self.bands_khz:
            if not low_khz < high_khz:
                raise ValueError(f"the band from {low_khz:g} to {high_khz:g} kHz is none")
        return self
