"""Transports under a node on a bench: what it hears and says goes through the real thing, in its pieces."""

import os
import queue
import select
import socket
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from sim.node.program import Program
from tests.conftest import Broker

PATIENCE_S = 20.0
READ_BYTES = 4096
TO_NODE, FROM_NODE = "leakloc/test-site/node/A/to-node", "leakloc/test-site/node/A/from-node"

Carry = Callable[[bytes], list[bytes]]  # what comes out at the other end, in its pieces


class Line:
    """A carrier each way."""

    def __init__(self, to_node: Carry, to_host: Carry) -> None:
        self.to_node, self.to_host = to_node, to_host


@contextmanager
def on_terminal() -> Iterator[Line]:
    """A pseudo-terminal: the node has the master, the host the slave, as at a USB adaptor."""
    master, slave = os.openpty()
    tty.setraw(slave)
    for handle in (master, slave):
        os.set_blocking(handle, False)
    yield Line(_between(slave, master), _between(master, slave))
    os.close(slave)
    os.close(master)


@contextmanager
def on_socket() -> Iterator[Line]:
    """A loopback connection, on which the node listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = socket.create_connection(listener.getsockname())
        node, _ = listener.accept()
    for end in (host, node):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setblocking(False)
    with host, node:
        yield Line(_between(host.fileno(), node.fileno()), _between(node.fileno(), host.fileno()))


@contextmanager
def on_topics(broker: Broker) -> Iterator[Line]:
    """Two topics of a broker, with a client at each end."""
    heard: dict[str, queue.Queue[bytes]] = {TO_NODE: queue.Queue(), FROM_NODE: queue.Queue()}
    with _client(broker, TO_NODE, heard) as node, _client(broker, FROM_NODE, heard) as host:

        def carry(client: Client, topic: str) -> Carry:
            def through(data: bytes) -> list[bytes]:
                if not data:
                    return []
                client.publish(topic, data, qos=0)
                return [heard[topic].get(timeout=PATIENCE_S)]

            return through

        yield Line(carry(host, TO_NODE), carry(node, FROM_NODE))


def carried(program: Program, line: Line) -> Program:
    """`program`, heard and told over `line` alone."""
    return cast(Program, _Carried(program, line))


class _Carried:
    def __init__(self, program: Program, line: Line) -> None:
        self._program, self._line = program, line
        self.outgoing = _Transmitter(program, line)

    def receive(self, now_ns: int, data: bytes) -> None:
        for piece in self._line.to_node(data):
            self._program.receive(now_ns, piece)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._program, name)


class _Transmitter:
    def __init__(self, program: Program, line: Line) -> None:
        self._program, self._line = program, line

    def pop(self, now_ns: int = 0) -> bytes | None:
        frame = self._program.outgoing.pop(now_ns)
        return None if frame is None else b"".join(self._line.to_host(frame))

    @property
    def next_ns(self) -> int | None:
        return self._program.outgoing.next_ns


def _between(into: int, out_of: int) -> Carry:
    def through(data: bytes) -> list[bytes]:
        left, pieces, came = data, [], 0
        while came < len(data):
            readable, writable, _ = select.select((out_of,), (into,) if left else (), (), PATIENCE_S)
            assert readable or writable, "the line takes nothing and gives nothing"
            if writable:
                left = left[os.write(into, left) :]
            if readable:
                pieces.append(os.read(out_of, READ_BYTES))
                came += len(pieces[-1])
        return pieces

    return through


@contextmanager
def _client(broker: Broker, topic: str, heard: dict[str, "queue.Queue[bytes]"]) -> Iterator[Client]:
    subscribed: queue.Queue[None] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2)

    def take(_client: Client, _data: object, message: MQTTMessage) -> None:
        heard[message.topic].put(bytes(message.payload))

    client.on_message = take
    client.on_subscribe = lambda *_: subscribed.put(None)
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.subscribe(topic)
    subscribed.get(timeout=PATIENCE_S)
    yield client
    client.disconnect()
    client.loop_stop()
