"""If these fail, a row whose key was given out early and committed late is never copied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.loading.adding import next_step, with_sighting
from tidemark.core.source.growing_keys import (
    LOWEST,
    KeyWindow,
    Sighting,
    awaiting,
    chunks_by_growing_key,
    promoted,
)
from tidemark.core.storage.state import first_state


def at(second: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def seen(above: int, second: int) -> Sighting:
    return Sighting(above=above, as_of=at(second), seen_at=at(second))


@dataclass
class Writer:
    """A transaction: when it began, and the keys that it was given."""

    began: int
    keys: list[int]


class Table:
    """A source that gives out keys in order and shows them in any order."""

    def __init__(self) -> None:
        self.now, self.next_key = 0, 1
        self.open: list[Writer] = []
        self.committed: set[int] = set()
        self.copied: set[int] = set()
        self.state = first_state("shop.log", {}, at(0), strategy="append")

    @property
    def mark(self) -> int | None:
        return self.state.key_mark

    def act(self, what: str, which: int) -> None:
        self.now += 1
        if what == "begin":
            self.open.append(Writer(self.now, []))
        elif what == "copy":
            self.copy()
        elif self.open:
            writer = self.open[which % len(self.open)]
            if what == "insert":
                writer.keys.append(self.next_key)
                self.next_key += 1
            else:
                self.open.remove(writer)
                self.committed.update(writer.keys if what == "commit" else [])

    def copy(self) -> None:
        """Look, choose, read: what the plan and the extraction of one run do."""
        newest = seen(max(self.committed, default=LOWEST - 1) + 1, self.now)
        horizon = min([self.now, *(writer.began for writer in self.open if writer.keys)])
        step = next_step(self.state, newest, at(horizon))
        self.state = with_sighting(self.state, step.waiting)
        if step.window is None or step.keys is None:
            return
        low, high = step.keys.low, step.keys.high
        self.copied |= {key for key in self.committed if (low is None or low <= key) and key < high}
        self.state = self.state.model_copy(update={"watermark": step.window.high, "key_mark": high})


ACTS = ("begin", "insert", "insert", "commit", "abort", "copy")


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5))))
def test_no_row_is_skipped_however_transactions_overlap(steps) -> None:
    table = Table()
    for what, which in steps:
        table.act(what, which)
        if table.mark is not None:
            lacking = {key for key in table.committed if key < table.mark} - table.copied
            assert not lacking, "a row appeared below the mark after its window was read"
    while table.open:
        table.act("commit", 0)
    table.copy()
    table.copy()
    assert table.copied == table.committed


def test_always_some_transaction_open_holds_up_and_does_not_stop() -> None:
    """Each sighting ripens once those have ended that were open when it was made."""
    table = Table()
    table.act("begin", 0)
    table.act("insert", 0)
    marks = []
    for _ in range(10):
        table.act("copy", 0)
        marks.append(table.mark)
        table.act("begin", 0)
        table.act("insert", 1)
        table.act("commit", 0)
    assert len(table.open) == 1
    assert len(set(marks[3:])) > 3, marks


def test_a_sighting_ripens_when_the_horizon_reaches_it() -> None:
    early, late = seen(10, 1), seen(20, 5)
    assert promoted([early, late], at(0)) is None
    assert promoted([early, late], at(4)) == early
    assert promoted([early, late], at(5)) == late
    assert promoted([None, late], at(4)) is None


def test_the_sighting_that_waits_longest_is_kept() -> None:
    early, late = seen(10, 1), seen(20, 5)
    assert awaiting(None, late, None) == late
    assert awaiting(early, late, None) == early
    assert awaiting(early, late, early) == late
    assert awaiting(early, late, late) is None


@given(
    st.none() | st.integers(-50, 50), st.integers(-50, 60), st.lists(st.integers(-70, 70)),
)  # fmt: skip
def test_chunks_by_growing_key_read_every_key_of_the_window_once(low, high, cuts) -> None:
    window = KeyWindow(low=low, high=high)
    if window.empty:
        return
    chunks = chunks_by_growing_key(window, cuts)
    for key in range(-80, 80):
        readers = [
            chunk.number
            for chunk in chunks
            if (chunk.key_low is None or chunk.key_low <= (key,)) and (key,) < chunk.key_high
        ]
        inside = (low is None or low <= key) and key < high
        assert len(readers) == inside
