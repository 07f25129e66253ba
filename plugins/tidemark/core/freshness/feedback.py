"""What loads do for each other while a table that matters is late. Pure.

While a table of high priority is outside its budget, those of low priority yield, and batches grow,
so that fewer, larger loads leave the warehouse room. Both end with the hold of the late table
(`hysteresis.py`): nothing goes to and fro.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tidemark.core.freshness.budgets import Freshness, Priority
from tidemark.core.freshness.record import Record

# The documents that this follows go from 10,000 rows to 50,000.
GROWTH = 5
# The record is written every minute.
_KEPT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What holds for the tables now.

    :param late: the tables of high priority that are late, with the target where they are
    """

    late: tuple[tuple[str, str], ...]

    @property
    def growth(self) -> int:
        """By what batches are larger than configured."""
        return GROWTH if self.late else 1

    def yields(self, priority: Priority) -> str:
        """Return why a table of this priority does not load now; "" if it may."""
        if not self.late or priority != "low":
            return ""
        table, target = self.late[0]
        more = f" and {len(self.late) - 1} more" if len(self.late) > 1 else ""
        return (
            f"it yields: {table}{more}, of high priority, is outside its budget on {target} "
            "(include/freshness.yaml)"
        )


CALM = Feedback(())


def heeded(record: Record, now: datetime) -> bool:
    """Whether a record is kept: tables that nobody looks at any more hold nobody up."""
    return record.recorded_at is not None and now - record.recorded_at <= _KEPT


def feedback(record: Record, freshness: Freshness, enabled: Mapping[str, bool]) -> Feedback:
    """Return what the tables of high priority ask of the others.

    :param enabled: the targets, by name; one that is disabled is nobody's concern
    """
    late = [
        (table, target)
        for table, targets in sorted(record.series.items())
        if freshness.rule(table).priority == "high"
        for target, series in sorted(targets.items())
        if enabled.get(target) and not series.hold.offered
    ]
    return Feedback(tuple(late))
