"""Which barometers to believe: several of one volume become one series, and who parts from the rest is named.

What the series says of a leak is decided elsewhere; values that no cabin has never come here.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from controller.detect.pressure_quiet import REFERENCE_PA

HELD_PERIODS = 3.0  # a barometer that said nothing for so many of its periods has no say
LEAST_HELD_S = 3.0
NAMED_AFTER_S = 15.0  # in which a barometer must stand apart before it is named
PARDONED_AFTER_S = 300.0  # in which it must stand with the others again before it votes
FOLLOW_S = 3600.0  # offsets between barometers are followed this slowly: chips drift
FROZEN_S, FROZEN_VALUES = 60.0, 12  # the same value for so long, so often, is no measurement beside one that moves
LONGEST_FROZEN_S = 7200.0
SETTLING_S = 60.0  # offsets are learned fast for so long
UNKNOWN_NOISE_PA2 = 4.0
REPEATS = 3
NOISE_EVERY = 8  # values: it is learned again
NOISE_KEPT = 0.98  # each time: a sensor that now and then reaches the next count is not exact in between
REMEMBERED = 60  # values for a sensor's own noise


@dataclass(slots=True)
class Ballot:
    """One barometer: its newest value, its offset from the others, and how it stands with them. Values in log-Pa."""

    value_pa: float
    seen_s: float
    since_s: float
    offset_pa: float = 0.0
    period_s: float = 1.0
    apart_since_s: float | None = None
    together_since_s: float | None = None
    outvoted: bool = False
    same_since_s: float = 0.0
    same_values: int = 0
    step_pa: float = math.inf  # the smallest change seen: what it rounds to
    noise_pa2: float = UNKNOWN_NOISE_PA2  # variance of one value
    taken: int = 0
    repeats: int = 0  # how often it said the same twice: who never does does not round
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    @property
    def frozen(self) -> bool:
        """Whether it repeats itself as only a stuck or a very coarse sensor does."""
        coarse_s = 10.0 * self.step_pa**2 if math.isfinite(self.step_pa) else 0.0  # a cabin wanders a step in that time
        long_s = min(max(FROZEN_S, coarse_s), LONGEST_FROZEN_S)
        return self.seen_s - self.same_since_s >= long_s and self.same_values >= FROZEN_VALUES

    def take(self, value_pa: float, now_s: float) -> None:
        """Its next value."""
        if now_s > self.seen_s:
            self.period_s += 0.2 * (min(now_s - self.seen_s, 600.0) - self.period_s)
        change, finest_pa = abs(value_pa - self.value_pa), self.step_pa
        if change < 1e-6:  # log-Pa of the same count
            self.same_values += 1
            self.repeats += 1
        else:
            self.same_since_s, self.same_values = now_s, 0
            self.step_pa = min(self.step_pa, change)
        self.value_pa, self.seen_s = value_pa, now_s
        self.recent.append(value_pa)
        self.taken += 1
        if self.taken % NOISE_EVERY == 0 or self.step_pa < finest_pa:
            least = NOISE_KEPT * self.noise_pa2 if self.taken > REMEMBERED else 0.0
            self.noise_pa2 = max(self._noise_pa2(), least)

    def _noise_pa2(self) -> float:
        """Variance of one value: from second differences, and of the rounding where there is no more."""
        values = list(self.recent)
        rounding = min(self.step_pa, 200.0) ** 2 / 12.0 if math.isfinite(self.step_pa) else 0.0
        if len(values) < 8:
            return max(rounding, UNKNOWN_NOISE_PA2)
        second = sorted(abs(a - 2.0 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False))
        # The median sees nothing of noise that only now and then reaches the next count; one spike in 30 is no noise.
        spread = max(1.4826 * second[len(second) // 2], second[len(second) * 9 // 10] / 1.645) / math.sqrt(6.0)
        return max(spread**2, rounding)

    @property
    def dithered(self) -> bool:
        """Whether noise carries it over its steps, so that a mean is finer than one value."""
        return self.same_values < 3 and self.noise_pa2 > 0.16 * min(self.step_pa, 1e6) ** 2


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the barometers say together: the series, and the variance of this value and of many."""

    value_pa: float
    variance_pa2: float
    averages: bool  # whether the mean of n values has an nth of that variance
    voters: tuple[str, ...]
    step_pa: float = 0.0  # to which the finest of them rounds, where noise does not carry it over its steps


