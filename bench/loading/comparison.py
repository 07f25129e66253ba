"""Our loads beside theirs: what one of a pair takes of the other's time, round by round."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import middle
from bench.loading import AS_IT_COMES, OURS

CASES = ("into an empty table", "every row again, newer")
_HEAD = (
    "| Parquet on S3 → warehouse | tidemark, s | theirs, s | times theirs | of the rounds "
    "| theirs as it comes, s | times that |"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """The seconds of both, a round each: they are compared within the round.

    :ivar as_it_comes: seconds of theirs with its own settings, if that was measured
    """

    ours: str
    theirs: str
    case: str
    seconds: Sequence[tuple[float, float]]
    as_it_comes: float | None = None

    @property
    def name(self) -> str:
        """What is compared."""
        return f"tidemark{self.ours} / S3ToRedshiftOperator{self.theirs}, {self.case}"

    @property
    def ratios(self) -> list[float]:
        """What ours took of theirs in each round, least first."""
        return sorted(ours / theirs for ours, theirs in self.seconds)

    @property
    def of_as_it_comes(self) -> float | None:
        """What ours took of theirs with its own settings."""
        ours = middle(sorted(ours for ours, _ in self.seconds))
        return ours / self.as_it_comes if self.as_it_comes else None


def pairs(taken: Mapping[str, Sequence[float]]) -> list[Pair]:
    """Return what can be compared, and last all of it together, by the seconds of each load."""
    found = []
    for (strategy, theirs), case in itertools.product(OURS.items(), range(len(CASES))):
        if seconds := taken.get(f"{theirs}|{case}"):
            both = zip(taken[f"tidemark, {strategy}|{case}"], seconds, strict=True)
            method = theirs.removeprefix("S3ToRedshiftOperator")
            (alone,) = taken.get(f"{theirs}{AS_IT_COMES}|{case}", (None,))
            found.append(Pair(f", {strategy}", method, CASES[case], list(both), alone))
    rounds = zip(*(pair.seconds for pair in found), strict=True)
    sums = [(sum(ours for ours, _ in each), sum(theirs for _, theirs in each)) for each in rounds]
    waiting = [pair.as_it_comes for pair in found if pair.as_it_comes]
    together = sum(waiting) if len(waiting) == len(found) else None
    return [*found, Pair("", "", "all of them", sums, together)]


def table(found: Sequence[Pair]) -> Iterator[str]:
    """Yield the pairs as lines of a Markdown table."""
    yield _HEAD
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for pair in found:
        both = [middle(sorted(side)) for side in zip(*pair.seconds, strict=True)]
        name = f"`{pair.ours[2:]}` / `{pair.theirs[2:]}`, {pair.case}" if pair.ours else "all"
        ratios = pair.ratios
        cells = [name, *(f"{each:.2f}" for each in both), f"{middle(ratios):.2f}"]
        cells.append(f"{ratios[0]:.2f} to {ratios[-1]:.2f}")
        cells += [f"{cell:.2f}" if cell else "" for cell in (pair.as_it_comes, pair.of_as_it_comes)]
        yield f"| {' | '.join(cells)} |"
