"""Calls of SQS in its JSON protocol, and its errors.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from localaws.gateway.upstream import Upstream, end_to_end

TARGET = "AmazonSQS."
OPERATIONS = frozenset(
    {
        "AddPermission",
        "CancelMessageMoveTask",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "CreateQueue",
        "DeleteMessage",
        "DeleteMessageBatch",
        "DeleteQueue",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "ListMessageMoveTasks",
        "ListQueueTags",
        "ListQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "RemovePermission",
        "SendMessage",
        "SendMessageBatch",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }
)
_CONTENT_TYPE = "application/x-amz-json-1.0"
_REGION = re.compile(r"Credential=[^/]+/\d+/([^/]+)/")
# Codes of the older query protocol, which SDKs go on showing; all others are the same in both.
# https://github.com/aws/aws-sdk-go/blob/main/service/sqs/errors.go
_PREFIX = "AWS.SimpleQueueService."
_LEGACY = {
    "BatchEntryIdsNotDistinct": _PREFIX + "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": _PREFIX + "BatchRequestTooLong",
    "EmptyBatchRequest": _PREFIX + "EmptyBatchRequest",
    "InvalidBatchEntryId": _PREFIX + "InvalidBatchEntryId",
    "MessageNotInflight": _PREFIX + "MessageNotInflight",
    "PurgeQueueInProgress": _PREFIX + "PurgeQueueInProgress",
    "QueueDeletedRecently": _PREFIX + "QueueDeletedRecently",
    "QueueDoesNotExist": _PREFIX + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": _PREFIX + "TooManyEntriesInBatchRequest",
    "UnsupportedOperation": _PREFIX + "UnsupportedOperation",
}


class SqsError(Exception):
    """An error of the service: `code` and the message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def entry(self, entry_id: str) -> dict[str, Any]:
        """Return it as one failed entry of a batch."""
        return {
            "Id": entry_id,
            "Code": self.code,
            "Message": self.message,
            "SenderFault": self.status < 500,
        }


def invalid(message: str) -> SqsError:
    """Return the error for a value that the service refuses."""
    return SqsError("InvalidParameterValue", message)


@dataclass(frozen=True, slots=True)
class SqsCall:
    """One call: its name, what it was given, and where it came from."""

    operation: str
    data: dict[str, Any]
    request: web.Request
    upstream: Upstream

    @property
    def queue(self) -> str:
        """The queue it names, as `/account/name`; empty when it names none."""
        return urlsplit(str(self.data.get("QueueUrl", ""))).path

    @property
    def queue_name(self) -> str:
        """The queue's name: what the `match` of a fault looks at."""
        arn = self.data.get("SourceArn", "")
        return str(
            self.queue.rpartition("/")[2]
            or self.data.get("QueueName", "")
            or arn.rpartition(":")[2]
        )

    @property
    def is_fifo(self) -> bool:
        """Whether the queue keeps messages in order."""
        return self.queue_name.endswith(".fifo")

    @property
    def scope(self) -> tuple[str, str]:
        """What tells this queue from all others: region and `/account/name`."""
        found = _REGION.search(self.request.headers.get("Authorization", ""))
        return (found[1] if found else "", self.queue)

    @property
    def base_url(self) -> str:
        """The address that the client uses, for the queue URLs it is given."""
        return f"{self.request.scheme}://{self.request.host}"

    async def ask(self, operation: str, data: dict[str, Any]) -> dict[str, Any]:
        """Have the emulator do a call, in the caller's name. Raises SqsError as it refuses."""
        headers = end_to_end(self.request.headers)
        headers.popall("Content-Length", None)
        headers["X-Amz-Target"] = TARGET + operation
        answer = await self.upstream.ask("POST", "/", headers, json.dumps(data).encode())
        told: dict[str, Any] = json.loads(answer.body or b"{}")
        if answer.status >= 300:
            code = str(told.get("__type", "InternalFailure"))
            raise SqsError(code, str(told.get("message", "")), answer.status)
        return told


def json_call(request: web.Request, body: bytes, upstream: Upstream) -> SqsCall | None:
    """Return the call; None for one in the query protocol. Raises SqsError for what is no JSON."""
    target = request.headers.get("X-Amz-Target", "")
    if not target.startswith(TARGET):
        return None
    try:
        data = json.loads(body or b"{}")
    except ValueError as error:
        raise SqsError("SerializationException", str(error)) from None
    return SqsCall(target.removeprefix(TARGET), data, request, upstream)


def query_operation(request: web.Request, body: bytes) -> str:
    """Return the name of a call in the query protocol."""
    action = request.query.get("Action") or parse_qs(body.decode(errors="replace")).get(
        "Action", [""]
    )
    return action if isinstance(action, str) else action[0]


def answered(data: dict[str, Any]) -> web.Response:
    """Return a successful answer."""
    return web.Response(
        body=json.dumps(data).encode(),
        content_type=_CONTENT_TYPE,
        headers={"x-amzn-RequestId": str(uuid.uuid4())},
    )


def failed(error: SqsError) -> web.Response:
    """Return an error as the JSON protocol has it, with the older code beside."""
    fault = "Sender" if error.status < 500 else "Receiver"
    return web.Response(
        status=error.status,
        body=json.dumps(
            {"__type": f"com.amazonaws.sqs#{error.code}", "message": error.message}
        ).encode(),
        content_type=_CONTENT_TYPE,
        headers={
            "x-amzn-RequestId": str(uuid.uuid4()),
            "x-amzn-query-error": f"{_LEGACY.get(error.code, error.code)};{fault}",
        },
    )
