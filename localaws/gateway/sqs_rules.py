"""What SQS refuses and the emulator lets through.

Wordings: the service's own, as the AWS-validated tests of LocalStack have recorded them, unless
marked otherwise:
https://github.com/localstack/localstack/blob/main/tests/aws/services/sqs/test_sqs.py
"""

from __future__ import annotations

import re
from typing import Any

from localaws.gateway.sqs_calls import SqsCall, SqsError, invalid

_MAX_BYTES = 1_048_576
_MAX_ATTRIBUTES = 10
_MAX_VISIBILITY = 43_200
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_BAD_NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
_BAD_FIFO_NAME = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores,"
    " must end with .fifo suffix and be 1 to 80 in length."
)
_ATTRIBUTE_NAME = re.compile(r"(?!AWS\.|Amazon\.)(?!\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)", re.I)
_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_SETTABLE = frozenset(
    {
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "Policy",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    }
)
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
_READABLE = _SETTABLE | {
    "All",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
}


def check(call: SqsCall) -> None:
    """Raise SqsError for a call that the service refuses whole."""
    data = call.data
    match call.operation:
        case "CreateQueue":
            _check_name(str(data.get("QueueName", "")), data.get("Attributes") or {})
            _check_settings(call)
        case "SetQueueAttributes":
            _check_settings(call)
        case "GetQueueAttributes":
            for name in data.get("AttributeNames") or []:
                if name not in _READABLE:
                    raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        case "ReceiveMessage":
            _check_number(data, "WaitTimeSeconds", 20, "Must be >= 0 and <= 20, if provided.")
            check_visibility(data)
        case "ChangeMessageVisibility":
            check_visibility(data)
        case "SendMessage":
            check_message(data, call.is_fifo)
        case "SendMessageBatch":
            sizes = [_size(entry) for entry in data.get("Entries") or []]
            if sum(sizes) > _MAX_BYTES:
                raise SqsError(
                    "BatchRequestTooLong",
                    f"Batch requests cannot be longer than {_MAX_BYTES} bytes."
                    f" You have sent {sum(sizes)} bytes.",
                )


def check_visibility(data: dict[str, Any]) -> None:
    """Raise SqsError for a visibility timeout out of range."""
    _check_number(
        data, "VisibilityTimeout", _MAX_VISIBILITY, "Must be >= 0 and <= 43200, if provided."
    )


def check_message(data: dict[str, Any], is_fifo: bool) -> None:
    """Raise SqsError for a message, alone or in a batch, that the service refuses."""
    _check_number(data, "DelaySeconds", 900, "DelaySeconds must be >= 0 and <= 900.")
    if data.get("MessageDeduplicationId") and not is_fifo:
        raise invalid(
            f"Value {data['MessageDeduplicationId']} for parameter MessageDeduplicationId is"
            " invalid. Reason: The request includes a parameter that is not valid for this queue"
            " type."
        )
    attributes = data.get("MessageAttributes") or {}
    if len(attributes) > _MAX_ATTRIBUTES:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum"
            f" [{_MAX_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        _check_attribute(name, attribute)
    if _size(data) > _MAX_BYTES:
        raise invalid(
            "One or more parameters are invalid. Reason: Message must be shorter than"
            f" {_MAX_BYTES} bytes."
        )


def _check_attribute(name: str, attribute: dict[str, Any]) -> None:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    if not _ATTRIBUTE_NAME.fullmatch(name):
        raise invalid(f"Message (user) attribute name '{name}' is invalid.")  # wording unsourced
    kind = str(attribute.get("DataType", ""))
    if not _TYPE.fullmatch(kind):
        raise invalid(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the"
            " following supported type prefixes: Binary, Number, String."
        )
    base = kind.partition(".")[0]
    value = attribute.get("BinaryValue" if base == "Binary" else "StringValue")
    if not value:
        raise invalid(
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{base}'."
        )
    if base == "Number" and not _is_number(value):
        raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _check_name(name: str, attributes: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    if attributes.get("FifoQueue") == "true":
        if not (name.endswith(".fifo") and _NAME.fullmatch(name.removesuffix(".fifo"))):
            raise invalid(_BAD_FIFO_NAME)
        if len(name) > 80:
            raise invalid(_BAD_FIFO_NAME)
    elif not _NAME.fullmatch(name):
        raise invalid(_BAD_NAME)


def _check_settings(call: SqsCall) -> None:
    for name in call.data.get("Attributes") or {}:
        if name not in _SETTABLE:
            raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.")
    policy = str((call.data.get("Attributes") or {}).get("RedrivePolicy", ""))
    target = re.search(r'"deadLetterTargetArn"\s*:\s*"([^"]+)"', policy)
    # "The dead-letter queue of a FIFO queue must also be a FIFO queue", and the other way round:
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    # ; wording unsourced
    if target and target[1].endswith(".fifo") != call.is_fifo:
        raise invalid(
            f"Value {policy} for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must"
            " be same type of queue as the source."
        )


def _check_number(data: dict[str, Any], name: str, most: int, reason: str) -> None:
    value = data.get(name)
    if value is not None and not 0 <= int(value) <= most:
        raise invalid(f"Value {value} for parameter {name} is invalid. Reason: {reason}")


def _size(data: dict[str, Any]) -> int:
    size = len(str(data.get("MessageBody") or "").encode())
    for name, attribute in (data.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + len(str(attribute.get("DataType", "")).encode())
        size += len(str(attribute.get("StringValue") or "").encode())
        size += len(str(attribute.get("BinaryValue") or "")) * 3 // 4  # base64 on the wire
    return size


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
