"""Verdicts, trends and alarms to hand around where it matters little how they came about."""

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.detect.pressure import Fall, PressureTrend
from controller.localize.verdict import Candidate, Fix, NoFix, Reason
from controller.measure.leak_size import LeakSize, Settings, leak_size
from firmware_bridge.units import PA_PER_MMHG, S_PER_HOUR

Position = tuple[float, float, float]


def fix(position_m: Position = (1.86, -0.997, 0.465), *, radius95_m: float = 0.02, where: str | None = None) -> Fix:
    variance = radius95_m**2 / 5.991
    return Fix(
        position_m=position_m,
        covariance_m2=((variance, 0.0, 0.0), (0.0, variance, 0.0), (0.0, 0.0, variance)),
        radius95_m=radius95_m,
        compartment="orbital-module",
        where=where,
        standing=30.5,
        misfit=1.1,
        sound_speed_m_s=344.25,
        nodes_used=("A", "B"),
        rejected=(),
        candidates=(Candidate(position_m, 30.5), Candidate((0.0, 0.5, 0.5), 12.25)),
        bursts=4,
    )


def no_fix(reason: Reason = Reason.TOO_QUIET) -> NoFix:
    return NoFix(reason, "no place stands out; listen longer", (Candidate((1.0, 0.0, 0.0), 5.5),), 2)


def trend(
    mmhg_h: float = 1.6, sigmas: float = 6.0, agreeing: tuple[str, ...] = ("P1", "P2"), pressure_pa: float = 99_330.0
) -> PressureTrend:
    """A significant fall of so many mmHg an hour."""
    rate_pa_s = -mmhg_h * PA_PER_MMHG / S_PER_HOUR
    fall = Fall(960.0, rate_pa_s, abs(rate_pa_s) / sigmas, pressure_pa)
    return PressureTrend(fall, ("P1", "P2"), agreeing, significant=True, continuing=True)


def size_of(told: PressureTrend, volume_m3: float = 921.0) -> LeakSize:
    return leak_size(told.fall, volume_m3, 295.15, Settings())


def alarm(
    alarm_class: AlarmClass = AlarmClass.WARNING,
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
    key: str = "leak",
    text: str = "possible leak",
) -> Alarm:
    return Alarm(key, state, alarm_class, text, ("because",), 1, 1_000)
