"""What becomes of a person's request to a node, without any link."""

import numpy as np

from controller.outputs.node_board import NodeBoard
from controller.outputs.node_requests import NO_LEVELS, Hands, NodeReply, NodeRequest, NodeRequests
from firmware_bridge.samples import LevelBlock
from firmware_bridge.session.events import CommandOutcome, StateChanged
from firmware_bridge.session.states import State
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.commands import Command, Levels

BLOCK = LevelBlock("A", Quantity.ULTRASOUND, ("A1",), 0, NS_PER_S, np.array([[2e4, 4e4]]), np.array([[1e-4]]))


def _listened(block: LevelBlock | None) -> tuple[list[NodeReply], list[Command]]:
    """Levels of node A asked for ten seconds, all acknowledged; `block` comes meanwhile."""
    board = NodeBoard(("port",))
    board.take(StateChanged("port", "A", State.STREAMING, "data flow"))
    sent: list[tuple[str, int, Command]] = []
    replies: list[NodeReply] = []
    requests = NodeRequests(board, Hands(lambda *order: sent.append(order), lambda _: None), replies.append)
    requests.ask(0, NodeRequest("1", "A", "levels"))
    requests.take(CommandOutcome(*sent[0], done=True, text="done"))
    if block is not None:
        requests.take(block)
    requests.due(11 * NS_PER_S)
    requests.take(CommandOutcome(*sent[1], done=True, text="done"))
    return replies, [command for _, _, command in sent]


def test_levels_are_answered_until_they_end() -> None:
    replies, sent = _listened(BLOCK)
    assert sent == [Levels(1000), Levels(0)]
    assert [(reply.more, reply.done) for reply in replies] == [(True, True), (False, True)]
    assert replies[0].levels[0].level_db == -40.0  # 10 lg 1e-4


def test_a_node_that_agrees_and_sends_no_levels_has_not_done_it() -> None:
    replies, sent = _listened(None)
    assert sent == [Levels(1000), Levels(0)]
    assert [(reply.more, reply.done, reply.text) for reply in replies] == [(False, False, NO_LEVELS)]
