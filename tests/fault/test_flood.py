"""A node that says more than the controller can work on costs itself data, and no other node."""

import asyncio

import numpy as np

from controller.app import App, inline
from controller.config import fitted
from controller.declared import ControllerTable
from controller.logbook import Observers
from controller.pipeline.inbox import MAX_WAITING
from firmware_bridge.declared import parse_declared
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import Quantity
from sim.virtual_time import run_virtual
from tests.support.sites import small_site


def block(node: str, at_ns: int) -> ScalarBlock:
    return ScalarBlock(node, f"{node}-p", Quantity.PRESSURE, np.array([at_ns]), np.array([1e5]), 0.0)


def quiet_app() -> App:
    raw = {"format": 1, "site": "-", "mqtt": {"enabled": False}}
    configuration = fitted(parse_declared(raw, "test", ControllerTable), small_site(), "test")
    nobody = Observers(lambda _entry: None, lambda _picture, _elapsed_s: None)
    return App(configuration, (), None, None, nobody, runner=inline)


def test_whoever_floods_makes_way_for_whoever_does_not() -> None:
    async def main() -> None:
        app = quiet_app()
        for k in range(20):
            app.deliver(block("B", k))
            for _ in range(1000):
                app.deliver(block("A", k))
        waiting = [event for event in app._inbox.waiting if isinstance(event, ScalarBlock)]
        assert len(waiting) <= MAX_WAITING
        assert [int(event.time_ns[0]) for event in waiting if event.node == "B"] == list(range(20))
        of_a = [int(event.time_ns[0]) for event in waiting if event.node == "A"]
        assert of_a == sorted(of_a)  # the oldest went
        assert of_a[-1] == 19
        assert app._inbox.dropped == 20 * 1001 - len(waiting)
        await asyncio.sleep(0)

    run_virtual(main())
