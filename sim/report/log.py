"""The log of a report: what was heard, row by row, with what repeats itself folded into one. Writes no HTML."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.heard import Heard, LeakRate
from sim.report.sayings import sentence, sentence_of_nodes

TOLD = {
    "learned", "detection", "detection_over", "fix", "no_fix", "leak_rate", "pressure_steady", "alarm", "command",
    "node",
}  # fmt: skip
ALIKE = 0.1  # leak rates within this share of the first of a run say the same
AT_ONCE_S = 10.0  # nodes that come into a state within this time of the first are told of together


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Args:
        at_s, until_s: scenario times at which the first and the last of it were heard.
        kind: as the controller calls it.
        words: what was said.
        count: how many events it stands for.
    """

    at_s: float
    until_s: float
    kind: str
    words: str
    count: int


def log_rows(heard: Iterable[Heard]) -> list[Row]:
    """What is worth telling, in the order in which it was heard; of a run of leak rates the last one's figures."""
    runs: list[list[Heard]] = []
    for one in heard:
        if kind(one) not in TOLD:
            continue
        run = next((run for run in _open(runs, one) if _continues(run, one)), None)
        if run is None:
            runs.append([one])
        else:
            run.append(one)
    return [_row(run) for run in runs]


def kind(heard: Heard) -> str:
    """What the controller calls it."""
    return str(heard.said.get("kind"))


def _open(runs: Sequence[list[Heard]], one: Heard) -> Iterable[list[Heard]]:
    """The runs that one more event may continue: the last, and of nodes all since anything else was said."""
    for run in reversed(runs):
        yield run
        if kind(one) != "node" or kind(run[0]) != "node":
            return


def _continues(run: Sequence[Heard], one: Heard) -> bool:
    first = run[0]
    if kind(first) != kind(one):
        return False
    if kind(one) == "node":
        return first.said.get("state") == one.said.get("state") and one.at_s - first.at_s <= AT_ONCE_S
    if isinstance(first.event, LeakRate) and isinstance(one.event, LeakRate):
        before, now = first.event.mass_rate_kg_s.value, one.event.mass_rate_kg_s.value
        return before is not None and now is not None and abs(now - before) <= ALIKE * abs(before)
    return sentence(first) == sentence(one)


def _row(run: Sequence[Heard]) -> Row:
    first, last = run[0], run[-1]
    nodes = kind(first) == "node"
    words = sentence_of_nodes([one.said for one in run]) if nodes else sentence(last)
    return Row(first.at_s, last.at_s, kind(first), words, 1 if nodes else len(run))
