"""Messages on their way to a queue: how they share calls, and how they lie in the spool.

A line of the spool is the CRC-32 of its JSON, in hexadecimal, a space, the JSON, and a line feed: a
line cut short by a crash, or changed on disk, is known for what it is.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tidemark.core.settings.queues import ATTRIBUTE_BYTES, BATCH_MESSAGES, MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way to a queue.

    :param id: drawn when it came in, or made of its signature; a message sent twice keeps it, so
        the drain counts it once
    :param received_at: when it came in, ISO 8601 in UTC
    :param text: the body, as it came
    """

    id: str
    received_at: str
    text: str

    @property
    def size(self) -> int:
        """How many bytes of a call it takes."""
        return len(self.text.encode()) + ATTRIBUTE_BYTES

    def entry(self, number: int) -> dict[str, Any]:
        """Return it as one entry of SendMessageBatch."""
        return {
            "Id": str(number),
            "MessageBody": self.text,
            "MessageAttributes": {
                "message_id": {"DataType": "String", "StringValue": self.id},
                "received_at": {"DataType": "String", "StringValue": self.received_at},
            },
        }


def first_batch(messages: Iterable[Message]) -> int:
    """Return how many of `messages`, from the first on, fit into one call; at least one."""
    count = size = 0
    for message in messages:
        size += message.size
        if count and (count == BATCH_MESSAGES or size > MESSAGE_BYTES):
            break
        count += 1
    return count


def to_line(message: Message) -> bytes:
    """Return a message as a line of the spool."""
    text = json.dumps(
        {"id": message.id, "received_at": message.received_at, "text": message.text},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def from_line(line: bytes) -> Message | None:
    """Return the message that a line of the spool holds; None for a line that is damaged."""
    crc, _, text = line.removesuffix(b"\n").partition(b" ")
    try:
        if int(crc, 16) != zlib.crc32(text):
            return None
        return Message(**json.loads(text))
    except (ValueError, TypeError):
        return None
