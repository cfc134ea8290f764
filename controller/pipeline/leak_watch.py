"""Follows what speaks for a leak in one compartment: sound, place, pressure; says what changed."""

import math
from dataclasses import dataclass, field

from controller.alarm.policy import LeakEvidence
from controller.detect.onset import Loudness, OnsetDetector
from controller.detect.onset import Settings as OnsetSettings
from controller.detect.pressure import BLOCK_NS, PressureHistory, PressureTrend, judge
from controller.detect.pressure import Settings as PressureSettings
from controller.localize.locate import LocateJob
from controller.localize.track import Track
from controller.localize.verdict import Fix, NoFix, Verdict
from controller.measure.captures import Capture
from controller.measure.coherence import coherent_groups
from controller.measure.cross_spectra import SpectraAccumulator
from controller.measure.leak_size import LeakSize, leak_size
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.happenings import (
    Happening,
    Learned,
    Located,
    PressureFalls,
    PressureSteady,
    SoundOnset,
    SoundOver,
)
from firmware_bridge.samples import ScalarBlock, WaveBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, celsius_to_kelvin, s_to_ns

FORGETTING = 0.97  # of the spectra a burst: a leak that grows or moves is followed within some thirty bursts
TELL_AGAIN_S = 30.0
MOVED_RADII = 1.0  # of the 95 % region; less is no news
SHARPENED = 0.7  # a rate whose sigma shrank to this share is news


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the rooms that are watched here."""

    onset: OnsetSettings = field(default_factory=OnsetSettings)
    pressure: PressureSettings = field(default_factory=PressureSettings)
    size: SizeSettings = field(default_factory=SizeSettings)
    sound_memory_s: float = 30.0  # sound that pauses for less is still the same leak


class LeakWatch:
    """Evidence for leaks in the compartment that the array nodes hear, and in the volume connected to it."""

    def __init__(self, site: Site, compartment: str, settings: Settings) -> None:
        """Start without a noise floor."""
        self._site = site
        self._settings = settings
        self._groups = coherent_groups(site, compartment)
        self._array_nodes = tuple(sorted({node for group in self._groups for node in group.nodes}))
        self._volume_m3 = site.connected_volume_m3(compartment)
        self._onset = OnsetDetector(settings.onset)
        self._loudness: dict[str, Loudness] = {}
        self._baseline = [SpectraAccumulator(group) for group in self._groups]
        self._spectra = [SpectraAccumulator(group, FORGETTING) for group in self._groups]
        self._histories: dict[str, PressureHistory] = {}
        self._track = Track()
        self._verdict: Verdict | None = None
        self._told: tuple[Verdict, int] | None = None
        self._trend: PressureTrend | None = None
        self._told_sigma = float("inf")
        self._learned = False
        self._sound_since_ns: int | None = None
        self._first_loud_ns: int | None = None
        self._last_loud_ns = 0
        self._loud_nodes: tuple[str, ...] = ()
        self._next_judgement_ns = 0
        self._new_spectra = False

    # ---- evidence as it stands

    @property
    def alert(self) -> bool:
        """Whether listening more often is worth its price."""
        return bool(self._first_loud_ns) or self._trend is not None

    @property
    def learned(self) -> bool:
        """Whether the noise floor is known."""
        return self._learned

    @property
    def verdict(self) -> Verdict | None:
        """The tracked fix, else the last verdict, while there is something to locate."""
        return self._track.fix or self._verdict

    @property
    def trend(self) -> PressureTrend | None:
        """The significant fall of pressure, if any."""
        return self._trend

    @property
    def size(self) -> LeakSize | None:
        """What the fall of pressure says of the leak."""
        if self._trend is None:
            return None
        return leak_size(self._trend.fall, self._volume_m3, self.temperature_k, self._settings.size)

    @property
    def loudness(self) -> dict[str, Loudness]:
        """The last judgement on each array node's bursts."""
        return dict(self._loudness)

    @property
    def pressures_pa(self) -> dict[str, float]:
        """The newest pressure of each sensor."""
        return {name: h.last_pa for name, h in self._histories.items() if h.last_pa is not None}

    @property
    def temperature_k(self) -> float:
        """Mean of the thermometers, else what the site file says."""
        known = [h.temperature_k for h in self._histories.values() if h.temperature_k is not None]
        return sum(known) / len(known) if known else celsius_to_kelvin(self._site.air.temperature_c)

    def evidence(self) -> LeakEvidence:
        """For the alarm policy."""
        loud = self._loud_nodes if self._sound_since_ns is not None else ()
        told = self._told[0] if loud and self._told is not None else None  # a place that jitters would be news for ever
        return LeakEvidence(loud, told, self._trend, self.size)

    # ---- what comes in

    def take_scalars(self, block: ScalarBlock) -> None:
        """Pressure or temperature."""
        if block.quantity is Quantity.PRESSURE:
            self._history(block.sensor).take_pressure(block)
        elif block.quantity is Quantity.TEMPERATURE:
            for sensor in self._site.node(block.node).of_quantity(Quantity.PRESSURE):
                self._history(sensor.name).take_temperature(block)

    def take_burst(self, block: WaveBlock) -> None:
        """Judge one burst's loudness; bursts with gaps would look quiet and are left out."""
        if block.missing:
            return
        loudness = self._onset.hear(block)
        if loudness is None:
            return
        self._loudness[block.node] = loudness
        if loudness.above_floor:
            self._first_loud_ns = self._first_loud_ns or loudness.time_ns
            self._last_loud_ns = max(self._last_loud_ns, loudness.time_ns)

    def take_capture(self, capture: Capture) -> None:
        """All bursts of one instant: they belong to the baseline while learning, to the leak while there is sound."""
        if not self._learned:
            for accumulator in self._baseline:
                accumulator.add(capture)
        elif self._sound_since_ns is not None:
            for accumulator in self._spectra:
                accumulator.add(capture)
            self._new_spectra = True

    def take_verdict(self, now_ns: int, verdict: Verdict) -> list[Happening]:
        """A job came back."""
        if self._sound_since_ns is None:
            return []
        self._verdict = verdict
        if isinstance(verdict, Fix):
            self._track.take(verdict)
        current = self.verdict
        if current is None or not self._is_news(now_ns, current):
            return []
        self._told = (current, now_ns)
        return [Located(current)]

    def node_gone(self, node: str) -> None:
        """A lost node's last words are no evidence."""
        self._onset.forget(node)
        self._loudness.pop(node, None)

    # ---- what follows

    def step(self, now_ns: int, delivering: frozenset[str]) -> list[Happening]:
        """Draw the conclusions that are due."""
        happenings: list[Happening] = []
        if not self._learned:
            heard = [node for node in self._array_nodes if node in delivering]
            if heard and all(self._onset.learned(node) for node in heard):
                self._learned = True
                happenings.append(Learned(tuple(heard)))
        happenings += self._follow_sound(now_ns)
        if now_ns >= self._next_judgement_ns:
            self._next_judgement_ns = now_ns + BLOCK_NS
            happenings += self._follow_pressure(now_ns)
        return happenings

    def next_job(self) -> LocateJob | None:
        """Work for the locator, where new sound has come since the last."""
        if not self._new_spectra:
            return None
        self._new_spectra = False
        snapshots = [
            (now.snapshot(), before.snapshot()) for now, before in zip(self._spectra, self._baseline, strict=True)
        ]
        known = [(now, before) for now, before in snapshots if now is not None]
        return LocateJob(tuple(now for now, _ in known), tuple(before for _, before in known), self.temperature_k)

    def _follow_sound(self, now_ns: int) -> list[Happening]:
        above = self._onset.nodes_above
        if above and self._sound_since_ns is None:
            self._sound_since_ns = self._first_loud_ns or now_ns
            self._loud_nodes = above
            loudest = max(
                (self._loudness[node] for node in above if node in self._loudness), key=lambda x: x.rise_sigmas
            )
            return [SoundOnset(above, loudest.rise_db, loudest.rise_sigmas, self._sound_since_ns)]
        if above:
            self._loud_nodes = tuple(sorted({*self._loud_nodes, *above}))
        silent = now_ns - self._last_loud_ns > s_to_ns(self._settings.sound_memory_s)
        if not silent or self._first_loud_ns is None:
            return []
        was_onset, nodes = self._sound_since_ns is not None, self._loud_nodes
        self._sound_since_ns = self._first_loud_ns = None
        self._loud_nodes, self._verdict, self._told = (), None, None
        self._track.forget()
        self._spectra = [SpectraAccumulator(group, FORGETTING) for group in self._groups]
        return [SoundOver(nodes)] if was_onset else []

    def _follow_pressure(self, now_ns: int) -> list[Happening]:
        since_s = None if self._sound_since_ns is None else (now_ns - self._sound_since_ns) / NS_PER_S
        trends = [judge(self._histories, self._settings.pressure)]
        if since_s is not None and since_s > 2 * BLOCK_NS / NS_PER_S:
            trends.insert(0, judge(self._histories, self._settings.pressure, since_s=since_s))
        significant = next((trend for trend in trends if trend is not None and trend.significant), None)
        if significant is None:
            # Once believed, a fall is given up only when it is far from significant: no chatter at the threshold.
            best = next((trend for trend in trends if trend is not None), None)
            if self._trend is None or (
                best is not None and best.fall.sigmas > self._settings.pressure.confirm_sigmas / 2
            ):
                self._trend = best if self._trend is not None and best is not None else self._trend
                return []
            self._trend, self._told_sigma = None, float("inf")
            return [PressureSteady()]
        self._trend = significant
        size = self.size
        if size is None or significant.fall.sigma_pa_s > SHARPENED * self._told_sigma:
            return []
        self._told_sigma = significant.fall.sigma_pa_s
        return [PressureFalls(significant, size)]

    def _is_news(self, now_ns: int, verdict: Verdict) -> bool:
        if self._told is None:
            return True
        before, told_ns = self._told
        if type(before) is not type(verdict) or now_ns - told_ns > s_to_ns(TELL_AGAIN_S):
            return True
        if isinstance(before, Fix) and isinstance(verdict, Fix):
            moved_m = math.dist(before.position_m, verdict.position_m)
            return moved_m > MOVED_RADII * before.radius95_m
        return isinstance(before, NoFix) and isinstance(verdict, NoFix) and before.reason is not verdict.reason

    def _history(self, sensor: str) -> PressureHistory:
        return self._histories.setdefault(sensor, PressureHistory(self._settings.pressure))
