"""Why a conversation does not get on, in a sentence for people; what is done about it (asking again) is elsewhere."""

from firmware_bridge.session.orders import Orders
from firmware_bridge.session.states import State
from firmware_bridge.session.tally import MEND_IT, Tally
from firmware_bridge.wire.codec import kind_of
from firmware_bridge.wire.reports import HelloAck, Pong

UNANSWERED_HELLOS = 6  # in 2.5 s; then people are told why, and asking goes on
FRUITLESS_PINGS = 60  # in 3 s; a clock needs 8


def stuck(state: State, orders: Orders, tally: Tally, answered_pings: int) -> str | None:
    """Said once, when so much was asked in vain; None before and after."""
    if state is State.HELLO and orders.hellos == UNANSWERED_HELLOS:
        return _no_introduction(tally)
    if state is State.SYNC and orders.own_pings == FRUITLESS_PINGS:
        return _no_clock(tally, answered_pings)
    return None


def _no_introduction(tally: Tally) -> str:
    if answer := tally.newest_unreadable.get(kind_of(HelloAck)):
        return f"HELLO is answered by what cannot be read: {answer}; {MEND_IT}"
    if tally.only_damage:
        return "bytes come, but no frame among them: the baud rate is another one, or this is no node of ours"
    return "nothing answers HELLO; is a node plugged in here, at this baud rate?"


def _no_clock(tally: Tally, answered_pings: int) -> str:
    if answered_pings:
        some = f"{answered_pings} of {FRUITLESS_PINGS} PINGs were answered"
        return f"its clock cannot be learnt: {some}, and by times that make no steady clock; {MEND_IT}"
    if answer := tally.newest_unreadable.get(kind_of(Pong)):
        return f"its clock cannot be learnt: PING is answered by what cannot be read: {answer}; {MEND_IT}"
    return f"its clock cannot be learnt: none of {FRUITLESS_PINGS} PINGs was answered; {MEND_IT}"
