"""The search for the leaking compartment, step by step: takes in what is known, says what to do next and why.

It moves nothing itself and owns no clock. Barometers are followed by `watching`, what they mean is told in `falls`.
"""

from dataclasses import dataclass, field, replace

from controller.isolate.advice import (
    Advice,
    Step,
    outcomes_of,
    why_haven,
    why_isolate,
    why_undecided,
    why_watch,
)
from controller.isolate.belief import Belief, Floats
from controller.isolate.choice import SHORTEST_WATCH_S, USUAL, Outlook, Plan, best_plan, plan_for
from controller.isolate.falls import Barometer, Drop, fall_evidence
from controller.isolate.hearsay import no_evidence
from controller.isolate.moves import OPEN_BY, WORTH_MINDING, Move, moves_between, shut_off
from controller.isolate.settings import Settings
from controller.isolate.station import Station
from firmware_bridge.units import NS_PER_S, PA_PER_MMHG

REPLAN_NS = 30 * NS_PER_S  # while there is nothing to do, look again after this
EVACUATION_PA = 490.0 * PA_PER_MMHG  # the crew's chart
LIKELY = 0.9  # as sure is sure enough where no hatch would tell more
MOST_DOUBT = 0.25  # that nothing leaks, with which a compartment is still named
KEPT_NAME = 0.5  # a compartment once named stays so down to this probability
UNSUSPECTED = 0.99  # that nothing leaks, while nothing but separate volumes themselves could say otherwise


@dataclass(frozen=True, slots=True)
class Situation:
    """What is so now.

    Args:
        shut: hatches that are shut.
        watched_s: for how long the volumes have been watched as they are, s.
        drops: what barometers lost in that time.
        barometers: all that speak.
        pressure_pa: of the cabin.
        difference_pa: what stands across shut hatches, by name, as far as known, Pa.
        suspected: whether a leak is suspected by other means, or somebody asked to search.
        reserve_s: least reserve time, s; None where no loss is known.
        sound: newest evidence of sound (compartments + none, 1), `no_evidence` without.
        size: newest evidence of the whole station's loss (compartments + none, conductances), None without.
    """

    shut: frozenset[str]
    watched_s: float
    drops: tuple[Drop, ...]
    barometers: tuple[Barometer, ...]
    pressure_pa: float
    difference_pa: dict[str, float] = field(default_factory=dict)
    suspected: bool = False
    reserve_s: float | None = None
    sound: Floats | None = None
    size: Floats | None = None


