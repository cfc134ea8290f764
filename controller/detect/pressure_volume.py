"""One connected volume: its barometers, thermometers and nitrogen sensors -> how its gas leaves, if it does.

Which compartments are connected, and what to do about a leak, are not known here.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure import Fall, PressureTrend, Settings
from controller.detect.pressure_gas import Cooling, ExpansionCooling, Thermometers
from controller.detect.pressure_inputs import SLOW_S, Inflow, SlowMean, quiet_of
from controller.detect.pressure_nitrogen import TO_TOTAL, NitrogenWatch
from controller.detect.pressure_quiet import REFERENCE_PA, Quiet
from controller.detect.pressure_series import Grain, LeakTest, Loss
from controller.detect.pressure_vote import Votes, log_pa
from firmware_bridge.units import NS_PER_S

BLOCK_NS = NS_PER_S
LAG_NS = NS_PER_S // 2  # what nodes may be late
QUICK_PERIOD_S = 15.0  # barometers slower than this have no quick test
MAX_WAITING = 4096  # blocks that may wait for their judgement; more come only of a clock gone wrong
QUICK_WALK_PA2_S = 0.09  # what a cabin's pressure does within minutes (equation 4)
QUICK_SIGMAS, QUICK_LEAST_PA, QUICK_OLDEST_S = 7.0, 8.0, 300.0
DAY_S = 86_400.0
MAX_INFLOWS = 32  # known at one time
WATCHES = 1500  # rows of single sensors that are remembered: a day of minutes


@dataclass(frozen=True, slots=True)
class _Row:
    """What everybody said at one time."""

    at_s: float
    value_pa: float
    by_sensor_pa: dict[str, float]


class VolumeWatch:
    """Follows one connected volume; feed it values in order of time, then `step`."""

    def __init__(self, volumes_m3: Mapping[str, float], settings: Settings, *, longest_s: float = DAY_S) -> None:
        """Rooms of the volume with their sizes; nothing is known yet. No fall is older than `longest_s`."""
        self._volumes_m3 = dict(volumes_m3)
        self._settings = settings
        self._votes = Votes(settings.disagree_pa)
        self._cooling = ExpansionCooling(settings.gas_settle_s)
        self._cooled = Cooling()
        self._thermometers = Thermometers(self._volumes_m3)
        quick = Quiet(wander_pa=0.0, walk_pa2_s=QUICK_WALK_PA2_S, orbit_pa=0.0, drift_pa_h=0.0, drift_sigma_pa_h=0.0)
        slow = quiet_of(settings, self.volume_m3)
        gap_s, settle_s = longest_s / 4, settings.gas_settle_s
        self._quick = LeakTest(
            Grain(quick, QUICK_SIGMAS, QUICK_LEAST_PA, QUICK_OLDEST_S, settle_s=settle_s, learns=False)
        )
        self._slow = LeakTest(Grain(slow, settings.threshold_sigmas, 0.0, longest_s, gap_s, settle_s))
        self._nitrogen = NitrogenWatch(settings, longest_s)
        self._waiting: dict[int, dict[str, list[float]]] = {}
        self._done_block = -1
        self._last_s: float | None = None
        self._mean: SlowMean | None = None
        self._quick_rows: deque[_Row] = deque(maxlen=int(QUICK_OLDEST_S) + 10)
        self._slow_rows: deque[_Row] = deque(maxlen=WATCHES)
        self._voters: tuple[str, ...] = ()
        self._newest: dict[str, float] = {}
        self._pressure_pa: float | None = None
        self._held_until_s = -math.inf
        self._holding = False
        self._inflows: list[Inflow] = []
        self._known_pa = self._known_nitrogen_pa = 0.0

    @property
    def rooms(self) -> frozenset[str]:
        """Names of the compartments."""
        return frozenset(self._volumes_m3)

    @property
    def volume_m3(self) -> float:
        """Of all together."""
        return sum(self._volumes_m3.values())

    @property
    def temperature_k(self) -> float | None:
        """Mean of the thermometers, where there are any."""
        return self._thermometers.mean_k

    @property
    def pressure_pa(self) -> float | None:
        """What the barometers agree on now."""
        return self._pressure_pa

    @property
    def complaints(self) -> tuple[tuple[str, str], ...]:
        """Barometers and sensors of nitrogen that are not believed, each with the reason."""
        return () if self._holding else (*self._votes.complaints, *self._nitrogen.complaints)

    def hold(self, until_ns: int) -> None:
        """Gas moves that is no leak: judge nothing until then, and begin anew."""
        self._held_until_s = max(self._held_until_s, until_ns / NS_PER_S)
        self._holding = True
        for test in (self._quick, self._slow, self._nitrogen):
            test.rebase()
        self._mean = None
        self._quick_rows.clear()
        self._slow_rows.clear()

    def start_at(self, pressure_pa: float) -> None:
        """What the pressure is before the first barometer of this volume has spoken."""
        if self._pressure_pa is None and pressure_pa > 0.0:
            self._pressure_pa = pressure_pa

    def expect(self, change_pa: float, over_s: float, now_ns: int, gas: str = "air") -> None:
        """Gas of which one knows comes in (positive) or goes out from now on, evenly, and is no leak."""
        relative_pa = change_pa * REFERENCE_PA / (self._pressure_pa or REFERENCE_PA)
        of_nitrogen_pa = relative_pa * TO_TOTAL.get(gas, 1.0)
        self._inflows = [flow for flow in self._inflows if not flow.over][-MAX_INFLOWS:]
        self._inflows.append(Inflow(now_ns / NS_PER_S, max(over_s, 1.0), relative_pa, of_nitrogen_pa))

    def take_pressure(self, sensor: str, time_ns: NDArray[np.int64], value_pa: NDArray[np.float64]) -> None:
        """Values of one barometer, Pa."""
        for at_ns, value in zip(time_ns.tolist(), value_pa.tolist(), strict=True):
            block = at_ns // BLOCK_NS
            self._newest[sensor] = value
            if block > self._done_block and len(self._waiting) < MAX_WAITING:
                self._waiting.setdefault(block, {}).setdefault(sensor, []).append(value)

    def take_temperature(
        self, sensor: str, room: str, time_ns: NDArray[np.int64], value_k: NDArray[np.float64]
    ) -> None:
        """Values of one thermometer, K."""
        for at_ns, value in zip(time_ns.tolist(), value_k.tolist(), strict=True):
            self._thermometers.take(sensor, room, at_ns, value, self._cooled.share * self._cooling.log_warming)

    def take_nitrogen(self, sensor: str, value_pa: NDArray[np.float64]) -> None:
        """Partial pressures of nitrogen, Pa; the newest counts."""
        self._nitrogen.take(sensor, float(value_pa[-1]))

    def step(self, now_ns: int) -> None:
        """Judge all blocks that are complete at `now_ns`."""
        last = (now_ns - LAG_NS) // BLOCK_NS - 1
        for block in sorted(block for block in self._waiting if block <= last):
            values = self._waiting.pop(block)
            self._done_block = max(self._done_block, block)
            self._take_block((block + 1) * BLOCK_NS / NS_PER_S, {n: sum(v) / len(v) for n, v in values.items()})

    def flush(self) -> None:
        """Judge the minute that has begun as if it were complete: nothing more will come."""
        mean, self._mean = self._mean, None
        if mean is not None:
            mean.given_to(self._slow)

    @property
    def roughness(self) -> float:
        """By how much this cabin is rougher than the settings say, at least 1."""
        return self._slow.roughness

    def trend(self, since_s: float | None = None) -> PressureTrend | None:
        """What is known now; a sound that began `since_s` ago asks for less."""
        if self._pressure_pa is None:
            return None
        slow = self._slow.loss if since_s is None else self._slow.since(since_s)
        quick = self._quick.loss
        if since_s is not None and since_s < QUICK_OLDEST_S and self._settings.confirm_sigmas < QUICK_SIGMAS:
            quick = self._quick.since(since_s)
        nitrogen = self._nitrogen.loss
        asked = self._settings.confirm_sigmas if since_s is not None else math.inf
        best: PressureTrend | None = None
        for loss, rows, of_nitrogen in (
            (quick, self._quick_rows, False),
            (slow, self._slow_rows, False),
            (nitrogen, self._slow_rows, True),
        ):
            if loss is None or not loss.loss_pa_s > 0.0:
                continue
            heard = not of_nitrogen and loss.continuing and loss.sigmas > asked
            trend = self._told(loss, rows, significant=loss.believed or heard, nitrogen=of_nitrogen)
            if best is None or _rank(trend) > _rank(best):
                best = trend
        return best

    def confirm(self) -> None:
        """A sound says the same: from now on the fall is followed as a leak."""
        for test in (self._slow, self._quick):
            loss = test.loss
            if loss is not None and loss.continuing and loss.sigmas > self._settings.confirm_sigmas:
                test.believe()
                return

    def rate_since_held(self) -> tuple[float, float] | None:
        """Loss and its sigma, Pa/s, if a leak was there all the time since judging began; None before."""
        loss = self._slow.since(math.inf)
        if loss is None or self._pressure_pa is None:
            return None
        scale = self._pressure_pa / REFERENCE_PA
        return loss.loss_pa_s * scale, loss.sigma_pa_s * scale

    def _take_block(self, now_s: float, values_pa: dict[str, float]) -> None:
        """One second's means of all barometers that spoke."""
        if self._holding and now_s >= self._held_until_s:
            # Rooms have equalised: where each barometer stands with the others is learned anew.
            self._holding = False
            self._votes = Votes(self._settings.disagree_pa)
            self._nitrogen.restart()
            self._cooling.restart()
        consensus = self._votes.take(now_s, {name: log_pa(value) for name, value in values_pa.items()})
        if consensus is None:
            return
        dt_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        self._voters = consensus.voters
        self._pressure_pa = REFERENCE_PA * math.exp(consensus.value_pa / REFERENCE_PA)
        expansion = self._cooling.take(consensus.value_pa / REFERENCE_PA, dt_s)
        self._cooled.take(expansion, self._thermometers.log_newest, dt_s)
        expansion_pa = REFERENCE_PA * self._cooled.share * expansion
        warmth_pa = REFERENCE_PA * self._thermometers.log_warming
        for flow in self._inflows:
            total_pa, nitrogen_pa = flow.by(now_s)
            self._known_pa += total_pa
            self._known_nitrogen_pa += nitrogen_pa
        if now_s < self._held_until_s:
            return
        value_pa = consensus.value_pa - expansion_pa - self._known_pa
        logged = {name: log_pa(value) for name, value in values_pa.items()}
        self._quick.step_pa = self._slow.step_pa = consensus.step_pa
        if dt_s <= QUICK_PERIOD_S:
            self._quick.take(now_s, value_pa, consensus.variance_pa2 + 0.01, warmth_pa, self._cooled.doubt)
            self._quick_rows.append(_Row(now_s, consensus.value_pa, logged))
            if self._quick.ended:  # what fell until now is no fall that goes on
                self._slow.rebase()
                self._nitrogen.rebase()
                self._mean = None
        if self._mean is not None and now_s - self._mean.start_s >= SLOW_S:
            self.flush()
            self._slow_rows.append(_Row(now_s, value_pa, logged))
        if self._mean is None:
            self._mean = SlowMean(now_s)
        self._mean.add(value_pa, warmth_pa, self._cooled.doubt, consensus.variance_pa2, averages=consensus.averages)
        self._nitrogen.step(now_s, expansion_pa + self._known_nitrogen_pa, warmth_pa, self._cooled.doubt)

    def _told(self, loss: Loss, rows: deque[_Row], *, significant: bool, nitrogen: bool) -> PressureTrend:
        scale = (self._pressure_pa or REFERENCE_PA) / REFERENCE_PA
        fall = Fall(loss.age_s, -loss.loss_pa_s * scale, loss.sigma_pa_s * scale, self._pressure_pa or 0.0)
        watched, agreeing = self._voters, self._agreeing(loss, rows)
        if nitrogen:
            sensors = self._nitrogen.voters
            watched, agreeing = (*sensors, *watched), (*sensors, *agreeing)
        rooms = tuple(sorted(self.rooms))
        return PressureTrend(fall, watched, agreeing, significant=significant, continuing=loss.continuing, rooms=rooms)

    def _agreeing(self, loss: Loss, rows: deque[_Row]) -> tuple[str, ...]:
        """Barometers that fell by themselves since it began, half as far as all together and as is believed."""
        if not rows:
            return ()
        last = rows[-1]
        began_s = last.at_s - loss.age_s
        first = next((row for row in rows if row.at_s >= began_s - 1.0), last)
        fallen_pa = max(first.value_pa - last.value_pa, loss.loss_pa_s * (last.at_s - first.at_s))
        return tuple(
            name
            for name in self._voters
            if name in first.by_sensor_pa
            and name in last.by_sensor_pa
            and fallen_pa > 0.0
            and first.by_sensor_pa[name] - last.by_sensor_pa[name] > 0.5 * fallen_pa
        )


def _rank(trend: PressureTrend) -> tuple[bool, float]:
    """A significant one first; of several the sharpest."""
    return trend.significant, (1.0 / trend.fall.sigma_pa_s if trend.significant else trend.fall.sigmas)
