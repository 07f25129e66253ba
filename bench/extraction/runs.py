"""Run one reading in a process of its own, and weigh it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from bench.extraction.job import Job
from bench.extraction.participants import Participant

_ROOT = Path(__file__).parents[2]
_DEADLINE_S = 300.0


class ReadingFailed(Exception):
    """A reading ended with an error, too late, or with other rows; the text says which."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one reading cost.

    :ivar wall_s: from before connecting until the last byte is written; imports are over by then
    :ivar process_s: the whole life of the process, with the interpreter's start and imports
    :ivar cpu_s: of the reading process, in the time of `wall_s`
    :ivar server_cpu_s: of the MySQL server meanwhile
    :ivar others: share of the machine that everything else took, 0 to 1
    :ivar after_last_row_s: what was still to be written and sent when the last row had been read
    """

    wall_s: float
    process_s: float
    cpu_s: float
    server_cpu_s: float
    peak_mib: float
    others: float
    after_last_row_s: float | None = None


def run(
    participant: Participant,
    job: Job,
    *,
    rows: int,
    server: psutil.Process,
    settings: Mapping[str, str],
) -> Run:
    """Do one job. Raises `ReadingFailed`.

    :param rows: how many there must be in what was written
    :param settings: environment variables
    """
    directory = Path(job.directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    command = [str(participant.python), "-P", "-m", participant.module, participant.key]
    path = f"{_ROOT}:{_ROOT / 'plugins'}" if participant.ours else str(_ROOT)
    environment = {**os.environ, **settings, **job.environment(), "PYTHONPATH": path}
    before, served, busy = _children(), _cpu(server), _busy()
    began = time.perf_counter()
    told = _told(command, environment)
    process_s = time.perf_counter() - began
    whole_cpu, served, busy = _children() - before, _cpu(server) - served, _busy() - busy
    try:
        _check(participant, told, directory, rows)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    cores = os.cpu_count() or 1
    return Run(
        wall_s=told["wall_s"],
        process_s=process_s,
        cpu_s=told["cpu_s"],
        server_cpu_s=served,
        peak_mib=told["peak_mib"],
        others=max(0.0, busy - whole_cpu - served) / (process_s * cores),
        after_last_row_s=told.get("after_last_row_s"),
    )


def _told(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    process = subprocess.Popen(
        command, env=environment, cwd=_ROOT, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, errors = process.communicate(timeout=_DEADLINE_S)
    except subprocess.TimeoutExpired:
        raise ReadingFailed(f"took longer than {_DEADLINE_S:.0f} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # its subprocesses too
            process.wait()
    if process.returncode:
        raise ReadingFailed(_reason(errors) or f"ended with exit code {process.returncode}")
    told: dict[str, float] = json.loads(out.splitlines()[-1])
    return told


def _reason(errors: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _check(participant: Participant, told: Mapping[str, float], directory: Path, rows: int) -> None:
    if participant.decodes_nothing:
        return
    written = told.get("rows")
    if written is None:
        # Below `work` lies what a peer keeps for itself; dlt's own tables are no rows.
        found = (file.relative_to(directory) for file in directory.rglob("*.parquet"))
        files = [directory / file for file in found if file.parts[0] != "work"]
        files = [file for file in files if not file.parent.name.startswith("_dlt")]
        written = sum(pq.read_metadata(file).num_rows for file in files)
    if written != rows:
        raise ReadingFailed(f"wrote {written:,} rows of {rows:,}")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _busy() -> float:
    """Return the seconds that all cores together have worked, for us or for other machines."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
