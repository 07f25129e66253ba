"""What a receiver has done so far, for `/metrics` and the log. One per process."""

import time
from bisect import bisect_left
from collections import Counter

# Seconds; the upper ends of Prometheus' buckets.
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """Counters that only grow. Names end as Prometheus wants them."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._counters: Counter[tuple[str, str, str, str]] = Counter()
        self._latencies: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()

    def add(self, name: str, queue: str, label: str = "", value: str = "", by: int = 1) -> None:
        """Count `by` more of `name` for a queue, told apart by one more label if given."""
        self._counters[name, queue, label, value] += by

    def took(self, queue: str, seconds: float) -> None:
        """Count one accepted request's time."""
        if queue not in self._latencies:
            self._latencies[queue] = [0] * (len(_BOUNDS) + 1)
        self._latencies[queue][bisect_left(_BOUNDS, seconds)] += 1
        self._seconds[queue] += seconds  # type: ignore[assignment]  # a Counter adds floats too

    def total(self, name: str, value: str = "") -> int:
        """Return a counter's sum over queues; of one label value, if given."""
        return sum(
            count
            for (counter, _, _, labelled), count in self._counters.items()
            if counter == name and value in ("", labelled)
        )

    def text(self, gauges: dict[tuple[str, str], float]) -> str:
        """Return all of it in Prometheus' text format, with gauges by name and queue.

        https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        worker = self._worker
        series: dict[str, list[str]] = {}
        for (name, queue, label, value), count in self._counters.items():
            more = f',{label}="{value}"' if label else ""
            series.setdefault(f"tidemark_{name}_total counter", []).append(
                f'tidemark_{name}_total{{worker="{worker}",queue="{queue}"{more}}} {count}'
            )
        for (name, queue), gauge in gauges.items():
            series.setdefault(f"tidemark_{name} gauge", []).append(
                f'tidemark_{name}{{worker="{worker}",queue="{queue}"}} {gauge:g}'
            )
        for queue, buckets in self._latencies.items():
            series.setdefault("tidemark_webhook_latency_seconds histogram", []).extend(
                self._histogram(queue, buckets)
            )
        lines = [line for kind, each in series.items() for line in (f"# TYPE {kind}", *each)]
        return "\n".join(lines) + "\n"

    def _histogram(self, queue: str, buckets: list[int]) -> list[str]:
        name, labels = (
            "tidemark_webhook_latency_seconds",
            f'worker="{self._worker}",queue="{queue}"',
        )
        lines, below = [], 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), buckets, strict=True):
            below += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {below}')
        lines.append(f"{name}_sum{{{labels}}} {self._seconds[queue]:g}")
        lines.append(f"{name}_count{{{labels}}} {below}")
        return lines


class Seldom:
    """Lets a repeated log line through once in a while, with how many it stands for."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._waiting: Counter[str] = Counter()
        self._said: dict[str, float] = {}

    def count(self, what: str) -> int:
        """Count one more; return how many to speak of now, 0 for none."""
        self._waiting[what] += 1
        now = time.monotonic()
        if now - self._said.get(what, -self._seconds) < self._seconds:
            return 0
        self._said[what] = now
        return self._waiting.pop(what)
