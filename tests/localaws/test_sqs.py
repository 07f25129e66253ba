"""A failure here means that SQS on one machine answers as SQS does not.

Where no other address is given, what SQS answers is recorded in the AWS-validated tests of
https://github.com/localstack/localstack/blob/main/tests/aws/services/sqs/test_sqs.py
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.place import Place


@pytest.fixture(scope="module")
def sqs(place: Place) -> Any:
    return place.client("sqs")


@pytest.fixture
def create(sqs: Any) -> Iterator[Callable[..., str]]:
    """Create a queue of the test's own; all are deleted at its end."""
    urls: list[str] = []

    def create(suffix: str = "", **attributes: str) -> str:
        name = f"conformance-{uuid.uuid4().hex[:12]}{suffix}"
        url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        urls.append(url)
        return url

    yield create
    for url in urls:
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def queue(create: Callable[..., str]) -> str:
    return create()


def arn(sqs: Any, url: str) -> str:
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(told["Attributes"]["QueueArn"])


def receive(sqs: Any, url: str, **more: Any) -> dict[str, Any]:
    message: dict[str, Any] = sqs.receive_message(QueueUrl=url, **{"WaitTimeSeconds": 5} | more)[
        "Messages"
    ][0]
    return message


def refused(call: Callable[..., Any], **what: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**what)
    error = caught.value.response["Error"]
    return error["Code"].removeprefix("AWS.SimpleQueueService."), error["Message"]


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
def test_deleting_again_is_no_error(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="once")
    handle = receive(sqs, queue)["ReceiptHandle"]
    for _ in range(2):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    entries = [{"Id": "again", "ReceiptHandle": handle}]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["again"]


@pytest.mark.stand_in  # AWS says only that the message "might not be deleted"
def test_an_old_receipt_deletes_nothing_and_is_no_error(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="twice")
    old = receive(sqs, queue, VisibilityTimeout=0)["ReceiptHandle"]
    new = receive(sqs, queue)["ReceiptHandle"]
    assert old != new
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=old)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=new, VisibilityTimeout=0)
    assert receive(sqs, queue)["Body"] == "twice"


# https://github.com/softwaremill/elasticmq/issues/324, https://github.com/aws/aws-sdk-java-v2/issues/3101
def test_what_never_was_a_receipt_of_this_queue_is_refused(
    sqs: Any, create: Callable[..., str]
) -> None:
    queue, other = create(), create()
    sqs.send_message(QueueUrl=queue, MessageBody="here")
    handle = receive(sqs, queue)["ReceiptHandle"]
    delete = sqs.delete_message
    code, said = refused(delete, QueueUrl=queue, ReceiptHandle="fake")
    assert code == "ReceiptHandleIsInvalid"
    assert said == 'The input receipt handle "fake" is not a valid receipt handle.'
    assert refused(delete, QueueUrl=other, ReceiptHandle=handle)[0] == "ReceiptHandleIsInvalid"
    assert refused(delete, QueueUrl=queue, ReceiptHandle=handle[:-8] + "AAAAAAA=")[0] == (
        "ReceiptHandleIsInvalid"
    )


# https://github.com/localstack/localstack/pull/12442
def test_a_fifo_queue_takes_no_expired_receipt(sqs: Any, create: Callable[..., str]) -> None:
    queue = create(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    sqs.send_message(QueueUrl=queue, MessageBody="1", MessageGroupId="g")
    handle = receive(sqs, queue, VisibilityTimeout=0)["ReceiptHandle"]
    code, said = refused(sqs.delete_message, QueueUrl=queue, ReceiptHandle=handle)
    assert code == "InvalidParameterValue"
    assert said.endswith("Reason: The receipt handle has expired.")
    handle = receive(sqs, queue)["ReceiptHandle"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)


# https://github.com/localstack/localstack/pull/9632, https://github.com/mapbox/ecs-watchbot/issues/135
def test_visibility_changes_for_messages_in_flight_only(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="1")
    change = sqs.change_message_visibility
    expired = receive(sqs, queue, VisibilityTimeout=0)["ReceiptHandle"]
    change(QueueUrl=queue, ReceiptHandle=expired, VisibilityTimeout=600)
    handle = receive(sqs, queue)["ReceiptHandle"]  # the change has changed nothing
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    gone = {"ReceiptHandle": handle, "VisibilityTimeout": 10}
    code, said = refused(change, QueueUrl=queue, **gone)
    assert code == "InvalidParameterValue"
    assert "Message does not exist or is not available for visibility timeout change." in said
    batch = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[{"Id": "a", **gone}])
    assert [each["Code"] for each in batch["Failed"]] == ["InvalidParameterValue"]


# https://github.com/aws/aws-sdk-net/issues/794
def test_a_message_is_held_for_twelve_hours_in_all(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="1")
    held = {"QueueUrl": queue, "ReceiptHandle": receive(sqs, queue)["ReceiptHandle"]}
    code, said = refused(sqs.change_message_visibility, **held, VisibilityTimeout=43_200)
    assert code == "InvalidParameterValue"
    assert "Total VisibilityTimeout for the message is beyond the limit" in said


