"""Counting what a stream lost, by its 16-bit sequence numbers; one counter a packet kind."""

_MODULUS = 1 << 16
_BEHIND = _MODULUS - 64  # a step this far forward is a late or repeated frame, not 65,000 lost ones


class SequenceCounter:
    """Follows one stream's sequence numbers."""

    def __init__(self) -> None:
        """Start without expectation: data that already flows is accepted."""
        self._expected: int | None = None
        self.received = 0
        self.lost = 0
        self.repeated = 0

    def accept(self, sequence: int) -> bool:
        """Count one frame; False where it is a repetition or came too late to be used."""
        ahead = 0 if self._expected is None else (sequence - self._expected) % _MODULUS
        if ahead >= _BEHIND:
            self.repeated += 1
            return False
        self.lost += ahead
        self.received += 1
        self._expected = (sequence + 1) % _MODULUS
        return True
