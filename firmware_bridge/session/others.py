"""What the conversations of one rig have in common: who is where, and which edges several nodes saw."""

from dataclasses import dataclass, field

from firmware_bridge.session.roster import Roster
from firmware_bridge.session.ties import Ties


@dataclass(slots=True)
class Others:
    """One for all of them."""

    roster: Roster = field(default_factory=Roster)
    ties: Ties = field(default_factory=Ties)
