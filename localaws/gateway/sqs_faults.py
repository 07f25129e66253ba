"""What can go wrong in SQS beside the connection."""

from __future__ import annotations

from typing import Any

from localaws.faults import Fault, FaultKind, FaultList
from localaws.gateway import common_faults
from localaws.gateway.sqs_calls import OPERATIONS, SqsCall, SqsError

_REFUSALS = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    "throttle": ("RequestThrottled", "Rate exceeded", 400),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
    "internal_error": ("InternalFailure", "We encountered an internal error.", 500),
    "unavailable": ("ServiceUnavailable", "Service is temporarily unavailable.", 503),
}
REFUSALS = frozenset(_REFUSALS)
_LONGEST_DELAY = 900
_KINDS = (
    *common_faults.KINDS,
    FaultKind("throttle", "RequestThrottled: too many requests", {"message": ""}),
    FaultKind("internal_error", "500 InternalFailure", {"message": ""}),
    FaultKind("unavailable", "503 ServiceUnavailable", {"message": ""}),
    FaultKind(
        "late_message",
        "SendMessage, SendMessageBatch: cannot be received for `seconds` (up to 900; not on FIFO"
        " queues)",
        {"seconds": 5.0},
    ),
    FaultKind("empty_receive", "ReceiveMessage: nothing, although there are messages"),
    FaultKind("duplicate", "ReceiveMessage: what it returns can be received again at once"),
    FaultKind(
        "stale_handle",
        "DeleteMessage: success, and the message stays; ChangeMessageVisibility: refused, as if the"
        " message were gone; batches too",
    ),
    FaultKind("partial_batch", "…Batch: every other entry fails, with an internal error"),
)


def sqs_faults() -> FaultList:
    """Return the empty list of the faults of SQS."""
    return FaultList("sqs", _KINDS, operations=OPERATIONS)


def refusal(fault: Fault) -> SqsError:
    """Return the error of a fault of `REFUSALS`."""
    code, message, status = _REFUSALS[fault.fault]
    return SqsError(code, fault.message or message, status)


def delayed(call: SqsCall, fault: Fault) -> dict[str, Any]:
    """Return the data of a SendMessage or SendMessageBatch with a longer delay."""

    def later(message: dict[str, Any]) -> dict[str, Any]:
        seconds = int(message.get("DelaySeconds") or 0) + int(fault.seconds or 0)
        return {**message, "DelaySeconds": min(seconds, _LONGEST_DELAY)}

    if call.is_fifo:
        return call.data
    if "Entries" in call.data:
        return {**call.data, "Entries": [later(entry) for entry in call.data["Entries"]]}
    return later(call.data)
