"""The figures of loading: everybody loads, and what they leave is counted by the job itself."""

from __future__ import annotations

from pathlib import Path

from bench.loading import APPEND, OURS
from bench.loading.section import load
from localaws import Endpoints


def test_a_small_bench_loads_with_everybody(stack: Endpoints, tmp_path: Path) -> None:
    taken = load(stack, tmp_path, rows=200, rounds=1)
    names = {*OURS.values(), *(f"tidemark, {strategy}" for strategy in OURS)}
    every = {f"{name}|{case}" for name in names for case in (0, 1)}
    assert set(taken) == every - {f"{APPEND}|1"}
    assert all(seconds > 0 for [seconds] in taken.values())
