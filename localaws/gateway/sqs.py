"""SQS: refuse what SQS refuses, let faults strike, do what the emulator lacks, pass the rest on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from localaws.faults import Fault
from localaws.gateway import sqs_faults, sqs_rules
from localaws.gateway.common_faults import break_off, strike_first
from localaws.gateway.sqs_calls import (
    SqsCall,
    SqsError,
    answered,
    failed,
    json_call,
    query_operation,
)
from localaws.gateway.sqs_faults import REFUSALS
from localaws.gateway.sqs_messages import Messages
from localaws.gateway.sqs_moves import Moves, sources
from localaws.gateway.upstream import Upstream, pass_back

_PATIENCE = 60.0  # seconds between two purges, and between a deletion and the same name again

_Act = Callable[[SqsCall], Awaitable[dict[str, Any]]]


class SqsGateway:
    """Answers every request to SQS.

    Calls in the older query protocol (SDKs from before November 2023) meet the faults of the
    connection and the refusals only; otherwise they pass as they are.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.faults = sqs_faults.sqs_faults()
        self._messages = Messages(self.faults)
        self._moves = Moves()
        self._purged: dict[tuple[str, str], float] = {}
        self._deleted: dict[tuple[str, str], float] = {}
        self._acts: dict[str, _Act] = {
            "CancelMessageMoveTask": self._moves.cancel,
            "ChangeMessageVisibility": self._messages.change_visibility,
            "ChangeMessageVisibilityBatch": self._messages.change_visibility_batch,
            "CreateQueue": self._create_queue,
            "DeleteMessage": self._messages.delete,
            "DeleteMessageBatch": self._messages.delete_batch,
            "DeleteQueue": self._delete_queue,
            "GetQueueAttributes": self._get_queue_attributes,
            "ListDeadLetterSourceQueues": self._list_sources,
            "ListMessageMoveTasks": self._moves.list,
            "PurgeQueue": self._purge_queue,
            "ReceiveMessage": self._messages.receive,
            "SendMessage": self._messages.send,
            "SendMessageBatch": self._messages.send_batch,
            "SetQueueAttributes": self._set_queue_attributes,
            "StartMessageMoveTask": self._moves.start,
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. Raises ConnectionResetError where a fault ends the connection."""
        body = await request.read()
        try:
            call = json_call(request, body, self._upstream)
            name = call.operation if call else query_operation(request, body)
            queue = call.queue_name if call else urlsplit(request.path).path.rpartition("/")[2]

            def take(names: Collection[str]) -> Fault | None:
                return self.faults.take(names, operation=name, texts=(queue,))

            await strike_first(self.faults, take, request)
            if (fault := take(REFUSALS)) is not None:
                raise sqs_faults.refusal(fault)
            if "Authorization" not in request.headers:
                raise SqsError("MissingAuthenticationToken", "Request is missing a token.", 403)
            if call is None:
                async with self._upstream.send(request, body=body) as passed:
                    return await pass_back(request, passed)
            answer = await self._answer(call)
            if take({"drop_reply"}):
                break_off(request)
        except SqsError as error:
            return failed(error)
        return answered(answer)

    async def _answer(self, call: SqsCall) -> dict[str, Any]:
        sqs_rules.check(call)
        if (act := self._acts.get(call.operation)) is not None:
            answer = await act(call)
        else:
            answer = await call.ask(call.operation, call.data)
        # The emulator gives an address of its own, which nobody else can reach.
        if "QueueUrl" in answer:
            answer["QueueUrl"] = _outside(call, answer["QueueUrl"])
        for several in ("QueueUrls", "queueUrls"):
            if several in answer:
                answer[several] = [_outside(call, url) for url in answer[several]]
        return answer

    async def _create_queue(self, call: SqsCall) -> dict[str, Any]:
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
        key = (call.scope[0], call.queue_name)
        if time.monotonic() - self._deleted.get(key, -_PATIENCE) < _PATIENCE:
            raise SqsError(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another"
                " with the same name.",
            )
        self._messages.forget_settings()
        return await call.ask("CreateQueue", call.data)

    async def _delete_queue(self, call: SqsCall) -> dict[str, Any]:
        answer = await call.ask("DeleteQueue", call.data)
        self._deleted[(call.scope[0], call.queue_name)] = time.monotonic()
        self._messages.forget_settings()
        return answer

    async def _purge_queue(self, call: SqsCall) -> dict[str, Any]:
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
        if time.monotonic() - self._purged.get(call.scope, -_PATIENCE) < _PATIENCE:
            raise SqsError(
                "PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {call.queue_name} is allowed every 60 seconds.",
                403,
            )
        answer = await call.ask("PurgeQueue", call.data)
        self._purged[call.scope] = time.monotonic()
        return answer

    async def _get_queue_attributes(self, call: SqsCall) -> dict[str, Any]:
        names = call.data.get("AttributeNames") or []
        answer = await call.ask("GetQueueAttributes", {**call.data, "AttributeNames": ["All"]})
        told = {
            name: value
            for name, value in answer["Attributes"].items()
            if "All" in names or name in names
        }
        return {"Attributes": told} if told else {}

    async def _set_queue_attributes(self, call: SqsCall) -> dict[str, Any]:
        self._messages.forget_settings()
        return await call.ask("SetQueueAttributes", call.data)

    async def _list_sources(self, call: SqsCall) -> dict[str, Any]:
        asked = {"QueueUrl": call.data.get("QueueUrl", ""), "AttributeNames": ["QueueArn"]}
        arn = (await call.ask("GetQueueAttributes", asked))["Attributes"]["QueueArn"]
        return {"queueUrls": await sources(call, arn)}


def _outside(call: SqsCall, url: str) -> str:
    return call.base_url + urlsplit(url).path
