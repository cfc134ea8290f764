"""Errors of the controller: ours, with what to do about them."""

from firmware_bridge.errors import BridgeError


class ControllerError(BridgeError):
    """We cannot do what was asked."""
