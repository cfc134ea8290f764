"""A campaign in a few lines: one a scenario and setting, over all seeds."""

from collections.abc import Callable, Sequence
from statistics import median

from sim.campaign.work import Row

COLUMNS = ("scenario", "runs", "as expected", "fix", "error", "leak to fix", "leak to warning", "false")


def summary(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Rows of text under COLUMNS; medians over the runs in which it happened."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_name(row), []).append(row)
    return [_line(name, group) for name, group in groups.items()]


def _name(row: Row) -> str:
    changes = [f"{key[4:]}={value}" for key, value in row.items() if key.startswith("set:")]
    return " ".join([row["scenario"], *changes])


def _line(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    judged = [row for row in rows if not row["failure"]]
    failed = len(rows) - len(judged)
    return (
        name,
        f"{len(rows)}" + (f" ({failed} failed)" if failed else ""),
        _share(judged, lambda row: row["success"]),
        _share(judged, lambda row: row["error_m"] is not None),
        _median(judged, "error_m", 100.0, "cm"),
        _median(judged, "fixed_s", 1.0, "s"),
        _median(judged, "confirmed_s", 1.0, "s"),
        str(sum(row["false_alarms"] + row["false_fixes"] for row in judged)),
    )


def _share(rows: Sequence[Row], wanted: Callable[[Row], bool]) -> str:
    return f"{sum(map(wanted, rows))}/{len(rows)}" if rows else "-"


def _median(rows: Sequence[Row], column: str, factor: float, unit: str) -> str:
    values = [factor * row[column] for row in rows if row[column] is not None]
    return f"{median(values):.3g} {unit}" if values else "-"
