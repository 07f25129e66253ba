"""Whether a queue of SQS is set up so that it keeps what it is given. Pure.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

import json
from collections.abc import Iterator, Mapping

from tidemark.core.findings import Finding
from tidemark.core.settings.drain_settings import Drain
from tidemark.core.settings.queues import ATTRIBUTE_BYTES, Queue

_DAY = 86_400
LONGEST_RETENTION = 14 * _DAY
_RECEPTIONS = 10


def dead_letter_arn(attributes: Mapping[str, str]) -> str | None:
    """Return the ARN of a queue's dead-letter queue; None where it has none."""
    arn: str | None = json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    return arn


def judge_queue(
    queue: Queue,
    drain: Drain | None,
    told: Mapping[str, str],
    dead: Mapping[str, str] | None,
) -> list[Finding]:
    """Return what is to be said of a queue, the errors first.

    :param told: the queue's attributes as SQS tells them; what it does not tell is not judged
    :param dead: its dead-letter queue's; None where there is none, or nobody may ask
    """
    found = [
        *_dead_letters(queue, drain, told, dead),
        *_times(queue, told, dead),
        *_messages(queue, told),
    ]
    return sorted(found, key=lambda finding: finding.level != "error")


def _dead_letters(
    queue: Queue, drain: Drain | None, told: Mapping[str, str], dead: Mapping[str, str] | None
) -> Iterator[Finding]:
    policy = json.loads(told.get("RedrivePolicy") or "{}")
    if not policy:
        yield _finding(
            queue,
            "it has no dead-letter queue",
            "A message that makes every reception fail comes back until its retention is over, and "
            "is then gone",
            _set(
                queue,
                RedrivePolicy=json.dumps(
                    {
                        "deadLetterTargetArn": f"{told.get('QueueArn', 'arn:of:the:queue')}-dead",
                        "maxReceiveCount": _RECEPTIONS,
                    }
                ),
            ),
        )
        return
    receptions, attempts = int(policy["maxReceiveCount"]), 1 + (drain.retries if drain else 0)
    if receptions < 2 * attempts:
        yield _finding(
            queue,
            f"maxReceiveCount is {receptions}, and one run receives a message up to {attempts} "
            "times",
            "Two runs that fail for another reason would move good messages to the dead-letter "
            "queue",
            _set(queue, RedrivePolicy=json.dumps({**policy, "maxReceiveCount": str(_RECEPTIONS)})),
            urgent=receptions <= attempts,
        )
    count = int((dead or {}).get("ApproximateNumberOfMessages", 0))
    if count:
        yield _finding(
            queue,
            f"about {count:,} messages are in its dead-letter queue",
            "They are in no warehouse, and their retention is running out",
            f"python -m tidemark dlq redrive -q {queue.name}",
            urgent=True,
        )


def _times(
    queue: Queue, told: Mapping[str, str], dead: Mapping[str, str] | None
) -> Iterator[Finding]:
    # The queue's own VisibilityTimeout is not used: the drain says at each reception for how long,
    # and `Drain` refuses what is too short for a receiver.
    kept = int(told.get("MessageRetentionPeriod", LONGEST_RETENTION))
    if kept < LONGEST_RETENTION:
        yield _finding(
            queue,
            f"it keeps messages for {kept / _DAY:.3g} days",
            "While the required warehouse is away longer than that, events are lost",
            _set(queue, MessageRetentionPeriod=str(LONGEST_RETENTION)),
            urgent=kept < _DAY,
        )
    # A message keeps the time at which it was first sent when it is moved to the other queue.
    dead_kept = int((dead or {}).get("MessageRetentionPeriod", LONGEST_RETENTION))
    if dead is not None and dead_kept < kept:
        yield _finding(
            queue,
            f"its dead-letter queue keeps messages for {dead_kept / _DAY:.3g} days, it itself for "
            f"{kept / _DAY:.3g}",
            "The time counts from the first sending, so a message may be gone as it arrives there",
            f"aws sqs set-queue-attributes --queue-url {dead.get('QueueUrl', 'ITS_URL')} "
            f"--attributes MessageRetentionPeriod={LONGEST_RETENTION}",
        )
    if int(told.get("DelaySeconds", 0)):
        yield _finding(
            queue,
            f"it delays messages by {told['DelaySeconds']} s",
            "Every event comes so much later",
            _set(queue, DelaySeconds="0"),
        )


def _messages(queue: Queue, told: Mapping[str, str]) -> Iterator[Finding]:
    most = int(told.get("MaximumMessageSize", 1 << 30))
    if queue.webhook and most < queue.webhook.max_body_bytes + ATTRIBUTE_BYTES:
        yield _finding(
            queue,
            f"MaximumMessageSize is {most:,} bytes, and the receiver takes bodies of "
            f"{queue.webhook.max_body_bytes:,}",
            "While the queue is away an event may be confirmed that it will never take",
            _set(queue, MaximumMessageSize=str(queue.webhook.max_body_bytes + 4 * ATTRIBUTE_BYTES)),
        )
    if told.get("SqsManagedSseEnabled") == "false" and not told.get("KmsMasterKeyId"):
        yield _finding(
            queue,
            "its messages are not encrypted at rest",
            "Events name persons and their devices",
            _set(queue, SqsManagedSseEnabled="true"),
        )


def _finding(queue: Queue, what: str, why: str, do: str, *, urgent: bool = False) -> Finding:
    return Finding("error" if urgent else "warning", f"queue {queue.name}", what, why, do)


def _set(queue: Queue, **attributes: str) -> str:
    return (
        f"aws sqs set-queue-attributes --queue-url {queue.queue_url} "
        f"--attributes '{json.dumps(attributes)}'"
    )
