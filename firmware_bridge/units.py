"""The few unit conversions at the edges, and what can be measured; everything above this file is SI."""

from enum import IntEnum

PA_PER_MMHG = 133.322387415
PA_PER_HPA = 100.0
KELVIN_OFFSET = 273.15
NS_PER_S = 1_000_000_000
S_PER_HOUR = 3600.0
S_PER_DAY = 86400.0
SOUND_REFERENCE_PA = 20e-6


_PASCALS = {  # BIPM, The International System of Units (2019); NIST SP 811, appendix B.8
    "Pa": 1.0,
    "hPa": PA_PER_HPA,
    "mbar": 100.0,
    "kPa": 1000.0,
    "bar": 100_000.0,
    "mmHg": PA_PER_MMHG,
    "Torr": 101_325.0 / 760.0,
    "inHg": 3386.389,
    "psi": 6894.757293168361,
    "atm": 101_325.0,
}
_KELVINS = {"K": (1.0, 0.0), "C": (1.0, KELVIN_OFFSET), "F": (5.0 / 9.0, 459.67 * 5.0 / 9.0)}


class Quantity(IntEnum):
    """What a channel measures, in its SI unit; the numbers are those of the wire."""

    OTHER = 0  # something that only a newer node knows; no site lists it
    PRESSURE = 1  # Pa
    TEMPERATURE = 2  # K
    ULTRASOUND = 3  # Pa, sound pressure in the air
    SURFACE_VELOCITY = 4  # m/s, of the hull's skin under a contact sensor
    PP_NITROGEN = 5  # Pa, partial pressure, as all that begin so
    PP_OXYGEN = 6
    PP_CARBON_DIOXIDE = 7
    PP_WATER = 8
    HATCH = 9  # 0 closed, 1 open, the share of its way between (no unit)

    @property
    def in_bursts(self) -> bool:
        """Whether it comes as waveforms (BURST_PIECE) and band levels; all others come as slow samples."""
        return self in {Quantity.ULTRASOUND, Quantity.SURFACE_VELOCITY}

    @property
    def unit(self) -> str:
        """SI unit of its values; "1" for a share, and "?" for what nobody knows here."""
        units = {Quantity.OTHER: "?", Quantity.TEMPERATURE: "K", Quantity.SURFACE_VELOCITY: "m/s", Quantity.HATCH: "1"}
        return units.get(self, "Pa")


def to_si(value: float, unit: str) -> float:
    """`value` in Pa or K; KeyError for a unit that nobody here knows."""
    if unit in _PASCALS:
        return value * _PASCALS[unit]
    scale, zero = _KELVINS[unit]
    return value * scale + zero


def is_temperature(unit: str) -> bool:
    """Whether `unit` is one of temperature."""
    return unit in _KELVINS


def celsius_to_kelvin(temperature_c: float) -> float:
    """Degrees Celsius to kelvin."""
    return temperature_c + KELVIN_OFFSET


def s_to_ns(time_s: float) -> int:
    """Seconds to whole nanoseconds."""
    return round(time_s * NS_PER_S)


def ns_to_s(time_ns: int) -> float:
    """Nanoseconds to seconds."""
    return time_ns / NS_PER_S