class Adviser:
    """One search; `forget` begins another."""

    def __init__(self, station: Station, settings: Settings, limit_pa: float = EVACUATION_PA) -> None:
        """All compartments alike; people have to leave at `limit_pa`."""
        self._limit_pa = limit_pa
        self._station = station
        self._settings = settings
        self._flat = Belief.flat(station.rooms, settings.no_leak)
        self._calm = Belief.flat(station.rooms, UNSUSPECTED)
        self.forget()

    def forget(self) -> None:
        """What was learned is over: the leak is sealed, or another begins."""
        self._learned = self._flat  # of watches that are over
        self._size: Floats | None = None
        self._plan: Plan | None = None
        self._why = ""
        self._outcomes: tuple[str, ...] = ()
        self._shut: frozenset[str] | None = None
        self._now: Floats | None = None  # evidence of the watch that goes on
        self._replan_ns = 0
        self._named: str | None = None
        self.belief = self._flat

    def step(self, now_ns: int, situation: Situation) -> Advice | None:
        """The advice as it stands now; None while there is nothing to search for."""
        self._learn(situation)
        if not situation.suspected and self.belief.no_leak > 1.0 - self._settings.sure:
            self._plan, self._named = None, None
            return None
        haven = self._settings.haven_reserve_s
        if situation.reserve_s is not None and situation.reserve_s < haven:
            self._plan = None
            boats = self._station.lifeboats
            around = {p.name for p in self._station.passages if boats & set(p.between) and not boats >= set(p.between)}
            moves = moves_between(self._station, situation.shut, situation.shut | around) or ()
            return self._advice(Step.SAFE_HAVEN, situation, moves=moves, why=why_haven(situation.reserve_s))
        isolated = self._isolated(situation, self._settings.sure)
        if isolated is not None:
            return isolated
        outlook = self._outlook(situation)
        self._follow_plan(now_ns, situation, outlook)
        plan = self._plan
        if plan is None and (isolated := self._isolated(situation, LIKELY)) is not None:
            return isolated
        if plan is None:
            why = why_undecided(tuple(self.belief.of().items()), self.belief.no_leak)
            back = moves_between(self._station, situation.shut, self._station.normally_shut) or ()
            moves = self._equalised(back, situation)
            usual_shut = self._station.normally_shut
            return self._advice(Step.UNDECIDED, situation, moves=moves, why=why, shut=usual_shut)
        moves = moves_between(self._station, situation.shut, plan.shut) or ()
        moves = self._equalised(moves, situation)
        step = Step.MOVE if moves else Step.WATCH
        advice = self._advice(step, situation, moves=moves, why=self._why, shut=plan.shut)
        return replace(advice, outcomes=self._outcomes, watch_s=plan.watch_s, hold_s=plan.hold_s, bits=plan.bits)

    def _learn(self, situation: Situation) -> None:
        """Evidence of the watch that goes on replaces itself; when a hatch moves, it is kept for good."""
        if self._shut is not None and situation.shut != self._shut and self._now is not None:
            self._learned, self._now = self._learned.told(self._now), None
        self._shut = situation.shut
        divided = situation.shut != self._station.normally_shut
        told = None
        if situation.watched_s > 0.0:
            parts = self._station.parts(situation.shut)
            told = fall_evidence(self._station, parts, situation.drops, situation.watched_s, self._settings)
        if divided:
            self._now = told if told is not None else self._now
        elif situation.size is not None:
            self._size = situation.size  # what follows is learned from parts, and holds it already
        elif self._learned is self._flat and told is not None:
            self._size = told  # how little the whole falls bounds what any compartment can leak
        belief = self._learned if self._now is None else self._learned.told(self._now)
        for evidence in (self._size, no_evidence(self._station.rooms) if situation.sound is None else situation.sound):
            belief = belief if evidence is None else belief.told(evidence)
        weight = (self._flat if situation.suspected else self._calm).log_weight
        self.belief = replace(belief, log_weight=weight)

    def _isolated(self, situation: Situation, sure: float) -> Advice | None:
        """Once one compartment is sure: how to shut it off. A name once given stays unless it becomes doubtful."""
        of = self.belief.of()
        room = max(of, key=lambda name: of[name])
        asked = sure if room != self._named else KEPT_NAME
        if of[room] < asked * (1.0 - self.belief.no_leak) or self.belief.no_leak > MOST_DOUBT:
            self._named = None
            return None
        self._named, self._plan = room, None
        station = self._station
        wanted = shut_off(station, room)
        moves = self._equalised(moves_between(station, situation.shut, wanted) or (), situation)
        step = Step.ISOLATE if moves else Step.ISOLATED
        why = why_isolate(room, of[room], self.belief.no_leak, station, done=not moves)
        return self._advice(step, situation, moves=moves, why=why, compartment=room, shut=wanted)

    def _follow_plan(self, now_ns: int, situation: Situation, outlook: Outlook) -> None:
        """Keep the plan while it is carried out and not yet decided; else choose anew."""
        plan = self._plan
        if plan is not None and situation.shut != plan.shut:
            moves = moves_between(self._station, situation.shut, plan.shut)
            on_the_way = moves is not None and {m.hatch for m in moves} <= {m.hatch for m in plan.moves}
            if on_the_way and plan_for(outlook, plan.shut) is not None:
                return
        elif plan is not None:
            too_early = situation.watched_s < SHORTEST_WATCH_S
            if not self._jams(situation) and (too_early or not self._over(plan, situation)):
                return
        elif now_ns < self._replan_ns:
            return
        chosen = best_plan(outlook)
        self._replan_ns = now_ns + REPLAN_NS
        self._plan = chosen
        if chosen is None:
            return
        leaking = outlook.leaking(chosen.parts)
        self._why = why_watch(chosen, self._station, leaking, extended=not chosen.moves)
        usual = self.belief.conductance_m3_s(USUAL)
        watched = {barometer.room for barometer in situation.barometers}
        self._outcomes = outcomes_of(chosen, self._station, leaking, watched, usual * situation.pressure_pa)
        if chosen.shut == situation.shut:  # longer than so far
            self._plan = replace(chosen, watch_s=situation.watched_s + chosen.watch_s)

    def _over(self, plan: Plan, situation: Situation) -> bool:
        """Whether the time is up, or it is known at the declared error rate in which part the leak is."""
        of = self.belief.of()
        surest = max(plan.parts, key=lambda part: sum(of[room] for room in part))
        minded = [room for room in surest if of[room] >= WORTH_MINDING]
        told = sum(of[room] for room in surest) >= 1.0 - self._settings.error_rate
        # One suspect alone is watched until it can be named: no other hatch would say more of it.
        return situation.watched_s >= plan.watch_s or (told and len(minded) > 1)

    def _jams(self, situation: Situation) -> bool:
        limit_pa = OPEN_BY * self._settings.jam_mmhg * PA_PER_MMHG
        shut = situation.shut - self._station.normally_shut
        return any(abs(situation.difference_pa.get(name, 0.0)) >= limit_pa for name in shut)

    def _equalised(self, moves: tuple[Move, ...], situation: Situation) -> tuple[Move, ...]:
        """A hatch that the pressure holds shut is to be equalised through its valve before anybody pulls at it."""
        limit_pa = self._settings.jam_mmhg * PA_PER_MMHG
        return tuple(
            replace(move, equalise=True)
            if move.opens and abs(situation.difference_pa.get(move.hatch, 0.0)) > limit_pa
            else move
            for move in moves
        )

    def _outlook(self, situation: Situation) -> Outlook:
        return Outlook(
            self._station,
            self.belief,
            situation.shut,
            situation.barometers,
            situation.pressure_pa,
            situation.difference_pa,
            self._settings,
            self._limit_pa,
        )

    def _advice(
        self,
        step: Step,
        situation: Situation,
        *,
        why: str,
        moves: tuple[Move, ...] = (),
        compartment: str | None = None,
        shut: frozenset[str] | None = None,
    ) -> Advice:
        return Advice(
            step=step,
            moves=moves,
            why=why,
            outcomes=(),
            watch_s=None,
            hold_s=None,
            bits=None,
            compartment=compartment,
            probabilities=tuple(self.belief.of().items()),
            no_leak=self.belief.no_leak,
            shut=situation.shut if shut is None else shut,
        )
