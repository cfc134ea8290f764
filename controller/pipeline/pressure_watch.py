"""Follows the pressure of the volume connected to one compartment; says when it falls, how fast, and when no more."""

from dataclasses import replace

from controller.detect.pressure import BLOCK_NS, PressureHistory, PressureTrend, judge
from controller.detect.pressure import Settings as PressureSettings
from controller.measure.leak_size import LeakSize, leak_size
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.happenings import Happening, PressureFalls, PressureSteady
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, celsius_to_kelvin, s_to_ns

STALE_S = 30.0  # a barometer that has said nothing for so long is not read out as if it were now
PLAUSIBLE = {Quantity.PRESSURE: (100.0, 1e6), Quantity.TEMPERATURE: (150.0, 400.0)}  # Pa, K; else the sensor is dead
MAX_AHEAD_NS = 2 * NS_PER_S  # a value dated later than this was never measured then
SHARPENED = 0.7  # a rate whose sigma shrank to this share is news


class PressureWatch:
    """Barometers and thermometers of one connected volume; others know another gas and are not asked."""

    def __init__(self, site: Site, compartment: str, pressure: PressureSettings, size: SizeSettings) -> None:
        """Start without history."""
        self._site = site
        self._rooms = site.connected_compartments(compartment)
        self._volume_m3 = site.connected_volume_m3(compartment)
        self._pressure = pressure
        self._size = size
        self._histories: dict[str, PressureHistory] = {}
        self._trend: PressureTrend | None = None
        self._implausible: dict[str, float] = {}
        self._told: LeakSize | None = None
        self._told_sigma_pa_s = float("inf")
        self._next_judgement_ns = 0

    @property
    def trend(self) -> PressureTrend | None:
        """The fall that is believed, if any."""
        return self._trend

    @property
    def size(self) -> LeakSize | None:
        """What that fall says of the leak."""
        if self._trend is None:
            return None
        return leak_size(self._trend.fall, self._volume_m3, self.temperature_k, self._size)

    @property
    def temperature_k(self) -> float:
        """Mean of the thermometers, else what the site file says."""
        known = [h.temperature_k for h in self._histories.values() if h.temperature_k is not None]
        return sum(known) / len(known) if known else celsius_to_kelvin(self._site.air.temperature_c)

    def readings_pa(self, now_ns: int) -> dict[str, float]:
        """The newest pressure of each sensor that speaks."""
        return {
            name: history.last_pa
            for name, history in self._histories.items()
            if history.last_pa is not None and not self._stale(history, now_ns)
        }

    def poor(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """Sensors that do not serve, each with the reason."""
        silent = [name for name, history in self._histories.items() if self._stale(history, now_ns)]
        return (
            *((name, f"says {value:g}, which no cabin has: not used") for name, value in self._implausible.items()),
            *((name, "was heard and is silent now") for name in silent if name not in self._implausible),
        )

    def take(self, now_ns: int, block: ScalarBlock) -> None:
        """Pressure or temperature; values that no cabin has, or dated ahead of now, are not believed."""
        node = self._site.node(block.node)
        if node.compartment not in self._rooms or block.quantity not in PLAUSIBLE:
            return
        low, high = PLAUSIBLE[block.quantity]
        sane = (block.value >= low) & (block.value <= high)
        if sane.all():
            self._implausible.pop(block.sensor, None)
        else:
            self._implausible[block.sensor] = float(block.value[~sane][0])
        usable = sane & (block.time_ns <= now_ns + MAX_AHEAD_NS)
        if not usable.any():
            return
        block = replace(block, time_ns=block.time_ns[usable], value=block.value[usable])
        if block.quantity is Quantity.PRESSURE:
            self._history(block.sensor).take_pressure(block)
        elif block.quantity is Quantity.TEMPERATURE:
            for sensor in node.of_quantity(Quantity.PRESSURE):
                self._history(sensor.name).take_temperature(block)

    def step(self, now_ns: int, sound_since_ns: int | None) -> list[Happening]:
        """Judge, where a block of new values may be complete."""
        if now_ns < self._next_judgement_ns:
            return []
        self._next_judgement_ns = now_ns + BLOCK_NS
        fresh = {name: h for name, h in self._histories.items() if not self._stale(h, now_ns)}
        trends = [judge(fresh, self._pressure)]
        since_s = 0.0 if sound_since_ns is None else (now_ns - sound_since_ns) / NS_PER_S
        if since_s > 2 * BLOCK_NS / NS_PER_S:
            trends.insert(0, judge(fresh, self._pressure, since_s=since_s))
        known = [trend for trend in trends if trend is not None]
        if not known:
            return []  # nobody speaks: what was believed stands
        significant = next((trend for trend in known if trend.significant), None)
        if significant is not None:
            self._trend = significant
            return self._news(significant)
        # Once believed, a fall is given up only when it is far from significant: no chatter at the threshold.
        if self._trend is None:
            return []
        best = known[0]
        if best.continuing and best.fall.sigmas > self._pressure.confirm_sigmas / 2:
            self._trend = best
            return []
        self._trend, self._told, self._told_sigma_pa_s = None, None, float("inf")
        return [PressureSteady()]

    def _news(self, trend: PressureTrend) -> list[Happening]:
        """Worth telling: the first, a much sharper estimate, or one outside the interval that was told."""
        size = self.size
        if size is None:
            return []
        sharper = trend.fall.sigma_pa_s < SHARPENED * self._told_sigma_pa_s
        told = self._told.rate_pa_s if self._told else None
        changed = told is not None and not told.low <= size.rate_pa_s.value <= told.high
        if not sharper and not changed:
            return []
        self._told, self._told_sigma_pa_s = size, trend.fall.sigma_pa_s
        return [PressureFalls(trend, size)]

    def _stale(self, history: PressureHistory, now_ns: int) -> bool:
        return history.newest_ns is not None and now_ns - history.newest_ns > BLOCK_NS + s_to_ns(STALE_S)

    def _history(self, sensor: str) -> PressureHistory:
        return self._histories.setdefault(sensor, PressureHistory(self._pressure))
