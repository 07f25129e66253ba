"""If these fail, an error in one thread leaves another waiting, or finished work fills memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tidemark.hooks.ahead import Ahead

_DEADLINE = 120.0


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_items_come_in_order_and_end() -> None:
    with Ahead(iter(range(1000)), name="counting", depth=3) as ahead:
        assert list(ahead) == list(range(1000))
    assert "counting" not in _threads()


def test_items_are_made_while_others_are_used_but_only_so_many() -> None:
    made: list[int] = []
    waits = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 3:
                waits.set()  # 0 is used, 1 and 2 wait, 3 is in hand
            yield number

    with Ahead(items(), name="ahead", depth=2) as ahead:
        iterator = iter(ahead)
        assert next(iterator) == 0
        assert waits.wait(_DEADLINE)
        assert made == [0, 1, 2, 3]
        assert list(iterator) == list(range(1, 10))


def test_an_error_comes_behind_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("the second is missing")

    with Ahead(items(), name="broken") as ahead:
        iterator = iter(ahead)
        assert next(iterator) == 1
        with pytest.raises(LookupError, match="second is missing"):
            next(iterator)


def test_leaving_early_closes_the_source_and_ends_the_thread() -> None:
    closed = []

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    with Ahead(items(), name="endless") as ahead:
        assert next(iter(ahead)) == 1
    assert closed == ["endless"]
    assert "endless" not in _threads()


def test_nothing_is_started_outside_the_block() -> None:
    def items() -> Iterator[int]:
        pytest.fail("nobody asked")
        yield 1

    Ahead(items(), name="never")
    assert "never" not in _threads()


def test_an_error_elsewhere_is_noticed_while_waiting() -> None:
    let_go = threading.Event()

    def items() -> Iterator[int]:
        let_go.wait(_DEADLINE)
        yield 1

    def elsewhere() -> None:
        let_go.set()
        raise ConnectionError("the other side broke")

    with (
        pytest.raises(ConnectionError, match="other side"),
        Ahead(items(), name="waiting", meanwhile=elsewhere) as ahead,
    ):
        next(iter(ahead))
    assert "waiting" not in _threads()


def test_a_source_that_stays_silent_is_interrupted() -> None:
    interrupted = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        if interrupted.wait(_DEADLINE):
            raise ConnectionError("killed")

    with Ahead(items(), name="silent", interrupt=interrupted.set) as ahead:
        assert next(iter(ahead)) == 1
    assert interrupted.is_set()
    assert "silent" not in _threads()