@pytest.mark.parametrize(
    ("operation", "what", "code"),
    [
        ("receive_message", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ("receive_message", {"VisibilityTimeout": 43_201}, "InvalidParameterValue"),
        ("receive_message", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ("send_message", {"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
        ("send_message", {"MessageBody": "x" * 1_048_577}, "InvalidParameterValue"),
        (
            "send_message",
            {"MessageBody": "x", "MessageDeduplicationId": "d"},
            "InvalidParameterValue",
        ),
        ("get_queue_attributes", {"AttributeNames": ["Colour"]}, "InvalidAttributeName"),
        ("set_queue_attributes", {"Attributes": {"Colour": "red"}}, "InvalidAttributeName"),
        ("send_message_batch", {"Entries": []}, "EmptyBatchRequest"),
    ],
)
def test_what_is_out_of_range_is_refused(
    sqs: Any, queue: str, operation: str, what: dict[str, Any], code: str
) -> None:
    assert refused(getattr(sqs, operation), QueueUrl=queue, **what)[0] == code


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({str(n): ("String", "v") for n in range(11)}, "exceeds the allowed maximum [10]"),
        ({"a": ("String", "")}, "'a' must contain a non-empty value of type 'String'"),
        ({"a": ("Number", "many")}, "Can't cast the value of message (user) attribute 'a'"),
        ({"a": ("Colour", "red")}, "is invalid"),
    ],
)
def test_attributes_of_a_message_are_checked_alone_and_in_a_batch(
    sqs: Any, queue: str, attributes: dict[str, tuple[str, str]], said: str
) -> None:
    given = {
        name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()
    }
    message = {"MessageBody": "x", "MessageAttributes": given}
    code, heard = refused(sqs.send_message, QueueUrl=queue, **message)
    assert code == "InvalidParameterValue"
    assert said in heard
    entries = [{"Id": "bad", **message}, {"Id": "good", "MessageBody": "y"}]
    batch = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [each["Id"] for each in batch["Successful"]] == ["good"]
    assert [(each["Id"], each["Code"]) for each in batch["Failed"]] == [("bad", code)]


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
@pytest.mark.parametrize(
    ("name", "attributes"),
    [("two words", {}), ("x" * 81, {}), ("queue.fifo", {}), ("queue", {"FifoQueue": "true"})],
)
def test_a_name_is_a_name(sqs: Any, name: str, attributes: dict[str, str]) -> None:
    code, said = refused(sqs.create_queue, QueueName=name, Attributes=attributes)
    assert code == "InvalidParameterValue"
    assert "an only include alphanumeric characters, hyphens, or underscores" in said


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
def test_a_queue_is_purged_once_a_minute(sqs: Any, queue: str) -> None:
    sqs.purge_queue(QueueUrl=queue)
    assert refused(sqs.purge_queue, QueueUrl=queue)[0] == "PurgeQueueInProgress"


def test_a_deleted_name_rests_for_a_minute(sqs: Any) -> None:
    name = f"conformance-{uuid.uuid4().hex[:12]}"
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName=name)["QueueUrl"])
    assert refused(sqs.create_queue, QueueName=name)[0] == "QueueDeletedRecently"


def test_no_attribute_is_told_unless_asked_for(sqs: Any, queue: str) -> None:
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])
    assert told["Attributes"] == {"VisibilityTimeout": "30"}


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
def test_dead_letters_of_a_fifo_queue_go_to_a_fifo_queue(
    sqs: Any, create: Callable[..., str]
) -> None:
    policy = {"deadLetterTargetArn": arn(sqs, create()), "maxReceiveCount": 1}
    code, _ = refused(create, suffix=".fifo", FifoQueue="true", RedrivePolicy=json.dumps(policy))
    assert code == "InvalidParameterValue"


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
def test_dead_letters_move_back_to_where_they_came_from(
    sqs: Any, create: Callable[..., str]
) -> None:
    dead = create()
    dead_arn = arn(sqs, dead)
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    queue = create(RedrivePolicy=policy)
    start = sqs.start_message_move_task
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    assert refused(start, SourceArn=arn(sqs, queue))[0] == "InvalidParameterValue"
    assert refused(start, SourceArn=dead_arn + "x")[0] == "ResourceNotFoundException"

    for number in range(3):
        sqs.send_message(
            QueueUrl=queue,
            MessageBody=str(number),
            MessageAttributes={"n": {"DataType": "Number", "StringValue": str(number)}},
        )
        receive(sqs, queue, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)  # the sweep that makes them dead
    sqs.change_message_visibility(
        QueueUrl=dead, ReceiptHandle=receive(sqs, dead)["ReceiptHandle"], VisibilityTimeout=0
    )
    start(SourceArn=dead_arn)
    found = [
        receive(sqs, queue, MessageAttributeNames=["n"], VisibilityTimeout=300) for _ in range(3)
    ]
    assert {each["Body"] for each in found} == {"0", "1", "2"}
    assert {each["MessageAttributes"]["n"]["StringValue"] for each in found} == {"0", "1", "2"}
    end = time.monotonic() + 60
    while (task := sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0])[
        "Status"
    ] != "COMPLETED":
        assert time.monotonic() < end, task
    assert task["ApproximateNumberOfMessagesMoved"] == 3


def test_a_long_poll_ends_when_a_message_comes(sqs: Any, place: Place, queue: str) -> None:
    heard: list[str] = []
    waiting = threading.Thread(
        target=lambda: heard.append(receive(sqs, queue, WaitTimeSeconds=20)["Body"])
    )
    waiting.start()
    place.client("sqs").send_message(QueueUrl=queue, MessageBody="wake up")
    waiting.join(15)
    assert heard == ["wake up"]
