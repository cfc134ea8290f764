"""How a fall of pressure is told from a restless cabin: settings, and what is said of a fall. Values only.

The parts that find one: `pressure_vote` (which barometers to believe), `pressure_gas` (what temperature does),
`pressure_quiet` (the cabin without a leak), `pressure_onsets` (has one begun), `pressure_rate` (how fast), joined in
`pressure_series` for one series and in `pressure_volume` for one connected volume.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How a fall is told from a restless cabin; sizes at 101,325 Pa. The defaults are a station with a crew.

    Args:
        wander_pa: rms of what comes and goes with `wander_s` (vapour, carbon dioxide, valves).
        wander_s: time in which that forgets itself.
        walk_pa2_s: variance a second of what never comes back.
        orbit_pa: rms amplitude of a wave with an orbit of 92.7 minutes.
        crew: people who breathe in the connected volume; None: unknown, a net loss of 0 to 18 Pa/h is nobody's leak.
        oxygen_feed_kg_day: what is fed for them.
        threshold_sigmas: of a fall that nobody has heard; 5 is less than one false one in a year of quiet.
        confirm_sigmas: of a fall since a sound began: one onset is asked about, and not all at all times.
        nitrogen_sigmas: of a fall of nitrogen, which nobody breathes.
        gas_settle_s: time in which the air takes on the temperature of the walls.
        disagree_pa: by how much a barometer may part from the others of its volume.
    """

    wander_pa: float = 11.0
    wander_s: float = 3600.0
    walk_pa2_s: float = 0.015
    orbit_pa: float = 8.0
    crew: int | None = None
    oxygen_feed_kg_day: float = 0.0
    threshold_sigmas: float = 5.0
    confirm_sigmas: float = 3.0
    nitrogen_sigmas: float = 4.5
    gas_settle_s: float = 90.0
    disagree_pa: float = 15.0


@dataclass(frozen=True, slots=True)
class Fall:
    """How the pressure of a volume falls now, at constant temperature; `rate_pa_s` is negative in a leak.

    `window_s` is how long ago it is thought to have begun.
    """

    window_s: float
    rate_pa_s: float
    sigma_pa_s: float
    pressure_pa: float

    @property
    def sigmas(self) -> float:
        """How many of its own standard deviations the fall is away from none; positive in a leak."""
        return -self.rate_pa_s / self.sigma_pa_s


@dataclass(frozen=True, slots=True)
class PressureTrend:
    """What the barometers of one connected volume say together.

    `agreeing` are the sensors that fall by themselves at least half as much; `watched` all that have a vote;
    `continuing` says that it is not over. `rooms` are the compartments of the volume, where they are known.
    """

    fall: Fall
    watched: tuple[str, ...]
    agreeing: tuple[str, ...]
    significant: bool
    continuing: bool
    rooms: tuple[str, ...] = ()
