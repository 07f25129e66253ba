"""A failure here means a fault of S3 or SQS that was ordered and did not come, or came unasked."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from localaws import Endpoints, inject
from onebox.rest import wait_until

_BUCKET = "faults"
_BODY = bytes(range(256)) * 4096


def client(stack: Endpoints, service: str, *, patience: float = 60) -> Any:
    """One attempt only: what is to be seen is the fault, not that boto3 tries again."""
    return boto3.client(
        service,
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id=stack.aws_access_key_id,
        aws_secret_access_key=stack.aws_secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=patience),
    )


@pytest.fixture
def s3(stack: Endpoints) -> Any:
    s3 = client(stack, "s3")
    s3.create_bucket(Bucket=_BUCKET)
    return s3


@pytest.fixture
def where(s3: Any) -> dict[str, str]:
    """An object that is there."""
    where = {"Bucket": _BUCKET, "Key": f"{uuid.uuid4().hex}/part.parquet"}
    s3.put_object(**where, Body=_BODY)
    return where


@pytest.fixture
def sqs(stack: Endpoints) -> Any:
    return client(stack, "sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    url: str = sqs.create_queue(QueueName=f"faults-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    return url


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("slow_down", "SlowDown"),
        ("internal_error", "InternalError"),
        ("access_denied", "AccessDenied"),
    ],
)
def test_s3_refuses_as_often_as_it_was_told(
    stack: Endpoints, s3: Any, where: dict[str, str], fault: str, code: str
) -> None:
    what = {"operation": "PutObject", "match": where["Key"], "times": 2}
    with inject(stack, "s3", fault, **what) as ordered:
        for _ in range(2):
            with pytest.raises(ClientError) as caught:
                s3.put_object(**where, Body=_BODY)
            assert code_of(caught) == code
        s3.put_object(**where, Body=b"third")
        s3.get_object(**where)
    assert ordered.hits == 2
    assert s3.get_object(**where)["Body"].read() == b"third"


def test_boto3_gets_over_a_throttle_by_itself(
    stack: Endpoints, s3: Any, where: dict[str, str]
) -> None:
    patient = boto3.client(
        "s3",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id=stack.aws_access_key_id,
        aws_secret_access_key=stack.aws_secret_access_key,
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )
    with inject(stack, "s3", "slow_down", match=where["Key"], times=1) as ordered:
        assert patient.get_object(**where)["Body"].read() == _BODY
    assert ordered.hits == 1


def test_a_reset_comes_before_the_deed_and_a_lost_reply_after_it(
    stack: Endpoints, s3: Any, where: dict[str, str]
) -> None:
    with (
        inject(stack, "s3", "reset", match=where["Key"]),
        pytest.raises(ConnectionClosedError),
    ):
        s3.delete_object(**where)
    assert s3.head_object(**where)
    with (
        inject(stack, "s3", "drop_reply", match=where["Key"]),
        pytest.raises(ConnectionClosedError),
    ):
        s3.delete_object(**where)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(**where)


def test_an_object_is_missing_though_it_is_listed(
    stack: Endpoints, s3: Any, where: dict[str, str]
) -> None:
    with inject(stack, "s3", "missing_object", match=where["Key"]):
        with pytest.raises(ClientError) as caught:
            s3.get_object(**where)
        assert code_of(caught) == "NoSuchKey"
        listed = s3.list_objects_v2(Bucket=_BUCKET, Prefix=where["Key"])
        assert listed["KeyCount"] == 1
    assert s3.get_object(**where)["Body"].read() == _BODY


def test_a_truncated_object_is_half_of_it_in_every_respect(
    stack: Endpoints, s3: Any, where: dict[str, str]
) -> None:
    half = _BODY[: len(_BODY) // 2]
    with inject(stack, "s3", "truncated_object", match=where["Key"]):
        assert s3.head_object(**where)["ContentLength"] == len(half)
        assert s3.get_object(**where)["Body"].read() == half
        tail = s3.get_object(**where, Range="bytes=-8")
        assert tail["Body"].read() == half[-8:]
        assert tail["ContentRange"] == f"bytes {len(half) - 8}-{len(half) - 1}/{len(half)}"
        assert s3.get_object(**where, Range="bytes=4-7")["Body"].read() == half[4:8]
        with pytest.raises(ClientError) as caught:
            s3.get_object(**where, Range=f"bytes={len(half)}-")
        assert code_of(caught) == "InvalidRange"


def test_an_answer_is_cut_short(stack: Endpoints, s3: Any, where: dict[str, str]) -> None:
    with inject(stack, "s3", "cut_short", match=where["Key"], times=1):
        got = s3.get_object(**where)
        assert got["ContentLength"] == len(_BODY)
        with pytest.raises((IncompleteReadError, ResponseStreamingError)):
            got["Body"].read()
    assert s3.get_object(**where)["Body"].read() == _BODY


def test_an_object_is_seen_late(stack: Endpoints, s3: Any, where: dict[str, str]) -> None:
    other = where | {"Key": where["Key"] + "2"}
    with inject(stack, "s3", "late_object", match=other["Key"], seconds=600) as ordered:
        s3.put_object(**other, Body=b"late")
        with pytest.raises(ClientError, match="404"):
            s3.head_object(**other)
        listed = s3.list_objects_v2(Bucket=_BUCKET, Prefix=where["Key"])
        assert [each["Key"] for each in listed["Contents"]] == [where["Key"]]
        assert listed["KeyCount"] == 1
        assert ordered.hits == 1
    assert s3.get_object(**other)["Body"].read() == b"late"


@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_a_call_hangs_until_the_fault_is_removed(
    stack: Endpoints, s3: Any, sqs: Any, service: str
) -> None:
    asked = {"s3": s3.list_buckets, "sqs": sqs.list_queues}[service]
    impatient = client(stack, service, patience=0.3)  # a second caller, who gives up
    asked_too = {"s3": "list_buckets", "sqs": "list_queues"}[service]
    operation = {"s3": "ListBuckets", "sqs": "ListQueues"}[service]
    heard: list[Any] = []
    held = inject(stack, service, "hang", operation=operation)

    def ask() -> None:
        try:
            heard.append(asked())
        except ConnectionClosedError as error:
            heard.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    with pytest.raises(ReadTimeoutError):
        getattr(impatient, asked_too)()
    wait_until(lambda: held.hits == 2, 60, lambda: f"it has held {held.hits} calls")
    assert heard == []
    held.remove()
    waiting.join(120)
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("throttle", "RequestThrottled"),
        ("internal_error", "InternalFailure"),
        ("unavailable", "ServiceUnavailable"),
    ],
)
def test_sqs_refuses_as_often_as_it_was_told(
    stack: Endpoints, sqs: Any, queue: str, fault: str, code: str
) -> None:
    name = queue.rpartition("/")[2]
    with inject(stack, "sqs", fault, operation="SendMessage", match=name, times=1) as ordered:
        with pytest.raises(ClientError) as caught:
            sqs.send_message(QueueUrl=queue, MessageBody="x")
        assert code_of(caught) == code
        sqs.send_message(QueueUrl=queue, MessageBody="y")
    assert ordered.hits == 1
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert message["Body"] == "y"


def test_a_lost_reply_leaves_messages_in_flight(stack: Endpoints, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    with (
        inject(stack, "sqs", "drop_reply", operation="ReceiveMessage"),
        pytest.raises(ConnectionClosedError),
    ):
        sqs.receive_message(QueueUrl=queue)
    counted = sqs.get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert counted["Attributes"] == {"ApproximateNumberOfMessagesNotVisible": "1"}


def test_a_message_comes_late_twice_or_not_at_all(stack: Endpoints, sqs: Any, queue: str) -> None:
    with inject(stack, "sqs", "late_message", seconds=600):
        sqs.send_message(QueueUrl=queue, MessageBody="late")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody="now")
    with inject(stack, "sqs", "empty_receive"):
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    with inject(stack, "sqs", "duplicate", times=1):
        got = [sqs.receive_message(QueueUrl=queue)["Messages"][0] for _ in range(2)]
    assert {message["Body"] for message in got} == {"now"}
    assert len({message["ReceiptHandle"] for message in got}) == 2
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_receipt_grows_stale(stack: Endpoints, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    held = {"QueueUrl": queue, "ReceiptHandle": handle}
    with inject(stack, "sqs", "stale_handle"):
        sqs.delete_message(**held)
        entries = [{"Id": "a", "ReceiptHandle": handle}]
        assert sqs.delete_message_batch(QueueUrl=queue, Entries=entries)["Successful"]
        with pytest.raises(ClientError) as caught:
            sqs.change_message_visibility(**held, VisibilityTimeout=0)
        assert code_of(caught) == "InvalidParameterValue"
    sqs.change_message_visibility(**held, VisibilityTimeout=0)
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "x"


def test_every_other_entry_of_a_batch_fails(stack: Endpoints, sqs: Any, queue: str) -> None:
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(5)]
    with inject(stack, "sqs", "partial_batch", times=1):
        answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["0", "2", "4"]
    assert [(each["Id"], each["SenderFault"]) for each in answer["Failed"]] == [
        ("1", False),
        ("3", False),
    ]
