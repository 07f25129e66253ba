"""What tables and queues alike say of their DAGs."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from tidemark.core.documents import Frozen
from tidemark.core.notices import Notifier, check_deadline
from tidemark.core.settings.schedules import check_cron


class DagOptions(Frozen):
    """How a DAG is scheduled, whose it is, and who is told.

    :param schedule: cron expression in UTC, or None for triggered runs only
    :param owner: whom Airflow names as the owner of the tasks
    :param tags: tags of the DAG, beside ``tidemark`` and the schema, or ``queue``
    :param notify: who is told of runs that fail, and of the first that succeeds after
    :param deadline_seconds: who is told of failures is told of a run that takes longer, while it
        runs
    :param retries: retries of all tasks but loads, which have their target's
    """

    schedule: str | None = None
    owner: str = Field(default="tidemark", min_length=1)
    tags: tuple[str, ...] = ()
    notify: tuple[Notifier, ...] = ()
    deadline_seconds: float | None = Field(default=None, gt=0)
    retries: int = Field(default=2, ge=0)
    retry_delay_seconds: float = Field(default=30.0, ge=0)

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        return check_cron(value)

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        check_deadline(self.deadline_seconds, self.notify)
        return self
