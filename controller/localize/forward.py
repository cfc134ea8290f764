"""What a leak at a point would make us measure: value, Jacobian and covariance of each kind of measurement."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from controller.measure.tdoa import Tdoa
from firmware_bridge.site.hull import Hull

STATE = 4  # x, y, z (m), speed of sound (m/s)


class Model(Protocol):
    """A measurement with its own model; the solver stacks them and never asks what they are.

    `node` names each row's owner, so that evidence can be left out node by node; "" where nobody owns it.
    """

    @property
    def rows(self) -> tuple[str, ...]:
        """Owner of each row."""
        ...

    def without(self, node: str) -> Self | None:
        """The same measurement had that node not taken part; None where nothing is left of it."""
        ...

    def residual(self, state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened residual (rows,) and its Jacobian (rows, 4) at `state`."""
        ...


@dataclass(frozen=True, slots=True)
class SurveyErrors:
    """How wrong the site file may be, one standard deviation."""

    microphone_sigma_m: float
    hull_sigma_m: float


class DelayModel:
    """Arrival-time differences of one coherent group: (|p - m_k| - |p - m_0|) / c."""

    def __init__(self, tdoa: Tdoa, survey: SurveyErrors, sound_speed_m_s: float) -> None:
        """Add survey and clock errors to the estimate's own covariance and whiten once."""
        self._tdoa = tdoa
        self._survey = survey
        self._sound_speed_m_s = sound_speed_m_s
        count = len(tdoa.sensors)
        arrival = np.eye(count) * (survey.microphone_sigma_m / sound_speed_m_s) ** 2
        owner = np.array(tdoa.nodes)
        arrival += (owner[:, None] == owner[None, :]) * np.outer(tdoa.clock_sigma_s, tdoa.clock_sigma_s)
        difference = np.hstack([-np.ones((count - 1, 1)), np.eye(count - 1)])
        covariance = tdoa.covariance_s2 + difference @ arrival @ difference.T
        self._whiten = np.linalg.inv(np.linalg.cholesky(covariance))

    @property
    def rows(self) -> tuple[str, ...]:
        """Owner of each delay: the node of its later-listed microphone."""
        return self._tdoa.nodes[1:]

    def without(self, node: str) -> "DelayModel | None":
        """The delays among the other nodes' microphones.

        Not a choice of rows: whitening mixes them, and where the first microphone goes, all rows refer to another.
        """
        count = len(self._tdoa.nodes)
        keep = np.array([i for i, owner in enumerate(self._tdoa.nodes) if owner != node], dtype=np.intp)
        if len(keep) == count:
            return self
        if len(keep) < 2:
            return None
        relative = np.eye(count)[keep[1:], 1:] - np.eye(count)[keep[0], 1:]
        rest = replace(
            self._tdoa,
            sensors=tuple(self._tdoa.sensors[i] for i in keep),
            nodes=tuple(self._tdoa.nodes[i] for i in keep),
            position_m=self._tdoa.position_m[keep],
            delay_s=relative @ self._tdoa.delay_s,
            covariance_s2=relative @ self._tdoa.covariance_s2 @ relative.T,
            clock_sigma_s=self._tdoa.clock_sigma_s[keep],
        )
        return DelayModel(rest, self._survey, self._sound_speed_m_s)

    def residual(self, state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened residual and Jacobian."""
        offset = state[:3] - self._tdoa.position_m
        distance = np.maximum(np.linalg.norm(offset, axis=1), 1e-6)
        direction = offset / distance[:, None]
        speed = state[3]
        delay = (distance[1:] - distance[0]) / speed
        jacobian = np.empty((len(delay), STATE))
        jacobian[:, :3] = (direction[1:] - direction[0]) / speed
        jacobian[:, 3] = -delay / speed
        return self._whiten @ (delay - self._tdoa.delay_s), self._whiten @ jacobian


class HullModel:
    """Leaks sit on the hull: the distance from it is zero within the survey's error."""

    rows = ("",)

    def __init__(self, hull: Hull, sigma_m: float) -> None:
        """Bind to one hull."""
        self._hull = hull
        self._sigma_m = sigma_m

    def without(self, node: str) -> "HullModel":  # noqa: ARG002 - the protocol
        """Nobody's measurement."""
        return self

    def residual(self, state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened distance from the hull and its Jacobian."""
        point = state[None, :3]
        jacobian = np.zeros((1, STATE))
        jacobian[0, :3] = self._hull.outward(point)[0] / self._sigma_m
        return self._hull.signed_distance_m(point) / self._sigma_m, jacobian


class SoundSpeedModel:
    """What a thermometer says of the speed of sound."""

    rows = ("",)

    def __init__(self, speed_m_s: float, sigma_m_s: float) -> None:
        """State the prior."""
        self._speed = speed_m_s
        self._sigma = sigma_m_s

    def without(self, node: str) -> "SoundSpeedModel":  # noqa: ARG002 - the protocol
        """Nobody's measurement."""
        return self

    def residual(self, state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened deviation and its Jacobian."""
        return np.array([(state[3] - self._speed) / self._sigma]), np.array([[0.0, 0.0, 0.0, 1.0 / self._sigma]])


def sound_speed(temperature_k: float, temperature_sigma_k: float) -> tuple[float, float]:
    """Speed of sound in air and its sigma (m/s): 331.3 sqrt(T / 273.15), 0.6 sigma for unknown humidity included."""
    speed_m_s = 331.3 * float(np.sqrt(temperature_k / 273.15))
    return speed_m_s, float(np.hypot(0.5 * speed_m_s / temperature_k * temperature_sigma_k, 0.2))
