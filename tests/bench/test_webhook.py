"""A bench whose senders or whose queue stopped working would measure one of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.fast_queue import FastQueue
from localaws.processes import free_port
from tests.support.receiver import Served

_ROOT = Path(__file__).parents[2]


def test_the_plain_one_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    with FastQueue(free_port()) as queue:
        given = {"AWS_ENDPOINT_URL_SQS": queue.url, "BENCH_QUEUE_URL": queue.queue_url}
        keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        for name, value in {**given, **keys, "AWS_DEFAULT_REGION": "us-east-1"}.items():
            monkeypatch.setenv(name, value)
        from bench.webhook.plain import app

        with Served(app) as served:
            port = served.url.rpartition(":")[2]
            load = [sys.executable, "-m", "bench.webhook.load", port, "4", "0.2"]
            ended = subprocess.run(load, cwd=_ROOT, capture_output=True, check=True)
    told = json.loads(ended.stdout)
    assert told["refused"] == 0
    assert 0 < told["answered"] <= queue.taken == queue.calls
    assert len(told["seconds"]) == told["answered"]
