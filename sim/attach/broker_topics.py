"""A virtual node behind a broker: its frames are payloads of `<prefix>/from-node`, commands come on `/to-node`."""

import asyncio
from collections.abc import Callable

import aiomqtt

from firmware_bridge.cancellation import stop_if_asked
from sim.attach.line import OnData

MAX_UNSENT = 64
RETRY_S = 1.0


class TopicLine:
    """One node's own client; it reconnects by itself while plugged in."""

    def __init__(self, host: str, port: int, prefix: str) -> None:
        """Name broker and topics; nothing is connected yet."""
        self._host = host
        self._port = port
        self._prefix = prefix
        self._unsent: asyncio.Queue[bytes] = asyncio.Queue(MAX_UNSENT)
        self._task: asyncio.Task[None] | None = None
        self._connected = False

    @property
    def ready(self) -> bool:
        """Whether the client takes another frame."""
        return self._connected and not self._unsent.full()

    def plug(self, on_data: OnData, on_ready: Callable[[], None]) -> None:
        """Start the client."""
        self._task = asyncio.get_running_loop().create_task(self._stay_connected(on_data, on_ready))

    def write(self, frame: bytes) -> None:
        """Queue a frame for publication."""
        self._unsent.put_nowait(frame)

    def unplug(self) -> None:
        """Stop the client."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._connected = False
        while not self._unsent.empty():
            self._unsent.get_nowait()

    async def _stay_connected(self, on_data: OnData, on_ready: Callable[[], None]) -> None:
        while True:
            try:
                async with aiomqtt.Client(self._host, self._port) as client, asyncio.TaskGroup() as group:
                    await client.subscribe(f"{self._prefix}/to-node")
                    self._connected = True
                    on_ready()
                    group.create_task(self._publish(client, on_ready))
                    async for message in client.messages:
                        if isinstance(message.payload, bytes | bytearray):
                            on_data(bytes(message.payload))
            except* aiomqtt.MqttError:
                pass  # the broker is away: a real node, too, just tries again
            finally:
                self._connected = False
            stop_if_asked()
            await asyncio.sleep(RETRY_S)

    async def _publish(self, client: aiomqtt.Client, on_ready: Callable[[], None]) -> None:
        while True:
            frame = await self._unsent.get()
            await client.publish(f"{self._prefix}/from-node", frame, qos=0)
            on_ready()
