"""How long the oldest message of a queue has waited, which SQS tells to CloudWatch alone.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.core.settings.queues import Queue

_DEADLINE_S = 5
_CONFIG = Config(
    connect_timeout=_DEADLINE_S,
    read_timeout=_DEADLINE_S,
    retries={"total_max_attempts": 1, "mode": "standard"},
)
_PERIOD_S = 60  # SQS tells it once a minute, some minutes late
_LATE = timedelta(minutes=10)


class AgeUnknown(Exception):
    """CloudWatch did not answer, or refused; the text says which."""


class QueueAge:
    """One queue, as CloudWatch knows it. One thread at a time."""

    def __init__(self, queue: Queue) -> None:
        assert queue.queue_url, queue.name
        self._queue, self._url = queue, queue.queue_url

    def oldest_seconds(self, now: datetime) -> float | None:
        """Return the age at the last minute that CloudWatch has; None if it has none.

        It has none of a queue that nobody used for six hours. Raises `AgeUnknown`, after five
        seconds at the latest for each of connecting and reading.
        """
        metric = {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [{"Name": "QueueName", "Value": self._url.rpartition("/")[2]}],
        }
        asked = {"Metric": metric, "Period": _PERIOD_S, "Stat": "Maximum"}
        try:
            (told,) = self._cloudwatch.get_metric_data(
                MetricDataQueries=[{"Id": "age", "MetricStat": asked}],
                StartTime=now - _LATE,
                EndTime=now,
                ScanBy="TimestampDescending",
            )["MetricDataResults"]
        except ClientError as error:
            raise AgeUnknown(error.response.get("Error", {}).get("Code", "")) from error
        except (BotoCoreError, ValueError) as error:
            raise AgeUnknown(type(error).__name__) from error
        return max(zip(told["Timestamps"], told["Values"], strict=True), default=(now, None))[1]

    @cached_property
    def _cloudwatch(self) -> Any:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

        hook = AwsBaseHook(
            client_type="cloudwatch",
            aws_conn_id=self._queue.aws_conn_id,
            region_name=self._queue.lies_in,
            config=_CONFIG,
        )
        return hook.get_client_type(region_name=hook.region_name)
