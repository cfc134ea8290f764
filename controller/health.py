"""Which nodes and sensors may vote: connected, complete, and not mute. What to do about the rest is policy's."""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.samples import WaveBlock
from firmware_bridge.session.events import CommandOutcome, LinkHealth, StateChanged
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.site.survey import Site
from firmware_bridge.units import s_to_ns

MUTE_SHARE = 0.05  # of the node's median microphone in rms; sensitivities spread by a few decibels, not by 26
DEAF_AFTER_CAPTURES = 5  # in a row without a whole burst; one or two are lost on any line
_STARTING = frozenset({State.OPENING, State.HELLO, State.SYNC})


@dataclass(frozen=True, slots=True)
class Settings:
    """When a silent node is a lost one."""

    startup_grace_s: float = 20.0
    lost_after_s: float = 3.0  # a node that is back sooner raises nothing


@dataclass(frozen=True, slots=True)
class NodePicture:
    """One node as people should see it."""

    node: str
    link: str | None
    state: State
    reason: str
    health: LinkHealth | None
    mute: tuple[str, ...]


class Health:
    """Follows every surveyed node."""

    def __init__(self, site: Site, settings: Settings) -> None:
        """Start with all nodes unheard."""
        self._settings = settings
        self._state: dict[str, StateChanged] = {}
        self._away_since_ns: dict[str, int] = {}
        self._report: dict[str, LinkHealth] = {}
        self._mute: dict[str, tuple[str, ...]] = {}
        self._missed: dict[str, int] = {}
        self._refusal: dict[str, str] = {}
        self._not_started: dict[str, str] = {}
        self._names = tuple(node.name for node in site.nodes)
        self._started_ns: int | None = None

    def note_state(self, now_ns: int, change: StateChanged) -> bool:
        """A conversation moved; whether it is about a surveyed node as it stands now.

        A node that moved to another port is heard there: the old port's complaints are no longer about it.
        """
        if change.node is None:
            return False
        before = self._state.get(change.node)
        if before is not None and before.link != change.link and before.state in DELIVERING:
            return False
        self._state[change.node] = change
        if change.state in DELIVERING:
            self._away_since_ns.pop(change.node, None)
        else:
            self._away_since_ns.setdefault(change.node, now_ns)
            self._missed.pop(change.node, None)
            self._mute.pop(change.node, None)
        return True

    def note_health(self, report: LinkHealth) -> None:
        """A link's report of the last second."""
        if report.node is not None:
            self._report[report.node] = report

    def note_burst(self, block: WaveBlock) -> None:
        """Find microphones that are dead beside their neighbours."""
        rms = np.sqrt(np.mean(block.pressure_pa.astype(np.float64) ** 2, axis=1))
        dead = (rms < MUTE_SHARE * np.median(rms)) | (rms == 0.0)
        self._mute[block.node] = tuple(name for name, mute in zip(block.sensors, dead, strict=True) if mute)

    def note_capture(self, heard: frozenset[str], missing: frozenset[str]) -> None:
        """A capture closed: who delivered a whole burst, and who was asked and did not."""
        for node in heard:
            self._missed.pop(node, None)
            self._refusal.pop(node, None)
        for node in missing & self._state.keys():
            self._missed[node] = self._missed.get(node, 0) + 1

    def note_capture_outcome(self, outcome: CommandOutcome) -> None:
        """Why a node did not capture."""
        if not outcome.done:
            self._refusal[outcome.node] = outcome.text

    def note_start_outcome(self, outcome: CommandOutcome) -> None:
        """Whether a node began to stream."""
        if outcome.done:
            self._not_started.pop(outcome.node, None)
        else:
            self._not_started[outcome.node] = outcome.text

    @property
    def hearing(self) -> frozenset[str]:
        """Nodes whose data flow and that do not owe us whole bursts."""
        return frozenset(
            name for name in self._names if self.delivering(name) and self._missed.get(name, 0) < DEAF_AFTER_CAPTURES
        )

    def delivering(self, node: str) -> bool:
        """Whether data of `node` flow now."""
        change = self._state.get(node)
        return change is not None and change.state in DELIVERING

    def lost(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """Nodes that should be heard and are not, each with the reason."""
        if self._started_ns is None:
            self._started_ns = now_ns
        in_grace = now_ns - self._started_ns < s_to_ns(self._settings.startup_grace_s)
        lost = []
        for name in self._names:
            change = self._state.get(name)
            if change is None:
                if not in_grace:
                    lost.append((name, "never heard; check its cable or broker and the UID in the site file"))
            elif name in self._away_since_ns:
                away_ns = now_ns - self._away_since_ns[name]
                if away_ns >= s_to_ns(self._settings.lost_after_s) and not (in_grace and change.state in _STARTING):
                    lost.append((name, change.reason))
        return tuple(lost)

    def poor(self) -> tuple[tuple[str, str], ...]:
        """Nodes that are connected and yet do not give what the site file says, each with the reason."""
        poor = []
        for name in self._names:
            change = self._state.get(name)
            if change is None or change.state not in DELIVERING:
                continue
            if change.identity is not None:
                poor += [(name, complaint) for complaint in change.identity.complaints]
            if name in self._not_started:
                poor.append((name, f"does not start its data ({self._not_started[name]}); check its firmware"))
            if self._missed.get(name, 0) >= DEAF_AFTER_CAPTURES:
                why = self._refusal.get(name, "its bursts do not arrive whole; check the line")
                poor.append((name, f"delivers no bursts ({why})"))
            if self._mute.get(name):
                poor.append((name, f"mute beside their neighbours: {', '.join(self._mute[name])}"))
        return tuple(poor)

    def picture(self) -> tuple[NodePicture, ...]:
        """All surveyed nodes."""
        return tuple(
            NodePicture(
                node=name,
                link=self._state[name].link if name in self._state else None,
                state=self._state[name].state if name in self._state else State.CLOSED,
                reason=self._state[name].reason if name in self._state else "not heard yet",
                health=self._report.get(name),
                mute=self._mute.get(name, ()),
            )
            for name in self._names
        )
