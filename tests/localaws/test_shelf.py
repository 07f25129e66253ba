"""If these fail, the stand-in's queues lose messages, or give one to two receivers at once."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from localaws.emulator.shelf import Message, Shelf


def message(name: str, visible_at: float = 0) -> Message:
    return {"id": name, "visible_at": visible_at, "receive_count": 0, "receipt_handle": None}


def receive(shelf: Shelf, most: int, now: float, hidden: float) -> list[tuple[str, str]]:
    """Receive as the emulator does; handles are the ids and how often they were received."""
    for _ in shelf.due(now):
        pass
    taken = shelf.take(most, now)
    for each in taken:
        each["receive_count"] += 1
        shelf.hide(each, f"{each['id']}-{each['receive_count']}", now + hidden)
    return [(each["id"], each["receipt_handle"]) for each in taken]


def test_messages_are_received_in_their_order_each_once_until_it_shows_again() -> None:
    shelf = Shelf(message(name) for name in "abc")
    assert receive(shelf, 2, now=1, hidden=10) == [("a", "a-1"), ("b", "b-1")]
    assert receive(shelf, 2, now=2, hidden=10) == [("c", "c-1")]
    assert receive(shelf, 2, now=3, hidden=10) == []
    assert receive(shelf, 9, now=11, hidden=10) == [("a", "a-2"), ("b", "b-2")]


def test_only_the_last_handle_counts() -> None:
    shelf = Shelf([message("a")])
    receive(shelf, 1, now=0, hidden=0)
    receive(shelf, 1, now=0, hidden=60)
    assert not shelf.remove("a-1")
    assert not shelf.change("a-1", 0)
    assert shelf.remove("a-2")
    assert not shelf.remove("a-2")
    assert len(shelf) == 0
    assert receive(shelf, 1, now=99, hidden=0) == []


def test_a_changed_time_is_the_one_that_counts() -> None:
    shelf = Shelf([message("a")])
    receive(shelf, 1, now=0, hidden=10)
    assert shelf.change("a-1", 50)
    assert receive(shelf, 1, now=20, hidden=10) == []
    assert shelf.change("a-1", 0)
    assert receive(shelf, 1, now=20, hidden=10) == [("a", "a-2")]


def test_a_delayed_message_comes_when_its_time_has_come() -> None:
    shelf = Shelf([message("late", visible_at=30), message("now")])
    assert receive(shelf, 9, now=0, hidden=99) == [("now", "now-1")]
    assert receive(shelf, 9, now=30, hidden=99) == [("late", "late-1")]


def test_dead_letters_are_looked_for_among_those_that_show_again() -> None:
    shelf = Shelf(message(name) for name in "abc")
    receive(shelf, 2, now=0, hidden=10)
    assert [each["id"] for each in shelf.due(9)] == []
    found = list(shelf.due(10))
    assert [each["id"] for each in found] == ["a", "b"]
    shelf.pop(found[0])
    assert list(shelf.due(10)) == []
    assert [name for name, _ in receive(shelf, 9, now=10, hidden=1)] == ["c", "b"]


def test_what_is_kept_on_disk_is_a_list() -> None:
    shelf = Shelf(message(name) for name in "ab")
    receive(shelf, 1, now=0, hidden=10)
    kept: Any = copy.deepcopy({"messages": shelf})["messages"]
    assert type(kept) is list
    again = Shelf(kept)
    assert [each["id"] for each in again] == ["a", "b"]
    assert again.remove("a-1")


@given(
    st.lists(st.tuples(st.sampled_from(["send", "receive", "delete", "show"]), st.integers(0, 9)))
)
def test_no_message_is_lost_or_held_twice(steps: list[tuple[str, int]]) -> None:
    shelf, held, sent, gone = Shelf(), {}, 0, set()
    for now, (step, number) in enumerate(steps):
        if step == "send":
            shelf.append(message(f"m{sent}", now))
            sent += 1
        elif step == "receive":
            for name, handle in receive(shelf, number, now, hidden=1e9):
                assert name not in held
                assert name not in gone
                held[name] = handle
        elif held:
            name = sorted(held)[number % len(held)]
            handle = held.pop(name)
            if step == "delete":
                assert shelf.remove(handle)
                gone.add(name)
            else:
                assert shelf.change(handle, now)
    everything = {f"m{each}" for each in range(sent)}
    assert {each["id"] for each in shelf} == everything - gone
    left = {name for name, _ in receive(shelf, sent, now=1e6, hidden=1)}
    assert left == everything - gone - held.keys()
