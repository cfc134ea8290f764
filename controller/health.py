"""Which nodes and sensors may vote: connected, complete, and not mute. What to do about the rest is policy's."""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.samples import WaveBlock
from firmware_bridge.session.events import LinkHealth, StateChanged
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S

MUTE_SHARE = 0.05  # of the node's median microphone in rms; sensitivities spread by a few decibels, not by 26


@dataclass(frozen=True, slots=True)
class Settings:
    """When a silent node is a lost one."""

    startup_grace_s: float = 20.0


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
        self._report: dict[str, LinkHealth] = {}
        self._mute: dict[str, tuple[str, ...]] = {}
        self._names = tuple(node.name for node in site.nodes)
        self._started_ns: int | None = None

    def note_state(self, change: StateChanged) -> None:
        """A conversation moved; what never said who it is belongs to no node."""
        if change.node is None:
            return
        before = self._state.get(change.node)
        # A node that moved to another port is heard there; the old port's complaints are no longer about it.
        if before is None or before.link == change.link or before.state not in DELIVERING:
            self._state[change.node] = change

    def note_health(self, report: LinkHealth) -> None:
        """A link's report of the last second."""
        if report.node is not None:
            self._report[report.node] = report

    def note_burst(self, block: WaveBlock) -> None:
        """Find microphones that are dead beside their neighbours."""
        rms = np.sqrt(np.mean(block.pressure_pa.astype(np.float64) ** 2, axis=1))
        dead = rms < MUTE_SHARE * np.median(rms)
        self._mute[block.node] = tuple(name for name, mute in zip(block.sensors, dead, strict=True) if mute)

    def delivering(self, node: str) -> bool:
        """Whether data of `node` flow now."""
        change = self._state.get(node)
        return change is not None and change.state in DELIVERING

    def lost(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """Nodes that should be heard and are not, each with the reason."""
        if self._started_ns is None:
            self._started_ns = now_ns
        in_grace = now_ns - self._started_ns < self._settings.startup_grace_s * NS_PER_S
        lost = []
        for name in self._names:
            change = self._state.get(name)
            if change is None:
                lost += (
                    [] if in_grace else [(name, "never heard; check its cable or broker and the UID in the site file")]
                )
            elif change.state in {State.LOST, State.INCOMPATIBLE} or (
                change.state not in DELIVERING and not in_grace and self._was_up(name)
            ):
                lost.append((name, change.reason))
        return tuple(lost)

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

    def _was_up(self, node: str) -> bool:
        """Whether the node has been lost before coming back as far as a greeting: then it is not up yet."""
        report = self._report.get(node)
        return report is not None and report.counters.connections > 1
