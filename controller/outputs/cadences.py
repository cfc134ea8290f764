"""How lamps flash and buzzers sound: ONE table of classes and cadences. Nothing is driven here."""

from dataclasses import dataclass

from controller.alarm.types import AlarmClass

LEAST_S = 0.001  # to the next flip: rounding must not ask for a time that never passes


@dataclass(frozen=True, slots=True)
class Cadence:
    """On and then off, over and over; `off_s` 0 is without a pause."""

    on_s: float
    off_s: float

    def at(self, since_s: float) -> tuple[bool, float | None]:
        """Whether it is on so long after its beginning, and how many seconds it stays so; None: for good."""
        if self.off_s <= 0.0:
            return True, None
        into_s = since_s % (self.on_s + self.off_s)
        on = into_s < self.on_s
        return on, max(LEAST_S, (self.on_s if on else self.on_s + self.off_s) - into_s)


STEADY = Cadence(1.0, 0.0)

# Not above 2.5 a second: more than three flashes a second can bring on seizures (WCAG 2.2, success criterion 2.3.1).
FLASHES = {
    AlarmClass.EMERGENCY: Cadence(0.2, 0.2),
    AlarmClass.WARNING: Cadence(0.5, 0.5),
    AlarmClass.CAUTION: Cadence(1.0, 1.0),
    AlarmClass.ADVISORY: Cadence(0.2, 3.8),
}
# As the siren nodes sound (CADENCE in firmware/core/siren.c), so that people learn one language.
SOUNDS = {
    AlarmClass.EMERGENCY: STEADY,
    AlarmClass.WARNING: Cadence(0.5, 0.5),
    AlarmClass.CAUTION: Cadence(0.4, 2.6),
    AlarmClass.ADVISORY: Cadence(0.15, 9.85),
}
