"""The next hatches to shut and how long to watch: the most information expected for each minute of a shut hatch.

Shutting hatches makes parts; watching them for a time t tells in which the leak is, or that it is in none, the better
the farther apart (d sigmas) the readings are that each case makes. What is learned on average is at least

    I = - sum over i of q_i log2 sum over j of q_j exp(-d_ij^2 / 8)

bits (q are the probabilities of the cases; mixture entropy by Bhattacharyya distances: Kolchinsky & Tracey 2017,
Entropy 19(7) 361). t is the time after which parts are told apart at the declared error rate, or as long as the
hatches may stay shut.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from controller.isolate.belief import Belief, Floats
from controller.isolate.falls import Barometer, distances
from controller.isolate.moves import WORTH_MINDING, Move, at_stake, crew_reserve_s, hold_s, moves_between
from controller.isolate.settings import Settings
from controller.isolate.station import Part, Station

SHORTEST_WATCH_S = 10.0  # two blocks of readings
LONGEST_WATCH_S = 86_400.0
HALVINGS = 8  # of the watch's time on a logarithmic scale: within 4 %
LEAST_BITS = 0.05  # less is worth no hatch that is moved
LEAST_BITS_STANDING = 0.003  # nor to wait for where hatches stand as they are
PAIRED = 6  # best choices of single hatches, which are tried together with each other
EFFORT = 20.0  # what moving a hatch counts beside the time that it takes: attention, wear, chances to err
CAUTIOUS = 0.9  # the conductance that is reckoned with where people or hatches may come to harm
USUAL = 0.5  # and where only time is lost


@dataclass(frozen=True, slots=True)
class Plan:
    """Hatches to be `shut` (all others open), how to get there, how long to watch, and what that is worth.

    `hold_s` is how long they may stay shut. `told_apart` says that the watch reaches the declared error rate.
    """

    shut: frozenset[str]
    moves: tuple[Move, ...]
    parts: tuple[Part, ...]
    watch_s: float
    hold_s: float
    bits: float
    bits_a_minute: float
    told_apart: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a choice is made from: who stands where, who can watch, and what stands across hatches (Pa).

    `limit_pa` is the pressure at which people have to leave.
    """

    station: Station
    belief: Belief
    shut: frozenset[str]
    barometers: tuple[Barometer, ...]
    pressure_pa: float
    difference_pa: Mapping[str, float]
    settings: Settings
    limit_pa: float

    def leaking(self, parts: Sequence[Part]) -> dict[Part, float]:
        """Probability of a leak in each of `parts`."""
        of = self.belief.of()
        return {part: sum(of[room] for room in part) for part in parts}


def best_plan(outlook: Outlook) -> Plan | None:
    """The plan with the most bits a minute; None where none is allowed that would teach anything."""
    found = {plan.shut: plan for plan in _weighed(outlook, _singles(outlook))}
    best = sorted(found.values(), key=_worth, reverse=True)[:PAIRED]
    names = frozenset[str]().union(*(plan.shut for plan in best))
    pairs = {plan.shut | {name} for plan in best for name in names} - found.keys()
    found |= {plan.shut: plan for plan in _weighed(outlook, pairs)}
    return max(found.values(), key=_worth, default=None)


