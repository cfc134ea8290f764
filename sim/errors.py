"""Errors of the simulator; those of cables, declared files and sites are the ground floor's. No handling lives here."""

from firmware_bridge.errors import BridgeError


class SubjectError(BridgeError):
    """The controller on trial is at fault: it is not installed, or ended by itself."""


class BrokerError(BridgeError):
    """The private broker is at fault: there is none on this machine, or it does not come up."""


class ClusterError(BridgeError):
    """The cluster of a campaign is at fault: no program to talk to it with, or nobody answers."""


class NodeImageError(BridgeError):
    """A firmware image that stands for a node is at fault: it was not built, does not start, or fell silent."""


class PoolError(BridgeError):
    """A process that ran the trials of a campaign is gone."""


class FolderError(BridgeError):
    """The folder that was named is in use, or there is not enough room for what is to be in it."""


class RecordingError(BridgeError):
    """What was asked to be recorded does not lie in the scenario, or no file of that format can hold it."""


class NoPicturesError(BridgeError):
    """Pictures need a library that is not installed."""
