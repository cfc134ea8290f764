"""What every fast channel records with the leaks shut and with them open, as densities over frequency."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import NS_PER_S, SOUND_REFERENCE_PA, Quantity, s_to_ns
from sim.plant.opened_plant import OpenedPlant, plugged_fast_nodes
from sim.plots.style import FAINT, LEAK, QUIET, Drawn, finished, missing_parts, new_figure, tidy
from sim.truth import TrueLeak, true_leaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

SAMPLES = 65_536
SEGMENT = 2048  # 94 Hz a bin at 192 kHz; 63 half-overlapping segments scatter by 0.6 dB
SMOOTH_BINS = 21  # 2 kHz at 192 kHz: combs of echoes from 0.5 ms on are averaged out
MOST_NODES = 12
SETTLED_S = 1.0  # after a leak is open: echoes have built up
VELOCITY_REFERENCE_M_S = 1e-9  # ISO 1683
LOWEST_HZ = 1e3
NOTHING_DB = 1.0  # between the smoothed means of two looks at one sound: it scatters by 0.1 to 0.2 dB


def draw_spectra(plant: OpenedPlant) -> Drawn:
    """Densities of what is recorded, channel by channel, before a leak opens and while most is open."""
    scenario, leaks = plant.scenario, true_leaks(plant.scenario)
    nodes = plugged_fast_nodes(scenario, plant.site)
    if not nodes:
        return Drawn(None, (f"spectra: no node with fast channels is plugged in ({_have(plant.site)})",))
    notes = missing_parts(scenario, leaks)
    if len(nodes) > MOST_NODES:
        notes.append(f"spectra of {MOST_NODES} of {len(nodes)} nodes only: more cannot be read")
        nodes = nodes[:MOST_NODES]
    listened_s = SAMPLES / min(plant.stations[node.name].rate_hz for node in nodes)
    before_s, open_s = _times(leaks, scenario.duration_s, listened_s)
    quiet, quiet_s, shut = plant, before_s, "leaks shut"
    if before_s is None and open_s is not None:
        quiet = OpenedPlant(scenario.model_copy(update={"leaks": ()}), plant.site, plant.seed)
        quiet_s, shut = open_s, "the same without leaks"
        notes.append("spectra before the leak: there is always one; drawn of the same world without leaks instead")
    if open_s is None:
        notes.append("spectra of a leak: none is open for long enough")
    columns = 1 if len(nodes) == 1 else 2 if len(nodes) <= 8 else 3
    rows = math.ceil(len(nodes) / columns)
    figure = new_figure(6.2 * columns, 1.3 + 2.9 * rows)
    grid = figure.subplots(
        rows, columns, squeeze=False, sharex=_one_rate(plant, nodes), sharey=_alike(plant, nodes)
    ).ravel()
    for axes, node in zip(grid, nodes, strict=False):
        _draw_node(axes, [(quiet, quiet_s, QUIET, shut), (plant, open_s, LEAK, "leak open")], node)
        if node is nodes[0]:
            axes.legend(fontsize=8, loc="upper right", framealpha=0.85)
    for axes in grid[len(nodes) :]:
        axes.set_visible(False)
    for axes in grid[max(len(nodes) - columns, 0) : len(nodes)]:
        axes.set_xlabel("frequency, kHz", fontsize=9)
        axes.tick_params(labelbottom=True)
    told = [f"{words} at {at_s:.1f} s" for words, at_s in (("shut", before_s), ("open", open_s)) if at_s is not None]
    return Drawn(finished(figure, plant, f"What the fast channels record ({', '.join(told)})"), tuple(notes))


def _one_rate(plant: OpenedPlant, nodes: list[Node]) -> bool:
    """Whether all nodes sample alike, so that one frequency axis fits all."""
    return len({plant.stations[node.name].rate_hz for node in nodes}) == 1


def _alike(plant: OpenedPlant, nodes: list[Node]) -> bool:
    """Whether all nodes record the same quantities, so that one scale fits all."""
    return len({frozenset(sensor.quantity for sensor in plant.fast_sensors(node)) for node in nodes}) == 1


def density(samples: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Frequencies (n,), Hz, and one-sided power densities (channels, n), unit^2/Hz, of samples (channels, m).

    Mean of Hann-windowed periodograms of half-overlapping segments (Welch 1967).
    """
    window = np.hanning(SEGMENT)
    segments = np.lib.stride_tricks.sliding_window_view(samples, SEGMENT, axis=1)[:, :: SEGMENT // 2]
    power = np.mean(np.abs(np.fft.rfft(segments * window, axis=2)) ** 2, axis=1)
    scaled: FloatArray = power * (2.0 / (rate_hz * np.sum(window**2)))
    frequency_hz: FloatArray = np.fft.rfftfreq(SEGMENT, 1.0 / rate_hz).astype(np.float64)
    return frequency_hz, scaled


def _smoothed(power: FloatArray) -> FloatArray:
    """Hann-weighted running mean over `SMOOTH_BINS`, over fewer at the ends."""
    kernel = np.hanning(SMOOTH_BINS)
    mean: FloatArray = np.convolve(power, kernel, "same") / np.convolve(np.ones_like(power), kernel, "same")
    return np.maximum(mean, 1e-30)


def _times(leaks: tuple[TrueLeak, ...], end_s: float, listened_s: float) -> tuple[float | None, float | None]:
    """A time at which all leaks are shut and one at which most is open, each for as long as is listened."""
    edges = sorted({edge for leak in leaks for edge in leak.opening.edges if edge < end_s} | {0.0, end_s})
    shut: float | None = None
    best: tuple[float, float] | None = None
    for from_s, until_s in pairwise(edges):
        if until_s - from_s <= listened_s + SETTLED_S:
            continue
        at_s = min(from_s + SETTLED_S, until_s - listened_s) if from_s > 0.0 else (until_s - listened_s) / 2.0
        share = sum(leak.opening.share(at_s + listened_s) for leak in leaks)
        silent = share == 0.0 and sum(leak.opening.share(at_s) for leak in leaks) == 0.0
        if silent and shut is None:
            shut = at_s
        elif share > 0.0 and (best is None or share > best[0] + 1e-9):
            best = (share, at_s if share == round(share) else until_s - listened_s)
    return shut, None if best is None else best[1]


def _draw_node(axes: "Axes", looks: list[tuple[OpenedPlant, float | None, str, str]], node: Node) -> None:
    """Each look: in which plant, when, its colour, its words."""
    plant = looks[-1][0]
    station, sensors = plant.stations[node.name], plant.fast_sensors(node)
    rate_hz = station.rate_hz
    reference = np.array(
        [SOUND_REFERENCE_PA if s.quantity is Quantity.ULTRASOUND else VELOCITY_REFERENCE_M_S for s in sensors]
    )
    scale = np.array([plant.scale_of(node.name, sensor.quantity) for sensor in sensors])
    means: list[FloatArray] = []
    for where, at_s, color, words in looks:
        if at_s is None:
            continue
        start_ns = s_to_ns(at_s)
        counts, _ = where.burst(node.name, start_ns, SAMPLES, start_ns // (NS_PER_S // 1000), triggered=False)
        frequency_hz, power = density(counts * scale[:, None], rate_hz)
        shown = frequency_hz >= LOWEST_HZ
        level_db = 10.0 * np.log10(np.maximum(power / reference[:, None] ** 2, 1e-30))
        axes.plot(frequency_hz[shown] / 1e3, level_db[:, shown].T, color=color, lw=0.6, alpha=0.35)
        smooth = 10.0 * np.log10(_smoothed(np.mean(power / reference[:, None] ** 2, axis=0)))
        means.append(smooth[shown])
        axes.plot(
            frequency_hz[shown] / 1e3,
            smooth[shown],
            color=color,
            lw=3.0 if color == QUIET else 1.5,
            label=words,
            zorder=3,
        )
    axes.plot([], [], color=FAINT, lw=0.6, label="single channels")
    _draw_noise(axes, plant, node, rate_hz)
    tidy(axes)
    title = f"node {node.name}, {node.compartment}: {', '.join(s.name for s in sensors)}"[:70]
    if len(means) > 1 and float(np.abs(means[1] - means[0]).max()) < NOTHING_DB:
        title += "\nno difference: nothing to hear of the leak"
    axes.set_title(title, fontsize=9)
    felt = {s.quantity for s in sensors}
    units = ["dB re 20 µPa/√Hz"] if Quantity.ULTRASOUND in felt else []
    units += ["dB re 1 nm/s/√Hz"] if Quantity.SURFACE_VELOCITY in felt else []
    axes.set_ylabel(", ".join(units), fontsize=9)
    axes.set_xlim(0.0, rate_hz / 2e3)


def _draw_noise(axes: "Axes", plant: OpenedPlant, node: Node, rate_hz: float) -> None:
    """What the front ends add by themselves."""
    frequency_hz = np.linspace(LOWEST_HZ, rate_hz / 2.0, 200)
    for quantity, power in plant.self_noise(node.name, frequency_hz).items():
        reference = SOUND_REFERENCE_PA if quantity is Quantity.ULTRASOUND else VELOCITY_REFERENCE_M_S
        level_db = 10.0 * np.log10(np.maximum(power / reference**2, 1e-30))
        axes.plot(frequency_hz / 1e3, level_db, color=FAINT, lw=1.1, ls="--", label="self-noise", zorder=3)


def _have(site: Site) -> str:
    names = [node.name for node in site.nodes if any(sensor.quantity.in_bursts for sensor in node.sensors)]
    return f"the site has {', '.join(names)}" if names else "the site has none"
