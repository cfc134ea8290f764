"""Follows the pressure of every connected volume as hatches move; says when one falls, how fast, and when no more.

What one volume's sensors say is judged in `controller/detect/pressure_volume.py`.
"""

from dataclasses import dataclass

from controller.detect.pressure import PressureTrend
from controller.detect.pressure import Settings as PressureSettings
from controller.detect.pressure_volume import BLOCK_NS, VolumeWatch
from controller.isolate.reserve_time import VolumeReserve, conductance_m3_s, reserve_of
from controller.measure.leak_size import GAS_CONSTANT_J_KG_K, Interval, LeakSize, leak_size
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.events import GasMoved, HatchMoved
from controller.pipeline.happenings import Happening, PressureFalls, PressureSteady
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import (
    NS_PER_S,
    PA_PER_HPA,
    PA_PER_MMHG,
    S_PER_HOUR,
    Quantity,
    celsius_to_kelvin,
    s_to_ns,
)

STALE_S = 30.0  # a barometer that has said nothing for so long is not read out as if it were now
PLAUSIBLE = {  # Pa, K, Pa; else the sensor is dead
    Quantity.PRESSURE: (100.0, 1e6),
    Quantity.TEMPERATURE: (150.0, 400.0),
    Quantity.PP_NITROGEN: (100.0, 1e6),
}
BLIND = "for {hours:.1f} h more no leak is found by pressure here: gas of unknown amount was announced"
MAX_AHEAD_NS = 2 * NS_PER_S  # a value dated later than this was never measured then
SHARPENED = 0.7  # a rate whose sigma shrank to this share is news
WORTH_TELLING = 0.05  # of a rate; a leak's rate falls with the pressure by itself
SHUT_SETTLES_S, OPENED_SETTLES_S = 20.0, 120.0  # gas swirls after a hatch is shut; it equalises when one is opened
GAS_SETTLES_S = 300.0  # gas that was let in or out has another temperature, for three times as long as walls take
LONGEST_GAS_S = 86_400.0  # of one known inflow; longer ones are told again
BLIND_TOLD_S = 600.0  # of gas of unknown amount: for longer nobody is to forget that no leak would be found
CLEARED_SHARE = 0.3  # a volume that surely loses less than this share of the leak has not got it
STEP_NS = BLOCK_NS


@dataclass(frozen=True, slots=True)
class _Carried:
    """A leak that was known before a hatch moved: conductance in m3/s."""

    value: float
    low: float
    high: float


