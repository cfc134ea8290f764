"""Is the node that answered HELLO one of the site's, do we speak its language, and does it measure what we expect?"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from firmware_bridge.session.events import Identity
from firmware_bridge.session.states import Trigger
from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import Quantity
from firmware_bridge.wire.framing import PROTOCOL_VERSION
from firmware_bridge.wire.reports import Feature, HelloAck

_IN_TURN = "are sampled one after the other, and the site file has no skew_us: delays will be wrong"


@dataclass(frozen=True, slots=True)
class Recognition:
    """Who it is (None for a stranger), how that moves the conversation, and the sentence for people."""

    node: Node | None
    trigger: Trigger
    reason: str
    complaints: tuple[str, ...] = ()


def recognise(ack: HelloAck, site: Site, claim: Callable[[], str | None]) -> Recognition:
    """Judge a node's introduction; `claim` tells on which other link a node of that name answers already."""
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
    elsewhere = claim()
    if elsewhere is not None:
        return _second_of(ack.uid, elsewhere)
    complaints = _complaints(node, ack)
    reason = "; ".join((f"node {node.name}, firmware {ack.firmware}", *complaints))
    return Recognition(node, Trigger.IDENTIFIED, reason, complaints)


def identity_of(ack: HelloAck, boot_id: int, recognised: Recognition) -> Identity:
    """What people are shown of whoever answered."""
    return Identity(
        uid=ack.uid,
        boot_id=boot_id,
        firmware=ack.firmware,
        features=ack.features,
        burst_rate_hz=ack.burst_rate_hz,
        longest_burst=ack.longest_burst,
        complaints=recognised.complaints,
    )


def _second_of(uid: int, link: str) -> Recognition:
    """A second node of one name: only one of them can be where the site file says, and nobody knows which."""
    reason = (
        f"a second node with UID {uid:x}: one answers at {link} already; unplug one, or give one a UID of its own "
        "and list it in the site file"
    )
    return Recognition(None, Trigger.DUPLICATE, reason)


def _complaints(node: Node, ack: HelloAck) -> tuple[str, ...]:
    """What the site file says of the node and its introduction does not."""
    complaints = []
    unread = [
        sensor.name
        for sensor in node.sensors
        if sensor.channel >= len(ack.channels) or ack.channels[sensor.channel].quantity is not sensor.quantity
    ]
    if unread:
        complaints.append(f"its channels do not measure what the site file says of {', '.join(unread)}: not read")
    hears = bool(node.of_quantity(Quantity.ULTRASOUND))
    feels = bool(node.of_quantity(Quantity.SURFACE_VELOCITY))
    asked = (
        (hears, Feature.BURSTS, "it has microphones by the site file, but records no bursts"),
        (feels, Feature.BURSTS, "it has contact sensors by the site file, but records no bursts"),
        (hears and not node.skewed, Feature.SIMULTANEOUS, f"its microphones {_IN_TURN}"),
        (feels and not node.skewed, Feature.SIMULTANEOUS, f"its contact sensors {_IN_TURN}"),
        (node.trigger_line is not None, Feature.TRIGGER_LINE, "it has no trigger line, the site file says it has"),
        (node.siren, Feature.SIREN, "it has no siren, the site file says it has"),
        (bool(node.switches), Feature.SWITCH, "it switches nothing, the site file says it does"),
    )
    if node.skewed and ack.features & Feature.SIMULTANEOUS:
        complaints.append("it samples all channels at once, the site file has skew_us or late_us: delays will be wrong")
    if hears or feels:
        complaints += _burst_complaints(node, ack)
    return (*complaints, *(text for wanted, feature, text in asked if wanted and not ack.features & feature))


def _burst_complaints(node: Node, ack: HelloAck) -> list[str]:
    """Why no burst of it could be read, or none be asked for: all of its rows come in each piece, side by side."""
    complaints = []
    quantities = [channel.quantity for channel in ack.channels]
    rows = [row for row, quantity in enumerate(quantities) if quantity.in_bursts]
    kinds = [quantity for quantity, _ in groupby(quantities) if quantity.in_bursts]
    if rows and (len(kinds) > len(set(kinds)) or rows[-1] - rows[0] >= len(rows)):
        complaints.append("its burst channels are not neighbours in its table; mend its firmware (docs/protocol.md)")
    listed = {(sensor.channel, sensor.quantity) for sensor in node.sensors}
    unlisted = [row for row in rows if (row, quantities[row]) not in listed]
    if unlisted:
        numbers = ", ".join(map(str, unlisted))
        complaints.append(f"its bursts are not read: the site file lists no sensor like its channel {numbers}")
    if ack.features & Feature.BURSTS and not (ack.burst_rate_hz and ack.longest_burst):
        complaints.append(
            f"it records bursts, but {ack.longest_burst} samples at {ack.burst_rate_hz} Hz; mend its firmware"
        )
    return complaints
