"""Drives a plant by the running loop's clock and joins its nodes to their lines."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import BridgeError
from firmware_bridge.units import NS_PER_S, ns_to_s, s_to_ns
from sim.attach.line import Line
from sim.plant.plant import Plant, Render

Rendered = tuple[NDArray[np.int16], bool]
Renderer = Callable[[Callable[[Render], Rendered], Render], Awaitable[Rendered]]


async def render_in_thread(render: Callable[[Render], Rendered], job: Render) -> Rendered:
    """Render beside the loop, so that pings are answered meanwhile."""
    return await asyncio.to_thread(render, job)


async def render_inline(render: Callable[[Render], Rendered], job: Render) -> Rendered:
    """Render at once, for runs in virtual time."""
    return render(job)


class Rig:
    """A running plant; scenario time 0 is the moment at which `run` starts."""

    def __init__(self, plant: Plant, lines: Mapping[str, Line], renderer: Renderer) -> None:
        """Join `plant` to `lines` (node name to line), which fail as it says; nodes without one are not plugged in."""
        self._plant = plant
        self._lines = dict(lines)
        self._paths = {node: plant.line_faults[node] for node in lines}
        self._plugged_once: set[str] = set()
        self._renderer = renderer
        self._wake = asyncio.Event()
        self._plugged: set[str] = set()
        self._started_ns: int | None = None
        self.worst_lag_s = 0.0

    @property
    def now_s(self) -> float:
        """Scenario time; 0 before the start."""
        return ns_to_s(self._now_ns())

    async def run(self) -> None:
        """Run until cancelled; then every line is unplugged.

        Raises:
            BridgeError: a node's line cannot be.
        """
        self._started_ns = s_to_ns(asyncio.get_running_loop().time())
        try:
            async with asyncio.TaskGroup() as renderings:
                while True:
                    self._follow_faults()
                    now_ns = self._now_ns()
                    for job in self._plant.step(now_ns):
                        renderings.create_task(self._render(job))
                    self._follow_faults()  # the plant may have lost a node's power
                    for node in self._lines:
                        self._deliver(node, now_ns)
                        self._flush(node)
                    await self._rest(self._next_ns(now_ns))
        except BaseExceptionGroup as group:
            told = _first_told(group)
            if told is None:
                raise
            raise told from group
        finally:
            for line in self._lines.values():
                line.unplug()

    def _now_ns(self) -> int:
        if self._started_ns is None:
            return 0
        return s_to_ns(asyncio.get_running_loop().time()) - self._started_ns

    async def _rest(self, until_ns: int) -> None:
        self._wake.clear()
        wait_s = max((until_ns - self._now_ns()) / NS_PER_S, 0.0)
        self.worst_lag_s = max(self.worst_lag_s, (self._now_ns() - until_ns) / NS_PER_S)
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _render(self, job: Render) -> None:
        counts, saturated = await self._renderer(self._plant.render, job)
        self._plant.finish(job, self._now_ns(), counts, saturated=saturated)
        self._wake.set()

    def _follow_faults(self) -> None:
        now_s = self.now_s
        for node, line in self._lines.items():
            there = self._plant.powered(node) and self._paths[node].plugged(now_s)
            if not there and node in self._plugged:
                self._plugged.discard(node)
                line.unplug()
                self._paths[node].clear()
            elif there and node not in self._plugged:
                if node not in self._plugged_once:  # later on it is the plant that knows what lost its power
                    self._plugged_once.add(node)
                    self._plant.reboot(node)
                line.plug(partial(self._hear, node), partial(self._flush, node))
                self._plugged.add(node)

    def _next_ns(self, now_ns: int) -> int:
        due = [self._plant.next_ns(now_ns)]
        for path in self._paths.values():
            due += [ns for ns in (path.next_ns(now_ns),) if ns is not None and ns > now_ns]
        return min(due)

    def _hear(self, node: str, data: bytes) -> None:
        now_ns = self._now_ns()
        self._paths[node].from_host(now_ns, data)
        self._deliver(node, now_ns)
        self._flush(node)
        self._wake.set()  # a command may have set an earlier deadline

    def _deliver(self, node: str, now_ns: int) -> None:
        """What has come through the line to the node."""
        while (data := self._paths[node].to_node.pop(now_ns)) is not None:
            self._plant.receive(node, now_ns, data)

    def _flush(self, node: str) -> None:
        """What the node has to say, as far as the line takes it; into a line that is cut it is lost."""
        line, path, now_ns = self._lines[node], self._paths[node], self._now_ns()
        if node not in self._plugged:
            if self._plant.powered(node):
                while self._plant.next_frame(node) is not None:
                    pass
            return
        while line.ready:
            piece = path.to_host.pop(now_ns)
            if piece is not None:
                line.write(piece)
                continue
            frame = self._plant.next_frame(node) if path.accepts(ns_to_s(now_ns)) else None
            if frame is None:
                return
            path.from_node(now_ns, frame)


def _first_told(error: BaseException) -> BridgeError | None:
    """The first error in a group that was written for people."""
    if isinstance(error, BaseExceptionGroup):
        return next((told for one in error.exceptions if (told := _first_told(one)) is not None), None)
    return error if isinstance(error, BridgeError) else None
