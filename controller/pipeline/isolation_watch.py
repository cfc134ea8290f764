"""Follows hatches and volumes for the search by hatches, and asks for quiet where machines drown a leak out.

What is advised is thought out in `controller/isolate`; relays are moved by tasking alone, as `wanted` says.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from controller.detect.pressure import PressureTrend
from controller.isolate.advice import Advice, Step
from controller.isolate.adviser import Adviser, Situation
from controller.isolate.belief import Floats
from controller.isolate.falls import Drop
from controller.isolate.hatches import HatchBoard, Source, Stand
from controller.isolate.hearsay import no_evidence, silence_evidence, size_evidence
from controller.isolate.reserve_time import VolumeReserve
from controller.isolate.settings import Settings
from controller.isolate.station import station_of
from controller.isolate.watching import BLOCK_NS, Watch
from controller.localize.verdict import Fix
from controller.measure.leak_size import TWO_SIDED_95, LeakSize
from controller.pipeline.events import HatchMoved, QuietRequest, SearchAsked
from controller.pipeline.happenings import Happening, HatchStands, IsolationAdvised
from controller.pipeline.quiet_watch import Heard, QuietWatch
from controller.quiet.window import QuietWindow
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.site.fittings import Equipment
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns

MAX_AHEAD_NS = 2 * NS_PER_S  # a value dated later than this was never measured then
PLAUSIBLE = {Quantity.PRESSURE: (100.0, 1e6), Quantity.PP_NITROGEN: (100.0, 1e6), Quantity.TEMPERATURE: (150.0, 400.0)}
TELL_AGAIN_NS = 300 * NS_PER_S  # the same advice, with what was learned since
FORGET_NS = 6 * 3600 * NS_PER_S  # hatches as usual and nothing suspected for so long end a search
TOO_OFTEN = "says again and again that hatch {hatch} moves: not believed until it stays the same for 10 min"
DISTRUST_NS = 3600 * NS_PER_S  # a barometer that parted from its neighbours has no voice for so long, shut off or not


class IsolationWatch:
    """The search by hatches for one site, whose sound is listened to in one compartment."""

    def __init__(self, site: Site, compartment: str, settings: Settings, limit_pa: float) -> None:
        """Hatches as they normally stand, nothing to search for; people have to leave at `limit_pa`."""
        self._site = site
        self._compartment = compartment
        self._settings = settings
        self._station = station_of(site)
        self._searchable = len(self._station.rooms) > 1 and bool(self._station.passages)
        self._adviser = Adviser(self._station, settings, limit_pa)
        self._board = HatchBoard(self._station)
        self._watch = Watch()
        self._settled_ns = 0
        self._difference_pa: dict[str, float] = {}  # of watches that are over
        self._asked: bool | None = None
        self._calm_since_ns: int | None = None
        self._advice: Advice | None = None
        self._told_ns = 0
        self._moved: list[Happening] = []
        self._next_ns = 0
        self._distrusted_until_ns: dict[str, int] = {}
        self._quiet = QuietWatch(site, compartment)

    @property
    def advice(self) -> Advice | None:
        """What the search advises now."""
        return self._advice

    @property
    def quiet(self) -> QuietWindow | None:
        """The quiet that is asked for now."""
        return self._quiet.window

    @property
    def hatches(self) -> Mapping[str, Stand]:
        """How every hatch stands, and how that is known."""
        return dict(self._board.stands)

    def poor(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """Sensors that say too often that a hatch moved, each with the reason; and hatches of which people say so."""
        sensors = {s.hatch: s.name for node in self._site.nodes for s in node.of_quantity(Quantity.HATCH)}
        return tuple(
            (sensors.get(hatch) or hatch if source is Source.SENSOR else hatch, TOO_OFTEN.format(hatch=hatch))
            for hatch, source in self._board.chattering(now_ns)
        )

    @property
    def wanted(self) -> Mapping[Equipment, bool]:
        """Relays that are to be on or off now; of all others nothing is asked."""
        wanted: dict[Equipment, bool] = {}
        if self._settings.command_quiet:
            off = () if self.quiet is None else self.quiet.commanded
            for machine in self._site.machines:
                if machine.commanded and machine.switch is not None:
                    wanted[machine.switch] = wanted.get(machine.switch, True) and machine.name not in off
        moves = self._advice.moves if self._advice is not None else ()
        if self._settings.command_hatches and moves and moves[0].by_motor and not moves[0].equalise:
            motor = next((hatch.motor for hatch in self._site.hatches if hatch.name == moves[0].hatch), None)
            if motor is not None:
                wanted[motor] = moves[0].opens
        return wanted

    def take(self, now_ns: int, block: ScalarBlock) -> None:
        """Pressures, temperatures, nitrogen and hatch sensors; values that cannot be are left out."""
        node = self._site.node(block.node)
        if block.quantity is Quantity.HATCH:
            sensor = next((s for s in node.of_quantity(Quantity.HATCH) if s.name == block.sensor), None)
            share = float(block.value[-1])
            if sensor is not None and sensor.hatch is not None and np.isfinite(share):
                self._note(now_ns, sensor.hatch, self._board.sense(now_ns, sensor.hatch, share))
            return
        if block.quantity not in PLAUSIBLE:
            return
        low, high = PLAUSIBLE[block.quantity]
        usable = (block.value >= low) & (block.value <= high) & (block.time_ns <= now_ns + MAX_AHEAD_NS)
        for time_ns, value in zip(block.time_ns[usable].tolist(), block.value[usable].tolist(), strict=True):
            if block.quantity is Quantity.TEMPERATURE:
                for one in node.sensors:
                    if one.quantity in {Quantity.PRESSURE, Quantity.PP_NITROGEN}:
                        inert = one.quantity is Quantity.PP_NITROGEN
                        self._watch.take_temperature(one.name, node.compartment, time_ns, value, inert=inert)
            else:
                inert = block.quantity is Quantity.PP_NITROGEN
                self._watch.take_pressure(block.sensor, node.compartment, time_ns, value, inert=inert)

    def hatch_moved(self, now_ns: int, moved: HatchMoved, source: Source = Source.OPERATOR) -> None:
        """Somebody says how a hatch stands, or a motor has done as it was told."""
        self._note(now_ns, moved.hatch, self._board.told(now_ns, moved.hatch, shut=not moved.open, source=source))

    def switched(self, now_ns: int, relay: Equipment, *, on: bool) -> None:
        """A relay did as tasking told it; where it is a hatch's motor, the hatch has moved so."""
        hatch = next((hatch for hatch in self._site.hatches if hatch.motor == relay), None)
        if hatch is not None:
            self.hatch_moved(now_ns, HatchMoved(hatch.name, on), Source.COMMAND)

    def search_asked(self, asked: SearchAsked) -> None:
        """A person begins a search, or ends it: what was learned is then forgotten."""
        self._asked = True if asked.on else None
        if not asked.on:
            self._adviser.forget()
            self._advice = None

    def quiet_asked(
        self, now_ns: int, asked: QuietRequest, trend: PressureTrend | None, size: LeakSize | None, heard: Heard
    ) -> list[Happening]:
        """A person announces quiet, or ends it."""
        return self._quiet.asked(now_ns, asked, trend, size, heard)

    def step(
        self,
        now_ns: int,
        trend: PressureTrend | None,
        size: LeakSize | None,
        reserves: tuple[VolumeReserve, ...],
        heard: Heard,
        distrusted: Iterable[str] = (),
    ) -> list[Happening]:
        """Think, where new blocks of pressure may be complete; tell what is new. `distrusted` are barometers."""
        self._distrusted_until_ns |= dict.fromkeys(distrusted, now_ns + DISTRUST_NS)
        told, self._moved = self._moved, []
        told += self._quiet.step(now_ns, trend, size, heard)
        if now_ns < self._next_ns or not self._searchable:
            return told
        self._next_ns = now_ns + BLOCK_NS
        self._settle(now_ns)
        advice = self._think(now_ns, trend, size, reserves, heard)
        before, self._advice = self._advice, advice
        self._forget_when_calm(now_ns, suspected=trend is not None)
        if advice is None:
            return told
        news = before is None or advice.news != before.news
        if news or (advice.step is Step.WATCH and now_ns - self._told_ns >= TELL_AGAIN_NS):
            self._told_ns = now_ns
            told.append(IsolationAdvised(advice))
        return told

    # ------------------------------------------------------------------ hatches and volumes

    def _note(self, now_ns: int, hatch: str, moved: bool) -> None:
        if not moved:
            return
        self._difference_pa = self._differences(now_ns)
        stand = self._board.stands[hatch]
        if not stand.shut:
            self._difference_pa.pop(hatch, None)
        self._watch.end()
        self._settled_ns = now_ns + s_to_ns(self._settings.settle_s)
        self._next_ns = now_ns
        self._moved.append(HatchStands(hatch, open=not stand.shut, source=stand.source.name.lower()))

    def _settle(self, now_ns: int) -> None:
        if now_ns >= self._settled_ns and not self._watch.watching:
            self._watch.begin(now_ns)

    def _differences(self, now_ns: int) -> dict[str, float]:
        """What stands across each shut hatch by now, as far as barometers on both sides tell, Pa."""
        _, drops = self._drops(now_ns)
        parts = self._station.parts(self._board.shut)
        dropped: dict[str, float] = {}
        for part in parts:
            seen = [drop.drop_pa for drop in drops if drop.barometer.room in part and not drop.barometer.inert]
            if seen:
                dropped |= dict.fromkeys(part, float(np.median(seen)))
        differences = dict(self._difference_pa)
        for name in self._board.shut - self._station.normally_shut:
            one, other = self._station.passage[name].between
            if one in dropped and other in dropped:
                differences[name] = differences.get(name, 0.0) + dropped[other] - dropped[one]
        return {name: value for name, value in differences.items() if name in self._board.shut}

    def _think(
        self,
        now_ns: int,
        trend: PressureTrend | None,
        size: LeakSize | None,
        reserves: tuple[VolumeReserve, ...],
        heard: Heard,
    ) -> Advice | None:
        usual = self._board.shut == self._station.normally_shut
        if isinstance(heard.verdict, Fix) and heard.sounding and usual and self._asked is None:
            return None  # sound tells the place: nobody needs to shut hatches to find it
        watched_s, drops = self._drops(now_ns)
        barometers = tuple(b for b in self._watch.barometers(now_ns) if self._trusted(b.name, now_ns))
        total = [barometer.pressure_pa for barometer in barometers if not barometer.inert]
        if not total:
            return None  # nobody can watch
        with_people = [one.reserve_s.value for one in reserves if self._station.crewed(frozenset(one.rooms))]
        situation = Situation(
            shut=self._board.shut,
            watched_s=watched_s,
            drops=drops,
            barometers=barometers,
            pressure_pa=float(np.median(total)),
            difference_pa=self._differences(now_ns),
            suspected=trend is not None or bool(self._asked),
            reserve_s=min(with_people, default=None),
            sound=self._sound(heard, suspected=trend is not None),
            size=self._size(trend, size),
        )
        return self._adviser.step(now_ns, situation)

    def _trusted(self, name: str, now_ns: int) -> bool:
        return now_ns >= self._distrusted_until_ns.get(name, 0)

    def _drops(self, now_ns: int) -> tuple[float, tuple[Drop, ...]]:
        watched_s, drops = self._watch.drops(now_ns)
        return watched_s, tuple(drop for drop in drops if self._trusted(drop.barometer.name, now_ns))

    def _sound(self, heard: Heard, *, suspected: bool) -> Floats:
        rooms = self._station.rooms
        if suspected and heard.listening and not heard.sounding and heard.verdict is None and self.quiet is None:
            return silence_evidence(rooms, [self._compartment])
        return no_evidence(rooms)

    def _size(self, trend: PressureTrend | None, size: LeakSize | None) -> Floats | None:
        if trend is None or size is None or not trend.rooms or not trend.fall.pressure_pa > 0.0:
            return None
        per_pa = size.connected_volume_m3 / trend.fall.pressure_pa
        wide_pa_s = (size.rate_pa_s.high - size.rate_pa_s.low) / (2.0 * TWO_SIDED_95)
        conductance = size.rate_pa_s.value * per_pa
        return size_evidence(self._station.rooms, trend.rooms, conductance, wide_pa_s * per_pa)

    def _forget_when_calm(self, now_ns: int, *, suspected: bool) -> None:
        if suspected or self._asked or self._board.shut != self._station.normally_shut:
            self._calm_since_ns = None
            return
        if self._calm_since_ns is None:
            self._calm_since_ns = now_ns
        if now_ns - self._calm_since_ns >= FORGET_NS:
            self._adviser.forget()
            self._advice, self._calm_since_ns = None, now_ns
