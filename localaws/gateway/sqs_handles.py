"""Receipt handles as SQS has them.

The emulator's handles are opaque and it refuses each that it does not hold any more, as if nobody
had ever been given it. SQS knows its own: a handle that was used, or is older than another receipt
of the message, is no error to delete by. So the client gets a handle of ours, which says for which
queue it was given, when, and until when, and needs no memory here: it outlives a restart.

What SQS answers:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
https://github.com/localstack/localstack/pull/12442 (FIFO: an expired handle does not delete)
https://github.com/localstack/localstack/pull/9632 (an expired handle changes no visibility: OK)
https://github.com/localstack/localstack/pull/6103 (a deleted message: InvalidParameterValue)
https://github.com/aws/aws-sdk-java-v2/issues/3101 (a handle of another queue)
https://github.com/softwaremill/elasticmq/issues/324 (no handle at all)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import time
import uuid
from dataclasses import dataclass

from localaws.gateway.sqs_calls import SqsError, invalid

_HEAD = struct.Struct(">16s16sdd")
# As long as those of SQS, so that a column or a header too short for them is noticed here.
_LENGTH = 228
_MAX_VISIBILITY = 43_200


@dataclass(frozen=True, slots=True)
class Handle:
    """One receipt of a message. `received` and `visible` (again) are seconds of the epoch."""

    text: str
    emulators: str
    received: float
    visible: float


class Handles:
    """Writes and reads handles, and remembers visibility that was changed since the receipt."""

    def __init__(self) -> None:
        self._changed: dict[str, tuple[float, float]] = {}

    def given(self, queue: str, emulators: str, visibility: float) -> str:
        """Return the handle for a message that has just been received from `queue`."""
        now = time.time()
        head = _HEAD.pack(uuid.UUID(emulators).bytes, _digest(queue), now, now + visibility)
        seal = hashlib.shake_128(head).digest(_LENGTH - _HEAD.size)
        return "AQEB" + base64.b64encode(head + seal).decode()

    def read(self, queue: str, text: str) -> Handle:
        """Return what a handle says. Raises SqsError when it was not given for `queue`."""
        try:
            raw = base64.b64decode(text.removeprefix("AQEB"), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        head = raw[: _HEAD.size]
        if (
            len(raw) != _LENGTH
            or hashlib.shake_128(head).digest(_LENGTH - _HEAD.size) != raw[_HEAD.size :]
        ):
            raise SqsError(
                "ReceiptHandleIsInvalid",
                f'The input receipt handle "{text}" is not a valid receipt handle.',
            )
        emulators, digest, received, visible = _HEAD.unpack(head)
        if digest != _digest(queue):
            raise SqsError(
                "ReceiptHandleIsInvalid",
                f'The receipt handle "{text}" is not valid for this queue.',
            )
        identifier = str(uuid.UUID(bytes=emulators))
        visible = self._changed.get(identifier, (visible, 0.0))[0]
        return Handle(text, identifier, received, visible)

    def change(self, handle: Handle, visibility: float) -> None:
        """Remember that the message is visible again `visibility` seconds from now."""
        now = time.time()
        if len(self._changed) > 10_000:
            self._changed = {
                key: (until, kept) for key, (until, kept) in self._changed.items() if kept > now
            }
        until = now + visibility
        self._changed[handle.emulators] = (until, max(until, handle.visible))


def check_not_expired(handle: Handle) -> None:
    """Raise SqsError when the message is visible again: a FIFO queue takes no such handle."""
    if time.time() >= handle.visible:
        raise invalid(
            f"Value {handle.text} for parameter ReceiptHandle is invalid."
            " Reason: The receipt handle has expired."
        )


def check_total(handle: Handle, visibility: int) -> None:
    """Raise SqsError when a message would be held for more than twelve hours in all.

    https://github.com/aws/aws-sdk-net/issues/794
    """
    if time.time() + visibility - handle.received > _MAX_VISIBILITY:
        raise invalid(
            f"Value {visibility} for parameter VisibilityTimeout is invalid. Reason: Total"
            " VisibilityTimeout for the message is beyond the limit [43200 seconds]."
        )


def gone(handle: Handle) -> SqsError:
    """Return the error for changing the visibility of a message that is not there any more."""
    return invalid(
        f"Value {handle.text} for parameter ReceiptHandle is invalid. Reason: Message does not"
        " exist or is not available for visibility timeout change."
    )


def _digest(queue: str) -> bytes:
    return hashlib.blake2b(queue.encode(), digest_size=16).digest()
