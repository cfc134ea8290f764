"""Asks for quiet while pressure says leak and machines drown it out; what to silence is thought out in isolate."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.detect.onset import Loudness
from controller.detect.pressure import PressureTrend
from controller.isolate.quiet_window import Listening, QuietWindow, quiet_window
from controller.localize.verdict import Fix, NoFix, Reason, Verdict
from controller.measure.leak_size import LeakSize
from controller.pipeline.happenings import Happening, QuietAsked, QuietOver
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns

DROWNED_NS = 60 * NS_PER_S  # sound has failed for so long before anybody is asked for quiet
QUIET_AGAIN_NS = 1800 * NS_PER_S  # and is not asked again before
_DEAF = frozenset({Reason.EQUIPMENT, Reason.TOO_QUIET})


@dataclass(frozen=True, slots=True)
class Heard:
    """What sound says now. `listening` is false while the noise floor is still being learned."""

    verdict: Verdict | None
    sounding: bool
    listening: bool
    loudness: Mapping[str, Loudness]
    period_s: float
    burst_s: float


class QuietWatch:
    """The quiet that is asked for in one compartment: `window` while it lasts."""

    def __init__(self, site: Site, compartment: str) -> None:
        """Nothing is asked for."""
        self._site = site
        self._compartment = compartment
        self.window: QuietWindow | None = None
        self._deaf_since_ns: int | None = None
        self._until_ns = 0
        self._next_ns = 0

    def step(self, now_ns: int, trend: PressureTrend | None, size: LeakSize | None, heard: Heard) -> list[Happening]:
        """Ask for quiet while pressure says leak and sound cannot place it; give it back when time is up or it can."""
        found = isinstance(heard.verdict, Fix) and heard.sounding
        if self.window is not None:
            if now_ns < self._until_ns and not found and trend is not None:
                return []
            over, self.window = self.window, None
            return [QuietOver(over.equipment, found=found)]
        verdict = heard.verdict
        deaf = isinstance(verdict, NoFix) and verdict.reason in _DEAF
        silent = verdict is None and heard.listening and not heard.sounding
        if trend is None or not (deaf or silent):
            self._deaf_since_ns = None
            return []
        if self._deaf_since_ns is None:
            self._deaf_since_ns = now_ns
        if now_ns - self._deaf_since_ns < DROWNED_NS or now_ns < self._next_ns:
            return []
        asked = self._window(trend, size, heard)
        self._next_ns = now_ns + QUIET_AGAIN_NS
        if asked is None:
            return []
        self.window, self._until_ns = asked, now_ns + s_to_ns(asked.duration_s)
        self._next_ns += s_to_ns(asked.duration_s)
        return [QuietAsked(asked)]

    def _window(self, trend: PressureTrend, size: LeakSize | None, heard: Heard) -> QuietWindow | None:
        arrays = [
            self._site.microphones_m(node).mean(axis=0)
            for node in self._site.nodes
            if node.compartment == self._compartment and node.of_quantity(Quantity.ULTRASOUND)
        ]
        middles = tuple((float(x), float(y), float(z)) for x, y, z in arrays)
        listening = Listening(self._compartment, middles, heard.burst_s, heard.period_s)
        conductance = None
        if size is not None:
            conductance = size.rate_pa_s.value * size.connected_volume_m3 / trend.fall.pressure_pa
        suspects = [c.position_m for c in heard.verdict.candidates] if isinstance(heard.verdict, NoFix) else []
        return quiet_window(self._site.machines, listening, conductance, suspects)
