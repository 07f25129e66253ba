"""What the demonstration found, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from onebox.comparison import Comparison
from onebox.data_api import DataApi
from onebox.events import Mail, count_events
from onebox.following import Bucket, Position
from onebox.progress import console
from onebox.seed import SCHEMA


def show_tables(
    warehouses: Sequence[DataApi], bucket: Bucket, found: Mapping[str, Sequence[Comparison]]
) -> None:
    """Print rows, watermark and as-of of each table, and what differs."""
    names = [warehouse.name for warehouse in warehouses]
    table = Table(title="MySQL and its warehouses (times are UTC)", title_justify="left")
    table.add_column("table")
    for heading in ("source rows", *(f"{name} rows" for name in names)):
        table.add_column(heading, justify="right")
    for heading in ("equal", "watermark", *(f"{name} as of" for name in names)):
        table.add_column(heading, no_wrap=True)
    for name, row in found.items():
        position = bucket.position(f"{SCHEMA}.{name}") or Position(None, {}, ())
        times = [position.watermark, *(position.as_of.get(target) for target in names)]
        table.add_row(
            name,
            f"{row[0].source_rows:,}",
            *(f"{comparison.warehouse_rows:,}" for comparison in row),
            _yes(all(comparison.equal for comparison in row)),
            *(f"{time:%Y-%m-%d %H:%M:%S}" if time else "none" for time in times),
        )
    console.print()
    console.print(table)
    for name, row in found.items():
        for target, comparison in zip(names, row, strict=True):
            if not comparison.equal:
                console.print(
                    f"[red]{target}.{name}[/]: {comparison.unstamped} rows without _batch_id;"
                    f" rows that differ: {', '.join(comparison.differing) or 'none'}"
                )


def show_events(warehouses: Sequence[DataApi], posted: Mail, taken: int, set_aside: int) -> bool:
    """Print what became of the events; whether each was counted once and none was lost.

    :param taken: how many the receiver took
    :param set_aside: how many of them are in quarantine
    """
    title = f"{len(posted.bodies):,} events posted to the webhook receiver"
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for heading in ("expected", "found"):
        table.add_column(heading, justify="right")
    table.add_column("right")
    rows = [
        ("no JSON: refused at the door", posted.cut, len(posted.bodies) - taken),
        ("no event: in quarantine, with their bytes", posted.nameless, set_aside),
    ]
    for warehouse in warehouses:
        counted = count_events(warehouse)
        rows += [
            (f"different events on {warehouse.name}", posted.events, counted.events),
            (f"rows on {warehouse.name}, {posted.again} came twice", posted.events, counted.rows),
        ]
    for what, expected, found in rows:
        table.add_row(what, f"{expected:,}", f"{found:,}", _yes(expected == found))
    console.print()
    console.print(table)
    return all(expected == found for _, expected, found in rows)


def _yes(right: bool) -> str:
    return "[green]yes[/]" if right else "[red]NO[/]"
