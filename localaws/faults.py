"""Faults on demand: what a service of the stack shall do wrong, to which calls, how often.

A service says which kinds of fault it knows (`FaultKind`), keeps a `FaultList` and asks it at each
place where one of them would strike:

    fault = faults.take({"throttle", "hang"}, operation="ExecuteStatement", cluster="primary",
                        texts=(sql, statement_name))

Others add and remove them over HTTP: see fault_routes.py for the server's side of it, and
injecting.py for the caller's. Nothing is written down: a service that starts has no faults.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_POLL = 0.02  # seconds between two looks whether a fault is still there


class UnknownFault(ValueError):
    """What was asked for does not exist or cannot be; the message lists what does."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that a service knows, in words, and the options it takes with their defaults.

    Options are names of fields of `Fault`: `seconds`, `status`, `message`.
    """

    name: str
    note: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. It strikes calls that meet all of `operation`, `cluster` and `match`.

    `match` is a regular expression that must be found in one of the call's texts: the SQL or the
    statement's name, bucket and key (`bucket/key`), the queue's name. The first `after` such calls
    are spared; after `times` strikes the fault is spent, None: never. `probability` (above 0, up to
    1) is drawn for each call from a generator that starts at `seed`, so a run can be had again.
    """

    id: str
    service: str
    fault: str
    operation: str = ""
    cluster: str = ""
    match: str = ""
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float | None = None
    status: int | None = None
    message: str = ""


@dataclass(slots=True)
class _Entry:
    fault: Fault
    pattern: re.Pattern[str]
    chance: random.Random
    seen: int = 0
    hits: int = 0
    last: str = ""
    removed: threading.Event = field(default_factory=threading.Event)

    def meets(self, operation: str, cluster: str, texts: tuple[str, ...]) -> bool:
        fault = self.fault
        return (
            fault.operation in ("", operation)
            and fault.cluster in ("", cluster)
            and (not fault.match or any(self.pattern.search(text) for text in texts))
        )

    def strikes(self) -> bool:
        """Count this call; whether the fault is due."""
        fault = self.fault
        if fault.times is not None and self.hits >= fault.times:
            return False
        self.seen += 1
        if self.seen <= fault.after or self.chance.random() >= fault.probability:
            return False
        self.hits += 1
        return True

    def listed(self) -> dict[str, Any]:
        said = {each.name: getattr(self.fault, each.name) for each in fields(Fault)}
        plain = {each.name: each.default for each in fields(Fault)}
        told = {name: value for name, value in said.items() if value != plain[name]}
        return told | {"seen": self.seen, "hits": self.hits, "last": self.last}


