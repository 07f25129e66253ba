"""What was measured, as JSON, as tables of Markdown and as the README's table."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.extraction.goals import goals, middle
from bench.extraction.measuring import Readings
from bench.extraction.participants import PARTICIPANTS, versions
from bench.extraction.plot import plot
from bench.extraction.runs import Run
from bench.published import machine

_NAMES = {each.key: each.name for each in PARTICIPANTS}
_HEAD = (
    "| MySQL → Parquet | seconds | to tidemark's | with start "
    "| CPU s | server CPU s | peak MiB | n |"
)
_HOW = """\
Every reading is a process of its own; readers take turns. Medians of n, peaks the highest of n.
*Seconds* run from before the connection is made until the last byte is written, imports excluded;
*with start* is the whole life of the process. *CPU* is the reader's in those seconds, *server CPU*
MySQL's during the process. Files are local, Parquet with snappy; where a reader leaves writing to
us (connectorx, mysqlclient), with the settings of our own files. *Airflow to S3* is the product's
whole way, with a snapshot, its types and several files, to the S3 emulator on the same cores. Sling
writes CSV: for Parquet it would download extensions of DuckDB."""


def write(found: Mapping[str, Readings], directory: Path) -> str:
    """Write extraction.json, .md and .svg; return the Markdown for the README."""
    directory.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC)
    kept = {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine(),
        "python": platform.python_version(),
        "peers": versions(),
        "goals": [asdict(goal) | {"verdict": goal.verdict} for goal in goals(found)],
        "tables": {key: asdict(readings) for key, readings in found.items()},
    }
    text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
    (directory / "extraction.json").write_text(text, encoding="utf-8")
    (directory / "extraction.svg").write_text(plot(found, _NAMES), encoding="utf-8")
    page = "\n".join(_page(found, at)) + "\n"
    (directory / "extraction.md").write_text(page, encoding="utf-8")
    return "\n".join(_summary(found, at))


def _page(found: Mapping[str, Readings], at: datetime) -> Iterator[str]:
    yield from ("# Reading MySQL: figures", "", f"{at:%Y-%m-%d %H:%M} UTC, {machine()}.", "", _HOW)
    yield from ("", _noise(found), "", "![Seconds by reader](extraction.svg)")
    for readings in found.values():
        yield from ("", f"## {readings.title}", "", *_table(readings))
    yield from ("", "## Goals", "", "| goal | at most | measured | |", "|---|---:|---:|---|")
    for goal in goals(found):
        value = "" if goal.value is None else _shown(goal.value)
        yield f"| {goal.text} | {_shown(goal.most)} | {value} | {goal.verdict} |"
    pins = ", ".join(f"{name} {version}" for name, version in sorted(versions().items()))
    yield from ("", f"Compared with {pins}; Python {platform.python_version()}.")


def _summary(found: Mapping[str, Readings], at: datetime) -> Iterator[str]:
    wide, long = found["wide"], found["long20"]
    yield f"{wide.title}, {at:%Y-%m-%d}, {machine()}:"
    yield from ("", *_table(wide), "")
    for key in ("wide3", "narrow"):
        parts = [
            f"{_NAMES[name]} {_shown(middle(runs, 'wall_s'))} s"
            for name, runs in _by_time(found[key])
        ]
        yield f"{found[key].title}: {', '.join(parts)}."
    if runs := long.runs.get("wire"):
        peak = _shown(middle(runs, "peak_mib"))
        yield f"{long.title}, by tidemark: {peak} MiB at most."
    yield "How it was measured, and more: [bench/results](bench/results/extraction.md)."


def _table(readings: Readings) -> Iterator[str]:
    yield _HEAD
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    ours = readings.runs.get("wire")
    base = middle(ours, "wall_s") if ours else None
    for key, runs in _by_time(readings):
        wall = middle(runs, "wall_s")
        times = f"{wall / base:.2f}" if base else ""
        figures = [_shown(middle(runs, name)) for name in ("process_s", "cpu_s", "server_cpu_s")]
        name = f"**{_NAMES[key]}**" if key == "wire" else _NAMES[key]
        peak = f"{max(each.peak_mib for each in runs):,.0f}"
        yield f"| {' | '.join([name, _shown(wall), times, *figures, peak, str(len(runs))])} |"
    for key, why in readings.failed.items():
        yield f"| {_NAMES[key]} | {why.replace('|', '/')} | | | | | | 0 |"
    late = [each.after_last_row_s for each in readings.runs.get("s3", ())]
    known = [each for each in late if each is not None]
    if known:
        shown = f"{statistics.median(known):.2f}"
        yield f"\nTo S3: {shown} s from the last row read to the last byte sent and confirmed."


def _by_time(readings: Readings) -> list[tuple[str, list[Run]]]:
    return sorted(readings.runs.items(), key=lambda each: middle(each[1], "wall_s"))


def _noise(found: Mapping[str, Readings]) -> str:
    # The emulator's work for the runs to S3 is part of those, and nobody else's.
    shares = [
        each.others
        for readings in found.values()
        for key, runs in readings.runs.items()
        for each in runs
        if key != "s3"
    ]
    if not shares:
        return "Nothing could be measured."
    return (
        f"Everything else took {statistics.median(shares):.0%} of the machine during a reading "
        f"(median; {max(shares):.0%} at most)."
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
