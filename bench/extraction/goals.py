"""Medians of the readings, and what they should be."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from bench.extraction.measuring import Readings
from bench.extraction.runs import Run

MOST_MIB = 512


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that should be so. `value` is None where somebody was not measured."""

    text: str
    value: float | None
    most: float

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.most else "missed"


def middle(runs: list[Run], what: str) -> float:
    """Return the median of one figure."""
    return float(statistics.median(getattr(each, what) for each in runs))


def goals(found: Mapping[str, Readings]) -> list[Goal]:
    """Return every goal with what was measured."""
    wide, narrow = found["wide"].runs, found["narrow"].runs
    return [
        Goal("wide: time, tidemark / connectorx", _ratio(wide, "connectorx"), 0.8),
        Goal("wide: time, tidemark / dlt, pyarrow", _ratio(wide, "dlt-pyarrow"), 0.2),
        Goal("wide: time, tidemark / Sling", _ratio(wide, "sling"), 0.2),
        Goal("wide: time, tidemark / SqlToS3Operator", _ratio(wide, "operator"), 0.2),
        Goal("wide: time, tidemark / raw wire", _ratio(wide, "raw"), 1.6),
        Goal("wide: client CPU, tidemark / connectorx", _ratio(wide, "connectorx", "cpu_s"), 1),
        Goal("narrow: time, tidemark / connectorx", _ratio(narrow, "connectorx"), 0.95),
        Goal("narrow: client CPU, tidemark / connectorx", _ratio(narrow, "connectorx", "cpu_s"), 1),
        *(
            Goal(f"peak MiB, tidemark, {readings.title}", _peak(readings.runs), MOST_MIB)
            for readings in found.values()
        ),
    ]


def _ratio(runs: Mapping[str, list[Run]], other: str, what: str = "wall_s") -> float | None:
    if not runs.get("wire") or not runs.get(other):
        return None
    return middle(runs["wire"], what) / middle(runs[other], what)


def _peak(runs: Mapping[str, list[Run]]) -> float | None:
    return max((each.peak_mib for each in runs.get("wire", ())), default=None)
