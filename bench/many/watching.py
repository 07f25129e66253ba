"""What is seen of Airflow from outside: its metrics, its task instances, its processes."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import psutil

from bench.figures import Figure, middle
from bench.statsd import Sent, Statsd
from onebox.airflow import COMPONENTS, Airflow
from onebox.airflow_values import TaskInstance


class Ended:
    """The DAGs that have had a run which is over, as the scheduler tells when it ends one."""

    def __init__(self, statsd: Statsd) -> None:
        self._statsd, self._looked_at = statsd, 0
        self._dags: set[str] = set()

    def count(self) -> int:
        """How many there are by now."""
        sent = self._statsd.sent
        fresh, self._looked_at = sent[self._looked_at :], len(sent)
        self._dags |= {
            each.tags["dag_id"] for each in fresh if each.name.startswith("dagrun.duration.")
        }
        return len(self._dags)


def most_tasks(ran: Iterable[TaskInstance]) -> int:
    """How many tasks ran in the run that had most; each DAG has had one run."""
    return max(Counter(task.dag_id for task in ran).values())


def most_at_once(ran: Iterable[TaskInstance]) -> int:
    """How many tasks ran at the same time, at most."""
    steps = sorted(
        step
        for task in ran
        if task.start and task.end
        for step in ((task.start, 1), (task.end, -1))
    )
    running = most = 0
    for _, step in steps:
        running += step
        most = max(most, running)
    return most


def loops(section: str, metrics: Sequence[Sent], limit_s: float) -> list[Figure]:
    """What the scheduler said of itself.

    :param limit_s: after so many seconds without a heartbeat Airflow calls it unhealthy
    """
    taken = sorted(
        each.value / 1000 for each in metrics if each.name == "scheduler.scheduler_loop_duration"
    )
    beats = [each.at for each in metrics if each.name == "scheduler_heartbeat"]
    if len(taken) < 2 or len(beats) < 2:
        raise RuntimeError(f"of the scheduler came {len(taken)} loops and {len(beats)} heartbeats")
    how = f"{len(taken):,} loops"
    return [
        Figure(section, "scheduler loop, median", middle(taken), "s", note=how),
        Figure(section, "scheduler loop, p99", taken[len(taken) * 99 // 100], "s", note=how),
        Figure(section, "scheduler loop, longest", taken[-1], "s", note=how),
        Figure(
            section,
            "between two heartbeats, longest",
            max(later - earlier for earlier, later in pairwise(beats)),
            "s",
            f"< {limit_s:g}",
            f"of the scheduler; {len(beats)} of them",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Spending:
    """Processor seconds of each component of Airflow, and of the tasks by themselves."""

    seconds: Mapping[str, float]

    @classmethod
    def of(cls, airflow: Airflow) -> Self:
        """What they have spent since they started."""
        whole = {name: _whole(psutil.Process(airflow.pid(name))) for name in COMPONENTS}
        scheduler = _own(psutil.Process(airflow.pid("scheduler")))
        tasks = whole["scheduler"] - scheduler  # its children
        return cls({**whole, "scheduler": scheduler, "tasks": tasks})

    def __sub__(self, earlier: Spending) -> Spending:
        return Spending({name: self.seconds[name] - earlier.seconds[name] for name in self.seconds})


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _whole(owner: psutil.Process) -> float:
    """Of a process and of all that it started, those that have ended included."""
    total = 0.0
    for process in (owner, *owner.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # its parent has taken its times over
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
