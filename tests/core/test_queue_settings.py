"""Failing here, a queue that loses events some day is called sound."""

import json

import pytest
from tidemark.core.events.queue_settings import dead_letter_arn, judge_queue
from tidemark.core.settings.drain_settings import Drain
from tidemark.core.settings.queues import Queue, Webhook

ARN = "arn:aws:sqs:us-east-1:123456789012:events-dead"
QUEUE = Queue(
    name="events",
    queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/events",
    webhook=Webhook(secret_conn_id="hook"),
)
SOUND = {
    "QueueArn": "arn:aws:sqs:us-east-1:123456789012:events",
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": "10"}),
    "MessageRetentionPeriod": "1209600",
    "MaximumMessageSize": "1048576",
    "DelaySeconds": "0",
    "SqsManagedSseEnabled": "true",
}
DEAD = {"MessageRetentionPeriod": "1209600", "ApproximateNumberOfMessages": "0"}


def policy(receptions: int) -> str:
    return json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": receptions})


def test_of_a_sound_queue_there_is_nothing_to_say():
    assert judge_queue(QUEUE, Drain(), SOUND, DEAD) == []
    assert judge_queue(QUEUE, Drain(), {"RedrivePolicy": policy(10)}, None) == []
    assert dead_letter_arn(SOUND) == ARN
    assert dead_letter_arn({}) is None


@pytest.mark.parametrize(
    ("told", "dead", "words", "do", "urgent"),
    [
        ({"RedrivePolicy": ""}, {}, "no dead-letter queue", "events-dead", False),
        ({"RedrivePolicy": policy(1)}, {}, "maxReceiveCount is 1", "maxReceiveCount", True),
        ({"RedrivePolicy": policy(5)}, {}, "maxReceiveCount is 5", "maxReceiveCount", False),
        ({}, {"ApproximateNumberOfMessages": "1234"}, "about 1,234", "dlq redrive -q events", True),
        ({"MessageRetentionPeriod": "345600"}, {}, "for 4 days", "1209600", False),
        ({"MessageRetentionPeriod": "3600"}, {}, "for 0.0417 days", "1209600", True),
        ({}, {"MessageRetentionPeriod": "345600"}, "dead-letter queue keeps", "1209600", False),
        ({"DelaySeconds": "9"}, {}, "delays messages by 9 s", "DelaySeconds", False),
        ({"MaximumMessageSize": "262144"}, {}, "is 262,144 bytes", "263168", False),
        ({"SqsManagedSseEnabled": "false"}, {}, "not encrypted", "SqsManagedSseEnabled", False),
    ],
)
def test_b50_b51_each_finding_says_what_to_type(told, dead, words, do, urgent):
    (finding,) = judge_queue(QUEUE, Drain(), SOUND | told, DEAD | dead)
    assert words in finding.what
    assert do in finding.do
    assert (finding.level == "error") is urgent
    assert finding.where == "queue events"


def test_errors_come_first():
    told = SOUND | {"DelaySeconds": "9", "MessageRetentionPeriod": "3600"}
    found = judge_queue(QUEUE, Drain(), told, DEAD)
    assert [finding.level for finding in found] == ["error", "warning"]
