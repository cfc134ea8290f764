"""Follows the ultrasound of one compartment: floor, onset, spectra, verdicts; says what changed."""

import math
from collections import deque
from collections.abc import Sequence
from enum import StrEnum

from controller.detect.onset import Loudness, OnsetDetector
from controller.detect.onset import Settings as OnsetSettings
from controller.localize.locate import LocateJob
from controller.localize.track import Leak, Tracks
from controller.localize.verdict import Fix, NoFix, Verdict
from controller.measure.captures import Capture
from controller.measure.coherence import coherent_groups
from controller.pipeline.background_captures import BackgroundCaptures
from controller.pipeline.background_captures import Settings as BackgroundSettings
from controller.pipeline.happenings import Happening, LeakGone, Learned, Located, SoundOnset, SoundOver
from controller.pipeline.likeness import Likeness, doubted
from controller.pipeline.news import LeakNews
from controller.quiet.search import QuietHeard, QuietSearch
from controller.quiet.window import QuietWindow
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.survey import Site
from firmware_bridge.units import s_to_ns

WAITING_CAPTURES = 16  # for the locator; where it is slower than the captures come, the oldest go
QUIET_BURSTS = 8  # whole bursts at the floor, from every node that was loud and is still heard, end the sound
HELD_S = 3600.0  # what a quiet window found stands for so long after pressure last fell


class Phase(StrEnum):
    """Where the listening stands."""

    LEARNING = "learning"
    QUIET = "quiet"
    LOUD = "loud"  # bursts above the floor, not yet often enough in a row
    SOUNDING = "sounding"


