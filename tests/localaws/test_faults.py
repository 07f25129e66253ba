"""A failure here means a rehearsal of a fault that never happened, or one that never ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

from localaws.faults import FaultKind, FaultList, UnknownFault


@pytest.fixture
def faults() -> FaultList:
    kinds = [
        FaultKind("slow", "answer late", {"seconds": 1.0}),
        FaultKind("refuse", "answer an error", {"status": 503}),
    ]
    return FaultList("s3", kinds, operations={"GetObject", "PutObject"}, clusters={"primary"})


def test_a_fault_strikes_the_calls_that_meet_all_its_conditions(faults: FaultList) -> None:
    added = faults.add("refuse", operation="PutObject", match="^lake/.*manifest")
    met = {"operation": "PutObject", "texts": ["lake/a/manifest.json"]}
    assert faults.take({"slow"}, **met) is None
    assert faults.take({"refuse"}, **met | {"operation": "GetObject"}) is None
    assert faults.take({"refuse"}, **met | {"texts": ["other", "a/lake/manifest"]}) is None
    assert faults.take({"slow", "refuse"}, **met) == added
    assert added.status == 503
    (listed,) = faults.listed()
    assert (listed["seen"], listed["hits"]) == (1, 1)
    assert listed["last"] == "PutObject lake/a/manifest.json"


def test_the_first_calls_can_be_spared_and_the_strikes_counted(faults: FaultList) -> None:
    faults.add("slow", after=2, times=2, seconds=0)
    struck = [faults.take({"slow"}, operation="GetObject") is not None for _ in range(6)]
    assert struck == [False, False, True, True, False, False]


def test_a_spent_fault_lets_the_next_one_strike(faults: FaultList) -> None:
    first = faults.add("slow", times=1)
    second = faults.add("slow", cluster="primary")
    taken = [faults.take({"slow"}, cluster="primary") for _ in range(2)]
    assert taken == [first, second]


def test_chance_can_be_had_again(faults: FaultList) -> None:
    def draws(seed: int) -> list[bool]:
        added = faults.add("slow", probability=0.5, seed=seed)
        drawn = [faults.take({"slow"}) is not None for _ in range(64)]
        faults.remove(added.id)
        return drawn

    assert draws(7) == draws(7)
    assert draws(7) != draws(8)
    assert 10 < sum(draws(7)) < 54


@pytest.mark.parametrize(
    ("fault", "what", "said"),
    [
        ("explode", {}, "it knows: refuse, slow"),
        ("slow", {"status": 500}, "it takes: operation, cluster, match, .*, seconds"),
        ("slow", {"operation": "PutOject"}, "it has: GetObject, PutObject"),
        ("slow", {"cluster": "tertiary"}, "it has: primary"),
        ("slow", {"match": "("}, "a regular expression"),
        ("slow", {"times": 0}, "1 or more"),
        ("slow", {"times": True}, "1 or more"),
        ("slow", {"after": -1}, "0 or more"),
        ("slow", {"seconds": float("nan")}, "a number of seconds"),
        ("slow", {"probability": 0}, "above 0"),
        ("refuse", {"status": 200}, "up to 599"),
    ],
)
def test_what_cannot_be_is_refused(faults: FaultList, fault: str, what: dict, said: str) -> None:
    with pytest.raises(UnknownFault, match=said):
        faults.add(fault, **what)
    assert faults.listed() == []


def test_removing_a_fault_lets_go_what_it_holds(faults: FaultList) -> None:
    held = faults.add("slow")
    assert not faults.wait_removed(held, 0.01)
    waiter = threading.Thread(target=faults.wait_removed, args=(held,))
    waiter.start()

    async def hold_too() -> bool:
        waiting = asyncio.create_task(faults.removal(held))
        await asyncio.sleep(0)
        assert faults.clear() == 1
        return await waiting

    assert asyncio.run(hold_too())
    waiter.join(120)
    assert not waiter.is_alive()
    assert not faults.holds(held)
    assert not faults.remove(held.id)
