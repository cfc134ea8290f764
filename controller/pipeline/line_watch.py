"""Follows every line and every node's clock by their counters; says which are poor. Lost nodes are health's."""

from collections import deque
from dataclasses import dataclass, field

from firmware_bridge.session.events import Counters, LinkHealth
from firmware_bridge.session.states import DELIVERING
from firmware_bridge.units import NS_PER_S

WINDOW_NS = 60 * NS_PER_S
MIN_SPAN_NS = 30 * NS_PER_S  # of counters, before a share of them says anything
MIN_FRAMES = 30  # two a second is what a barometer node sends at least, pings included
DAMAGED_SHARE = 0.02  # of the frames; a sound line damages none
MENDED_SHARE = 0.5  # of that: what was called poor stays so down to here
REMEMBER_NS = 600 * NS_PER_S
RECONNECTIONS = 3  # within ten minutes: a loose plug, not a reboot
MAX_CLOCK_SIGMA_NS = 100e6  # beyond it, pressures are dated wrongly by more than a tenth of a sample period
MAX_RATE_ERROR = 500e-6  # five times what docs/protocol.md asks of a crystal
_REPORTS = 64  # in a minute at one a second, with some to spare


@dataclass(slots=True)
class _Line:
    reports: deque[tuple[int, Counters]] = field(default_factory=lambda: deque(maxlen=_REPORTS))
    connected_ns: deque[int] = field(default_factory=lambda: deque(maxlen=RECONNECTIONS))
    stepped_ns: int | None = None
    damaged: float = 0.0
    poor: bool = False
    unreadable: bool = False
    clock: str | None = None


class LineWatch:
    """Lines by the node at their end."""

    def __init__(self, nodes: frozenset[str]) -> None:
        """Follow these nodes and no other: strangers must not make us grow."""
        self._lines = {name: _Line() for name in sorted(nodes)}

    def take(self, now_ns: int, report: LinkHealth) -> None:
        """A link's report of the last second."""
        line = self._lines.get(report.node) if report.node is not None else None
        if line is None:
            return
        last = line.reports[-1][1] if line.reports else None
        if last is not None and _is_another(last, report.counters):
            line.reports.clear()  # the node is on another line now
            last = None
        if last is not None and report.counters.connections > last.connections:
            line.connected_ns.append(now_ns)
        if last is not None and report.counters.clock_steps > last.clock_steps:
            line.stepped_ns = now_ns
        line.reports.append((now_ns, report.counters))
        while now_ns - line.reports[0][0] > WINDOW_NS:
            line.reports.popleft()
        line.damaged = _damaged_share(line.reports)
        line.unreadable = _mostly_unreadable(line.reports)
        line.poor = line.damaged > DAMAGED_SHARE * (MENDED_SHARE if line.poor else 1.0)
        line.clock = _clock_trouble(report) if report.state in DELIVERING else None

    def poor_lines(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """(node, why) of lines that damage frames, or that come and go."""
        poor = []
        for name, line in self._lines.items():
            if line.poor:
                share = f"{100 * line.damaged:.1f} % of its frames"
                why = "are damaged or lost; check cable, plugs and baud rate"
                if line.unreadable:
                    why = "arrive whole and say what cannot be; mend its firmware, or its entry in the site file"
                poor.append((name, f"{share} {why}"))
            again = line.connected_ns
            if len(again) == RECONNECTIONS and now_ns - again[0] < REMEMBER_NS:
                poor.append((name, f"connected anew {RECONNECTIONS} times in ten minutes; look for a loose plug"))
        return tuple(poor)

    def poor_clocks(self, now_ns: int) -> tuple[tuple[str, str], ...]:
        """(node, why) of clocks that jumped, run wrong or are not known."""
        poor = []
        for name, line in self._lines.items():
            if line.stepped_ns is not None and now_ns - line.stepped_ns < REMEMBER_NS:
                poor.append((name, "its clock jumped; check its supply, mend its firmware"))
            elif line.clock is not None:
                poor.append((name, line.clock))
        return tuple(poor)


def _is_another(last: Counters, now: Counters) -> bool:
    return now.received_bytes < last.received_bytes or now.frames < last.frames


def _damaged_share(reports: deque[tuple[int, Counters]]) -> float:
    """Share of frames that did not arrive whole, over the window; 0 where too little came to say."""
    (since_ns, then), (now_ns, now) = reports[0], reports[-1]
    whole = now.frames - then.frames
    damaged = max(now.bad_frames - then.bad_frames, now.lost_frames - then.lost_frames)  # mostly the same, seen twice
    damaged += now.undecodable - then.undecodable
    if now_ns - since_ns < MIN_SPAN_NS or whole + damaged < MIN_FRAMES:
        return 0.0
    return max(damaged, 0) / (whole + damaged)


def _mostly_unreadable(reports: deque[tuple[int, Counters]]) -> bool:
    """Whether of what is missing most came whole, and could not be understood."""
    then, now = reports[0][1], reports[-1][1]
    unreadable = now.undecodable - then.undecodable
    return unreadable > max(now.bad_frames - then.bad_frames, now.lost_frames - then.lost_frames)


def _clock_trouble(report: LinkHealth) -> str | None:
    if report.clock_sigma_ns > MAX_CLOCK_SIGMA_NS:
        return f"known to ±{report.clock_sigma_ns / 1e6:.0f} ms only; its line is too slow or too busy"
    if abs(report.clock_rate_error) > MAX_RATE_ERROR:
        return f"runs {1e6 * report.clock_rate_error:+.0f} ppm wrong; its crystal is broken"
    return None
