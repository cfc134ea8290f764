"""Tables of what fails when."""

from typing import Literal

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name
from sim.scenario.bounds import Seconds, Share


class FaultTable(Declared):
    """Something that fails for a while: `off` unplugs the node, `garbage` damages a share of what it sends."""

    node: Name
    kind: Literal["off", "garbage"]
    from_s: Seconds
    until_s: Seconds
    share: Share = 0.1
