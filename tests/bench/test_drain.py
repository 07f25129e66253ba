"""A bench whose plain consumer failed would flatter the product."""

from __future__ import annotations

from bench.draining.section import insert_each
from bench.fast_queue import FastQueue
from localaws import Endpoints
from localaws.processes import free_port


def test_plain_consumers_insert_each_event(stack: Endpoints) -> None:
    with FastQueue(free_port()) as queue:
        assert insert_each(stack, queue, 12, 2) > 0
        assert queue.left() == 0
