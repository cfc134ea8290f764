"""How every link and node stands, as one message for people: who, where, counters, latency. Nothing is decided here."""

import math
from typing import Literal

import msgspec

from firmware_bridge.session.events import Counters, Identity, LinkHealth, StateChanged
from firmware_bridge.units import NS_PER_S


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One link with whoever is at its end; what is not known is null. Counters are since the controller's start."""

    link: str
    node: str | None
    uid: str | None
    firmware: str | None
    state: str
    reason: str
    latency_ms: float | None
    clock_sigma_us: float | None
    clock_rate_ppm: float | None
    received_bytes: int
    frames: int
    bad_frames: int
    resynchronised: int
    undecodable: int
    lost_frames: int
    repeated_frames: int
    reboots: int
    clock_steps: int
    reconnects: int
    pings_unanswered: int
    dropped_bytes: int
    overruns: int | None
    dropped_frames: int | None
    uptime_s: int | None
    temperature_k: float | None
    supply_v: float | None


class NodesMessage(msgspec.Struct, frozen=True):
    """Payload of `nodes`, and the output of `leakctl nodes --json`."""

    utc: str
    nodes: tuple[NodeRow, ...]
    kind: Literal["nodes"] = "nodes"


class NodeBoard:
    """The newest of each link."""

    def __init__(self, links: tuple[str, ...]) -> None:
        """Know which links there are; others are not taken in."""
        self._state: dict[str, StateChanged | None] = dict.fromkeys(links)
        self._health: dict[str, LinkHealth] = {}
        self._identity: dict[str, Identity] = {}

    def take(self, event: object) -> None:
        """Note a change or a report; anything else is ignored."""
        if isinstance(event, StateChanged) and event.link in self._state:
            self._state[event.link] = event
            if event.identity is not None:
                self._identity[event.link] = event.identity
        elif isinstance(event, LinkHealth) and event.link in self._state:
            self._health[event.link] = event

    def rows(self) -> tuple[NodeRow, ...]:
        """All links, in their order."""
        return tuple(self._row(link, change) for link, change in self._state.items())

    def link_with(self, name: str) -> str | None:
        """The link of the node with this name or UID (hexadecimal), delivering ones first."""
        found = [row for row in self.rows() if name == row.node or name.lower().lstrip("0") == row.uid]
        found.sort(key=lambda row: row.state not in {"streaming", "degraded"})
        return found[0].link if found else None

    def node_at(self, link: str) -> str | None:
        """Who is there."""
        return self._row(link, self._state[link]).node

    def _row(self, link: str, change: StateChanged | None) -> NodeRow:
        health, identity = self._health.get(link), self._identity.get(link)
        counters = health.counters if health is not None else Counters()
        status = health.status if health is not None else None
        trip_ns = health.round_trip_ns if health is not None else None
        known = health is not None and math.isfinite(health.clock_sigma_ns)
        return NodeRow(
            link=link,
            node=change.node if change is not None else None,
            uid=f"{identity.uid:x}" if identity is not None else None,
            firmware=identity.firmware if identity is not None else None,
            state=change.state.value if change is not None else "closed",
            reason=change.reason if change is not None else "not tried yet",
            latency_ms=round(trip_ns / (NS_PER_S / 1000), 3) if trip_ns is not None else None,
            clock_sigma_us=round(health.clock_sigma_ns / 1000, 2) if health is not None and known else None,
            clock_rate_ppm=round(1e6 * health.clock_rate_error, 3) if health is not None and known else None,
            received_bytes=counters.received_bytes,
            frames=counters.frames,
            bad_frames=counters.bad_frames,
            resynchronised=counters.resynchronised,
            undecodable=counters.undecodable,
            lost_frames=counters.lost_frames,
            repeated_frames=counters.repeated_frames,
            reboots=counters.reboots,
            clock_steps=counters.clock_steps,
            reconnects=max(0, counters.connections - 1),
            pings_unanswered=counters.pings_unanswered,
            dropped_bytes=counters.dropped_bytes,
            overruns=status.overruns if status is not None else None,
            dropped_frames=status.dropped_frames if status is not None else None,
            uptime_s=status.uptime_s if status is not None else None,
            temperature_k=status.temperature_k if status is not None and status.temperature_k else None,
            supply_v=status.supply_v if status is not None and status.supply_v else None,
        )
