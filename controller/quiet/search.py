"""Listening within a quiet window: which captures are of the quiet, and what they showed. Locating is not here.

Outside windows a sound is news where it rises above the floor. Within one the floor says nothing, for it was learned
with the machines on: what is asked is whether the bursts, all added up, agree on a place that stays where it is.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller.localize.track import Leak
from controller.localize.verdict import NoFix, Verdict
from controller.measure.captures import Capture
from controller.quiet.window import QuietWindow

SPAN_DB = 3.0  # above the quietest capture: straps and knocks, or machines that still run down
HOLDS = 3  # verdicts in a row that find the same place, until it is told
LEAST_BURSTS = 4  # that they have heard: chance does not stay in place so long
MOST_OPEN = 32  # bursts whose captures are not complete yet
MOST_WAITING = 16  # captures for the locator; where it is slower than they come, the oldest go


@dataclass(frozen=True, slots=True)
class QuietHeard:
    """What a window has shown so far.

    `bursts` were of the quiet; `noise_db` is the level of the quietest at the typical array (12 to 90 kHz, re 20 µPa),
    `fell_db` how far that lies below the floor: both None before the first. `found` says that a place was told.
    """

    bursts: int = 0
    noise_db: float | None = None
    fell_db: float | None = None
    verdict: Verdict | None = None
    found: bool = False


class QuietSearch:
    """The captures of one window and the verdict on them."""

    def __init__(self, window: QuietWindow, floor_db: Mapping[str, float]) -> None:
        """Begin; `floor_db` are the levels of the nodes before, where they are known."""
        self.window = window
        self.stopped = False  # something louder than the machines began: that is an onset like any other
        self._floor_db = dict(floor_db)
        self._levels: OrderedDict[int, dict[str, float]] = OrderedDict()
        self._quietest_db: dict[str, float] = {}
        self._loudest_db: dict[str, float] = {}  # of those that were taken
        self._waiting: deque[Capture] = deque(maxlen=MOST_WAITING)
        self._bursts = 0
        self._verdict: Verdict | None = None
        self._found = False

    @property
    def heard(self) -> QuietHeard:
        """What the window has shown so far."""
        noise_db = _middle(self._quietest_db.values())
        falls = [self._floor_db[node] - at for node, at in self._quietest_db.items() if node in self._floor_db]
        return QuietHeard(self._bursts, noise_db, _middle(falls), self._verdict, self._found)

    def note_level(self, burst_id: int, node: str, level_db: float) -> None:
        """How loud one node's burst is; its capture comes later."""
        self._levels.setdefault(burst_id, {})[node] = level_db
        while len(self._levels) > MOST_OPEN:
            self._levels.popitem(last=False)

    def take(self, capture: Capture) -> bool:
        """Keep what is of the quiet; True where it became quieter: what was kept before is worth nothing."""
        levels = {node: db for node, db in self._levels.pop(capture.burst_id, {}).items() if node in capture.blocks}
        if not levels or any(db > self._quietest_db.get(node, db) + SPAN_DB for node, db in levels.items()):
            return False
        anew = any(db < self._loudest_db.get(node, db) - SPAN_DB for node, db in levels.items())
        if anew:
            self._waiting.clear()
            self._loudest_db.clear()
            self._bursts = 0
        for node, db in levels.items():
            self._quietest_db[node] = min(db, self._quietest_db.get(node, db))
            self._loudest_db[node] = max(db, self._loudest_db.get(node, db))
        self._bursts += 1
        self._waiting.append(capture)
        return anew

    def ready(self) -> tuple[Capture, ...]:
        """Captures for the locator, once."""
        captures = tuple(self._waiting)
        self._waiting.clear()
        return captures

    def judged(self, leaks: Sequence[Leak], none: NoFix | None) -> tuple[Leak, ...]:
        """Of the leaks that are followed those that have stayed in place; the verdict is on the first, or on none."""
        still = tuple(leak for leak in leaks if leak.times >= HOLDS and leak.fix.bursts >= LEAST_BURSTS)
        if still:
            self._verdict, self._found = still[0].fix, True
        elif not leaks and none is not None:
            self._verdict, self._found = none, False
        return still


def _middle(values: Iterable[float]) -> float | None:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else None
