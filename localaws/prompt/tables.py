"""Results as people and programs read them: a table, one column a line, CSV, JSON."""

from __future__ import annotations

import csv
import json
from typing import Any, TextIO

from rich.box import ROUNDED
from rich.console import Console
from rich.table import Table
from rich.text import Text

from localaws.prompt.warehouse import Result

_UNBOUNDED = 100_000
_NUMBERS = {"int2", "int4", "int8", "numeric", "float4", "float8", "oid"}


def show(result: Result, form: str, out: TextIO, *, timing: bool = False) -> None:
    """Write a result to `out` as `form` says: table, expanded, csv or json."""
    if form == "csv":
        if result.columns:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(result.columns)
            writer.writerows(result.rows)
        return
    if form == "json":
        if result.columns:
            rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
            out.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    # A file or a pipe is as wide as the widest row.
    width = None if out.isatty() else _UNBOUNDED
    console = Console(file=out, highlight=False, width=width)
    if result.columns:
        for block in _records(result) if form == "expanded" else [_grid(result)]:
            console.print(block)
    console.print(Text(_summary(result, timing=timing), style="dim"))


def _grid(result: Result) -> Table:
    table = Table(box=ROUNDED)
    for name, kind in zip(result.columns, result.types, strict=True):
        table.add_column(
            Text(name), justify="right" if kind in _NUMBERS else "left", overflow="fold"
        )
    for row in result.rows:
        table.add_row(*map(_cell, row))
    return table


def _records(result: Result) -> list[Table]:
    blocks: list[Table] = []
    for number, row in enumerate(result.rows, 1):
        block = Table(box=ROUNDED, show_header=False, title=f"row {number}", title_justify="left")
        block.add_column(style="bold")
        block.add_column(overflow="fold")
        for name, value in zip(result.columns, row, strict=True):
            block.add_row(Text(name), _cell(value))
        blocks.append(block)
    return blocks


def _cell(value: Any) -> Text:
    if value is None:
        return Text("null", style="dim italic")
    return Text(str(value).lower() if isinstance(value, bool) else str(value))


def _summary(result: Result, *, timing: bool) -> str:
    rows = len(result.rows) if result.columns else result.changed
    said = "done" if rows < 0 else f"{rows:,} row{'' if rows == 1 else 's'}"
    return f"({said}, {result.seconds * 1000:,.0f} ms)" if timing else f"({said})"
