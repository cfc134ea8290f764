"""What goes into the tests of one volume: means over a minute, gas that is known to come, what people breathe.

Who tests them is `pressure_volume`.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from controller.detect.pressure import Settings
from controller.detect.pressure_quiet import Quiet

SLOW_S = 60.0
FLICKER_PA2 = 0.1  # noise of a barometer that no averaging takes away
BREATHED_KG_DAY = 0.84  # oxygen, one person; NASA/TP-2015-218570, table of metabolic rates
BREATHED_SHARE = 0.25  # how well that is known of one crew
MOL_KG = 0.032  # of oxygen
ROOM_GAS_J_MOL = 8.314 * 295.0
UNSEEN_PA_H = 1.0  # drift of what nobody declared


class Takes(Protocol):
    """A test of minutes."""

    def take(self, now_s: float, value_pa: float, variance_pa2: float, warmth_pa: float, doubt: float) -> None:
        """The next mean, as of its middle."""
        ...


@dataclass(slots=True)
class SlowMean:
    """What came within one slow block, to which `began_s` belongs."""

    began_s: float
    value_pa: float = 0.0
    warmth_pa: float = 0.0
    doubt: float = 0.0
    variance_pa2: float = 0.0
    averages: bool = True
    count: int = 0

    @property
    def start_s(self) -> float:
        """Start of the block: blocks are those of the clock."""
        return self.began_s // SLOW_S * SLOW_S

    def add(self, value_pa: float, warmth_pa: float, doubt: float, variance_pa2: float, *, averages: bool) -> None:
        """One value, as of the quick test; `averages` where means of n have an nth of that variance."""
        self.value_pa += value_pa
        self.warmth_pa += warmth_pa
        self.doubt = doubt
        self.variance_pa2 += variance_pa2
        self.averages = self.averages and averages
        self.count += 1

    def given_to(self, test: Takes) -> None:
        """Let `test` have the mean, as of the block's middle."""
        count = self.count
        variance = self.variance_pa2 / count / (count if self.averages else 1) + FLICKER_PA2
        means = (self.value_pa / count, variance, self.warmth_pa / count, self.doubt)
        test.take(self.start_s + 0.5 * SLOW_S, *means)


@dataclass(slots=True)
class Inflow:
    """Gas that is known to come in, evenly; what of it has been reckoned with."""

    from_s: float
    over_s: float
    total_pa: float
    nitrogen_pa: float
    share: float = 0.0

    @property
    def over(self) -> bool:
        """Whether all of it has come."""
        return self.share >= 1.0

    def by(self, now_s: float) -> tuple[float, float]:
        """What came since it was last asked: in all, and of nitrogen."""
        share = min(max((now_s - self.from_s) / self.over_s, self.share), 1.0)
        more, self.share = share - self.share, share
        return more * self.total_pa, more * self.nitrogen_pa


def quiet_of(settings: Settings, volume_m3: float) -> Quiet:
    """The cabin without a leak, its drift by who breathes in it."""
    usual = Quiet()
    drift, sigma = usual.drift_pa_h, usual.drift_sigma_pa_h
    if settings.crew is not None:
        per_kg_day = ROOM_GAS_J_MOL / MOL_KG / volume_m3 / 24.0
        breathed = settings.crew * BREATHED_KG_DAY
        drift = (settings.oxygen_feed_kg_day - breathed) * per_kg_day
        sigma = math.hypot(BREATHED_SHARE * breathed * per_kg_day, UNSEEN_PA_H)
    return Quiet(
        wander_pa=settings.wander_pa,
        wander_s=settings.wander_s,
        walk_pa2_s=settings.walk_pa2_s,
        orbit_pa=settings.orbit_pa,
        drift_pa_h=drift,
        drift_sigma_pa_h=sigma,
    )
