"""The figures as a picture: a bar a reader, a panel a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from bench.extraction.goals import middle
from bench.extraction.measuring import Readings

_WIDTH, _LABELS, _BARS = 760, 210, 430
_ROW, _TITLE = 24, 44
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.number { font-variant-numeric: tabular-nums }
rect { fill: #9aa4b2 }
.ours { fill: #0a6cbd }
.limit { fill: #d5dae1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  rect { fill: #6e7681 }
  .ours { fill: #4aa3ff }
  .limit { fill: #3d444d }
}
"""
_PANELS = ("wide", "wide3", "narrow")


def plot(found: Mapping[str, Readings], names: Mapping[str, str]) -> str:
    """Return an SVG with the median seconds of every reader, the quickest first."""
    lines: list[str] = []
    top = 0
    for key in _PANELS:
        panel = list(_panel(found[key], names, top))
        lines += panel
        top += _TITLE + _ROW * len(found[key].runs)
    size = f'width="{_WIDTH}" height="{top + 16}" viewBox="0 0 {_WIDTH} {top + 16}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "<title>Seconds to read a MySQL table into Parquet, by reader</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *lines, "</svg>"]) + "\n"


def _panel(readings: Readings, names: Mapping[str, str], top: int) -> Iterator[str]:
    seconds = {key: middle(runs, "wall_s") for key, runs in readings.runs.items()}
    longest = max(seconds.values(), default=1.0)
    title = escape(f"{readings.title}: seconds")
    yield f'<text class="title" x="8" y="{top + 28}">{title}</text>'
    for place, (key, taken) in enumerate(sorted(seconds.items(), key=lambda each: each[1])):
        y = top + _TITLE + _ROW * place
        long = max(2, round(_BARS * taken / longest))
        kind = {"wire": "ours", "s3": "ours", "raw": "limit"}.get(key, "other")
        yield f'<text x="{_LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(names[key])}</text>'
        yield f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{long}" height="18" rx="2"/>'
        number = f"{taken:.1f}" if taken >= 10 else f"{taken:.2f}"
        yield f'<text class="number" x="{_LABELS + long + 8}" y="{y + 14}">{number}</text>'
