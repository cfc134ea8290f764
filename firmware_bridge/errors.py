"""Errors of the ground floor: each names who is at fault and what to do. No handling lives here."""


class BridgeError(Exception):
    """Base of all ground-floor errors: what happened, and the remedy to try first."""

    def __init__(self, what: str, *, remedy: str) -> None:
        """Keep `what` happened apart from its `remedy`, so that a display may lay them out."""
        super().__init__(f"{what}: {remedy}")
        self.what = what
        self.remedy = remedy


class LinkError(BridgeError):
    """The cable is at fault: a port that cannot be opened, hangs up, or accepts no bytes; a broker that is away."""


class WireError(BridgeError):
    """We were asked to put something on the wire that the protocol cannot carry."""


class DeclaredFileError(BridgeError):
    """A declared file (site, scenario, controller configuration) is missing, malformed or out of range."""


class SiteError(DeclaredFileError):
    """The survey is at fault: the site file contradicts itself or asks for what no node provides."""


class RecordingError(BridgeError):
    """A recording cannot be read, or not by us."""
