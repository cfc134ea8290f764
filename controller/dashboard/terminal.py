"""The live view in a terminal: one picture, drawn with rich on standard error."""

import math
from collections import deque

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from controller.alarm.types import AlarmClass, AlarmState
from controller.dashboard.sentences import duration
from controller.isolate.advice import told_move
from controller.localize.verdict import Fix
from controller.pipeline.picture import Picture
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.units import PA_PER_HPA, S_PER_DAY

REMEMBERED_LINES = 8
_CLASS_STYLE = {
    AlarmClass.ADVISORY: "white",
    AlarmClass.CAUTION: "bold yellow",
    AlarmClass.WARNING: "bold red",
    AlarmClass.EMERGENCY: "bold white on red",
}
_PHASES = {
    "learning": ("learning the noise floor", "cyan"),
    "watching": ("watching", "green"),
    "leak": ("LEAK", "bold red"),
}


class TerminalView:
    """A live view; `show` replaces the picture, `tell` adds a line of news."""

    def __init__(self, console: Console, hint: str = "") -> None:
        """Prepare to draw on `console`; `hint` says which keys there are."""
        self._hint = hint
        self._news: deque[str] = deque(maxlen=REMEMBERED_LINES)
        # Standard output belongs to the JSON lines: rich would draw what is written there above the picture instead.
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def start(self) -> None:
        """Begin to draw."""
        self._live.start()

    def stop(self) -> None:
        """Leave the last picture on the screen and give the terminal back."""
        self._live.stop()

    def tell(self, line: str) -> None:
        """Remember one line of news."""
        self._news.append(line)

    def show(self, picture: Picture, elapsed_s: float) -> None:
        """Draw."""
        self._live.update(render(picture, tuple(self._news), elapsed_s, self._hint), refresh=True)


def render(picture: Picture, news: tuple[str, ...], elapsed_s: float, hint: str = "") -> RenderableType:
    """The whole view of one picture; what matters most stands on top, where a small window still shows it.

    All data are shown as they are: a landmark's name is no markup.
    """
    words, style = _PHASES[picture.phase]
    title = Text.assemble((picture.site, "bold"), " · ", (words, style), f" · {elapsed_s:.0f} s")
    parts: list[RenderableType] = [_alarms(picture)] if picture.alarms else []
    parts += [_findings(picture), _nodes(picture)]
    counts = f"{picture.captures} captures, bursts late {picture.late_bursts}, with gaps {picture.incomplete_bursts}"
    parts.append(Text(counts, style="dim"))
    parts.append(Text("\n".join(news), style="dim", no_wrap=True, overflow="ellipsis"))
    return Panel(Group(*parts), title=title, title_align="left", subtitle=hint or None, subtitle_align="left")


def _alarms(picture: Picture) -> Table:
    table = _plain_table()
    for alarm in picture.alarms:
        mark = "" if alarm.state in {AlarmState.ACKNOWLEDGED, AlarmState.LATCHED} else " !"
        name = Text(f"{alarm.alarm_class.name}{mark}", style=_CLASS_STYLE[alarm.alarm_class])
        table.add_row(name, Text(f"{alarm.text} ({alarm.state.value})"))
    return table


