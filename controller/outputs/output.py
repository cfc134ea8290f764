"""THE SEAM of all alarm outputs: what is to be shown, and what whoever shows it promises. No output lives here."""

from dataclasses import dataclass
from typing import Protocol

from controller.alarm.table import SOUNDING
from controller.alarm.types import Alarm, AlarmClass

STALE_S = 5.0  # twenty steps of the decision loop: an output that was shown nothing for so long knows nothing any more


@dataclass(frozen=True, slots=True)
class Shown:
    """How things stand, for outputs: every alarm in sight, the gravest first. `test` marks a drill by hand."""

    alarms: tuple[Alarm, ...] = ()
    test: bool = False

    def standing(
        self, at_least: AlarmClass = AlarmClass.ADVISORY, at_most: AlarmClass = AlarmClass.EMERGENCY
    ) -> AlarmClass | None:
        """The gravest class in sight, acknowledged or not, of those from `at_least` to `at_most`."""
        return max((a.alarm_class for a in self.alarms if at_least <= a.alarm_class <= at_most), default=None)

    def calling(
        self, at_least: AlarmClass = AlarmClass.ADVISORY, at_most: AlarmClass = AlarmClass.EMERGENCY
    ) -> AlarmClass | None:
        """The same of those that nobody took notice of and that go on, or latch: what a siren is for."""
        classes = (a.alarm_class for a in self.alarms if a.state in SOUNDING)
        return max((one for one in classes if at_least <= one <= at_most), default=None)


class Output(Protocol):
    """One lamp, relay, command and so on; `tests/contract/test_outputs.py` holds each to these promises."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why it does not reach people, and what to do; None while it does, as far as it knows."""
        ...

    def show(self, shown: Shown) -> None:
        """Show this from now on.

        Called after every decision, changed or not: the same again changes nothing, but says that the decision loop
        is alive. It never waits; what takes time is queued, within a bound, for `run`. What it raises is told as a
        fault of the controller and harms nobody else.
        """
        ...

    async def run(self) -> None:
        """Do what takes time, until cancelled; started again when it raises."""
        ...

    def close(self) -> None:
        """Let go, in the state that means alarm where there is one. Called once, last."""
        ...
