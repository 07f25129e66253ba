"""One reading, as the process that does it is told of it and tells of it.

Imports the standard library only: the peers' virtualenv has nothing of ours.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

_VARIABLE = "BENCH_JOB"  # not an argument: it holds a password, and arguments are seen by all
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """What to read, and the directory below which its Parquet files go.

    :ivar told: what the reader wants to say beside its times; filled by the reader
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    schema: str
    table: str
    query: str
    directory: str
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The Parquet file of a reader that writes one."""
        return Path(self.directory) / "rows.parquet"

    def url(self, scheme: str = "mysql") -> str:
        """The source as an address; the scheme names a driver."""
        return (
            f"{scheme}://{self.user}:{quote(self.password)}@{self.host}:{self.port}/{self.schema}"
        )

    def environment(self) -> dict[str, str]:
        """The variable that tells a process of this job."""
        return {_VARIABLE: json.dumps(asdict(self))}


Reader = Callable[[Job], Iterator[None]]
"""A generator: imports what it needs, yields once, then connects, reads and writes."""


def do(readers: Mapping[str, Reader]) -> None:
    """Do the job of the environment with the reader that the first argument names; tell its cost.

    The clock starts once everything is imported. CPU counts threads and ended subprocesses.
    """
    job = Job(**json.loads(os.environ[_VARIABLE]))
    reading = readers[sys.argv[1]](job)
    next(reading)
    began, before = time.perf_counter(), _cpu_seconds()
    for _ in reading:
        pass
    ended = job.told.pop("ended_at", None) or time.perf_counter()
    took = {
        "wall_s": ended - began,
        "cpu_s": _cpu_seconds() - before,
        "peak_mib": _peak_mib(),
        **job.told,
    }
    print(json.dumps(took), flush=True)


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mib() -> float:
    """Return the most memory resident at once, of this process or of its largest subprocess."""
    # Not ru_maxrss of this process: it begins with what the process that started it had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) * 1024 / _MIB
