"""A bench whose plain consumer failed would flatter the product."""

from __future__ import annotations

from bench.draining.section import insert_each
from localaws import Endpoints


def test_plain_consumers_insert_each_event(stack: Endpoints) -> None:
    assert insert_each(stack, 12, 2) > 0
