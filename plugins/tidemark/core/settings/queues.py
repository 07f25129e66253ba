"""The webhook queues: `include/queues.yaml` as frozen values.

Each queue may have a `webhook`: how the receiver lets events in. `receiver` is what holds for all
of them.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from tidemark.core.documents import (
    Frozen,
    Name,
    merge_defaults,
    parse_document,
    refuse_unknown,
    validate,
)
from tidemark.core.settings.drain_settings import Drain

FILE = "queues.yaml"
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MESSAGE_BYTES = 1_048_576
BATCH_MESSAGES = 10
# What the receiver adds to a message: two attributes with their names and types.
ATTRIBUTE_BYTES = 256

_URL = re.compile(r"https?://[\w.:-]+/\d{12}/[\w-]{1,80}(\.fifo)?")
_REGION = re.compile(r"https?://(?:sqs\.|[\w-]+\.sqs\.)([a-z]{2}-[a-z-]+-\d)\.")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


def _network(value: str) -> str:
    ipaddress.ip_network(value)  # a ValueError with the reason
    return value


Network = Annotated[str, AfterValidator(_network)]


class Webhook(Frozen):
    """How the receiver lets one queue's events in.

    :param auth: ``token``: a header that equals a secret, as AppsFlyer sends it; ``hmac``: the
        HMAC-SHA256 of timestamp, a dot and the raw body; ``none``: anybody may send
    :param secret_conn_id: the Airflow connection whose password is the secret; ``previous`` in its
        extra is valid beside it, for the time of a rotation
    :param header: carries the token, or the signature in hexadecimal (``sha256=`` may precede it)
    :param timestamp_header: carries the Unix time in seconds that was signed
    :param replay_seconds: how old, or how far ahead, a signed timestamp may be
    :param allow: networks that may send; empty means all
    :param max_body_bytes: a longer body is refused; the queue itself takes 1 MiB
    :param max_depth: how deep arrays and objects may lie in one another
    :param max_keys: how many keys all objects of one body may have together
    :param rate: events a second that each process takes, on average; None means no limit
    :param burst: events that may come at once above the rate
    """

    auth: Literal["token", "hmac", "none"] = "token"
    secret_conn_id: str | None = None
    header: str = "X-Webhook-Token"
    timestamp_header: str = "X-Webhook-Timestamp"
    replay_seconds: int = Field(default=300, ge=1, le=86_400)
    allow: tuple[Network, ...] = ()
    max_body_bytes: int = Field(default=262_144, ge=1, le=MESSAGE_BYTES - 4 * ATTRIBUTE_BYTES)
    max_depth: int = Field(default=32, ge=1, le=200)
    max_keys: int = Field(default=2_000, ge=1)
    rate: float | None = Field(default=None, gt=0)
    burst: int = Field(default=100, ge=1)

    @field_validator("header", "timestamp_header")
    @classmethod
    def _is_header(cls, value: str) -> str:
        if not _HEADER.fullmatch(value):
            raise ValueError("expected the name of an HTTP header")
        return value

    @model_validator(mode="after")
    def _has_secret(self) -> Self:
        if self.auth != "none" and self.secret_conn_id is None:
            raise ValueError(f"auth: {self.auth} needs secret_conn_id")
        if self.auth == "none" and self.secret_conn_id is not None:
            raise ValueError("auth: none, and yet a secret_conn_id; choose one")
        return self


class Queue(Frozen):
    """One SQS queue of webhook events.

    :param queue_url: None means that there is no such queue here
    :param webhook: None means that the receiver does not serve this queue
    :param drain: how its messages become rows; None means that nothing here drains it
    """

    name: Name
    queue_url: str | None = None
    aws_conn_id: str = "aws_default"
    region: str | None = None
    webhook: Webhook | None = None
    drain: Drain | None = None

    @property
    def lies_in(self) -> str | None:
        """The region that is configured, or that its URL names; None: the connection's."""
        found = _REGION.match(self.queue_url or "")
        return self.region or (found[1] if found else None)

    @field_validator("queue_url")
    @classmethod
    def _is_queue_url(cls, value: str | None) -> str | None:
        if value is not None and not _URL.fullmatch(value):
            raise ValueError(
                f"{value} is no queue URL: expected "
                "https://sqs.<region>.amazonaws.com/<account>/<queue>"
            )
        return value

    @model_validator(mode="after")
    def _takes_single_events(self) -> Self:
        if self.webhook and self.queue_url and self.queue_url.endswith(".fifo"):
            raise ValueError(
                "webhook: a FIFO queue would hold back an event for each one it must order; "
                "use a standard queue: equal events are counted once by their event key"
            )
        return self


class Receiver(Frozen):
    """What holds for all webhooks of a receiver.

    :param trusted_proxies: networks whose ``X-Forwarded-For`` is believed
    :param cors_origins: origins that browsers may send from; empty means none
    :param max_in_flight: requests that one process works on at once
    :param body_seconds: how long a body may take to come in
    :param linger_ms: how long an event waits for others to share a call with
    :param senders: calls to the queue that one process has under way at once
    :param send_seconds: a call that takes longer has failed
    :param spool_bytes: what the spool of one queue may hold; 0 means no spool
    :param metrics_from: networks that may read ``/metrics``
    :param ask_cloudwatch: whether ``/health`` tells how long the queues' oldest messages have
        waited, which takes the permission ``cloudwatch:GetMetricData``
    :param tell_freshness: whether ``/health`` tells how far each target has the queues' events,
        which takes ``s3:GetObject`` on their state documents
    """

    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    max_in_flight: int = Field(default=1_000, ge=1)
    body_seconds: float = Field(default=10.0, gt=0)
    linger_ms: float = Field(default=3.0, ge=0, le=1_000)
    senders: int = Field(default=8, ge=1, le=50)
    send_seconds: float = Field(default=2.0, gt=0, le=60)
    spool_bytes: int = Field(default=1_073_741_824, ge=0)
    metrics_from: tuple[Network, ...] = ("127.0.0.0/8", "::1/128")
    ask_cloudwatch: bool = False
    tell_freshness: bool = False


def parse_queues(text: str, environ: Mapping[str, str], file: str = FILE) -> dict[str, Queue]:
    """Return the queues of a `queues.yaml`. Raises `FixConfiguration` naming queue and key."""
    document = parse_document(text, file, environ)
    refuse_unknown(document, {"defaults", "queues", "receiver"}, file)
    return {
        name: validate(Queue, {**values, "name": name}, file, f"queues.{name}")
        for name, values in merge_defaults(document, "queues", file).items()
    }


def parse_receiver(text: str, environ: Mapping[str, str], file: str = FILE) -> Receiver:
    """Return the ``receiver`` of a `queues.yaml`. Raises `FixConfiguration` naming the key."""
    document = parse_document(text, file, environ)
    return validate(Receiver, document.get("receiver") or {}, file, "receiver")
