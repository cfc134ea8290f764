"""One hatch of the plant: how far it is open, and how it moves.

What flows through it is the network's business (`sim/world/gas`); who moves it is up to `gas`.
"""

from dataclasses import dataclass

HATCH_DISCHARGE = 0.6  # a hatchway is a sharp-edged opening for the slow flows that pass it
HATCH_STEPS = 64  # a moving hatch is followed in this many steps, so that the gas starts afresh no more often


@dataclass(slots=True)
class Hatchway:
    """A hatch that stands, or moves evenly from one open share to another.

    Args:
        between: the two compartments.
        area_m2: free area when fully open.
        from_share, to_share: open share, 0 to 1, at the start and at the end of the last motion.
        from_s, over_s: when it began and how long it takes, s.
    """

    between: tuple[str, str]
    area_m2: float
    from_share: float
    to_share: float
    from_s: float = 0.0
    over_s: float = 0.0

    def move(self, to_share: float, from_s: float, over_s: float) -> None:
        """Begin a motion to `to_share` from wherever the hatch is at `from_s`.

        Raises:
            ValueError: a share outside 0 to 1, or a negative time.
        """
        if not 0.0 <= to_share <= 1.0 or not over_s >= 0.0:
            raise ValueError(f"a hatch cannot be moved to {to_share} within {over_s} s")
        self.from_share = self.share(from_s)
        self.to_share, self.from_s, self.over_s = to_share, from_s, over_s

    @property
    def still_from_s(self) -> float:
        """When it has arrived, s."""
        return self.from_s + self.over_s

    def share(self, at_s: float) -> float:
        """Open share at a time, 0 to 1."""
        since_s = at_s - self.from_s
        if since_s >= self.over_s:
            return self.to_share
        return self.from_share + (self.to_share - self.from_share) * max(since_s, 0.0) / self.over_s

    def effective_area_m2(self, at_s: float) -> float:
        """What the gas finds open at a time, m2, in `HATCH_STEPS` steps."""
        share = self.share(at_s)
        if at_s < self.still_from_s:
            share = round(share * HATCH_STEPS) / HATCH_STEPS
        return HATCH_DISCHARGE * self.area_m2 * share
