"""All places that many arrivals agree on, for many epochs at once. Which of them is the answer is judged elsewhere."""

from dataclasses import dataclass

import numpy as np

from controller.tdoa.epoch import Floats, Indices, spread_axes
from controller.tdoa.model import Model, Near
from controller.tdoa.refine import offsets, refine
from controller.tdoa.seeds import Seeds, seeds_of, starts

PICKED = 9  # starts an epoch: the best of each neighbourhood
MIRRORED = 3
NEIGHBOURHOOD = 0.1  # of the distance, in which one start is enough
SAME = 1e-5  # states nearer than this part of their distance are one
KEPT = 8
BATCH = 400_000  # numbers a batch may have: 3 MB, which a processor's cache holds


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A state (dims,) with residuals (m,) in metres."""

    state: Floats
    residual_m: Floats


class Search:
    """Starts and descents for one network of sensors."""

    def __init__(self, model: Model, sensor_m: Floats, group: Indices) -> None:
        """Prepare; `sensor_m` (m, dims) is centred, `group` (m,) tells which sensors share a time base."""
        self._model = model
        self._sensor_m = sensor_m
        self._group = group
        self._groups = np.asarray(group[:, None] == np.unique(group)[None, :], dtype=np.float64)
        self._seeds: Seeds = seeds_of(model, sensor_m, group)
        self._spread_m = float(spread_axes(sensor_m)[0][0])
        self.unknowns = model.steps + self._groups.shape[1]
        count = len(sensor_m)
        self.majority = min(count, max(self.unknowns + 1, (count + self.unknowns + 1) // 2))

    def places(self, arrival_m: Floats, scale_m: Floats) -> list[list[Place]]:
        """For each row of arrivals (rows, m) the distinct places that its starts came to, best first."""
        each = max(1, (len(self._seeds.net) + 2 * len(self._seeds.subsets)) * len(self._sensor_m))
        size = max(1, BATCH // each)
        found: list[list[Place]] = []
        for at in range(0, len(arrival_m), size):
            found += self._batch(arrival_m[at : at + size], scale_m[at : at + size])
        return found

    def _batch(self, arrival_m: Floats, scale_m: Floats) -> list[list[Place]]:
        rows, dims = len(arrival_m), self._sensor_m.shape[1]
        closed = starts(self._model, self._sensor_m, self._seeds, arrival_m)
        net = np.broadcast_to(self._seeds.net, (rows, *self._seeds.net.shape))
        picked = self._picked(np.concatenate([closed, net], axis=1), arrival_m, scale_m)
        mirrored = (
            picked[:, :MIRRORED] - 2.0 * (picked[:, :MIRRORED] @ self._seeds.normal)[..., None] * self._seeds.normal
        )
        state = np.concatenate([picked, mirrored], axis=1)
        each = state.shape[1]
        done = refine(
            self._model,
            state.reshape(-1, dims),
            np.repeat(arrival_m, each, axis=0),
            np.repeat(scale_m, each, axis=0),
            self._groups,
            self.majority,
        )
        state = done.state.reshape(rows, each, dims)
        residual = done.residual.reshape(rows, each, -1)
        return [self._distinct(s, q, w) for s, q, w in zip(state, residual, scale_m, strict=True)]

    def _picked(self, state: Floats, arrival_m: Floats, scale_m: Floats) -> Floats:
        """The best start of each neighbourhood (rows, PICKED, dims)."""
        rows, each, dims = state.shape
        bad = ~np.all(np.isfinite(state), axis=2)
        state = np.where(bad[..., None], self._seeds.net[0], state)
        state = self._model.moved(state.reshape(-1, dims), np.zeros((rows * each, self._model.steps)))
        miss = np.repeat(arrival_m, each, axis=0) - self._model.paths(state)
        miss -= offsets(miss, self._groups) @ self._groups.T
        wide = np.repeat(np.maximum(5.0 * scale_m, 1e-3 * self._spread_m), each, axis=0)
        score = np.sum(np.log1p((miss / wide) ** 2), axis=1).reshape(rows, each)
        score[bad] = np.inf
        state = state.reshape(rows, each, dims)
        reach = NEIGHBOURHOOD * (self._spread_m + np.linalg.norm(state, axis=2))
        if not isinstance(self._model, Near):
            reach = np.full(reach.shape, NEIGHBOURHOOD)
        every = np.arange(rows)
        picked = np.empty((rows, PICKED, dims))
        for number in range(PICKED):
            top = np.argmin(score, axis=1)
            picked[:, number] = state[every, top]
            near = np.linalg.norm(state - picked[:, number][:, None], axis=2) < np.maximum(
                reach, reach[every, top, None]
            )
            score = np.where(near, np.inf, score)
        return picked

    def _distinct(self, state: Floats, residual: Floats, scale_m: Floats) -> list[Place]:
        """Different states of one row, best first by their truncated cost."""
        size = np.partition(np.abs(residual), self.majority - 1, axis=1)[:, self.majority - 1]
        scale = np.maximum(scale_m, float(size.min()))
        cost = np.sum(np.minimum((residual / scale) ** 2, 16.0), axis=1)
        kept: list[Place] = []
        for at in np.argsort(cost, kind="stable"):
            one = state[at]
            near = SAME * 10.0 * (self._spread_m + float(np.linalg.norm(one)))
            if any(float(np.linalg.norm(one - other.state)) < near for other in kept):
                continue
            kept.append(Place(one, residual[at]))
            if len(kept) == KEPT:
                break
        return kept
