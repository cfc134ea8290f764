"""How restless is this cabin? Some kinds of cabin, and how well each explains what was seen of this one.

What each of them makes of a value is `pressure_quiet`'s affair; what a leak would add to it, `pressure_onsets`'.

A cabin may be smoother or rougher than the one that the settings were fitted to, or swing with the sun and have no
thermometer that shows it. What is likely beforehand is declared here; what the log teaches is added to it, slowly:
no kind is quite true, and what minutes say of a cabin holds for its hours only so far (docs/pressure.md, equation 14).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.detect.pressure_quiet import ORBIT_S, Quiet, QuietFilter

FloatArray = NDArray[np.float64]

# Kinds are weighed by values so far apart: what a barometer's own noise is, and what the gas does within minutes, they
# need not tell apart; what minutes say of a cabin holds for its hours only so far.
GRAIN_S = 600.0
KEPT_S = 2 * 86_400.0  # in which a cabin forgets how restless it was
MOST_SURPRISE = 100.0  # of a squared innovation over its variance: a value that is quite wrong teaches little
MOST_HANDED_ON = 20.0  # of a logarithm: what was learned can be unlearned
ROUGHNESS = ((0.25, -14.0), (0.5, -7.0), (1.0, 0.0), (2.0, -5.0), (4.0, -9.0), (8.0, -11.0))  # times; log of its share
# What comes and goes smoothly, Pa and s, in a cabin that is smooth besides, and one as usual.
SWAYS = (
    (30.0, 3600.0, 0.0),
    (100.0, 900.0, -8.0),
    (100.0, 3600.0, -8.0),
    (300.0, 3600.0, -10.0),
    (300.0, 10_800.0, -10.0),
)
WAVE_PA, WAVE_PERIODS = 80.0, 16  # periods from 55 to 130 minutes: what orbits, pumps and thermostats have
HARMONIC_PA = 30.0  # of the same wave: sun and shade are not equally long
SHORTEST_S, LONGEST_S = 3300.0, 7800.0
SMOOTH, USUAL = 0.35, 1.0
WAVY = (0.7, 2.0)
# A cabin whose gas warms and cools without a thermometer that shows it is rarer than one leak in the time watched:
# as long as nothing else is known, a first steady fall is a leak.
SWINGS_UNSEEN, SWINGS_BESIDE_THERMOMETERS = -10.0, -12.5


@dataclass(frozen=True, slots=True)
class Cabin:
    """One kind: how it is without a leak, how likely that is beforehand, and whether it swings unseen."""

    quiet: Quiet
    log_share: float = 0.0
    swings: bool = False
    roughness: float = 1.0


def rougher(quiet: Quiet, times: float) -> Quiet:
    """The same cabin, all that comes and goes by itself so many times as large."""
    return replace(
        quiet,
        wander_pa=times * quiet.wander_pa,
        walk_pa2_s=times**2 * quiet.walk_pa2_s,
        orbit_pa=min(times, 1.0) * quiet.orbit_pa,
    )


def all_cabins(quiet: Quiet) -> tuple[Cabin, ...]:
    """Smoother and rougher ones, ones that sway, and ones that swing with an orbit or a day."""
    cabins = [Cabin(rougher(quiet, times), share, roughness=times) for times, share in ROUGHNESS]
    for times in (SMOOTH, USUAL):
        like = rougher(quiet, times)
        cabins += [
            Cabin(replace(like, sway_pa=sway, sway_s=lasts_s), share, swings=True, roughness=times)
            for sway, lasts_s, share in SWAYS
        ]
        cabins.append(Cabin(replace(like, day_pa=2 * WAVE_PA), swings=True, roughness=times))
    periods_s = (*(1.0 / np.linspace(1.0 / LONGEST_S, 1.0 / SHORTEST_S, WAVE_PERIODS)), ORBIT_S)
    for times in WAVY:
        like = replace(rougher(quiet, times), orbit_pa=WAVE_PA, day_pa=HARMONIC_PA)
        cabins += [
            Cabin(replace(like, orbit_s=float(period_s), day_s=0.5 * float(period_s)), swings=True, roughness=times)
            for period_s in periods_s
        ]
    return tuple(cabins)


class CabinWeights:
    """How likely each kind is, by what was seen: logarithms, of which only differences count."""

    def __init__(self, cabins: tuple[Cabin, ...]) -> None:
        """Know what is likely beforehand."""
        self._cabins = cabins
        self._share = np.array([cabin.log_share for cabin in cabins])
        self._swings = np.array([cabin.swings for cabin in cabins])
        self._seen: FloatArray = np.zeros(len(cabins))
        self.usual = int(np.argmax(self._share - self._swings))  # which of them the settings describe
        self._filter = QuietFilter(*(cabin.quiet for cabin in cabins))
        self.counts = 1.0  # how far likelihoods of all values together are believed
        self._last_s: float | None = None
        self._newest_s: float | None = None
        self._anew = True
        self.sees_warmth = False  # whether thermometers show what the gas's temperature does

    @property
    def log_weight(self) -> FloatArray:
        """Of each cabin, (cabins,)."""
        unseen = SWINGS_BESIDE_THERMOMETERS if self.sees_warmth else SWINGS_UNSEEN
        return np.array(self._share + self._seen + unseen * self._swings)

    @property
    def with_usual(self) -> FloatArray:
        """The same, the usual cabin as likely as any: for what is to be sure in that one, too."""
        weight = self.log_weight
        weight[self.usual] = weight.max()
        return weight

    @property
    def seen(self) -> FloatArray:
        """What was learned, (cabins,): to begin another look at the same cabin with."""
        return np.asarray(np.maximum(self._seen - self._seen.max(), -MOST_HANDED_ON))

    @seen.setter
    def seen(self, value: FloatArray) -> None:
        self._seen = value.copy()

    @property
    def roughness(self) -> float:
        """Of the cabin that is likeliest, over what the settings say."""
        return self._cabins[int(np.argmax(self.log_weight))].roughness

    def rebase(self) -> None:
        """Gas was moved: the next value says nothing beside the last."""
        self._filter.rebase()
        self._anew = True

    def learn(self, now_s: float, value_pa: float, variance_pa2: float, warmth_pa: float) -> None:
        """One value, without what a leak took of it."""
        if len(self._cabins) == 1:
            return
        self.counts = 1.0 if self._newest_s is None else min((now_s - self._newest_s) / GRAIN_S, 1.0)
        self._newest_s = now_s
        dt_s = 0.0 if self._last_s is None else now_s - self._last_s
        if not self._anew and dt_s < GRAIN_S:
            return
        if self._last_s is not None:
            self._filter.move(dt_s)
            self._seen *= math.exp(-dt_s / KEPT_S)
        self._last_s = now_s
        surprise = self._filter.take(value_pa, variance_pa2, warmth_pa)
        if self._anew:
            self._anew = False
            return
        squares = np.minimum(surprise.innovation_pa**2 / surprise.variance_pa2, MOST_SURPRISE)
        log_likelihood = -0.5 * (squares + np.log(surprise.variance_pa2))
        self._seen += log_likelihood - log_likelihood.max()
