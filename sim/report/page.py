"""A run as one self-contained HTML page."""

import base64
from html import escape

from sim.report.log import Row, log_rows
from sim.report.summary import rows
from sim.run_record import RunRecord

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
img { max-width: 100% }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e5e5e5 }
.good { color: #1a7f37 }
.bad { color: #c0392b }
.time { white-space: nowrap }
.alarm { color: #c0392b; font-weight: 600 }
"""


def page(record: RunRecord, picture_png: bytes) -> str:
    """The report of a run."""
    verdict = ("good", "success") if record.score.success else ("bad", "FAILED")
    summary = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows(record))
    events = "".join(_line(row) for row in log_rows(record.heard))
    title = escape(record.scenario.title or record.scenario.name)
    image = base64.b64encode(picture_png).decode()
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>leakloc: {title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>Simulated run, seed {record.seed}, {_speed(record)}: "
        f"<b class={verdict[0]}>{verdict[1]}</b></p><img alt='hull, truth and fix' src='data:image/png;base64,{image}'>"
        f"<h2>Against the truth</h2><table>{summary}</table>"
        f"<h2>What the controller said</h2><p>Scenario time at which it was heard.</p><table>{events}</table></html>\n"
    )


def _speed(record: RunRecord) -> str:
    return "in virtual time" if record.speed is None else f"{record.speed:g} times real time"


def _line(row: Row) -> str:
    """One row of the log."""
    times = f"{row.at_s:,.1f} s" if row.count == 1 else f"{row.at_s:,.1f} to {row.until_s:,.1f} s"
    words = row.words if row.count == 1 else f"{row.words} ({row.count} times; the last)"
    kind = escape(row.kind.replace("_", " "))
    return f"<tr><td class=time>{times}</td><td class={escape(row.kind)}>{kind}</td><td>{escape(words)}</td></tr>"