def _findings(picture: Picture) -> Table:
    table = _plain_table()
    verdict = picture.verdict
    if isinstance(verdict, Fix):
        x, y, z = verdict.position_m
        table.add_row("leak", Text(verdict.where or verdict.compartment, style="bold"))
        table.add_row("position", f"({x:.3f}, {y:.3f}, {z:.3f}) m ± {100 * verdict.radius95_m:.1f} cm (95 %)")
    elif verdict is not None:
        table.add_row("no fix", Text(verdict.explanation))
    for leak in picture.leaks[1:]:
        x, y, z = leak.fix.position_m
        table.add_row(f"leak {leak.number}", Text(leak.fix.where or leak.fix.compartment, style="bold"))
        table.add_row("position", f"({x:.3f}, {y:.3f}, {z:.3f}) m ± {100 * leak.fix.radius95_m:.1f} cm (95 %)")
    _add_advice(table, picture)
    size = picture.size
    if size is not None:
        hole, reserve = size.hole_diameter_m, size.reserve_s
        loss = f"{size.rate_mmhg_h.value:.2f} mmHg/h, {size.mass_rate_kg_s.value * S_PER_DAY:.0f} kg/day"
        table.add_row("loss", loss)
        table.add_row("hole", f"{1000 * hole.value:.1f} mm ({1000 * hole.low:.1f} to {1000 * hole.high:.1f})")
        value, low, high = (_duration(seconds) for seconds in (reserve.value, reserve.low, reserve.high))
        table.add_row("reserve time", f"{value} ({low} to {high})")
    for volume in picture.reserves if len(picture.reserves) > 1 else ():
        spans = (volume.reserve_s.value, volume.reserve_s.low, volume.reserve_s.high)
        value, low, high = (_duration(seconds) for seconds in spans)
        where, doubt = ", ".join(volume.rooms), ", if the leak is there" if volume.assumed else ""
        table.add_row("", Text(f"{where}: {value} ({low} to {high}){doubt}"))
    return table


def _add_advice(table: Table, picture: Picture) -> None:
    """What to do about hatches and machines, and which hatches do not stand as is taken for granted."""
    advice = picture.isolation
    if advice is not None:
        moves = ", then ".join(told_move(move) for move in advice.moves)
        table.add_row("search", Text(moves or advice.step.value.replace("_", " "), style="bold yellow"))
        table.add_row("", Text(advice.why))
        likely = sorted(advice.probabilities, key=lambda pair: -pair[1])[:4]
        table.add_row("", Text(", ".join(f"{room} {share:.0%}" for room, share in likely), style="dim"))
    if picture.quiet is not None:
        table.add_row("quiet", Text(picture.quiet.why, style="bold yellow"))
    known = [f"{h.hatch} {'open' if h.open else 'shut'} ({h.source})" for h in picture.hatches if h.source != "assumed"]
    if known:
        table.add_row("hatches", Text(", ".join(known)))


def _nodes(picture: Picture) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1))
    table.add_column("node", no_wrap=True, min_width=4)
    for heading in ("state", "clock", "trip", "bad", "lost", "again", "reading", "link"):
        table.add_column(heading, no_wrap=True)
    shown_of: dict[str, list[str]] = {node.node: [] for node in picture.nodes}
    for reading in picture.pressures_pa:
        shown_of[reading.node].append(f"{reading.value / PA_PER_HPA:.3f} hPa")
    for reading in picture.loudness_db:
        shown_of[reading.node].append(f"{reading.value:+.1f} dB")
    for node in picture.nodes:
        up = node.state in DELIVERING
        style = "green" if node.state is State.STREAMING else "yellow" if up or node.state is State.SYNC else "red"
        clock = f"±{node.health.clock_sigma_ns / 1000:.0f} µs" if node.health is not None and up else ""
        health = node.health
        trip = f"{health.round_trip_ns / 1e6:.1f} ms" if health is not None and up and health.round_trip_ns else ""
        counted: tuple[object, ...] = ("", "", "")
        if health is not None:
            counters = health.counters
            counted = (counters.bad_frames, counters.lost_frames, max(0, counters.connections - 1))
        mute = [f"mute: {', '.join(node.mute)}"] if node.mute else []
        table.add_row(
            Text(node.node),
            Text(node.state.value, style=style),
            clock,
            trip,
            *(str(number) for number in counted),
            Text(" ".join(shown_of[node.node] + mute)),
            Text(node.link or node.reason),
        )
    return table


def _plain_table() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    return table


def _duration(seconds: float) -> str:
    return duration(seconds if math.isfinite(seconds) else None)
