"""The figures of loading: everybody loads, and what they leave is counted by the job itself."""

from __future__ import annotations

from pathlib import Path

from bench.loading import APPEND, AS_IT_COMES, OURS
from bench.loading.comparison import pairs, table
from bench.loading.section import load
from localaws import Endpoints


def test_a_small_bench_loads_with_everybody(stack: Endpoints, tmp_path: Path) -> None:
    taken = load(stack, tmp_path, rows=200, rounds=1)
    names = {*OURS.values(), *(f"tidemark, {strategy}" for strategy in OURS)}
    every = {f"{name}|{case}" for name in names for case in (0, 1)}
    assert set(taken) == every - {f"{APPEND}|1"}
    assert all(seconds > 0 for [seconds] in taken.values())


def test_what_is_compared_is_compared_within_its_round() -> None:
    ours = {f"tidemark, {strategy}|0": [1.0, 2.0, 3.0] for strategy in OURS}
    taken = ours | {f"{theirs}|0": [2.0, 1.0, 4.0] for theirs in OURS.values()}
    *each, all_of_them = pairs(taken)
    assert [pair.ratios for pair in (*each, all_of_them)] == [[0.5, 0.75, 2.0]] * 4
    assert all_of_them.seconds == [(3.0, 6.0), (6.0, 3.0), (9.0, 12.0)]
    first = "| `incremental` / `UPSERT`, into an empty table | 2.00 | 2.00 | 0.75 | 0.50 to 2.00 |"
    assert list(table(each))[2] == f"{first}  |  |"


def test_theirs_as_it_comes_stands_beside_what_ours_takes() -> None:
    ours = {f"tidemark, {strategy}|0": [1.0, 2.0, 3.0] for strategy in OURS}
    theirs = {f"{theirs}|0": [2.0, 1.0, 4.0] for theirs in OURS.values()}
    waiting = {f"{theirs}{AS_IT_COMES}|0": [10.0] for theirs in OURS.values()}
    found = pairs(ours | theirs | waiting)
    assert [pair.of_as_it_comes for pair in found] == [0.2] * 4
    assert found[-1].as_it_comes == 30.0
    assert list(table(found))[2].endswith("| 0.75 | 0.50 to 2.00 | 10.00 | 0.20 |")