def plan_for(outlook: Outlook, shut: frozenset[str]) -> Plan | None:
    """The plan that ends with the hatches `shut`; None where that is not allowed or teaches nothing."""
    station, settings = outlook.station, outlook.settings
    moves = moves_between(station, outlook.shut, shut)
    if moves is None:
        return None
    parts = station.parts(shut)
    leaking = outlook.leaking(parts)
    if shut <= station.normally_shut or (moves and max(leaking.values()) > 1.0 - outlook.belief.no_leak - 1e-3):
        return None  # nothing is divided that may leak; and only to be surer that it leaks no hatch is moved
    cautious = outlook.belief.conductance_m3_s(CAUTIOUS)
    of = outlook.belief.of()
    hold = hold_s(station, shut, of, cautious, outlook.pressure_pa, outlook.difference_pa, settings)
    moving_s = sum(settings.motor_s if move.by_motor else settings.operation_s for move in moves)
    reserve_s = crew_reserve_s(station, leaking, cautious, outlook.pressure_pa, outlook.limit_pa)
    longest_s = min(hold - settings.settle_s, reserve_s - settings.haven_reserve_s - moving_s, LONGEST_WATCH_S)
    if longest_s < SHORTEST_WATCH_S:
        return None
    usual = outlook.belief.conductance_m3_s(USUAL)
    share = np.array([*leaking.values(), outlook.belief.no_leak])

    def apart(watch_s: float) -> Floats:
        return distances(station, parts, outlook.barometers, usual, watch_s, settings)

    watch_s, told_apart = _watch_s(apart, share, longest_s, settings.error_rate)
    bits = _bits(*_minded(share, apart(watch_s)))
    if bits < (LEAST_BITS if moves else LEAST_BITS_STANDING):
        return None
    # What is shut is mostly to be opened again.
    effort_s = EFFORT * sum(_move_s(settings, move.by_motor) * (1.0 if move.opens else 2.0) for move in moves)
    standing = max(len(at_stake(station, shut, of)), 1)
    cost_s = effort_s + standing * (settings.settle_s + watch_s)
    return Plan(shut, moves, parts, watch_s, hold, bits, 60.0 * bits / cost_s, told_apart)


def _move_s(settings: Settings, by_motor: bool) -> float:
    return settings.motor_s if by_motor else settings.operation_s


def _singles(outlook: Outlook) -> set[frozenset[str]]:
    """As it is, or with one hatch more, some or all of the others opened."""
    now, usual = outlook.shut, outlook.station.normally_shut
    bases = {now, now & usual | usual, *(now - {name} for name in now - usual)}
    names = [passage.name for passage in outlook.station.passages]
    return {now, *(base | {name} for base in bases for name in names), *bases}


def _weighed(outlook: Outlook, candidates: Iterable[frozenset[str]]) -> list[Plan]:
    ordered = sorted(candidates, key=sorted)  # the same choice in every run
    return [plan for shut in ordered if (plan := plan_for(outlook, shut)) is not None]


def _worth(plan: Plan) -> tuple[float, int, list[str]]:
    return plan.bits_a_minute, -len(plan.moves), sorted(plan.shut)


def _watch_s(
    apart: Callable[[float], Floats], share: Floats, longest_s: float, error_rate: float
) -> tuple[float, bool]:
    """The time after which all parts worth minding are told apart, at most `longest_s`; and whether they are.

    Where there is but one such part, it is told from none; `share` is of the parts and of none.
    """
    minded = share >= WORTH_MINDING
    if np.count_nonzero(minded[:-1]) > 1:
        minded[-1] = False
    asked = 2.0 * NormalDist().inv_cdf(1.0 - error_rate)

    def told(watch_s: float) -> bool:
        d = apart(watch_s)[np.ix_(minded, minded)]
        return bool(np.all(d[~np.eye(len(d), dtype=bool)] >= asked))

    if not told(longest_s):
        return longest_s, False
    low, high = math.log(SHORTEST_WATCH_S), math.log(longest_s)
    if told(SHORTEST_WATCH_S):
        return SHORTEST_WATCH_S, True
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if told(math.exp(middle)) else (middle, high)
    return math.exp(high), True


def _minded(share: Floats, d: Floats) -> tuple[Floats, Floats]:
    """Without none, the last case, where more than one part is suspected: what is asked is where."""
    if np.count_nonzero(share[:-1] >= WORTH_MINDING) < 2:
        return share, d
    return share[:-1] / share[:-1].sum(), d[:-1, :-1]


def _bits(share: Floats, d: Floats) -> float:
    kept = share > 0.0
    q, d = share[kept], d[np.ix_(kept, kept)]
    return float(-q @ np.log2(np.exp(-(d**2) / 8.0) @ q))
