"""What the search advises, as values, and the sentences that say why. What to advise is the adviser's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.isolate.choice import Plan
from controller.isolate.moves import WORTH_MINDING, Move
from controller.isolate.station import Part, Station
from firmware_bridge.units import S_PER_HOUR

NEARLY_SURE = 0.995  # from here on percents would round to certainty


class Step(StrEnum):
    """What people are asked to do."""

    MOVE = "move"  # open and shut hatches, in the order of the moves
    WATCH = "watch"  # leave the hatches as they are
    ISOLATE = "isolate"  # it is known: shut the compartment off
    ISOLATED = "isolated"  # the compartment is shut off
    SAFE_HAVEN = "safe_haven"  # stop searching, go where the lifeboats are
    UNDECIDED = "undecided"  # no hatch would tell more


@dataclass(frozen=True, slots=True)
class Advice:
    """One step of the search.

    `why` is one sentence for people, `outcomes` what each result of a watch would mean. `watch_s` is how long in all,
    `hold_s` how long the hatches may stay shut at most. Probabilities are the compartments', `no_leak` the rest.
    """

    step: Step
    moves: tuple[Move, ...]
    why: str
    outcomes: tuple[str, ...]
    watch_s: float | None
    hold_s: float | None
    bits: float | None
    compartment: str | None
    probabilities: tuple[tuple[str, float], ...]
    no_leak: float
    shut: frozenset[str]

    @property
    def news(self) -> tuple[object, ...]:
        """What makes it another step; probabilities move all the time."""
        return self.step, self.moves, self.compartment, self.shut


def why_watch(plan: Plan, station: Station, leaking: Mapping[Part, float], *, extended: bool) -> str:
    """Why these hatches, and how long."""
    names = _and(sorted(plan.shut - station.normally_shut))
    parts = [part for part in plan.parts if leaking[part] >= WORTH_MINDING]
    split = " from ".join(f"{told(station, part)} ({leaking[part]:.0%})" for part in parts)
    until = (
        f"{minutes(plan.watch_s)} tell them apart"
        if plan.told_apart
        else f"{minutes(plan.watch_s)} is as long as they may stay shut, and may not tell them apart for sure"
    )
    begin = f"with {names} shut a little longer" if extended else f"shutting {names}"
    return f"{begin} divides {split}, and {until}"


def outcomes_of(
    plan: Plan, station: Station, leaking: Mapping[Part, float], watched: Iterable[str], loss_pa_m3_s: float
) -> tuple[str, ...]:
    """What each result of the watch would mean, one sentence for each part that may leak."""
    rooms = set(watched)
    minded = [part for part in plan.parts if leaking[part] >= WORTH_MINDING]
    seen = [part for part in minded if part & rooms]
    sentences = []
    for part in seen:
        drop_pa = loss_pa_m3_s / station.volume_m3(part) * plan.watch_s
        sentences.append(f"if {told(station, part)} falls by about {drop_pa:.2g} Pa more than the rest, it leaks there")
    blind = [part for part in minded if not part & rooms]
    if blind:
        unseen = " or ".join(told(station, part) for part in blind)
        sentences.append(f"if no pressure falls more than the others, the leak is in {unseen}, or there is none")
    else:
        sentences.append("if no pressure falls more than the others, none of these leaks")
    return tuple(sentences)


def why_isolate(room: str, probability: float, no_leak: float, station: Station, *, done: bool) -> str:
    """Why the search is over, and what a leak in that room asks for."""
    doubt = f", or there is none: {no_leak:.0%}" if no_leak >= WORTH_MINDING else ""
    sure = f"{probability:.0%}" if probability < NEARLY_SURE else "over 99%"
    found = f"the leak is in {room} ({sure}{doubt})"
    if room in station.lifeboats:
        return f"{found}, where a lifeboat hangs: stay with the lifeboat, and search for the hole there"
    if done:
        return f"{found}, and shut off"
    return f"{found}: leave it, shut its hatches from outside, and open the others"


def why_haven(reserve_s: float) -> str:
    """Why nobody searches any more."""
    return f"{minutes(reserve_s)} of reserve time are left: stop searching, go to the lifeboats, and shut them off"


def why_undecided(probabilities: Sequence[tuple[str, float]], no_leak: float) -> str:
    """Why no hatch is worth it."""
    likely = sorted(probabilities, key=lambda pair: -pair[1])
    rooms = _and([f"{room} ({p:.0%})" for room, p in likely if p >= WORTH_MINDING][:4])
    return (
        f"no hatch that may be shut would by itself tell more about {rooms or 'any compartment'}"
        f" (none of them: {no_leak:.0%}); search by hand or with an ultrasonic probe"
    )


def told(station: Station, part: Part) -> str:
    """A volume for people."""
    names = [room for room in station.rooms if room in part]
    return " + ".join(names) if len(names) <= 4 else f"{' + '.join(names[:3])} + {len(names) - 3} more"


def told_move(move: Move) -> str:
    """One move for people."""
    if move.opens:
        return f"{'equalise, then open' if move.equalise else 'open'} {move.hatch}"
    return f"shut {move.hatch}"


def minutes(seconds: float) -> str:
    """A time for people."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 2 * S_PER_HOUR else f"{seconds / S_PER_HOUR:.1f} h"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
