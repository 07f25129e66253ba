"""Wait for a Data API statement without holding a worker."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tidemark.core.errors import TryAgain
from tidemark.core.targets import RedshiftTarget
from tidemark.hooks.project import read_project
from tidemark.hooks.warehouses.data_api import DataApi


class StatementTrigger(BaseTrigger):
    """Fires when a statement has ended or its deadline has passed.

    The target's connection, region and endpoint are read from the configuration, as in a task.

    :param deadline: seconds since the epoch
    """

    def __init__(self, *, target: str, statement_id: str, deadline: float) -> None:
        super().__init__()
        self.target, self.statement_id, self.deadline = target, statement_id, deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "target": self.target,
                "statement_id": self.statement_id,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        target = await asyncio.to_thread(lambda: read_project().target(self.target))
        assert isinstance(target, RedshiftTarget)  # no other kind of load is deferred
        api = DataApi(target)
        while time.time() < self.deadline:
            # A service that cannot be asked for a moment says nothing about the statement.
            with contextlib.suppress(TryAgain):
                statement = await asyncio.to_thread(api.describe, self.statement_id)
                if not statement.running:
                    break
            await asyncio.sleep(target.poll_interval_seconds)
        yield TriggerEvent({"statement_id": self.statement_id})