class Votes:
    """The barometers of one connected volume."""

    def __init__(self, disagree_pa: float) -> None:
        """Nobody has spoken."""
        self._disagree_pa = disagree_pa
        self._ballots: dict[str, Ballot] = {}
        self._last_pa: float | None = None
        self._last_s = -math.inf
        self._began_s: float | None = None
        self._reasons: dict[str, str] = {}

    @property
    def complaints(self) -> tuple[tuple[str, str], ...]:
        """Barometers that are not believed, each with the reason."""
        return tuple(self._reasons.items())

    def forget(self, sensor: str) -> None:
        """A sensor that has another volume now."""
        self._ballots.pop(sensor, None)
        self._reasons.pop(sensor, None)

    def take(self, now_s: float, values_pa: dict[str, float]) -> Consensus | None:
        """Values of one short block of time, by sensor, as `REFERENCE_PA` times the logarithm of pressure."""
        self._began_s = now_s if self._began_s is None else self._began_s
        if self._last_pa is None and values_pa:  # whoever speaks first begins in the middle of those who do
            self._last_pa = sorted(values_pa.values())[len(values_pa) // 2]
        for name, value_pa in values_pa.items():
            ballot = self._ballots.get(name)
            if ballot is None or self._missed(ballot):
                self._ballots[name] = self._joining(value_pa, now_s)
            else:
                ballot.take(value_pa, now_s)
        present = {
            name: ballot
            for name, ballot in self._ballots.items()
            if now_s - ballot.seen_s <= max(LEAST_HELD_S, HELD_PERIODS * ballot.period_s)
        }
        if not present:
            return None
        voters = self._voters(present)
        corrected = {name: ballot.value_pa - ballot.offset_pa for name, ballot in voters.items()}
        value_pa = self._choose(corrected)
        self._judge(present, value_pa, now_s)
        self._last_pa, self._last_s = value_pa, now_s
        near = {n: b for n, b in voters.items() if abs(corrected[n] - value_pa) <= self._tolerance_pa(b)} or voters
        # Of a median the variance is half as much again as of a mean; rounding errors of alike sensors are not alike.
        variance = 1.2 * sum(ballot.noise_pa2 for ballot in near.values()) / len(near) ** 2
        averages = all(ballot.dithered for ballot in near.values())
        steps = [b.step_pa if b.repeats >= REPEATS else 0.0 for b in near.values() if math.isfinite(b.step_pa)]
        return Consensus(value_pa, variance, averages, tuple(near), 0.0 if averages or not steps else min(steps))

    def _missed(self, ballot: Ballot) -> bool:
        """Whether others went on without it for so long that nobody knows where it stands with them.

        Where all fell silent together, what was lost meanwhile still shows.
        """
        return self._last_s - ballot.seen_s > max(NAMED_AFTER_S, 2 * HELD_PERIODS * ballot.period_s)

    def _joining(self, value_pa: float, now_s: float) -> Ballot:
        """A new barometer stands where the others do."""
        offset = 0.0 if self._last_pa is None else value_pa - self._last_pa
        ballot = Ballot(value_pa, now_s, now_s, offset_pa=offset, same_since_s=now_s)
        ballot.recent.append(value_pa)
        return ballot

    def _voters(self, present: dict[str, Ballot]) -> dict[str, Ballot]:
        """Who has a vote: not those that were outvoted, nor the frozen beside others that move."""
        moving = {name: ballot for name, ballot in present.items() if not ballot.frozen}
        believed = {name: ballot for name, ballot in (moving or present).items() if not ballot.outvoted}
        return believed or moving or present

    def _choose(self, corrected: dict[str, float]) -> float:
        """The median; of two that part, the one that moved less: a lying barometer raises nothing."""
        ordered = sorted(corrected.values())
        if len(ordered) == 2 and ordered[1] - ordered[0] > self._disagree_pa and self._last_pa is not None:
            last = self._last_pa
            return min(ordered, key=lambda value: abs(value - last))
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])

    def _tolerance_pa(self, ballot: Ballot) -> float:
        return max(self._disagree_pa, 6.0 * math.sqrt(ballot.noise_pa2))

    def _judge(self, present: dict[str, Ballot], value_pa: float, now_s: float) -> None:
        """Follow the offsets of those that agree; name those that do not."""
        settling = now_s - (self._began_s or 0.0) < SETTLING_S
        for name, ballot in present.items():
            apart_pa = ballot.value_pa - ballot.offset_pa - value_pa
            if len(present) == 1:
                # Alone it is the series; nobody can say that it lies.
                ballot.apart_since_s, ballot.outvoted = None, False
                self._reasons.pop(name, None)
                continue
            if abs(apart_pa) > self._tolerance_pa(ballot):
                ballot.together_since_s = None
                ballot.apart_since_s = now_s if ballot.apart_since_s is None else ballot.apart_since_s
                if now_s - ballot.apart_since_s >= NAMED_AFTER_S and not ballot.outvoted:
                    ballot.outvoted = True  # told once: a text that changes all the time is an alarm that does
                    self._reasons[name] = self._why(name, ballot, apart_pa, present)
                continue
            ballot.apart_since_s = None
            share = 0.2 if settling else -math.expm1(-max(ballot.period_s, 1.0) / FOLLOW_S)
            if ballot.outvoted:
                ballot.together_since_s = now_s if ballot.together_since_s is None else ballot.together_since_s
                if now_s - ballot.together_since_s >= PARDONED_AFTER_S:
                    ballot.outvoted = False
                    self._reasons.pop(name, None)
                continue
            ballot.offset_pa += share * apart_pa

    @staticmethod
    def _why(name: str, ballot: Ballot, apart_pa: float, present: dict[str, Ballot]) -> str:
        others = ", ".join(other for other in present if other != name and not present[other].outvoted)
        moved = "is stuck" if ballot.frozen else "falls away" if apart_pa < 0 else "rises away"
        return f"{moved} from {others or 'the others'}: not used; check it, or say which hatch is closed"


def log_pa(pressure_pa: float) -> float:
    """The series' unit: REFERENCE_PA ln(P / REFERENCE_PA)."""
    return REFERENCE_PA * math.log(pressure_pa / REFERENCE_PA)
