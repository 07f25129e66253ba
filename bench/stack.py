"""The stand-in as somebody starts it in a terminal: how long that takes, and what it weighs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.figures import Figure
from localaws import Endpoints, read_endpoints

SECTION = "stack"
_ROOT = Path(__file__).parents[1]
_PATIENCE_S = 120.0


@contextlib.contextmanager
def measured_stack(home: Path, figures: list[Figure]) -> Iterator[Endpoints]:
    """Start it cold and warm, weigh it, lend it, stop it.

    Raises RuntimeError when it does not start; its output is in `<home>.log`.
    """
    shutil.rmtree(home, ignore_errors=True)
    with _running(home) as (_, _, took):
        figures.append(Figure(SECTION, "up, cold", took, "s", note="no data yet"))
    with _running(home) as (endpoints, owner, took):
        figures.append(Figure(SECTION, "up, warm", took, "s", "< 4", "with the interpreter"))
        figures += _memory(owner)
        yield endpoints


@contextlib.contextmanager
def running_stack(home: Path) -> Iterator[tuple[Endpoints, psutil.Process]]:
    """Start it with what it holds from the last time; lend it and its owner; stop it.

    Raises RuntimeError when it does not start; its output is in `<home>.log`.
    """
    with _running(home) as (endpoints, owner, _):
        yield endpoints, owner


@contextlib.contextmanager
def _running(home: Path) -> Iterator[tuple[Endpoints, psutil.Process, float]]:
    command = [sys.executable, "-m", "localaws", "--home", str(home), "up"]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    began = time.perf_counter()
    written = home.with_suffix(".log")
    written.parent.mkdir(parents=True, exist_ok=True)
    with written.open("a") as log:
        process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=log, stderr=log)
    try:
        while (endpoints := read_endpoints(home)) is None:
            if process.poll() is not None or time.perf_counter() - began > _PATIENCE_S:
                raise RuntimeError(f"the stack did not start: see {written}")
            time.sleep(0.01)
        yield endpoints, psutil.Process(process.pid), time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=_PATIENCE_S)


def _memory(owner: psutil.Process) -> list[Figure]:
    """Return the proportional set size, in MB, of each service and of all."""
    sizes: dict[str, float] = defaultdict(float)
    for process in (owner, *owner.children(recursive=True)):
        sizes[_service(process)] += process.memory_full_info().pss / 1e6
    figures = [
        Figure(SECTION, f"idle memory, {name}", size, "MB", note="PSS")
        for name, size in sorted(sizes.items())
    ]
    whole = Figure(SECTION, "idle memory, all", sum(sizes.values()), "MB", "< 300", "PSS")
    return [*figures, whole]


def _service(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    known = {
        "localaws.redshift": "Data API",
        "localaws.gateway": "gateway",
        "ministack": "S3 and SQS",
        "mariadbd": "MySQL",
        "postgres": "PostgreSQL",
        "-m localaws": "owner",
    }
    return next((name for mark, name in known.items() if mark in words), process.name())
