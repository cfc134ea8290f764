"""Which node answers on which link: a node has one place at a time, and no two nodes have one name. No clock."""

from dataclasses import dataclass

from firmware_bridge.units import NS_PER_S

HEARD_LATELY_NS = 3 * NS_PER_S  # three pings: a node that answers them is there, whoever else says its name


@dataclass(slots=True)
class _Holder:
    link: str
    heard_ns: int


class Roster:
    """UIDs that are being talked with."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._holders: dict[int, _Holder] = {}
        self._displaced: list[tuple[str, str]] = []

    def claim(self, uid: int, link: str, now_ns: int) -> str | None:
        """`uid` answers on `link`: None where it may have it, else the link on which it was heard just now.

        Where the other link has been quiet for a while the node has moved: that link is displaced.
        """
        holder = self._holders.get(uid)
        if holder is not None and holder.link != link:
            if now_ns - holder.heard_ns < HEARD_LATELY_NS:
                return holder.link
            self._displaced.append((holder.link, f"the node answers at {link} now"))
        self._holders[uid] = _Holder(link, now_ns)
        return None

    def heard(self, uid: int, link: str, now_ns: int) -> None:
        """The holder of `uid` said something."""
        holder = self._holders.get(uid)
        if holder is not None and holder.link == link:
            holder.heard_ns = now_ns

    def release(self, link: str) -> None:
        """Nobody is talked with on `link` any more."""
        for uid in [uid for uid, holder in self._holders.items() if holder.link == link]:
            del self._holders[uid]

    def take_displaced(self) -> list[tuple[str, str]]:
        """Links whose node has moved since the last call, each with the reason for people."""
        displaced, self._displaced = self._displaced, []
        return displaced