class PressureWatch:
    """Barometers, thermometers and nitrogen of the whole site. How hatches stand it is told."""

    def __init__(self, site: Site, compartment: str, pressure: PressureSettings, size: SizeSettings) -> None:
        """Start without history, hatches as they normally stand."""
        self._site = site
        self._compartment = compartment
        self._pressure = pressure
        self._size = size
        self._open = {hatch.name: hatch.normally_open for hatch in site.hatches}
        self._volumes: dict[frozenset[str], VolumeWatch] = {}
        self._carried: dict[frozenset[str], _Carried] = {}
        self._regroup(0, None)
        self._trend: PressureTrend | None = None
        self._believed_size: LeakSize | None = None
        self._implausible: dict[str, float] = {}
        self._last_ns: dict[str, int] = {}
        self._last_pa: dict[str, float] = {}
        self._told: LeakSize | None = None
        self._told_trend: PressureTrend | None = None
        self._next_judgement_ns = 0
        self._blind_ns: dict[str, tuple[int, int]] = {}  # by compartment: gas of unknown amount moves from, until

    @property
    def trend(self) -> PressureTrend | None:
        """The fall that is believed, if any; of several volumes that of the shortest reserve time."""
        return self._trend

    @property
    def size(self) -> LeakSize | None:
        """What that fall says of the leak."""
        return self._believed_size

    @property
    def temperature_k(self) -> float:
        """Mean of the thermometers connected to the compartment, else what the site file says."""
        known = self._home().temperature_k
        return known if known is not None else celsius_to_kelvin(self._site.air.temperature_c)

    @property
    def reserves(self) -> tuple[VolumeReserve, ...]:
        """Reserve time of each volume in which gas is lost, or may be since a hatch moved."""
        told = []
        limit_pa = self._size.evacuation_limit_mmhg * PA_PER_MMHG
        for rooms, volume in self._volumes.items():
            if volume.pressure_pa is None:
                continue
            carried, trend = self._carried.get(rooms), volume.trend()
            if trend is not None and trend.significant:
                size = self._sized(volume, trend)
                reserve, assumed = size.reserve_s, False
            elif carried is not None:
                flow = Interval(carried.value, carried.low, carried.high)
                reserve, assumed = reserve_of(flow, volume.volume_m3, volume.pressure_pa, limit_pa), True
            else:
                continue
            told.append(VolumeReserve(tuple(sorted(rooms)), volume.volume_m3, volume.pressure_pa, reserve, assumed))
        return tuple(sorted(told, key=lambda one: one.reserve_s.value))

    def readings_pa(self, now_ns: int) -> dict[str, float]:
        """The newest pressure of each barometer that speaks."""
        return {name: value for name, value in self._last_pa.items() if not self._stale(name, now_ns)}

    def poor(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """Sensors that do not serve, each with the reason."""
        silent = [name for name in self._last_pa if self._stale(name, now_ns)]
        parted = [one for volume in self._volumes.values() for one in volume.complaints]
        named = {*self._implausible, *silent}
        blind = [
            (room, BLIND.format(hours=(until_ns - now_ns) / NS_PER_S / S_PER_HOUR))
            for room, (from_ns, until_ns) in self._blind_ns.items()
            if from_ns + s_to_ns(BLIND_TOLD_S) <= now_ns < until_ns
        ]
        return (
            *((name, f"says {value:g}, which no cabin has: not used") for name, value in self._implausible.items()),
            *((name, "was heard and is silent now") for name in silent if name not in self._implausible),
            *((name, why) for name, why in parted if name not in named),
            *blind,
        )

    def take(self, now_ns: int, block: ScalarBlock) -> None:
        """Values of a slow sensor; those that no cabin has, or dated ahead of now, are not believed."""
        if block.quantity not in PLAUSIBLE:
            return
        low, high = PLAUSIBLE[block.quantity]
        sane = (block.value >= low) & (block.value <= high)
        if sane.all():
            self._implausible.pop(block.sensor, None)
        else:
            self._implausible[block.sensor] = float(block.value[~sane][0])
        usable = sane & (block.time_ns <= now_ns + MAX_AHEAD_NS)
        room = self._site.node(block.node).compartment
        volume = next((one for rooms, one in self._volumes.items() if room in rooms), None)
        if not usable.any() or volume is None:
            return
        time_ns, value = block.time_ns[usable], block.value[usable]
        if block.quantity is Quantity.PRESSURE:
            volume.take_pressure(block.sensor, time_ns, value)
            self._last_ns[block.sensor] = max(int(time_ns[-1]), self._last_ns.get(block.sensor, 0))
            self._last_pa[block.sensor] = float(value[-1])
        elif block.quantity is Quantity.TEMPERATURE:
            volume.take_temperature(block.sensor, room, time_ns, value)
        else:
            volume.take_nitrogen(block.sensor, value)

    def hatch_moved(self, now_ns: int, moved: HatchMoved) -> None:
        """A hatch stands so now, whoever found out; names that the site does not have are left alone."""
        if self._open.get(moved.hatch, moved.open) != moved.open:
            self._open[moved.hatch] = moved.open
            self._regroup(now_ns, moved.open)

    def gas_moved(self, now_ns: int, moved: GasMoved) -> None:
        """Gas of which one knows: a known amount is reckoned with, an unknown one suspends judgement meanwhile."""
        volume = next((one for rooms, one in self._volumes.items() if moved.compartment in rooms), None)
        if volume is None:
            return
        over_s = min(max(moved.over_s, 0.0), LONGEST_GAS_S)
        if moved.kg is None:
            until_ns = now_ns + s_to_ns(over_s + GAS_SETTLES_S)
            began_ns, before_ns = self._blind_ns.get(moved.compartment, (now_ns, now_ns))
            began_ns = began_ns if before_ns > now_ns else now_ns
            self._blind_ns[moved.compartment] = (began_ns, max(before_ns, until_ns))
            volume.hold(until_ns)
            return
        kelvin = volume.temperature_k or celsius_to_kelvin(self._site.air.temperature_c)
        change_pa = moved.kg * GAS_CONSTANT_J_KG_K * kelvin / volume.volume_m3
        if abs(change_pa) > (volume.pressure_pa or self._site.air.pressure_hpa * PA_PER_HPA):
            return  # nobody lets out more than there is, nor doubles what there is
        volume.expect(change_pa, over_s, now_ns, moved.gas)

    def step(self, now_ns: int, sound_since_ns: int | None) -> list[Happening]:
        """Judge, where a block of new values may be complete."""
        if now_ns < self._next_judgement_ns:
            return []
        self._next_judgement_ns = now_ns + STEP_NS
        since_s = None if sound_since_ns is None else (now_ns - sound_since_ns) / NS_PER_S
        heard = self._home()
        falling: list[tuple[PressureTrend, LeakSize]] = []
        for volume in self._volumes.values():
            volume.step(now_ns)
            asked_s = since_s if volume is heard and since_s is not None and since_s > 10.0 else None
            trend = volume.trend(asked_s)
            if trend is not None and trend.significant:
                if asked_s is not None:
                    volume.confirm()
                falling.append((trend, self._sized(volume, trend)))
        self._clear()
        if falling:
            self._carried = {rooms: leak for rooms, leak in self._carried.items() if not _has(falling, rooms)}
            trend, size = min(falling, key=lambda one: one[1].reserve_s.value)
            self._trend, self._believed_size = trend, size
            return self._news(trend, size)
        if self._trend is None or self._carried or self._unheard(now_ns):
            return []  # what was believed stands while nobody can say otherwise
        self._trend = self._believed_size = self._told = self._told_trend = None
        return [PressureSteady()]

    def _home(self) -> VolumeWatch:
        return next(volume for rooms, volume in self._volumes.items() if self._compartment in rooms)

    def _unheard(self, now_ns: int) -> bool:
        """Whether no barometer speaks."""
        return all(self._stale(name, now_ns) for name in self._last_pa)

    def _news(self, trend: PressureTrend, size: LeakSize) -> list[Happening]:
        """Worth telling: the first, a much sharper estimate, another volume, or one outside the told interval."""
        told, before = self._told, self._told_trend
        sharper = before is None or trend.fall.sigma_pa_s < SHARPENED * before.fall.sigma_pa_s
        moved = before is not None and before.rooms != trend.rooms
        changed = told is not None and _apart(told.rate_pa_s, size.rate_pa_s.value)
        if not (sharper or moved or changed):
            return []
        self._told, self._told_trend = size, trend
        return [PressureFalls(trend, size)]

    def _sized(self, volume: VolumeWatch, trend: PressureTrend) -> LeakSize:
        kelvin = volume.temperature_k or celsius_to_kelvin(self._site.air.temperature_c)
        return leak_size(trend.fall, volume.volume_m3, kelvin, self._size)

    def _regroup(self, now_ns: int, opened: bool | None) -> None:
        """New volumes where hatches now join or part compartments; the others go on as they are."""
        still_open = [hatch for hatch in self._site.hatches if self._open[hatch.name]]
        groups = {self._site.connected_compartments(room.name, still_open) for room in self._site.compartments}
        if groups == self._volumes.keys():
            return
        before, leaks = self._volumes, self._leaks()
        sizes = {room.name: room.volume_m3 for room in self._site.compartments}
        self._volumes = {
            rooms: before.get(rooms) or VolumeWatch({room: sizes[room] for room in rooms}, self._pressure)
            for rooms in sorted(groups, key=sorted)
        }
        self._carried = {}
        for rooms, volume in self._volumes.items():
            if rooms in before:
                continue
            if opened is not None:
                volume.hold(now_ns + s_to_ns(OPENED_SETTLES_S if opened else SHUT_SETTLES_S))
                volume.start_at(
                    max(((old.pressure_pa or 0.0) for was, old in before.items() if was & rooms), default=0.0)
                )
            into = [leak for was, leak in leaks.items() if was & rooms]
            if into:  # of rooms joined the leaks add up; of rooms parted each may have the whole of it
                self._carried[rooms] = _Carried(*(sum(getattr(leak, part) for leak in into) for part in _PARTS))

    def _leaks(self) -> dict[frozenset[str], _Carried]:
        """What each volume is known to lose, m3/s."""
        leaks = dict(self._carried)
        for rooms, volume in self._volumes.items():
            trend = volume.trend()
            if trend is not None and trend.significant:
                rate = leak_size(trend.fall, volume.volume_m3, 295.0, self._size).rate_pa_s
                pressure_pa = trend.fall.pressure_pa
                leaks[rooms] = _Carried(
                    *(conductance_m3_s(getattr(rate, part), pressure_pa, volume.volume_m3) for part in _PARTS)
                )
        return leaks

    def _clear(self) -> None:
        """Volumes that surely do not lose what was lost before a hatch moved are free of it."""
        for rooms in tuple(self._carried):
            volume, leak = self._volumes[rooms], self._carried[rooms]
            since = volume.rate_since_held()
            if since is None or volume.pressure_pa is None:
                continue
            expected = leak.value / volume.volume_m3 * volume.pressure_pa
            if since[0] + 2.0 * since[1] < CLEARED_SHARE * expected:
                del self._carried[rooms]

    def _stale(self, sensor: str, now_ns: int) -> bool:
        return now_ns - self._last_ns[sensor] > s_to_ns(STALE_S)


def _apart(told: Interval, value: float) -> bool:
    """Whether `value` lies outside the told interval, and by so much that people care."""
    return not told.low <= value <= told.high and abs(value - told.value) > WORTH_TELLING * told.value


_PARTS = ("value", "low", "high")


def _has(falling: list[tuple[PressureTrend, LeakSize]], rooms: frozenset[str]) -> bool:
    return any(trend.rooms == tuple(sorted(rooms)) for trend, _ in falling)
