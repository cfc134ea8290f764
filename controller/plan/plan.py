"""One site's plan: the map of its hull, its blind spots, and what nodes are worth. Words for people are telling's."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.localize.forward import SurveyErrors, sound_speed
from controller.measure.coherence import CoherentGroup, coherent_groups
from controller.plan.bound import Surveyed
from controller.plan.hearing import Air, Array, Listening, Noise
from controller.plan.map import Map, Question, Spot, group_at, map_of, spots
from controller.plan.nodes import Addition, Loss, Wiring, additions, losses, places, shape_of, wirings
from controller.plan.source import Leak
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Site

MAX_POINTS = 20_000  # of the map: seconds of work, a few megabytes of JSON
LARGE_GROUP = 24  # microphones; above, work grows with their cube and places are saved
MAX_MICROPHONES = 256  # of a group: maps take minutes
COMPARED_POINTS = 600  # of the maps that are compared, of which there are a hundred
LEAST_POINTS = 60
LEAST_PLACES = 12  # that are tried for one node more however large a group is
WORTH = 0.01  # a node that does not make the mean radius smaller by 2 % is not proposed

Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is asked for.

    Args:
        spacing_m: of the map's places; wider where a hull is too large for it.
        places: that are tried for one node more; 0: none.
    """

    leak: Leak
    noise: Noise
    air: Air
    listening: Listening
    spacing_m: float = 0.10
    places: int = 45


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a site can find.

    `compared` is the map as it is on the coarser grid of `additions`, `wirings` and `losses`.
    """

    site: Site
    compartment: str
    hull: Hull
    groups: tuple[CoherentGroup, ...]
    asked: Asked
    spacing_m: float
    drawn: Map
    spots: tuple[Spot, ...]
    compared: Map
    additions: tuple[Addition, ...]
    wirings: tuple[Wiring, ...]
    losses: tuple[Loss, ...]

    @property
    def line(self) -> str:
        """The group that nodes are wired to in `additions` and `wirings`: the largest."""
        return max(self.groups, key=lambda group: len(group.sensors)).name


def plan(site: Site, compartment: str, asked: Asked, advance: Advance) -> Plan:
    """The plan of one compartment; `advance` is told what is done, how many steps of how many.

    Raises:
        ValueError: the compartment has no hull, no microphones, or too many.
        KeyError: there is no such compartment.
    """
    hull = site.compartment(compartment).hull
    groups = coherent_groups(site, compartment)
    if hull is None or not groups:
        raise ValueError(f"compartment {compartment!r} has no {'hull' if hull is None else 'microphones'}")
    if max(len(group.sensors) for group in groups) > MAX_MICROPHONES:
        raise ValueError(f"more than {MAX_MICROPHONES} microphones of {compartment!r} are on one trigger line")
    speed, sigma = sound_speed(asked.air.temperature_k, site.survey.temperature_sigma_k)
    known = Surveyed(SurveyErrors(site.survey.microphone_sigma_m, site.survey.hull_sigma_m), speed, sigma)
    question = Question(hull, known, asked.leak, asked.noise, asked.air, asked.listening)
    spacing_m = affordable_spacing_m(hull, groups, asked.spacing_m)
    nodes = sum(len(set(group.nodes)) for group in groups)
    coarse = _coarse(hull, groups)
    # as many as asked, or in proportion to the coarse map where a large group makes that sparse
    share = min(1.0, _affordable(groups, COMPARED_POINTS) / COMPARED_POINTS)
    count = max(min(asked.places, LEAST_PLACES), int(asked.places * share))
    total = 1 + nodes + 2 * count
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        advance("planning", min(done, total), total)

    points = hull.grid(spacing_m)
    drawn = map_of(question, [group_at(question, group, points) for group in groups], points)
    step(1)
    parts = [group_at(question, group, coarse) for group in groups]
    compared = map_of(question, parts, coarse)
    lost = losses(question, parts, coarse, step)
    trigger = site.survey.trigger_sigma_s
    joined = wirings(question, parts, coarse, trigger)
    shape = shape_of(groups)
    centres = places(hull, shape, count) if count else np.empty((0, 3))
    added = additions(question, parts, coarse, centres, trigger, step)
    added = tuple(more for more in added if more.log_radius < compared.log_radius - WORTH)
    advance("planning", total, total)
    return Plan(
        site, compartment, hull, groups, asked, spacing_m, drawn, spots(drawn, hull), compared, added, joined, lost
    )


def affordable_spacing_m(hull: Hull, groups: tuple[CoherentGroup, ...], wanted_m: float) -> float:
    """`wanted_m`, or wider where that would take too many places."""
    return max(wanted_m, float(np.sqrt(hull.area_m2 / _affordable(groups, MAX_POINTS))))


def _coarse(hull: Hull, groups: tuple[CoherentGroup, ...]) -> Array:
    return hull.grid(float(np.sqrt(hull.area_m2 / _affordable(groups, COMPARED_POINTS))))


def _affordable(groups: tuple[CoherentGroup, ...], most: int) -> int:
    """`most` places, or fewer where the largest group is large."""
    return max(LEAST_POINTS, int(most * min(1.0, (LARGE_GROUP / max(len(group.sensors) for group in groups)) ** 3)))
