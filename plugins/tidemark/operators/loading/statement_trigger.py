"""Wait for a Data API statement without holding a worker."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tidemark.core.errors import TryAgain
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.hooks.warehouses.data_api import DataApi
from tidemark.hooks.warehouses.warehouse import Patience

WORTH_WAITING = 5.0
"""Seconds: what ends sooner is not worth a trip through the triggerer."""

LATE_TRIGGER = timedelta(minutes=10)
"""So long after its deadline a trigger that has not fired has no triggerer: Airflow fails the task,
and the next try takes up the statement."""

# It asks again anyway, and a busy service must not hold one of the triggerer's few threads.
_ASKING = Patience(seconds=60, attempts=1)

# Well within the 30 s that Airflow gives `on_kill`.
_KILLING = Patience(seconds=10, attempts=2)


class StatementTrigger(BaseTrigger):
    """Fires when a statement has ended or its deadline has passed.

    If a person clears, fails or marks the waiting task, the statement is cancelled: nobody waits
    for it any more. A triggerer that stops, or hands its triggers over, cancels nothing.

    :param target: `RedshiftTarget`, as a mapping: connection, region, endpoint, certificates. Roles
        to assume are in the connection. It holds no secret, and needs no file of the project
    :param deadline: seconds since the epoch
    """

    def __init__(self, *, target: dict[str, Any], statement_id: str, deadline: float) -> None:
        super().__init__()
        self.target, self.statement_id, self.deadline = target, statement_id, deadline

    @classmethod
    def on(cls, target: RedshiftTarget, statement_id: str, seconds: float) -> "StatementTrigger":
        """Wait for so many seconds from now."""
        said = target.model_dump(mode="json")
        return cls(target=said, statement_id=statement_id, deadline=time.time() + seconds)

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
        target = RedshiftTarget.model_validate(self.target)
        api = DataApi(target, _ASKING)
        pause = target.poll_interval_seconds
        while time.time() < self.deadline:
            # A service that cannot be asked for a moment says nothing about the statement.
            with contextlib.suppress(TryAgain):
                # Without a long wait: it would hold one of the triggerer's few threads.
                statement = await asyncio.to_thread(api.describe, self.statement_id)
                if not statement.running:
                    break
            left = max(0.0, self.deadline - time.time())
            await asyncio.sleep(min(left, pause * random.uniform(0.5, 1)))  # noqa: S311 - jitter
            pause = min(pause * 1.5, 8 * target.poll_interval_seconds)
        yield TriggerEvent({"statement_id": self.statement_id})

    async def on_kill(self) -> None:
        """Cancel the statement."""
        api = DataApi(RedshiftTarget.model_validate(self.target), _KILLING)
        await asyncio.to_thread(api.cancel, self.statement_id)
