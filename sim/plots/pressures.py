"""The gas of a scenario over its time: pressures, what leaks let out, partial pressures where they change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import PA_PER_HPA, S_PER_DAY
from sim.plant.opened_plant import OpenedPlant
from sim.plots.moments import Moment, name_moments
from sim.plots.style import (
    DASHES,
    FAINT,
    LEAK,
    SERIES,
    Drawn,
    finished,
    missing_parts,
    new_figure,
    shade_leaks,
    tidy,
    time_unit,
)
from sim.scenario.gas import EventTable
from sim.scenario.scenario import ScenarioTable
from sim.truth import TrueLeak, true_leaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

MOST_STEPS = 100_000  # the weather is stepped once a second up to a day and some, in coarser steps beyond
POINTS = 1500  # of a curve: as many as the picture has columns
GASES = ("nitrogen", "oxygen", "carbon dioxide", "water vapour")
MOVED = (np.inf, 0.002, 0.02, 0.02)  # change of a gas's share in the air that is worth a picture; nitrogen is the rest


@dataclass(slots=True)
class History:
    """What the gas did: times (n,), s; by compartment pressures (n,) and partial pressures (n, 4), Pa; leaks' kg/s."""

    times_s: list[float] = field(default_factory=list)
    pressure_pa: dict[str, list[float]] = field(default_factory=dict)
    partial_pa: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    leak_kg_s: dict[str, list[float]] = field(default_factory=dict)


def draw_pressures(plant: OpenedPlant) -> Drawn:
    """Pressure in every compartment over the scenario, with leaks and events marked."""
    scenario = plant.scenario
    leaks = true_leaks(scenario)
    notes = missing_parts(scenario, leaks)
    history = gas_history(plant)
    panels: list[tuple[str, Callable[[Axes], None]]] = [
        ("pressure, hPa", lambda axes: _pressures(axes, history)),
    ]
    if leaks:
        panels.append(("outflow, kg/day", lambda axes: _outflows(axes, history)))
    else:
        notes.append("outflow: the scenario has no leaks")
    moving = [gas for gas in range(1, len(GASES)) if _moves(history, gas)]
    panels += [(f"{GASES[gas]}, hPa", _partial(history, gas)) for gas in moving]
    if not moving:
        notes.append("partial pressures: no share of the air changes by 0.2 % of itself (oxygen) or 2 % (others)")
    figure = new_figure(11.5, 2.0 + 2.5 * len(panels))
    heights = [1.6, *[1.0] * (len(panels) - 1)]
    all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    unit_s, unit = time_unit(scenario.duration_s)
    for axes, (label, draw) in zip(all_axes, panels, strict=True):
        shade_leaks(axes, leaks, scenario.duration_s, unit_s)
        draw(axes)
        for event in scenario.events:
            if event.at_s < scenario.duration_s:
                axes.axvline(event.at_s / unit_s, color=FAINT, lw=0.9, ls=":", zorder=1)
        tidy(axes)
        axes.set_ylabel(label, fontsize=9)
        axes.ticklabel_format(axis="y", useOffset=False)
    for axes in all_axes:
        for line in axes.get_lines():
            if line.get_gid() == "curve":
                line.set_xdata(np.asarray(line.get_xdata()) / unit_s)
        axes.set_xlim(0.0, scenario.duration_s / unit_s)
    all_axes[-1].set_xlabel(f"scenario time, {unit}", fontsize=9)
    name_moments(all_axes[0], _moments(scenario, leaks, unit_s), scenario.duration_s / unit_s, unit)
    return Drawn(finished(figure, plant, "True gas in the compartments"), tuple(notes))


def gas_history(plant: OpenedPlant) -> History:
    """Step the gas through the whole scenario, alone; the plant's nodes do nothing."""
    scenario, gas = plant.scenario, plant.gas
    rooms = [room.name for room in plant.site.compartments]
    history = History(
        pressure_pa={room: [] for room in rooms},
        partial_pa={room: [] for room in rooms},
        leak_kg_s={leak.name: [] for leak in scenario.leaks},
    )
    steps = int(min(max(scenario.duration_s, POINTS), MOST_STEPS))
    every = max(steps // POINTS, 1)
    for step in range(steps + 1):
        at_s = scenario.duration_s * step / steps
        gas.step(at_s)
        if step % every and step != steps:
            continue
        history.times_s.append(at_s)
        for room in rooms:
            history.pressure_pa[room].append(gas.felt(room)[0])
            history.partial_pa[room].append(gas.partial_pa(room))
        for name, kg_s in gas.leak_rates_kg_s.items():
            history.leak_kg_s[name].append(kg_s)
    return history


def _moves(history: History, gas: int) -> bool:
    """Whether the share of a gas in the air changes anywhere, or differs from room to room."""
    shares = np.array([np.array(rows)[:, gas] / np.sum(rows, axis=1) for rows in history.partial_pa.values()])
    spread = float(shares.max() - shares.min())
    return spread > MOVED[gas] * max(float(shares.max()), 1e-9)


def _pressures(axes: "Axes", history: History) -> None:
    for row, (room, pressure_pa) in enumerate(history.pressure_pa.items()):
        _curve(axes, row, history, np.array(pressure_pa) / PA_PER_HPA, room)
    axes.legend(fontsize=8, loc="best", framealpha=0.85, ncols=1 + len(history.pressure_pa) // 7)


def _outflows(axes: "Axes", history: History) -> None:
    for row, (name, kg_s) in enumerate(history.leak_kg_s.items()):
        _curve(axes, row, history, np.array(kg_s) * S_PER_DAY, name)
    axes.set_ylim(bottom=0.0)
    if len(history.leak_kg_s) > 1:
        axes.legend(fontsize=8, loc="upper left", framealpha=0.85)


def _partial(history: History, gas: int) -> "Callable[[Axes], None]":
    def draw(axes: "Axes") -> None:
        for row, (room, rows) in enumerate(history.partial_pa.items()):
            _curve(axes, row, history, np.array(rows)[:, gas] / PA_PER_HPA, room)

    return draw


def _curve(axes: "Axes", row: int, history: History, values: FloatArray, label: str) -> None:
    """Rooms that are joined lie on each other: later ones are thinner and dashed, so that both are seen."""
    width = 2.4 if row == 0 else 1.4
    color, dash = SERIES[row % len(SERIES)], DASHES[row % len(DASHES)]
    axes.plot(history.times_s, values, color=color, lw=width, ls=dash, label=label, gid="curve")


def _moments(scenario: ScenarioTable, leaks: tuple[TrueLeak, ...], unit_s: float) -> list[Moment]:
    """What happens and when, in the order of time."""
    moments = [Moment(leak.opens_at_s / unit_s, f"{leak.name} opens", LEAK) for leak in leaks]
    moments += [Moment(event.at_s / unit_s, _words(event), "#555555") for event in scenario.events]
    return sorted((m for m in moments if m.at * unit_s < scenario.duration_s), key=lambda moment: moment.at)


def _words(event: EventTable) -> str:
    """What is done."""
    match event.do:
        case "open" | "close" | "throttle":
            return f"{event.do} {event.hatch}"
        case "switch":
            return f"{event.equipment} {'on' if event.on else 'off'}"
        case "introduce":
            return f"{event.kg:g} kg {event.gas} into {event.compartment}"
        case _:
            return f"vent {event.compartment}"
