"""Drives all outputs, each as if it were alone, and tells which does not work. What each does is its own file's."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controller.alarm.types import Alarm
from controller.outputs.output import Output, Shown
from firmware_bridge.scaled_loop import real_seconds

RESTART_S = 5.0  # of the machine's time
CALM_S = 60.0  # without falling over, until an output that did counts as well again
SLOW_S = 0.05  # of the loop's time: what an output may take from the decisions before people are told

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    output: Output
    told: str | None = None
    shows: str | None = None  # why the last `show` failed
    runs: str | None = None  # why `run` ended
    ran_s: float = 0.0  # since when it runs


class Switchboard:
    """The outputs of one controller."""

    def __init__(self, outputs: Sequence[Output], on_trouble: Callable[[str, str | None], None]) -> None:
        """Nothing is shown yet. `on_trouble(part, trouble)` hears of each change; `trouble` None: it is well again."""
        self._lines = [_Line(output) for output in outputs]
        self._on_trouble = on_trouble

    def show(self, alarms: tuple[Alarm, ...], *, test: bool = False) -> None:
        """Show how things stand on every output; never raises."""
        if not self._lines:
            return
        shown = Shown(tuple(sorted(alarms, key=lambda alarm: -alarm.alarm_class)), test)
        loop = asyncio.get_running_loop()
        for line in self._lines:
            began_s = loop.time()
            line.shows = _failure(lambda output=line.output: output.show(shown))  # type: ignore[misc]
            took_s = loop.time() - began_s
            if line.shows is None and took_s > SLOW_S:
                line.shows = f"it held the decisions up for {took_s:.2f} s; mend or remove it"
            if line.runs is not None and line.ran_s and loop.time() - line.ran_s > CALM_S:
                line.runs = None
        for line in self._lines:
            self._tell(line)

    async def run(self) -> None:
        """Run them all until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(self._keep(line), name=f"output {line.output.name}")

    def close(self) -> None:
        """Close them all; one that cannot be closed keeps no other open."""
        for line in self._lines:
            _failure(line.output.close)

    async def _keep(self, line: _Line) -> None:
        while True:
            line.ran_s = asyncio.get_running_loop().time()
            try:
                await line.output.run()
            except Exception as error:  # whatever it is, the others go on
                _log.exception("output %s failed", line.output.name)
                line.runs = f"it fell over ({error}); check its wiring"
            else:
                line.runs = "it ended by itself; please report this"
            line.ran_s = 0.0
            self._tell(line)
            await asyncio.sleep(real_seconds(RESTART_S))

    def _tell(self, line: _Line) -> None:
        trouble = line.shows or line.runs or line.output.trouble
        if trouble != line.told:
            line.told = trouble
            self._on_trouble(f"output {line.output.name}", trouble)


def _failure(act: Callable[[], object]) -> str | None:
    """Why `act` failed; None where it did not."""
    try:
        act()
    except Exception as error:
        _log.debug("an output failed", exc_info=True)
        return f"it failed ({error}); check its wiring"
    return None
