"""The section as the command line runs it: `make bench ARGS=webhook`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.fast_queue import FastQueue
from bench.figures import Figure
from bench.webhook.load import TOKEN
from localaws.processes import free_port

SECTION = "webhook"
SENDERS = 64
_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 180.0
_TIDEMARK, _PLAIN = "Tidemark", "FastAPI and boto3, one call an event"


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one round showed."""

    rate: float
    p50_ms: float
    p99_ms: float
    events_a_call: float
    cpu_us: float


def measure(home: Path, seconds: float, figures: list[Figure], say: Callable[[str], None]) -> None:
    """Measure both with one worker and with two, in turns; append the figures.

    Raises RuntimeError when a receiver does not start or refuses an event.
    """
    home = home.resolve()  # Airflow wants it so
    home.mkdir(parents=True, exist_ok=True)
    for workers in (1, 2):
        found = {}
        for name in (_PLAIN, _TIDEMARK):
            say(f"{name}, {workers} worker(s)")
            found[name] = taken = _round(name, workers, home, seconds)
            how = f"{workers} worker(s), {SENDERS} senders"
            figures += [
                Figure(SECTION, name, taken.rate, "events/s", note=how),
                Figure(SECTION, f"{name}, p50", taken.p50_ms, "ms", note=how),
                Figure(SECTION, f"{name}, p99", taken.p99_ms, "ms", note=how),
                Figure(SECTION, f"{name}, processor time", taken.cpu_us, "µs an event", note=how),
                Figure(SECTION, f"{name}, events a call", taken.events_a_call, "", note=how),
            ]
        times = found[_TIDEMARK].rate / found[_PLAIN].rate
        figures.append(Figure(SECTION, "against the plain one", times, "times", "≥ 2", how))


def _round(name: str, workers: int, home: Path, seconds: float) -> _Taken:
    with FastQueue(free_port()) as queue, _running(name, workers, home, queue) as (port, pid):
        before = (queue.calls, queue.taken)
        began_s = _processor_s(pid)
        load = [sys.executable, "-m", "bench.webhook.load", str(port), str(SENDERS), str(seconds)]
        told = json.loads(subprocess.run(load, cwd=_ROOT, capture_output=True, check=True).stdout)
        spent_s = _processor_s(pid) - began_s
        # On a busy machine a call may last too long; its events then wait on disk for a moment.
        end = time.monotonic() + _PATIENCE_S
        while queue.taken - before[1] < told["answered"] and time.monotonic() < end:
            time.sleep(0.05)
        calls, taken = queue.calls - before[0], queue.taken - before[1]
    if told["refused"] or taken < told["answered"]:
        raise RuntimeError(f"{name}: {told['refused']} refused, {taken} of {told['answered']} sent")
    slowest = told["seconds"]
    return _Taken(
        rate=told["answered"] / seconds,
        p50_ms=1000 * slowest[len(slowest) // 2],
        p99_ms=1000 * slowest[len(slowest) * 99 // 100],
        events_a_call=taken / calls,
        cpu_us=1e6 * spent_s / taken,
    )


@contextlib.contextmanager
def _running(name: str, workers: int, home: Path, queue: FastQueue) -> Iterator[tuple[int, int]]:
    port = free_port()
    (home / "queues.yaml").write_text(
        f"version: 1\nqueues:\n  appsflyer:\n    queue_url: {queue.queue_url}\n"
        "    webhook: {secret_conn_id: hook}\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{_ROOT}:{_ROOT / 'plugins'}",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW_CONN_HOOK": json.dumps({"conn_type": "generic", "password": TOKEN}),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps({"conn_type": "aws"}),
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SQS": queue.url,
        "BENCH_QUEUE_URL": queue.queue_url,
        "TIDEMARK_CONFIG_DIR": str(home),
        "TIDEMARK_SPOOL_DIR": str(home / "spool"),
    }
    command = [sys.executable, "-m"] + (
        ["tidemark", "webhook", "--host=127.0.0.1"]
        if name == _TIDEMARK
        else ["uvicorn", "bench.webhook.plain:app", "--no-access-log", "--log-level=warning"]
    )
    command += [f"--port={port}", f"--workers={workers}"]
    written = home / "receiver.log"
    with written.open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=log, stderr=log)
    try:
        _wait(port, process, written)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE_S)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once it answers and all its workers have come to rest."""
    end = time.monotonic() + _PATIENCE_S
    while not _answers(port) or _busy(process.pid):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the receiver did not start: see {log}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _busy(pid: int) -> bool:
    before = _processor_s(pid)
    time.sleep(0.5)
    return _processor_s(pid) - before > 0.05


def _processor_s(pid: int) -> float:
    """Processor time of a process and all below it."""
    owner = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in (owner, *owner.children(recursive=True)))
