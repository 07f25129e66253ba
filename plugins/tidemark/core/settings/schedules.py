"""Cron expressions, as tables and queues have them."""

from croniter import CroniterBadCronError, croniter


def check_cron(value: str | None) -> str | None:
    """Return an expression that Airflow will take. Raises ValueError for any other."""
    if value is not None:
        try:
            croniter(value)
        except CroniterBadCronError as error:
            raise ValueError(f"not a cron expression: {error}") from error
    return value