class SoundWatch:
    """What the array nodes of one compartment hear. Not hearing is not silence: only quiet bursts end a sound.

    In a quiet window the floor says nothing: then whatever is heard is located, and no floor learns from it. What was
    found stands when the machines drown it again.
    """

    def __init__(
        self,
        site: Site,
        compartment: str,
        settings: OnsetSettings,
        background: BackgroundSettings = BackgroundSettings(),  # noqa: B008 - frozen
    ) -> None:
        """Start without a noise floor."""
        self._nodes = frozenset(node for group in coherent_groups(site, compartment) for node in group.nodes)
        self._middle_m = {node: site.microphones_m(site.node(node)).mean(axis=0) for node in self._nodes}
        self._onset = OnsetDetector(settings)
        self._phase = Phase.LEARNING
        self._loudness: dict[str, Loudness] = {}
        self._quiet_bursts: dict[str, int] = {}
        self._loud_nodes: tuple[str, ...] = ()
        self._since_ns: int | None = None
        self._background = BackgroundCaptures(background)
        self._creeping = False
        self._waiting: deque[Capture] = deque(maxlen=WAITING_CAPTURES)
        self._generation = 0
        self._tracks = Tracks()
        self._news = LeakNews()
        self._likeness = Likeness()
        self._falling = False  # pressure
        self._search: QuietSearch | None = None
        self._held: tuple[Leak, ...] = ()  # found in a quiet window that is over
        self._held_until_ns = 0

    @property
    def phase(self) -> Phase:
        """Where the listening stands."""
        return self._phase

    @property
    def since_ns(self) -> int | None:
        """Start of the first burst of the sound that is heard now; None without one."""
        return self._since_ns if self._phase is Phase.SOUNDING else None

    @property
    def loud_nodes(self) -> tuple[str, ...]:
        """Nodes that heard the present sound, or else what a quiet window showed."""
        if self._phase is Phase.SOUNDING:
            return self._loud_nodes
        return tuple(sorted({node for leak in self.leaks for node in leak.fix.nodes_used}))

    @property
    def hissing(self) -> bool:
        """Whether the sound that is heard now is like a jet's; a quiet window has no floor to tell it by."""
        if self._phase is not Phase.SOUNDING:
            return False
        verdict = self.verdict
        if not isinstance(verdict, Fix):
            return self._likeness.hissing()
        return self._likeness.hissing(
            {node: math.dist(middle_m, verdict.position_m) for node, middle_m in self._middle_m.items()}
        )

    @property
    def in_quiet(self) -> bool:
        """Whether what is known of leaks is what a quiet window showed."""
        return bool(self._held) or self._searching is not None

    @property
    def quiet_heard(self) -> QuietHeard | None:
        """What the quiet window that is on has shown so far; None without one."""
        return None if self._search is None else self._search.heard

    @property
    def verdict(self) -> Verdict | None:
        """On the first leak or on none, as it was last told; what merely jitters is no news to anybody."""
        told = self._news.verdict
        return self._held[0].fix if self._held and not isinstance(told, Fix) else told

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """All leaks that are followed, as they were last told, and those that the last quiet window showed."""
        return (*self._news.leaks, *self._held)

    @property
    def loudness(self) -> dict[str, Loudness]:
        """The last judgement on each node's bursts."""
        return dict(self._loudness)

    def take_burst(self, block: WaveBlock) -> None:
        """Judge one burst; bursts with gaps would look quiet and are left out."""
        if block.missing or block.node not in self._nodes:
            return
        searching = self._searching
        loudness = self._onset.hear(block, usual=self._search is None)
        if loudness is None:
            return
        if searching is not None and loudness.level_db is not None:
            searching.note_level(block.burst_id, block.node, loudness.level_db)
        self._loudness[block.node] = loudness
        self._likeness.take(loudness)
        self._quiet_bursts[block.node] = 0 if loudness.above_floor else self._quiet_bursts.get(block.node, 0) + 1
        if loudness.above_floor and self._phase is Phase.QUIET:
            self._phase, self._since_ns, self._creeping = Phase.LOUD, loudness.time_ns, loudness.creeping
            self._likeness.forget()
            self._likeness.take(loudness)
            self._onset.sound_began()
            self._background.sound_began()
        elif self._phase is Phase.QUIET and self._search is None:
            self._onset.follow(loudness.time_ns)

    def take_capture(self, capture: Capture) -> None:
        """All bursts of one instant: they are background while learning and in quiet, the leak's while it sounds."""
        if not capture.blocks:
            return
        searching = self._searching
        if searching is not None:
            if searching.take(capture):
                self._begin_anew()
            return
        if self._search is not None and self._phase is not Phase.SOUNDING:
            return
        if self._phase is Phase.LEARNING:
            self._background.learn(capture)
        elif self._phase is Phase.QUIET:
            self._background.offer(capture)
        elif self._phase is Phase.SOUNDING:
            self._waiting.append(capture)

    def take_verdicts(self, now_ns: int, verdicts: Sequence[Verdict], generation: int) -> list[Happening]:
        """A job came back; one about a sound that is over says nothing of the present one."""
        searching = self._searching
        if generation != self._generation or (self._phase is not Phase.SOUNDING and searching is None):
            return []
        happenings: list[Happening] = []
        verdicts = verdicts if self._falling else doubted(verdicts)
        for leak in self._tracks.take(verdicts):
            self._news.gone(leak)
            happenings.append(LeakGone(leak.number, leak.fix))
        leaks = self._tracks.leaks
        none = next((verdict for verdict in verdicts if isinstance(verdict, NoFix)), None)
        if searching is not None:
            followed, leaks = leaks, searching.judged(leaks, none)
            none = none if not followed else None
        happenings += [Located(leak.fix, leak.number) for leak in leaks if self._news.tell(now_ns, leak)]
        if not leaks and none is not None and self._news.tell_none(now_ns, none):
            happenings.append(Located(none))
        return happenings

    def node_gone(self, node: str) -> None:
        """A node went away: what it said last is not repeated."""
        self._onset.forget(node)
        self._loudness.pop(node, None)
        self._quiet_bursts.pop(node, None)

    def step(self, delivering: frozenset[str]) -> list[Happening]:
        """Draw the conclusions that are due."""
        if self._phase is Phase.LEARNING:
            heard = tuple(sorted(self._nodes & delivering))
            if not heard or not all(self._onset.learned(node) for node in heard):
                return []
            self._phase = Phase.QUIET
            return [Learned(heard)]
        above = self._onset.nodes_above
        if self._phase is Phase.LOUD and above:
            self._phase, self._loud_nodes = Phase.SOUNDING, above
            rises = [self._loudness[node] for node in above if node in self._loudness]
            loudest = max(rises, key=lambda loudness: loudness.rise_sigmas)
            if self._search is not None:
                self._search.stopped = True
                self._begin_anew()
            return [SoundOnset(above, loudest.rise_db, loudest.rise_sigmas, self._since_ns or loudest.time_ns)]
        if self._phase is Phase.LOUD and all(self._quiet_bursts.values()):
            self._phase = Phase.QUIET
        if self._phase is Phase.SOUNDING and self._searching is None:
            self._loud_nodes = tuple(sorted({*self._loud_nodes, *above}))
            return self._end_if_quiet()
        return []

    def keep_quiet(self, now_ns: int, window: QuietWindow | None, *, falling: bool) -> list[Happening]:
        """Say that the `window` is on, or none; and whether pressure is `falling`. Call it at every step."""
        self._falling = falling
        if falling:
            self._held_until_ns = now_ns + s_to_ns(HELD_S)
        held = self._held
        if window is not (None if self._search is None else self._search.window):
            self._end_search(now_ns)
            if window is not None:
                self._search = QuietSearch(window, self._onset.floors_db)
                self._begin_anew()
        if now_ns >= self._held_until_ns:
            self._held = ()
        return [LeakGone(leak.number, leak.fix) for leak in held if leak not in self._held]

    def next_job(self, temperature_k: float) -> LocateJob | None:
        """Work for the locator, where new sound has come since the last."""
        searching = self._searching
        if searching is not None:
            captures = searching.ready()
            return LocateJob(captures, (), temperature_k, self._generation, steady=True) if captures else None
        if not self._waiting:
            return None
        captures = tuple(self._waiting)
        self._waiting.clear()
        background = self._background.before_creeping if self._creeping else self._background.all
        return LocateJob(captures, background, temperature_k, self._generation)

    def _end_if_quiet(self) -> list[Happening]:
        still_heard = [self._quiet_bursts[node] for node in self._loud_nodes if node in self._quiet_bursts]
        if not still_heard or min(still_heard) < QUIET_BURSTS:
            return []
        over = SoundOver(self._loud_nodes)
        self._phase, self._since_ns, self._loud_nodes = Phase.QUIET, None, ()
        self._begin_anew()
        return [over]

    @property
    def _searching(self) -> QuietSearch | None:
        return self._search if self._search is not None and not self._search.stopped else None

    def _begin_anew(self) -> None:
        """What was heard before says nothing of what is heard from now on."""
        self._waiting.clear()
        self._generation += 1
        self._tracks.forget()
        self._news.forget()

    def _end_search(self, now_ns: int) -> None:
        """Machines run again: what was found stands, the floor is what it was."""
        searching, self._search = self._searching, None
        if searching is None:
            return
        if searching.heard.bursts:  # a new look takes the place of an old one, whatever it showed
            self._held = self._news.leaks
            self._held_until_ns = max(self._held_until_ns, now_ns + s_to_ns(HELD_S))
        self._begin_anew()
        self._quiet_bursts = dict.fromkeys(self._quiet_bursts, 0)
