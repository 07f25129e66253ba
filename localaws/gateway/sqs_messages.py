"""Messages of SQS: sent, received, hidden and deleted.

Long polls wait here, not in the emulator, which would go on receiving for a client that has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from localaws.faults import Fault, FaultList
from localaws.gateway.sqs_calls import SqsCall, SqsError
from localaws.gateway.sqs_faults import delayed
from localaws.gateway.sqs_handles import Handle, Handles, check_not_expired, check_total, gone
from localaws.gateway.sqs_rules import check_message, check_visibility

_NOWHERE = "handle of no message"
_MOST_ENTRIES = 10
_SETTINGS = ["VisibilityTimeout", "ReceiveMessageWaitTimeSeconds"]
# Seconds between two looks into a queue that nothing was sent to: a message can also become
# visible again, or come from S3.
_LOOK = 0.2


class Messages:
    """What SQS does with messages, done by the emulator where it does the same."""

    def __init__(self, faults: FaultList) -> None:
        self._faults = faults
        self._handles = Handles()
        self._settings: dict[tuple[str, str], dict[str, str]] = {}
        self._arrivals: dict[tuple[str, str], asyncio.Event] = {}

    def forget_settings(self) -> None:
        """Forget what is known of the settings of queues: some have changed."""
        self._settings.clear()

    async def send(self, call: SqsCall) -> dict[str, Any]:
        """SendMessage."""
        answer = await call.ask("SendMessage", self._sent(call))
        self._wake(call)
        return answer

    async def send_batch(self, call: SqsCall) -> dict[str, Any]:
        """SendMessageBatch: a message that is refused leaves the others alone."""

        def passes(entry: dict[str, Any]) -> dict[str, Any]:
            check_message(entry, call.is_fifo)
            return entry

        answer = await self._batch(call, self._sent(call), passes)
        self._wake(call)
        return answer

    async def receive(self, call: SqsCall) -> dict[str, Any]:
        """ReceiveMessage."""
        if self._take("empty_receive", call):
            return {}
        visibility = float(await self._setting(call, "VisibilityTimeout", "VisibilityTimeout"))
        answer = await self._polled(call)
        again = bool(answer.get("Messages")) and self._take("duplicate", call) is not None
        for message in answer.get("Messages", []):
            emulators = message["ReceiptHandle"]
            message["ReceiptHandle"] = self._handles.given(call.queue, emulators, visibility)
            if again:
                shown = {"ReceiptHandle": emulators, "VisibilityTimeout": 0}
                await call.ask(
                    "ChangeMessageVisibility", {"QueueUrl": call.data["QueueUrl"], **shown}
                )
        return answer

    async def delete(self, call: SqsCall) -> dict[str, Any]:
        """DeleteMessage: success too when there is nothing to delete any more."""
        handle = self._to_delete(call, str(call.data.get("ReceiptHandle", "")))
        if self._take("stale_handle", call):
            return {}
        try:
            return await call.ask("DeleteMessage", {**call.data, "ReceiptHandle": handle.emulators})
        except SqsError as error:
            if error.code.endswith("ReceiptHandleIsInvalid"):
                return {}
            raise

    async def delete_batch(self, call: SqsCall) -> dict[str, Any]:
        """DeleteMessageBatch."""
        stale = self._take("stale_handle", call) is not None

        def passes(entry: dict[str, Any]) -> dict[str, Any]:
            handle = self._to_delete(call, str(entry.get("ReceiptHandle", "")), in_batch=True)
            return {**entry, "ReceiptHandle": _NOWHERE if stale else handle.emulators}

        return await self._batch(call, call.data, passes, on_unknown=lambda _: None)

    async def change_visibility(self, call: SqsCall) -> dict[str, Any]:
        """ChangeMessageVisibility."""
        handle, data = self._to_change(call, call.data)
        if self._take("stale_handle", call):
            raise gone(handle)
        try:
            answer = await call.ask("ChangeMessageVisibility", data)
        except SqsError as error:
            if error.code.endswith("ReceiptHandleIsInvalid"):
                raise gone(handle) from None
            raise
        self._handles.change(handle, float(data["VisibilityTimeout"]))
        return answer

    async def change_visibility_batch(self, call: SqsCall) -> dict[str, Any]:
        """ChangeMessageVisibilityBatch."""
        stale = self._take("stale_handle", call) is not None

        def passes(entry: dict[str, Any]) -> dict[str, Any]:
            check_visibility(entry)
            handle, data = self._to_change(call, entry)
            if stale:
                raise gone(handle)
            self._handles.change(handle, float(data["VisibilityTimeout"]))
            return data

        def unknown(entry: dict[str, Any]) -> SqsError:
            return gone(self._handles.read(call.queue, str(entry["ReceiptHandle"])))

        return await self._batch(call, call.data, passes, on_unknown=unknown)

    async def _batch(
        self,
        call: SqsCall,
        data: dict[str, Any],
        passes: Callable[[dict[str, Any]], dict[str, Any]],
        on_unknown: Callable[[dict[str, Any]], SqsError | None] | None = None,
    ) -> dict[str, Any]:
        """Have the emulator do the entries that pass; answer for the others.

        `on_unknown` says what an entry comes to whose message the emulator does not know any more.
        """
        entries = data.get("Entries") or []
        ids = [str(entry.get("Id", "")) for entry in entries]
        if not 1 <= len(entries) <= _MOST_ENTRIES or len(set(ids)) < len(ids):
            return await call.ask(call.operation, data)  # refuses the whole
        errors: dict[str, SqsError] = {}
        sent: list[dict[str, Any]] = []
        broken = self._take("partial_batch", call) is not None
        for number, (entry_id, entry) in enumerate(zip(ids, entries, strict=True)):
            try:
                if broken and number % 2:
                    raise SqsError("InternalError", "We encountered an internal error.", 500)
                sent.append(passes(entry))
            except SqsError as error:
                errors[entry_id] = error
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        if sent:
            answer |= await call.ask(call.operation, {**data, "Entries": sent})
        done = {each["Id"]: each for each in answer.get("Successful") or []}
        not_done = {each["Id"]: each for each in answer.get("Failed") or []}
        for entry_id, entry in zip(ids, entries, strict=True):
            unknown = not_done.get(entry_id, {}).get("Code") == "ReceiptHandleIsInvalid"
            if on_unknown is not None and unknown:
                del not_done[entry_id]
                found = on_unknown(entry)
                if found is None:
                    done[entry_id] = {"Id": entry_id}
                else:
                    errors[entry_id] = found
        failures = not_done | {key: error.entry(key) for key, error in errors.items()}
        return {
            "Successful": [done[each] for each in ids if each in done],
            "Failed": [failures[each] for each in ids if each in failures],
        }

    def _to_delete(self, call: SqsCall, text: str, *, in_batch: bool = False) -> Handle:
        handle = self._handles.read(call.queue, text)
        if call.is_fifo:
            try:
                check_not_expired(handle)
            except SqsError:
                if not in_batch:
                    raise
                # https://github.com/smaskalik/sqsmover/issues/54
                raise SqsError("ReceiptHandleIsInvalid", "The receipt handle has expired") from None
        return handle

    def _to_change(self, call: SqsCall, data: dict[str, Any]) -> tuple[Handle, dict[str, Any]]:
        handle = self._handles.read(call.queue, str(data.get("ReceiptHandle", "")))
        visibility = int(data.get("VisibilityTimeout", 0))
        check_total(handle, visibility)
        if call.is_fifo:
            check_not_expired(handle)
        # A message that is visible again stays so; asked for no time, the emulator still tells
        # whether it is there.
        held = visibility if time.time() < handle.visible else 0
        return handle, {**data, "ReceiptHandle": handle.emulators, "VisibilityTimeout": held}

    async def _polled(self, call: SqsCall) -> dict[str, Any]:
        """ReceiveMessage, again and again until there is something or the time is over."""
        wait = await self._setting(call, "WaitTimeSeconds", "ReceiveMessageWaitTimeSeconds")
        loop = asyncio.get_running_loop()
        end = loop.time() + int(wait)
        while True:
            arrival = self._arrivals.setdefault(call.scope, asyncio.Event())
            answer = await call.ask("ReceiveMessage", {**call.data, "WaitTimeSeconds": 0})
            left = end - loop.time()
            if answer.get("Messages") or left <= 0:
                return answer
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrival.wait(), min(_LOOK, left))

    def _wake(self, call: SqsCall) -> None:
        if (arrival := self._arrivals.pop(call.scope, None)) is not None:
            arrival.set()

    async def _setting(self, call: SqsCall, parameter: str, setting: str) -> str:
        """Return what the call says, else what its queue says."""
        if call.data.get(parameter) is not None:
            return str(call.data[parameter])
        if call.scope not in self._settings:
            asked = {"QueueUrl": call.data.get("QueueUrl", ""), "AttributeNames": _SETTINGS}
            told = await call.ask("GetQueueAttributes", asked)
            self._settings[call.scope] = told["Attributes"]
        return self._settings[call.scope][setting]

    def _sent(self, call: SqsCall) -> dict[str, Any]:
        late = self._take("late_message", call)
        return call.data if late is None else delayed(call, late)

    def _take(self, name: str, call: SqsCall) -> Fault | None:
        return self._faults.take({name}, operation=call.operation, texts=(call.queue_name,))
