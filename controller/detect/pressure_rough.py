"""Is the cabin rougher than the likeliest kind of cabin says? What stretches all sigmas then.

Second differences of means over a quarter of an hour, an hour and four, in which a steady fall cancels, against what is
expected of them (docs/pressure.md, equation 9). Which kind is likeliest is `pressure_cabins`' affair.
"""

import math
from collections import deque

from controller.detect.pressure_quiet import Quiet

SPANS_S = (900.0, 3600.0, 14_400.0)
PRIOR = 12  # values that the kind of cabin is worth
LEAST_SEEN = 8  # values: the median of fewer is luck
REMEMBERED = 96  # values: a day, four, sixteen
MOST_ROUGH = 9.0  # of one square: gas that is moved is not roughness
MEDIAN_OF_SQUARE = 0.455  # of chi-square with one degree of freedom


class Roughness:
    """By how much a cabin is rougher than expected, at least 1."""

    def __init__(self, *, waves_taken: bool) -> None:
        """Nothing has been seen; `waves_taken` where waves, as learned, are taken from the values."""
        self._waves_taken = waves_taken
        self._spans = [_Span(span_s, waves_taken=waves_taken) for span_s in (SPANS_S if waves_taken else SPANS_S[:1])]
        self.times = 1.0
        self._waves: tuple[float, float] | None = None  # periods of what was taken from the values

    def take(self, now_s: float, value_pa: float, variance_pa2: float, quiet: Quiet) -> None:
        """One value without the waves, and the likeliest kind of cabin."""
        if (quiet.orbit_s, quiet.day_s) != self._waves:
            self._waves = (quiet.orbit_s, quiet.day_s)
            self.interrupt()
        complete = [span.take(now_s, value_pa, variance_pa2) for span in self._spans]
        if any(complete):
            self._weigh(quiet)

    def interrupt(self) -> None:
        """Values that come are not to be compared with those that were."""
        for span in self._spans:
            span.interrupt()

    def forget_since(self, began_s: float, quiet: Quiet) -> None:
        """What the beginning of a leak did to the second differences is no roughness."""
        for span in self._spans:
            while span.seen and span.seen[-1][0] > began_s:
                span.seen.pop()
        self._weigh(quiet)

    def _weigh(self, quiet: Quiet) -> None:
        self.times = max([1.0, *(span.times(quiet) for span in self._spans)])


class _Span:
    """Means over one span."""

    def __init__(self, span_s: float, *, waves_taken: bool) -> None:
        self._span_s, self._waves_taken = span_s, waves_taken
        self.seen: deque[tuple[float, float, float]] = deque(maxlen=REMEMBERED)  # when; square; of noise alone
        self._means: deque[float] = deque(maxlen=3)
        self._sum, self._count, self._from_s = 0.0, 0, -math.inf

    def interrupt(self) -> None:
        self._means.clear()
        self._sum, self._count = 0.0, 0

    def take(self, now_s: float, value_pa: float, variance_pa2: float) -> bool:
        """One value; whether a mean is complete."""
        complete = now_s >= self._from_s + self._span_s
        if complete:
            if self._count and now_s < self._from_s + 2 * self._span_s:
                self._means.append(self._sum / self._count)
                if len(self._means) == 3:
                    first, second, third = self._means
                    square = (first - 2.0 * second + third) ** 2
                    self.seen.append((now_s, square, 6.0 * variance_pa2 / self._count))
            else:
                self._means.clear()
            self._from_s, self._sum, self._count = now_s, 0.0, 0
        self._sum += value_pa
        self._count += 1
        return complete

    def times(self, quiet: Quiet) -> float:
        """The root of what is seen over what is expected, the latter worth `PRIOR` values."""
        count = len(self.seen)
        if count < (LEAST_SEEN if self._waves_taken else 1):
            return 1.0
        expected_pa2 = self._expected_pa2(quiet)
        ratios = sorted(min(square / (expected_pa2 + noise_pa2), MOST_ROUGH) for _, square, noise_pa2 in self.seen)
        return math.sqrt((PRIOR + count * ratios[count // 2] / MEDIAN_OF_SQUARE) / (PRIOR + count))

    def _expected_pa2(self, quiet: Quiet) -> float:
        """Variance by the kind of cabin: three values of all that comes and goes but waves, a span apart."""
        span_s = self._span_s
        kept = math.exp(-span_s / quiet.wander_s)
        wander = quiet.wander_pa**2 * (6.0 - 8.0 * kept + 2.0 * kept**2)
        share = span_s / quiet.sway_s
        once, twice = (1.0 + share) * math.exp(-share), (1.0 + 2.0 * share) * math.exp(-2.0 * share)
        sway = quiet.sway_pa**2 * (6.0 - 8.0 * once + 2.0 * twice)
        waves = 0.0
        if not self._waves_taken:
            turn = math.tau * span_s / quiet.orbit_s
            orbit_pa = 2.0 * (1.0 - math.cos(turn)) * math.sin(0.5 * turn) / (0.5 * turn) * quiet.orbit_pa
            waves = 0.5 * orbit_pa**2
        return quiet.walk_pa2_s * span_s + wander + sway + waves
