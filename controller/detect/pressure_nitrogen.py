"""Nitrogen of one connected volume, which nobody breathes: its sensors vote, and their series is tested like pressure.

What a volume's barometers and thermometers say besides is `pressure_volume`'s affair.
"""

from dataclasses import replace

from controller.detect.pressure import Settings
from controller.detect.pressure_inputs import SLOW_S, SlowMean
from controller.detect.pressure_quiet import Quiet
from controller.detect.pressure_series import Grain, LeakTest, Loss
from controller.detect.pressure_vote import Votes, log_pa
from firmware_bridge.units import S_PER_DAY

# Warmth that thermometers do not see: 0.01 K that comes and goes, 0.02 K with the orbit and with the day. The walk is a
# mass spectrometer's: 10 Pa after a day. A tight station loses 0.06 to 0.23 kg of air a day (NTRS 20110012997).
QUIET = Quiet(wander_pa=4.0, walk_pa2_s=0.002, orbit_pa=7.0, day_pa=8.0, drift_pa_h=-0.4, drift_sigma_pa_h=0.6)
TO_TOTAL = {"air": 1.0, "nitrogen": 1.0 / 0.78, "oxygen": 0.0}  # change of its logarithm over that of all gas
# A fall that ended by itself was most likely warmth: so many times more of it is reckoned with from then on.
ROUGHER, ROUGHEST = 1.5, 4.0
REMEMBERED_S = 20 * S_PER_DAY  # for so long: a leak that was mended says nothing of the weather


class NitrogenTest:
    """A `LeakTest` of minutes that learns from its own false falls how much warmth thermometers miss."""

    def __init__(self, settings: Settings, longest_s: float) -> None:
        """Start without values; no fall is older than `longest_s`."""
        self._grain = Grain(
            QUIET, settings.nitrogen_sigmas, 0.0, longest_s, longest_s / 4, settle_s=settings.gas_settle_s
        )
        self._test = LeakTest(self._grain)
        self._ended_s: list[float] = []
        self.step_pa = 0.0  # to which values are rounded

    @property
    def loss(self) -> Loss | None:
        """What is believed; without that, the most significant onset."""
        return self._test.loss

    @property
    def rougher(self) -> float:
        """By how much more warmth is reckoned with than at first."""
        return min(ROUGHER ** len(self._ended_s), ROUGHEST)

    def rebase(self) -> None:
        """Gas was moved that was no leak: start anew from the next value."""
        self._test.rebase()

    def take(self, now_s: float, value_pa: float, variance_pa2: float, warmth_pa: float, doubt: float = 0.0) -> None:
        """As `LeakTest.take`."""
        self._test.step_pa = self.step_pa
        self._test.take(now_s, value_pa, variance_pa2, warmth_pa, doubt)
        if self._test.ended:
            self._ended_s.append(now_s)
            self._start_anew()
        elif self._ended_s and now_s - self._ended_s[0] > REMEMBERED_S and not self._believes:
            del self._ended_s[0]
            self._start_anew()

    @property
    def _believes(self) -> bool:
        loss = self._test.loss
        return loss is not None and loss.believed

    def _start_anew(self) -> None:
        more, quiet = self.rougher, self._grain.quiet
        waves = {"orbit_pa": more * quiet.orbit_pa, "day_pa": more * quiet.day_pa}
        self._test = LeakTest(replace(self._grain, quiet=replace(quiet, wander_pa=more * quiet.wander_pa, **waves)))


class NitrogenWatch:
    """The sensors of nitrogen in one volume, and the test of what they say together."""

    def __init__(self, settings: Settings, longest_s: float) -> None:
        """Nobody has spoken."""
        self._test = NitrogenTest(settings, longest_s)
        self._disagree_pa = settings.disagree_pa
        self._votes = Votes(settings.disagree_pa)
        self._newest: dict[str, float] = {}
        self._mean: SlowMean | None = None
        self._voters: tuple[str, ...] = ()

    @property
    def loss(self) -> Loss | None:
        """What is believed; without that, the most significant onset."""
        return self._test.loss

    @property
    def voters(self) -> tuple[str, ...]:
        """Sensors that are believed."""
        return self._voters

    @property
    def complaints(self) -> tuple[tuple[str, str], ...]:
        """Sensors that are not believed, each with the reason."""
        return self._votes.complaints

    def rebase(self) -> None:
        """Gas moved that was no leak: begin anew from the next minute."""
        self._test.rebase()
        self._mean = None

    def restart(self) -> None:
        """Rooms have equalised: where each sensor stands with the others is learned anew."""
        self._votes = Votes(self._disagree_pa)

    def take(self, sensor: str, value_pa: float) -> None:
        """A partial pressure, Pa; of several between two steps the newest counts."""
        self._newest[sensor] = value_pa

    def step(self, now_s: float, known_pa: float, warmth_pa: float, doubt: float) -> None:
        """Take what was said since the last step.

        Args:
            now_s: time.
            known_pa: what expansion has cooled and known inflows have brought, log-Pa of nitrogen.
            warmth_pa: what thermometers alone would have the series be.
            doubt: see `LeakTest.take`.
        """
        if not self._newest:
            return
        consensus = self._votes.take(now_s, {name: log_pa(value) for name, value in self._newest.items()})
        self._newest.clear()
        if consensus is None:
            return
        self._voters = consensus.voters
        if self._mean is not None and now_s - self._mean.start_s >= SLOW_S:
            self._mean.given_to(self._test)
            self._mean = None
        self._test.step_pa = consensus.step_pa
        if self._mean is None:
            self._mean = SlowMean(now_s)
        value_pa = consensus.value_pa - known_pa
        self._mean.add(value_pa, warmth_pa, doubt, consensus.variance_pa2, averages=consensus.averages)
