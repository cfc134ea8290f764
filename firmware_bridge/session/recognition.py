"""Is the node that answered HELLO one of the site's, do we speak its language, and does it measure what we expect?"""

from dataclasses import dataclass

from firmware_bridge.session.states import Trigger
from firmware_bridge.site.survey import Node, Site
from firmware_bridge.wire.framing import PROTOCOL_VERSION
from firmware_bridge.wire.reports import HelloAck


@dataclass(frozen=True, slots=True)
class Recognition:
    """Who it is (None for a stranger), how that moves the conversation, and the sentence for people."""

    node: Node | None
    trigger: Trigger
    reason: str


def recognise(ack: HelloAck, site: Site) -> Recognition:
    """Judge a node's introduction."""
    node = site.node_with_uid(ack.uid)
    if not ack.min_version <= PROTOCOL_VERSION <= ack.max_version:
        return Recognition(
            node,
            Trigger.VERSION_MISMATCH,
            f"speaks protocol {ack.min_version} to {ack.max_version}, this controller {PROTOCOL_VERSION}; "
            f"update the firmware ({ack.firmware}) or the controller",
        )
    if node is None:
        return Recognition(
            None,
            Trigger.VERSION_MISMATCH,
            f"a node with UID {ack.uid:x} answers, which the site file does not list; "
            "add it under [[nodes]] or unplug it",
        )
    unheard = [
        sensor.name
        for sensor in node.sensors
        if sensor.channel >= len(ack.channels) or ack.channels[sensor.channel].quantity is not sensor.quantity
    ]
    reason = f"node {node.name}, firmware {ack.firmware}"
    if unheard:
        reason += f"; its channels do not measure what the site file says of {', '.join(unheard)}: not read"
    return Recognition(node, Trigger.IDENTIFIED, reason)
