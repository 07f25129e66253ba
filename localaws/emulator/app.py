"""The emulator, with queues whose length costs nothing: ``hypercorn localaws.emulator.app:app``.

ministack keeps a queue's messages in a list and searches all of it at each call, so draining a
queue takes time by the square of its length: at 20,000 messages a call takes 50 ms instead of one.
SQS does not slow down so. What is replaced here does the same things, on a `Shelf`; FIFO
queues, which are short, stay as they are. The version is pinned by requirements-ministack.txt, and
tests/localaws/test_sqs.py says whether it all still fits. CloudWatch's alarms are replaced by
`alarms`, as they are imported.
"""

import json
import time
from typing import Any

from ministack.app import app
from ministack.services import sqs

from localaws.emulator import alarms
from localaws.emulator.shelf import Message, Shelf

__all__ = ["alarms", "app"]

_EXPIRES_EVERY_S = 1.0

_collect, _expire, _sweep = sqs._collect_msgs, sqs._expire_retained, sqs._dlq_sweep


def _messages(queue: dict[str, Any]) -> Shelf:
    messages = queue["messages"]
    if not isinstance(messages, Shelf):
        messages = queue["messages"] = Shelf(messages, sqs._ensure_msg_fields)
    return messages


def _collect_msgs(queue: dict[str, Any], most: int, hidden: int) -> list[Message]:
    if queue["is_fifo"]:
        return list(_collect(queue, most, hidden))
    now, messages = time.time(), _messages(queue)
    for _ in messages.due(now):  # those for the dead-letter queue are gone by now
        pass
    taken = messages.take(most, now)
    for message in taken:
        message["receive_count"] += 1
        if message["first_receive_at"] is None:
            message["first_receive_at"] = now
        messages.hide(message, sqs.new_uuid(), now + hidden)
    return taken


def _expire_retained(queue: dict[str, Any]) -> None:
    now, messages = time.time(), queue["messages"]
    if isinstance(messages, Shelf):
        if now - messages.looked < _EXPIRES_EVERY_S:
            return
        messages.looked = now
    _expire(queue)


def _dlq_sweep(queue: dict[str, Any]) -> None:
    if queue["is_fifo"]:
        _sweep(queue)
        return
    messages, found = _messages(queue), []
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    most = int(policy.get("maxReceiveCount", 0))
    dead: Any = sqs._queue_by_arn(policy["deadLetterTargetArn"]) if most else None
    for message in messages.due(now := time.time()):
        if dead is not None and message["receive_count"] >= most:
            found.append(message)
    for message in found:
        messages.pop(message)
        sender = queue["attributes"].get("QueueArn", "")
        told = {"DeadLetterQueueSourceArn": sender} | message.get("sys", {})
        dead["messages"].append({**message, "receipt_handle": None, "visible_at": now, "sys": told})
        sqs.esm_wake.set()


def _found(data: dict[str, Any], url: str, action: str) -> dict[str, Any]:
    queue: dict[str, Any] = sqs._get_q(data.get("QueueUrl", url), f"sqs:{action}")
    return queue


def _delete(data: dict[str, Any], url: str) -> dict[str, Any]:
    queue = _found(data, url, "DeleteMessage")
    if queue["is_fifo"]:
        return dict(_by_list["DeleteMessage"](data, url))
    if not _messages(queue).remove(data.get("ReceiptHandle", "")):
        raise _unknown()
    return {}


def _delete_batch(data: dict[str, Any], url: str) -> dict[str, Any]:
    queue, entries = _found(data, url, "DeleteMessage"), data.get("Entries", [])
    if queue["is_fifo"]:
        return dict(_by_list["DeleteMessageBatch"](data, url))
    sqs._validate_batch_entries(entries, "DeleteMessageBatchRequestEntry")
    messages = _messages(queue)
    return _sorted(entries, [messages.remove(each.get("ReceiptHandle", "")) for each in entries])


def _change(data: dict[str, Any], url: str) -> dict[str, Any]:
    queue = _found(data, url, "ChangeMessageVisibility")
    if queue["is_fifo"]:
        return dict(_by_list["ChangeMessageVisibility"](data, url))
    if not _changed(queue, data):
        raise _unknown()
    return {}


def _change_batch(data: dict[str, Any], url: str) -> dict[str, Any]:
    queue, entries = _found(data, url, "ChangeMessageVisibility"), data.get("Entries", [])
    if queue["is_fifo"]:
        return dict(_by_list["ChangeMessageVisibilityBatch"](data, url))
    sqs._validate_batch_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")
    return _sorted(entries, [_changed(queue, each) for each in entries])


def _set_attributes(data: dict[str, Any], url: str) -> dict[str, Any]:
    answer: dict[str, Any] = _by_list["SetQueueAttributes"](data, url)
    queue = _found(data, url, "SetQueueAttributes")
    # Another policy may find dead letters among those that were passed over until now.
    queue["messages"] = list(queue["messages"])
    return answer


def _changed(queue: dict[str, Any], data: dict[str, Any]) -> bool:
    until = time.time() + int(data.get("VisibilityTimeout", 30))
    return _messages(queue).change(data.get("ReceiptHandle", ""), until)


def _unknown() -> Exception:
    error: Exception = sqs._Err("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
    return error


def _sorted(entries: list[dict[str, Any]], done: list[bool]) -> dict[str, Any]:
    told: dict[str, Any] = {"Successful": [], "Failed": []}
    for entry, well in zip(entries, done, strict=True):
        said = {"Id": entry.get("Id", "")}
        if well:
            told["Successful"].append(said)
        else:
            error = _unknown()
            told["Failed"].append(
                said
                | {"Code": "ReceiptHandleIsInvalid", "Message": str(error), "SenderFault": True}
            )
    return told


_by_list = dict(sqs._HANDLERS)
sqs._collect_msgs, sqs._expire_retained, sqs._dlq_sweep = (
    _collect_msgs,
    _expire_retained,
    _dlq_sweep,
)
sqs._HANDLERS.update(
    {
        "DeleteMessage": _delete,
        "DeleteMessageBatch": _delete_batch,
        "ChangeMessageVisibility": _change,
        "ChangeMessageVisibilityBatch": _change_batch,
        "SetQueueAttributes": _set_attributes,
    }
)
