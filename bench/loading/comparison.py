"""Our loads beside theirs: what one of a pair takes of the other's time, round by round."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import middle
from bench.loading import OURS

CASES = ("into an empty table", "every row again, newer")
_HEAD = "| Parquet on S3 → warehouse | tidemark, s | theirs, s | times theirs | of the rounds |"


@dataclass(frozen=True, slots=True)
class Pair:
    """The seconds of both, a round each: they are compared within the round."""

    ours: str
    theirs: str
    case: str
    seconds: Sequence[tuple[float, float]]

    @property
    def name(self) -> str:
        """What is compared."""
        return f"tidemark{self.ours} / S3ToRedshiftOperator{self.theirs}, {self.case}"

    @property
    def ratios(self) -> list[float]:
        """What ours took of theirs in each round, least first."""
        return sorted(ours / theirs for ours, theirs in self.seconds)


def pairs(taken: Mapping[str, Sequence[float]]) -> list[Pair]:
    """Return what can be compared, and last all of it together, by the seconds of each load."""
    found = []
    for (strategy, theirs), case in itertools.product(OURS.items(), range(len(CASES))):
        if seconds := taken.get(f"{theirs}|{case}"):
            both = zip(taken[f"tidemark, {strategy}|{case}"], seconds, strict=True)
            method = theirs.removeprefix("S3ToRedshiftOperator")
            found.append(Pair(f", {strategy}", method, CASES[case], list(both)))
    rounds = zip(*(pair.seconds for pair in found), strict=True)
    sums = [(sum(ours for ours, _ in each), sum(theirs for _, theirs in each)) for each in rounds]
    return [*found, Pair("", "", "all of them", sums)]


def table(found: Sequence[Pair]) -> Iterator[str]:
    """Yield the pairs as lines of a Markdown table."""
    yield _HEAD
    yield "|---|---:|---:|---:|---:|"
    for pair in found:
        both = [middle(sorted(side)) for side in zip(*pair.seconds, strict=True)]
        name = f"`{pair.ours[2:]}` / `{pair.theirs[2:]}`, {pair.case}" if pair.ours else "all"
        ratios = pair.ratios
        cells = [name, *(f"{each:.2f}" for each in both), f"{middle(ratios):.2f}"]
        yield f"| {' | '.join(cells)} | {ratios[0]:.2f} to {ratios[-1]:.2f} |"
