"""How a click at each leak reaches the first microphone of each node, and by which ways."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node
from firmware_bridge.units import Quantity
from sim.plant.leaks import PlantLeak
from sim.plant.opened_plant import OpenedPlant, plugged_fast_nodes
from sim.plots.style import LEAK, QUIET, Drawn, explain, finished, new_figure, tidy
from sim.world.sound.transfer import Ways

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

MOST_NODES, MOST_LEAKS = 8, 3
LEAD_S, TAIL_S = 1e-3, 2e-3  # shown before the first and after the last way
LONGEST_S = 0.04  # of a picture; what comes later is the diffuse tail
LOUD_DB = 40.0  # ways weaker than the strongest by more are not marked


@dataclass(frozen=True, slots=True)
class Click:
    """What one microphone hears of a click of 1 Pa at 1 m.

    Args:
        time_s: (n,) since the click.
        pressure_pa: (n,).
        ways: that lead there.
        mine: (p,) which of them end at this microphone.
    """

    time_s: FloatArray
    pressure_pa: FloatArray
    ways: Ways
    mine: NDArray[np.bool_]

    @property
    def loud(self) -> NDArray[np.bool_]:
        """Which of its own ways (p,) are worth a mark."""
        amplitude = np.abs(self.ways.amplitude[self.mine])
        return np.asarray(amplitude > amplitude.max(initial=0.0) * 10.0 ** (-LOUD_DB / 20.0))

    @property
    def shown_s(self) -> tuple[float, float]:
        """The time worth showing, s."""
        delays_s = self.ways.delay_s[self.mine]
        if not len(delays_s):
            return 0.0, LONGEST_S
        first_s, last_s = float(delays_s.min()), float(delays_s[self.loud].max(initial=0.0))
        return first_s - LEAD_S, min(last_s + TAIL_S, first_s + LONGEST_S)


def draw_impulse(plant: OpenedPlant) -> Drawn:
    """Impulse responses from every leak to every node's first microphone, arrivals marked."""
    leaks, notes = list(plant.leaks), list[str]()
    nodes = [node for node in plugged_fast_nodes(plant.scenario, plant.site) if node.of_quantity(Quantity.ULTRASOUND)]
    notes += [
        f"node {node.name} not in the impulse responses: contact sensors feel the hull, not the air"
        for node in plugged_fast_nodes(plant.scenario, plant.site)
        if node not in nodes
    ]
    if not leaks or not nodes:
        lacking = "the scenario has no leaks" if not leaks else "no node with microphones is plugged in"
        return Drawn(None, (*notes, f"impulse responses: {lacking}"))
    notes += [f"leak {leak.name!r} never opens, so it has no impulse response" for leak in leaks if not _opens(leak)]
    leaks = [leak for leak in leaks if _opens(leak)]
    if len(leaks) > MOST_LEAKS or len(nodes) > MOST_NODES:
        notes.append(f"impulse responses of the first {MOST_LEAKS} leaks and {MOST_NODES} nodes only")
        leaks, nodes = leaks[:MOST_LEAKS], nodes[:MOST_NODES]
    heard = {(leak.name, node.name): _heard(plant, leak, node) for leak in leaks for node in nodes}
    apart = [pair for pair, response in heard.items() if response is None]
    notes += [f"leak {leak!r} and node {node} are in different compartments" for leak, node in apart]
    rows = [node for node in nodes if any(heard[leak.name, node.name] for leak in leaks)]
    columns = [leak for leak in leaks if any(heard[leak.name, node.name] for node in nodes)]
    if not rows:
        return Drawn(None, (*notes, "impulse responses: no leak is in a compartment with microphones"))
    figure = new_figure(max(10.0, 6.5 * len(columns)), 1.6 + max(1.9 * len(rows), 2.6))
    grid = figure.subplots(len(rows), len(columns), squeeze=False, sharex="col")
    for column, leak in enumerate(columns):
        shown_s: list[tuple[float, float]] = []
        for row, node in enumerate(rows):
            axes, response = grid[row, column], heard[leak.name, node.name]
            if response is None:
                axes.set_visible(False)
                continue
            _draw(axes, response)
            shown_s.append(response.shown_s)
            first = node.of_quantity(Quantity.ULTRASOUND)[0].name
            axes.set_title(f"{leak.name} → microphone {first} of node {node.name}", fontsize=9, loc="left")
            axes.set_ylabel("mPa", fontsize=9)
        first_s, last_s = min(first for first, _ in shown_s), max(last for _, last in shown_s)
        grid[-1, column].set_xlim(1e3 * first_s, 1e3 * last_s)
        grid[-1, column].set_xlabel("time since the click, ms", fontsize=9)
    explain(figure, "outside lower center")
    what = (
        "Impulse responses through the air, from every leak to the first microphone of every node:\n"
        "a click of 1 Pa at 1 m, band-limited as the simulator carries it"
    )
    return Drawn(finished(figure, plant, what), tuple(notes))


def _opens(leak: PlantLeak) -> bool:
    return bool(leak.opening.open_intervals)


def _heard(plant: OpenedPlant, leak: PlantLeak, node: Node) -> Click | None:
    """None where leak and node share no air that is simulated."""
    if node.compartment != leak.compartment:
        return None
    field, channels = plant.hearing(node.name)
    response, first_s, ways = field.response(f"leak {leak.name}")
    pressure_pa = response[channels[0]]
    rate_hz = plant.stations[node.name].rate_hz
    return Click(first_s + np.arange(len(pressure_pa)) / rate_hz, pressure_pa, ways, ways.receiver == channels[0])


def _draw(axes: "Axes", click: Click) -> None:
    delays_s = click.ways.delay_s[click.mine]
    axes.plot(1e3 * click.time_s, 1e3 * click.pressure_pa, color=QUIET, lw=0.9, label="response")
    direct = click.ways.detour_m[click.mine] == 0.0
    straight = int(np.argmin(np.where(direct, delays_s, np.inf))) if len(delays_s) else -1
    top = float(np.abs(click.pressure_pa).max(initial=0.0)) or 1.0
    low = min(float(click.pressure_pa.min(initial=0.0)), -0.35 * top)
    labelled: set[str] = set()
    for way in np.nonzero(click.loud & (delays_s <= click.shown_s[1]))[0]:
        kind = "around a rack" if not direct[way] else "first arrival" if way == straight else "echo"
        color, width = {"first arrival": (LEAK, 1.4), "echo": ("#e3a59d", 0.8), "around a rack": ("#d9822b", 1.1)}[kind]
        label = None if kind in labelled else kind
        labelled.add(kind)
        axes.axvline(1e3 * delays_s[way], color=color, lw=width, zorder=0, label=label)
    if straight >= 0:
        axes.annotate(f"{1e3 * delays_s[straight]:.2f} ms, {click.ways.length_m[click.mine][straight]:.2f} m",
                      (1e3 * delays_s[straight], 1.1e3 * low), (4, 2), textcoords="offset points", fontsize=8,
                      color=LEAK, va="bottom")  # fmt: skip
    axes.set_ylim(1.1e3 * low, 1.15e3 * top)
    tidy(axes)
