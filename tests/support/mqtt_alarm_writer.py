"""A process that publishes alarm events as fast as its disk lets it until it is killed; says each as it is put.

Run it by `python -m tests.support.mqtt_alarm_writer FOLDER PORT RUN`.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from controller.journal.entries import AlarmEntry
from controller.outputs.mqtt import output as room
from controller.outputs.mqtt.outbox import Outbox
from controller.outputs.mqtt.output import MqttOutput
from firmware_bridge.links.broker import BrokerSettings

room.LONGEST_BACKOFF_S = 0.5  # the test has not all day


def event(seq: int, run: str) -> AlarmEntry:
    return AlarmEntry(
        seq=seq,
        utc="2018-08-29T23:00:00.000Z",
        t_s=float(seq),
        key="leak",
        alarm_class="warning",
        state="unacknowledged",
        before="normal",
        cause="raised",
        text=f"{run} {seq}",
        evidence=(),
        occurrence=seq,
        acknowledged_by=None,
    )


async def main(folder: Path, port: int, run: str) -> None:
    async def in_thread(work: Callable[[], object]) -> object:
        return await asyncio.to_thread(work)

    output = MqttOutput(
        BrokerSettings("127.0.0.1", port),
        "site",
        lambda *_: None,
        lambda _: None,
        lambda on_ready: Outbox(folder, run, in_thread, on_ready),
    )
    task = asyncio.create_task(output.run())
    seq = 0
    while not task.done():
        seq += 1
        output.publish(event(seq, run))
        sys.stdout.write(f"{seq}\n")
        sys.stdout.flush()
        await asyncio.sleep(0.005)
    task.result()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