class FaultList:
    """The faults of one service. Safe to use from several threads.

    :param service: the name under which faults are added, such as ``s3``
    :param kinds: all faults the service knows
    :param operations: the names that `operation` may have; unknown ones are refused
    :param clusters: the names that `cluster` may have; without any, `cluster` is refused
    """

    def __init__(
        self,
        service: str,
        kinds: Iterable[FaultKind],
        *,
        operations: Collection[str],
        clusters: Collection[str] = (),
    ) -> None:
        self.service = service
        self.kinds = {kind.name: kind for kind in kinds}
        self._values = {"operation": operations, "cluster": clusters}
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._number = 0

    def add(self, fault: str, **what: Any) -> Fault:
        """Add a fault; `what` are fields of `Fault`. Raises UnknownFault for what cannot be."""
        kind = self.kinds.get(fault)
        if kind is None:
            known = ", ".join(sorted(self.kinds))
            raise UnknownFault(f"{self.service} has no fault {fault!r}; it knows: {known}")
        keys = self._keys(kind)
        for name, value in what.items():
            if name not in keys:
                raise UnknownFault(f"{fault} takes no {name!r}; it takes: {', '.join(keys)}")
            self._check(name, value)
        pattern = re.compile(what.get("match", ""))
        with self._lock:
            self._number += 1
            made = Fault(
                id=f"{self.service}-{self._number}",
                service=self.service,
                fault=fault,
                **{**kind.options, **what},
            )
            # Not a secret: the very point is that the draws can be had again.
            chance = random.Random(made.seed)  # noqa: S311
            self._entries[made.id] = _Entry(made, pattern, chance)
        return made

    def take(
        self,
        names: Collection[str],
        *,
        operation: str = "",
        cluster: str = "",
        texts: Iterable[str] = (),
    ) -> Fault | None:
        """Return the oldest fault among `names` that strikes this call, and count it; else None.

        Ask once per call and place: every question counts as a call.
        """
        if not self._entries:
            return None
        texts = tuple(texts)
        with self._lock:
            for entry in self._entries.values():
                if (
                    entry.fault.fault in names
                    and entry.meets(operation, cluster, texts)
                    and entry.strikes()
                ):
                    entry.last = " ".join(filter(None, (operation, cluster, *texts)))[:200]
                    return entry.fault
        return None

    def holds(self, fault: Fault) -> bool:
        """Whether the fault is still in the list, spent or not."""
        return fault.id in self._entries

    def wait_removed(self, fault: Fault, seconds: float | None = None) -> bool:
        """Block until the fault is removed, at most `seconds` long; whether it was removed."""
        entry = self._entries.get(fault.id)
        return entry is None or entry.removed.wait(seconds)

    async def removal(self, fault: Fault, seconds: float | None = None) -> bool:
        """`wait_removed` for a coroutine."""
        end = math.inf if seconds is None else asyncio.get_running_loop().time() + seconds
        while self.holds(fault):
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.sleep(min(_POLL, left))
        return True

    def remove(self, fault_id: str) -> bool:
        """Remove one fault and let go what it holds; False when there is none of this id."""
        with self._lock:
            entry = self._entries.pop(fault_id, None)
        if entry is not None:
            entry.removed.set()
        return entry is not None

    def clear(self) -> int:
        """Remove all; return how many there were."""
        return sum(self.remove(fault_id) for fault_id in list(self._entries))

    def listed(self) -> list[dict[str, Any]]:
        """Every fault with its counts: calls that met it (`seen`), `hits`, the `last` call hit."""
        with self._lock:
            return [entry.listed() for entry in self._entries.values()]

    def known(self) -> list[dict[str, Any]]:
        """The kinds of fault, for people and for the `fault` command."""
        return [
            {"fault": kind.name, "note": kind.note, "takes": self._keys(kind)}
            for kind in self.kinds.values()
        ]

    def _keys(self, kind: FaultKind) -> list[str]:
        cluster = ["cluster"] if self._values["cluster"] else []
        common = ["match", "times", "after", "probability", "seed"]
        return ["operation", *cluster, *common, *kind.options]

    def _check(self, name: str, value: Any) -> None:
        allowed = self._values.get(name)
        if allowed is not None and value not in allowed:
            raise UnknownFault(
                f"{self.service} has no {name} {value!r}; it has: {', '.join(sorted(allowed))}"
            )
        if (wanted := _WANTED[name](value)) is not None:
            raise UnknownFault(f"{name} must be {wanted}, not {value!r}")


def _pattern(value: Any) -> str | None:
    try:
        re.compile(value)
    except (re.error, TypeError) as error:
        return f"a regular expression ({error})"
    return None


def _whole(least: int, most: float = math.inf) -> Any:
    wanted = f"a whole number, {least} or more" + ("" if most == math.inf else f", up to {most:g}")

    def check(value: Any) -> str | None:
        return None if type(value) is int and least <= value <= most else wanted

    return check


def _seconds(value: Any) -> str | None:
    good = type(value) in (int, float) and 0 <= value < math.inf
    return None if good else "a number of seconds"


def _probability(value: Any) -> str | None:
    return None if type(value) in (int, float) and 0 < value <= 1 else "above 0 and at most 1"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "text"


_WANTED: dict[str, Any] = {
    "operation": _text,
    "cluster": _text,
    "match": _pattern,
    "times": _whole(1),
    "after": _whole(0),
    "probability": _probability,
    "seed": _whole(0),
    "seconds": _seconds,
    "status": _whole(400, 599),
    "message": _text,
}
