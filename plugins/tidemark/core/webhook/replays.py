"""Copies of a signed request: the same event, however often and wherever they come in.

A signature covers the moment and each byte of the body, so a request that carries one seen before
says nothing new: it is a sender's second attempt, or somebody's recording. Pure: the moment is an
argument.
"""

import uuid
from itertools import islice

_NAMESPACE = uuid.UUID("5b1c7f0e-2d0a-5c39-8a38-6f1f4f8d9a61")


def signed_id(digest: str) -> str:
    """Return the message id of a signed request: the same in every process that gets a copy.

    :param digest: the signature, in hexadecimal; a valid one
    """
    return str(uuid.uuid5(_NAMESPACE, digest.lower()))


class Replays:
    """Which messages one process has kept already, for as long as a copy could be valid.

    It spares the queue the copies; that they count once does not rest on it.

    :param most: so many are remembered, about 200 bytes each; the first to be forgotten are those
        that came first
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._kept: dict[bytes, float] = {}

    def holds(self, message_id: str, now: float) -> bool:
        """Whether the message was kept, and a copy would still be valid at `now`."""
        return self._kept.get(uuid.UUID(message_id).bytes, now) > now

    def keep(self, message_id: str, until: float, now: float) -> None:
        """Remember a message that queue or spool has; no copy of it is valid from `until` on."""
        self._kept[uuid.UUID(message_id).bytes] = until
        for oldest in tuple(islice(self._kept, 2)):  # more than come, so it does not grow
            if self._kept[oldest] <= now or len(self._kept) > self._most:
                del self._kept[oldest]
