"""A node's free-running converter: when the pieces of an endless recording begin. It knows no sensor.

Pieces are counted from scenario time 0 on, so whoever asks for a stretch of time gets the same samples.
"""

import math

PIECE_SAMPLES = 32_768  # rendered at once: the field's lead of 20 ms is then an eighth of the work


class SampleClock:
    """Sample n is taken at n / (rate (1 + error)), summed up where the error changes, at the start of a piece.

    Times are exact to 1e-15 of themselves and do not depend on how often `follow` is called in between.
    """

    def __init__(self, rate_hz: float, error: float) -> None:
        """Begin at time 0 with a relative rate error."""
        self._rate_hz = rate_hz
        self._error = error
        self._anchor = (0, 0.0)  # a piece and when it begins

    def follow(self, at_s: float, error: float) -> None:
        """From the first piece that begins at `at_s` or later on the rate is off by `error`; times never fall."""
        if error == self._error:
            return
        piece = self.piece_from(at_s)
        self._anchor = (piece, self.start_s(piece))
        self._error = error

    def start_s(self, piece: int) -> float:
        """When a piece begins, s; of one that is not before the last change of the rate."""
        known, at_s = self._anchor
        return at_s + (piece - known) * PIECE_SAMPLES / self.rate_hz

    def piece_from(self, at_s: float) -> int:
        """The first piece that begins at `at_s` or later."""
        known, begun_s = self._anchor
        return known + max(math.ceil((at_s - begun_s) * self.rate_hz / PIECE_SAMPLES - 1e-9), 0)

    @property
    def rate_hz(self) -> float:
        """Samples a true second now."""
        return self._rate_hz * (1.0 + self._error)
