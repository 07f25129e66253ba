"""What is remembered of loads and plans that fail, until one succeeds. Pure.

Unlike the circuit breaker (`breaker.py`) it is kept for every target, and for the plans of a table;
it decides nothing, and counts runs, not tries: alerts and the freshness page tell by it.
"""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration, MigrateSchema, TidemarkError

Kind = Literal["FixConfiguration", "MigrateSchema", "TryAgain"]
_WORDS = 300


class Failure(Frozen):
    """The failures of a target's loads, or of a table's plans, since the last success.

    :param runs: how many runs in a row failed; :param run_id: the last of them
    :param since: when the first failed; :param at: when the last did
    :param kind: who acts next, by the family of the last error
    :param said: the last error in its own words, cut short
    """

    runs: int
    run_id: str
    since: AwareDatetime
    at: AwareDatetime
    kind: Kind
    said: str = ""


def after_failed(
    before: Failure | None, error: TidemarkError, run_id: str, now: datetime
) -> Failure:
    """Count a failure: tries of one run, and clears of it, count once."""
    again = before is not None and before.run_id == run_id
    return Failure(
        runs=(before.runs if before else 0) + (0 if again else 1),
        run_id=run_id,
        since=before.since if before else now,
        at=now,
        kind=family(error),
        said=error.what[:_WORDS],
    )


def family(error: TidemarkError) -> Kind:
    """Return who acts next, by name."""
    if isinstance(error, FixConfiguration):
        return "FixConfiguration"
    return "MigrateSchema" if isinstance(error, MigrateSchema) else "TryAgain"
