"""What a call asks about: a statement, or one text of a batch, as it is or as it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from localaws.redshift.engine.journal import Journal
from localaws.redshift.engine.records import Statement, Unit
from localaws.redshift.errors import ApiError

# The exception is the model's; its limit is unsourced.
MAX_WAITING_REQUESTS = 10


def not_there(identifier: str) -> ApiError:
    """Return the error for a statement that there never was, or not for 24 hours."""
    return ApiError("ResourceNotFoundException", "Query does not exist.", resource=identifier)


class Lookups:
    """Finds statements and waits for their ends. Belongs to the event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ends: dict[str, asyncio.Event] = {}
        self._waiting: Counter[str] = Counter()

    def expect(self, statement_id: str) -> None:
        """Let others wait for this statement from now on."""
        self._ends[statement_id] = asyncio.Event()

    def ended(self, statement_id: str) -> None:
        """Wake those who wait for a statement."""
        event = self._ends.pop(statement_id, None)
        if event is not None:
            event.set()

    def found(self, identifier: str) -> tuple[Statement, Unit | None]:
        """Return a statement, and the unit that a suffix names. Raises ResourceNotFound…"""
        base, _, number = identifier.partition(":")
        statement = self._journal.statement(base)
        if statement is not None and not number:
            return statement, None
        if statement is not None and statement.batch and number.isdigit():
            for unit in statement.units:
                if unit.number == int(number):
                    return statement, unit
        raise not_there(identifier)

    async def at_end(self, request: dict[str, Any]) -> tuple[Statement, Unit | None]:
        """Return what is asked about once it has ended, or as it is when WaitTimeSeconds end."""
        found = self.found(request["Id"])
        if await self.wait(found[0].id, request.get("WaitTimeSeconds")):
            found = self.found(request["Id"])
        return found

    async def wait(self, statement_id: str, seconds: int | None) -> bool:
        """Wait for a statement's end at most so long; whether there was anything to wait for."""
        event = self._ends.get(statement_id)
        if event is None or not seconds:
            return False
        if self._waiting[statement_id] >= MAX_WAITING_REQUESTS:
            raise ApiError(
                "ActiveWaitingRequestsExceededException",
                "The number of active requests with WaitTimeSeconds for the same SQL statement "
                f"exceeds the limit ({MAX_WAITING_REQUESTS}).",
            )
        self._waiting[statement_id] += 1
        try:
            await asyncio.wait_for(event.wait(), timeout=seconds)
        except TimeoutError:
            pass
        finally:
            self._waiting[statement_id] -= 1
            if not self._waiting[statement_id]:
                del self._waiting[statement_id]
        return True
