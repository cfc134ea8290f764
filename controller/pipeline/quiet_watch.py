"""Asks for quiet while pressure says leak and machines drown it out; what to silence is thought out in isolate."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.detect.onset import Loudness
from controller.detect.pressure import PressureTrend
from controller.localize.verdict import Fix, NoFix, Reason, Verdict
from controller.measure.leak_size import LeakSize
from controller.pipeline.events import EndQuiet, QuietRequest
from controller.pipeline.happenings import Happening, QuietAnswer, QuietAsked, QuietOver
from controller.quiet.search import QuietHeard
from controller.quiet.telling import in_words
from controller.quiet.window import Listening, QuietWindow, announced_window, quiet_window
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, PA_PER_HPA, Quantity, s_to_ns

DROWNED_NS = 60 * NS_PER_S  # sound has failed for so long before anybody is asked for quiet
QUIET_AGAIN_NS = 1800 * NS_PER_S  # and is not asked again before
_DEAF = frozenset({Reason.EQUIPMENT, Reason.TOO_QUIET})


@dataclass(frozen=True, slots=True)
class Heard:
    """What sound says now. `listening` is false while the noise floor is still being learned.

    `quiet` is what the window that is on has shown so far.
    """

    verdict: Verdict | None
    sounding: bool
    listening: bool
    loudness: Mapping[str, Loudness]
    period_s: float
    burst_s: float
    quiet: QuietHeard | None = None


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
        self._announced = False  # by a person: it lasts as long as they said

    def step(self, now_ns: int, trend: PressureTrend | None, size: LeakSize | None, heard: Heard) -> list[Happening]:
        """Ask for quiet while pressure says leak and sound cannot place it; give it back when time is up or it can."""
        found = (isinstance(heard.verdict, Fix) and heard.sounding) or (heard.quiet is not None and heard.quiet.found)
        if self.window is not None:
            if now_ns < self._until_ns and (self._announced or (not found and trend is not None)):
                return []
            over, self.window = self.window, None
            return [self._over(over, trend, heard, found=found)]
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
        self.window, self._until_ns, self._announced = asked, now_ns + s_to_ns(asked.duration_s), False
        self._next_ns += s_to_ns(asked.duration_s)
        return [QuietAsked(asked)]

    def asked(
        self, now_ns: int, request: QuietRequest, trend: PressureTrend | None, size: LeakSize | None, heard: Heard
    ) -> list[Happening]:
        """Begin or end quiet because a person says so; a new window takes the place of one that is on."""
        if isinstance(request, EndQuiet):
            over, self.window = self.window, None
            if over is None:
                return [QuietAnswer(request, False, "no quiet was asked for or announced")]
            found = heard.quiet is not None and heard.quiet.found
            return [self._over(over, trend, heard, found=found), QuietAnswer(request, True, "the quiet is over")]
        known = {machine.name for machine in self._site.machines}
        unknown = [name for name in request.equipment if name not in known]
        if unknown:
            listed = ", ".join(sorted(known)) or "none"
            return [QuietAnswer(request, False, f"there is no equipment {unknown[0]!r}; known is {listed}")]
        conductance = self._conductance(trend, size)
        window = announced_window(
            self._site.machines, self._listening(heard), request.equipment, request.duration_s, request.by, conductance
        )
        self.window, self._until_ns, self._announced = window, now_ns + s_to_ns(request.duration_s), True
        self._next_ns = max(self._next_ns, self._until_ns + QUIET_AGAIN_NS)
        return [QuietAsked(window), QuietAnswer(request, True, f"quiet for {request.duration_s / 60:.3g} min")]

    def _over(self, window: QuietWindow, trend: PressureTrend | None, heard: Heard, *, found: bool) -> QuietOver:
        told = ""
        if heard.quiet is not None:
            pressure_pa = self._site.air.pressure_hpa * PA_PER_HPA if trend is None else trend.fall.pressure_pa
            told = in_words(self._site, window, heard.quiet, heard.burst_s, pressure_pa)
        return QuietOver(window.equipment, found=found, told=told)

    def _window(self, trend: PressureTrend, size: LeakSize | None, heard: Heard) -> QuietWindow | None:
        suspects = [c.position_m for c in heard.verdict.candidates] if isinstance(heard.verdict, NoFix) else []
        return quiet_window(self._site.machines, self._listening(heard), self._conductance(trend, size), suspects)

    def _listening(self, heard: Heard) -> Listening:
        arrays = [
            self._site.microphones_m(node).mean(axis=0)
            for node in self._site.nodes
            if node.compartment == self._compartment and node.of_quantity(Quantity.ULTRASOUND)
        ]
        middles = tuple((float(x), float(y), float(z)) for x, y, z in arrays)
        return Listening(self._compartment, middles, heard.burst_s, heard.period_s)

    @staticmethod
    def _conductance(trend: PressureTrend | None, size: LeakSize | None) -> float | None:
        if trend is None or size is None:
            return None
        return size.rate_pa_s.value * size.connected_volume_m3 / trend.fall.pressure_pa
