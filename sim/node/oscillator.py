"""A node's crystal: true time to what the node's counter says, and back, in whole nanoseconds.

When a clock is set wrong is up to the faults; what a host makes of it lives in the time base.
"""

import bisect
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from firmware_bridge.units import NS_PER_S, S_PER_DAY

NS_PER_DAY = S_PER_DAY * NS_PER_S
FOLLOW_NS = 10_000_000_000  # the rate is held so long: 1 ppm of change in it is 10 us, less than a host can see
MAX_KNOTS = 4096  # what is asked about lies at most minutes back; eleven hours are kept
RATE_LIMIT = 0.5  # a clock that far off is none, and below minus one it would run backwards


@dataclass(frozen=True, slots=True)
class CrystalCut:
    """How a crystal's rate moves; everything as relative frequency (1e-6 is 1 ppm).

    Args:
        linear_per_k: slope against the board's temperature, 1/K.
        parabola_per_k2: curvature, 1/K2; tuning forks have -0.034e-6.
        turnover_k: temperature at which both are zero, K.
        ageing_per_day: steady change of the rate, 1/day.
        wander_per_rtday: random walk of the rate: its standard deviation after one day.
    """

    linear_per_k: float = 0.0
    parabola_per_k2: float = 0.0
    turnover_k: float = 298.15
    ageing_per_day: float = 0.0
    wander_per_rtday: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether the rate changes at all."""
        return any((self.linear_per_k, self.parabola_per_k2, self.ageing_per_day, self.wander_per_rtday))


@dataclass(frozen=True, slots=True)
class _Knot:
    """From true time `true_ns` on the clock says `node_ns` and runs `rate` fast."""

    true_ns: int
    node_ns: int
    rate: float

    def node_at(self, true_ns: int) -> int:
        elapsed_ns = true_ns - self.true_ns
        return self.node_ns + elapsed_ns + round(elapsed_ns * self.rate)


class Oscillator:
    """A clock that read `offset_ns` at true time 0 and ran `drift` (dimensionless) fast then.

    It is straight between knots, 10 s apart where the crystal's rate moves, and jumps at its steps. The future is
    the present rate continued, so a time asked for ahead moves by what the rate still changes.
    """

    def __init__(
        self,
        offset_ns: int,
        drift: float,
        *,
        cut: CrystalCut | None = None,
        random: np.random.Generator | None = None,
        steps: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Start at true time 0.

        Args:
            offset_ns: reading at true time 0.
            drift: relative rate error at the turnover temperature and time 0.
            cut: how that moves; None: not at all.
            random: for the cut's wander.
            steps: (true time, ns; jump of the reading, ns) of every time that the clock is set.

        Raises:
            ValueError: a rate error beyond one half, a wander without a generator, or a step before time 0.
        """
        if not abs(drift) <= RATE_LIMIT:
            raise ValueError(f"a clock that runs {drift} fast is no clock")
        if cut is not None and cut.wander_per_rtday and random is None:
            raise ValueError("a crystal that wanders needs a generator")
        self._cut = cut if cut is not None and cut.moves else None
        self._random = random
        self._drift = drift
        self._walk = 0.0
        self._steps = sorted(steps)
        if any(at_ns < 0 for at_ns, _ in self._steps):
            raise ValueError("clocks are set at true time 0 or later")
        self._knots = [_Knot(0, offset_ns, drift)]
        for at_ns, jump_ns in self._steps:
            self._knots.append(_Knot(at_ns, self._knots[-1].node_at(at_ns) + jump_ns, drift))
        self._followed_ns = 0

    @property
    def next_ns(self) -> int | None:
        """True time at which `follow` is due; None for a crystal whose rate stands still."""
        return None if self._cut is None else self._followed_ns + FOLLOW_NS

    def follow(self, true_ns: int, temperature_k: float) -> None:
        """Let the rate follow the board's temperature, K, where `next_ns` is reached.

        Called late, it makes up for every interval that it missed, at the temperature of now.
        """
        while self._cut is not None and true_ns >= self._followed_ns + FOLLOW_NS:
            self._followed_ns += FOLLOW_NS
            self._bend(self._followed_ns, self._rate(self._cut, temperature_k))

    def steps_until(self, true_ns: int) -> int:
        """How often the clock was set up to and including `true_ns`."""
        if not self._steps:
            return 0
        return bisect.bisect_right(self._steps, true_ns, key=lambda step: step[0])

    def rate_at(self, true_ns: int) -> float:
        """How fast it runs at a true time, relative."""
        return self._knots[self._index(true_ns)].rate

    def node_ns(self, true_ns: int) -> int:
        """What the node's clock says at a true time."""
        last = self._knots[-1]
        return (last if true_ns >= last.true_ns else self._knots[self._index(true_ns)]).node_at(true_ns)

    def true_ns(self, node_ns: int, since_ns: int | None = None) -> int:
        """The first true time, from `since_ns` on where given, at which the node's clock says `node_ns` or more.

        Where the clock jumps over `node_ns` that is the instant of the jump.
        """
        first = 0 if since_ns is None else self._index(since_ns)
        for index in range(first, len(self._knots)):
            knot = self._knots[index]
            begin_ns = knot.true_ns if since_ns is None or index > first else since_ns
            end_ns = self._knots[index + 1].true_ns if index + 1 < len(self._knots) else None
            if (index or since_ns is not None) and knot.node_at(begin_ns) >= node_ns:
                return begin_ns
            if end_ns is None or knot.node_at(end_ns - 1) >= node_ns:
                return _first_at(knot, node_ns)
        raise AssertionError("the last knot has no end")  # pragma: no cover

    def _index(self, true_ns: int) -> int:
        if len(self._knots) == 1 or true_ns >= self._knots[-1].true_ns:
            return len(self._knots) - 1
        return max(bisect.bisect_right(self._knots, true_ns, key=lambda knot: knot.true_ns) - 1, 0)

    def _rate(self, cut: CrystalCut, temperature_k: float) -> float:
        days = FOLLOW_NS / NS_PER_DAY
        if self._random is not None and cut.wander_per_rtday:
            self._walk += cut.wander_per_rtday * math.sqrt(days) * float(self._random.standard_normal())
        away_k = temperature_k - cut.turnover_k
        moved = cut.linear_per_k * away_k + cut.parabola_per_k2 * away_k**2
        aged = cut.ageing_per_day * self._followed_ns / NS_PER_DAY
        return min(max(self._drift + moved + aged + self._walk, -RATE_LIMIT), RATE_LIMIT)

    def _bend(self, at_ns: int, rate: float) -> None:
        """Continue from `at_ns` with another rate; jumps ahead keep their size."""
        index = self._index(at_ns)
        kept = self._knots[: index + 1]
        ahead = self._knots[index + 1 :]
        jumps = [(knot.true_ns, knot.node_ns - before.node_at(knot.true_ns)) for before, knot in _pairs(kept, ahead)]
        kept.append(_Knot(at_ns, kept[-1].node_at(at_ns), rate))
        for true_ns, jump_ns in jumps:
            kept.append(_Knot(true_ns, kept[-1].node_at(true_ns) + jump_ns, rate))
        self._knots = kept[-MAX_KNOTS:]


def _pairs(kept: list[_Knot], ahead: list[_Knot]) -> list[tuple[_Knot, _Knot]]:
    return list(zip([kept[-1], *ahead], ahead, strict=False))


def _first_at(knot: _Knot, node_ns: int) -> int:
    """The first true time at which this straight piece, prolonged either way, says `node_ns` or more."""
    elapsed_ns = node_ns - knot.node_ns
    guess_ns = knot.true_ns + elapsed_ns - round(elapsed_ns * knot.rate / (1.0 + knot.rate))
    while knot.node_at(guess_ns) < node_ns:
        guess_ns += 1
    while knot.node_at(guess_ns - 1) >= node_ns:
        guess_ns -= 1
    return guess_ns
