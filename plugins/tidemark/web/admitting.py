"""One queue's door: `core.webhook.admission` asked about a request."""

import uuid
from collections.abc import Sequence

from fastapi import Request

from tidemark.core.settings.queues import Webhook
from tidemark.core.webhook.admission import (
    Bucket,
    IPNetwork,
    networks,
    sender_address,
    signature_refusal,
    timestamp_refusal,
    token_refusal,
    within,
)
from tidemark.core.webhook.bodies import is_json_type
from tidemark.core.webhook.refusals import Refusal, Refused
from tidemark.core.webhook.replays import Replays, signed_id


class Admission:
    """Lets requests for one queue in, or raises `Refused`."""

    def __init__(
        self, webhook: Webhook, secrets: Sequence[bytes], trusted: Sequence[IPNetwork]
    ) -> None:
        self.webhook = webhook
        self._secrets, self._trusted = tuple(secrets), trusted
        self._allowed = networks(webhook.allow)
        self._bucket: Bucket | None = None
        self._replays = Replays()

    def check_head(self, request: Request, now: float) -> None:
        """Judge what is known before the body is read; `now` is Unix time."""
        webhook = self.webhook
        if self._allowed and not within(sender(request, self._trusted), self._allowed):
            raise Refused(Refusal.ADDRESS)
        given = request.headers.get(webhook.header)
        refusal: Refusal | None = None
        if webhook.auth == "token":
            refusal = token_refusal(given, self._secrets)
        elif webhook.auth == "hmac":
            signed = request.headers.get(webhook.timestamp_header)
            refusal = timestamp_refusal(given, signed, now, webhook.replay_seconds)
        if refusal:
            raise Refused(refusal)
        if not is_json_type(request.headers.get("content-type")) or request.headers.get(
            "content-encoding", "identity"
        ) not in {"", "identity"}:
            raise Refused(Refusal.CONTENT_TYPE)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > webhook.max_body_bytes:
            raise Refused(Refusal.BODY_TOO_LARGE)

    def check_body(self, request: Request, body: bytes, clock: float) -> None:
        """Judge the body's signature, then whether one more is too many; `clock` only grows."""
        webhook = self.webhook
        if webhook.auth == "hmac":
            given = request.headers[webhook.header]
            signed = request.headers[webhook.timestamp_header]
            if refusal := signature_refusal(given, signed, body, self._secrets):
                raise Refused(refusal)
        if webhook.rate is not None:
            bucket = self._bucket or Bucket(webhook.rate, webhook.burst, webhook.burst, clock)
            taken = bucket.take(clock)
            if taken is None:
                raise Refused(Refusal.RATE)
            self._bucket = taken

    def message_id(self, request: Request) -> str:
        """Return the id of the message that a request, which was let in, becomes."""
        if self.webhook.auth == "hmac":
            return signed_id(request.headers[self.webhook.header][-64:])
        return str(uuid.uuid4())

    def is_copy(self, message_id: str, now: float) -> bool:
        """Whether this process has kept the message already; `now` is Unix time."""
        return self.webhook.auth == "hmac" and self._replays.holds(message_id, now)

    def kept(self, request: Request, message_id: str, now: float) -> None:
        """Remember what a copy of the request would be answered."""
        if self.webhook.auth == "hmac":
            signed = int(request.headers[self.webhook.timestamp_header])
            self._replays.keep(message_id, signed + self.webhook.replay_seconds + 1, now)


def sender(request: Request, trusted: Sequence[IPNetwork]) -> str | None:
    """Return the address a request comes from, through the proxies that are trusted."""
    peer = request.client.host if request.client else None
    return sender_address(peer, request.headers.getlist("x-forwarded-for"), trusted)
