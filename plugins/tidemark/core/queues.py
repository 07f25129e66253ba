"""The webhook queues to drain: `include/queues.yaml` as frozen values."""

import re
from collections.abc import Mapping

from pydantic import field_validator

from tidemark.core.documents import (
    Frozen,
    Name,
    merge_defaults,
    parse_document,
    refuse_unknown,
    validate,
)

FILE = "queues.yaml"

_URL = re.compile(r"https?://[\w.:-]+/\d{12}/[\w-]{1,80}(\.fifo)?")


class Queue(Frozen):
    """One SQS queue of webhook events. Which table its events go to is each target's
    ``events_table``.

    :param queue_url: None means that there is no such queue here
    """

    name: Name
    queue_url: str | None = None
    aws_conn_id: str = "aws_default"

    @field_validator("queue_url")
    @classmethod
    def _is_queue_url(cls, value: str | None) -> str | None:
        if value is not None and not _URL.fullmatch(value):
            raise ValueError(
                f"{value} is no queue URL: expected "
                "https://sqs.<region>.amazonaws.com/<account>/<queue>"
            )
        return value


def parse_queues(text: str, environ: Mapping[str, str], file: str = FILE) -> dict[str, Queue]:
    """Return the queues of a `queues.yaml`. Raises `FixConfiguration` naming queue and key."""
    document = parse_document(text, file, environ)
    refuse_unknown(document, {"defaults", "queues"}, file)
    return {
        name: validate(Queue, {**values, "name": name}, file, f"queues.{name}")
        for name, values in merge_defaults(document, "queues", file).items()
    }
