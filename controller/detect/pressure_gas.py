"""What temperature does to pressure: the gas cools as it expands, and a cabin warms; neither is a leak.

Fast changes follow from the pressure itself, slow ones from thermometers, which lag and sit in warm boxes. Only changes
count: the error of a thermometer does not (docs/pressure.md, equations 2 and 3).
"""

import math
from dataclasses import dataclass

HEAT_RATIO = 1.4
# Of that cooling so much is reckoned with, and its sigma: vapour condenses, racks are near, air stands still ...
COOLS, COOLS_SIGMA = 0.8, 0.6
SEEN_SIGMA = 0.1  # ... unless thermometers are quick enough to see it
SEEN_FROM, SEEN_SHARE = 2e-4, 0.6  # of the temperature: 0.06 K are more than noise; a slow thermometer shows less
SETTLED_BY = 1e-3  # once the gas has cooled by more, the share stays what it is: a change would look like gas
BASE_S, SEEN_MEMORY = 1800.0, 0.998  # thermometers drift and cabins warm; so many seconds, so much a second
THERMOMETER_S = 120.0  # thermometers are smoothed over this; before, the gas law says better what the gas does
FORGOTTEN_S = 600.0  # a thermometer silent for so long starts anew


class ExpansionCooling:
    """Logarithm of the gas temperature that follows from its own expansion, and is lost to the walls.

    gamma dtheta/dt = (gamma - 1) dlnP/dt - theta / tau, tau being the time in which the walls take it away.
    """

    def __init__(self, settle_s: float) -> None:
        """Start at the walls' temperature."""
        self._settle_s = HEAT_RATIO * settle_s
        self._log_pressure: float | None = None
        self.log_warming = 0.0

    def restart(self) -> None:
        """The next pressure is read by other sensors: no change until then is one of the gas."""
        self._log_pressure = None

    def take(self, log_pressure: float, dt_s: float) -> float:
        """One value after `dt_s`; logarithm of temperature over that of the walls."""
        if self._log_pressure is not None and dt_s > 0.0:
            ratio = dt_s / self._settle_s
            change = (1.0 - 1.0 / HEAT_RATIO) * (log_pressure - self._log_pressure)
            # The change came evenly over the step: what of it is left at its end.
            left = -math.expm1(-ratio) / ratio
            self.log_warming = self.log_warming * math.exp(-ratio) + change * left
        self._log_pressure = log_pressure
        return self.log_warming


@dataclass(slots=True)
class _Thermometer:
    room: str
    log_base: float
    log_smooth: float
    last_ns: int
    newest_k: float


class Cooling:
    """How much of the cooling that gas laws give there is: as thermometers see it, if they are quick, else a guess."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._by_laws = self._by_sight = 0.0
        self._base_laws: float | None = None
        self._base_sight = 0.0
        self.share, self.sigma = COOLS, COOLS_SIGMA

    def take(self, log_laws: float, log_sight: float | None, dt_s: float) -> None:
        """What laws and thermometers say of the temperature's logarithm now."""
        if log_sight is None:
            return
        if self._base_laws is None:
            self._base_laws, self._base_sight = log_laws, log_sight
        follow = -math.expm1(-dt_s / BASE_S)
        laws, sight = log_laws - self._base_laws, log_sight - self._base_sight
        self._base_laws += follow * laws
        self._base_sight += follow * sight
        kept = SEEN_MEMORY**dt_s
        self._by_laws *= kept
        self._by_sight *= kept
        if abs(laws) < SEEN_FROM:
            return
        self._by_laws += laws * laws
        self._by_sight += laws * sight
        if abs(log_laws) > SETTLED_BY:
            return
        seen = self._by_sight / self._by_laws
        self.share, self.sigma = (min(seen, 1.0), SEEN_SIGMA) if seen > SEEN_SHARE else (COOLS, COOLS_SIGMA)

    @property
    def doubt(self) -> float:
        """Relative sigma of a loss as it begins, from not knowing the share."""
        return self.sigma * (1.0 - 1.0 / HEAT_RATIO)


def mean_left(age_s: float, settle_s: float) -> float:
    """Mean over `age_s` of what dies away with `settle_s`."""
    ratio = age_s / settle_s
    return 1.0 if ratio < 1e-6 else -math.expm1(-ratio) / ratio


class Thermometers:
    """The slow warming of a volume, by all its thermometers, each weighed with the volume that it speaks for."""

    def __init__(self, volumes_m3: dict[str, float]) -> None:
        """Rooms of the volume with their sizes."""
        self._volumes_m3 = volumes_m3
        self._known: dict[str, _Thermometer] = {}

    def take(self, sensor: str, room: str, time_ns: int, kelvin: float, log_expansion: float) -> None:
        """One reading; `log_expansion` is what expansion alone has done to the gas by now, and is taken out."""
        log_now = math.log(kelvin) - log_expansion
        known = self._known.get(sensor)
        if known is None or time_ns - known.last_ns > FORGOTTEN_S * 1e9:
            # It joins where the others stand: a new thermometer warms nobody.
            self._known.pop(sensor, None)
            self._known[sensor] = _Thermometer(room, log_now - self.log_warming, log_now, time_ns, kelvin)
            return
        share = -math.expm1(-max(time_ns - known.last_ns, 0) / 1e9 / THERMOMETER_S)
        known.log_smooth += share * (log_now - known.log_smooth)
        known.last_ns = max(known.last_ns, time_ns)
        known.newest_k = kelvin

    @property
    def log_warming(self) -> float:
        """Smoothed change of the logarithm of the volume's temperature since the first reading."""
        return self._weighed({name: known.log_smooth - known.log_base for name, known in self._known.items()})

    @property
    def log_newest(self) -> float | None:
        """The same from the newest readings, and with what expansion did; None without a thermometer."""
        if not self._known:
            return None
        return self._weighed({name: math.log(known.newest_k) - known.log_base for name, known in self._known.items()})

    def _weighed(self, values: dict[str, float]) -> float:
        """Mean over the volume."""
        if not values:
            return 0.0
        in_room: dict[str, list[float]] = {}
        for name, value in values.items():
            in_room.setdefault(self._known[name].room, []).append(value)
        weights = {room: self._volumes_m3.get(room, 0.0) for room in in_room}
        total = sum(weights.values())
        if total <= 0.0:
            weights, total = dict.fromkeys(in_room, 1.0), float(len(in_room))
        return sum(weights[room] * sum(ones) / len(ones) for room, ones in in_room.items()) / total

    @property
    def mean_k(self) -> float | None:
        """Mean of the newest readings, K."""
        if not self._known:
            return None
        return sum(known.newest_k for known in self._known.values()) / len(self._known)
