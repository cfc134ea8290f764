"""A crew that does what the controller's journal advises about hatches, one move after the other, and reports it."""

from dataclasses import dataclass, field

import msgspec

from controller.app import App
from controller.journal.entries import IsolationEntry, to_json
from controller.pipeline.events import HatchMoved, SearchAsked
from tests.support.virtual_rig import Run

SWING_S = 10.0  # that a hatch takes


@dataclass
class FollowingCrew:
    """Asks for a search at `begins_s`; it takes `walk_s` to a hatch. What was moved when, `moved` knows."""

    begins_s: float
    walk_s: float = 60.0
    moved: list[tuple[float, str, bool]] = field(default_factory=list)
    _due: tuple[float, str, bool] | None = None
    _swinging: tuple[float, str, bool] | None = None
    _done: int = -1  # the newest advice that was followed to its end
    _moves_done: int = 0

    def __call__(self, app: App, run: Run, now_s: float) -> None:
        """One second of their time."""
        if now_s == self.begins_s:
            app.deliver(SearchAsked(on=True, by="crew"))
        if self._swinging is not None and now_s >= self._swinging[0] + SWING_S:
            _, hatch, opens = self._swinging
            app.deliver(HatchMoved(hatch, opens))
            self._swinging = None
        if self._due is not None and now_s >= self._due[0]:
            _, hatch, opens = self._due
            run.plant.gas.move_hatch(hatch, float(opens), SWING_S)
            self.moved.append((now_s, hatch, opens))
            self._swinging, self._due = (now_s, hatch, opens), None
        if self._due is None and self._swinging is None:
            self._read(run, now_s)

    def _read(self, run: Run, now_s: float) -> None:
        told = run.of_kind(IsolationEntry)
        if not told:
            return
        said = msgspec.json.decode(to_json(told[-1]))  # as anybody would read it
        stand = {hatch: opens for _, hatch, opens in self.moved}
        for move in said["moves"]:
            if stand.get(move["hatch"], True) != move["opens"]:
                self._due = (now_s + self.walk_s, move["hatch"], move["opens"])
                return
