"""Why a webhook request is refused: one list for the answers, the counters and the docs."""

from enum import Enum


class Refusal(Enum):
    """A reason, with the status it is answered with. What was sent is never part of an answer."""

    ADDRESS = ("address", 403)
    BAD_ROUTE = ("bad_route", 404)
    BODY_TOO_LARGE = ("body_too_large", 413)
    BODY_TOO_SLOW = ("body_too_slow", 408)
    CLIENT_GONE = ("client_gone", 408)
    CONTENT_TYPE = ("content_type", 415)
    INTERNAL = ("internal", 503)
    METHOD = ("method", 405)
    NO_TOKEN = ("no_token", 401)
    NO_SIGNATURE = ("no_signature", 401)
    NOT_JSON = ("not_json", 422)
    NOT_AN_OBJECT = ("not_an_object", 422)
    QUEUE_REFUSES = ("queue_refuses", 422)
    RATE = ("rate", 429)
    SPOOL_FULL = ("spool_full", 503)
    STALE_TIMESTAMP = ("stale_timestamp", 401)
    TOO_BUSY = ("too_busy", 503)
    TOO_DEEP = ("too_deep", 422)
    TOO_MANY_KEYS = ("too_many_keys", 422)
    UNAVAILABLE = ("unavailable", 503)
    WRONG_SIGNATURE = ("wrong_signature", 401)
    WRONG_TOKEN = ("wrong_token", 401)

    def __init__(self, reason: str, status: int) -> None:
        self.reason, self.status = reason, status

    @property
    def retry_after(self) -> int | None:
        """After how many seconds to send again; None where sending the same again cannot help."""
        return 1 if self.status in {429, 503} else None


class Refused(Exception):
    """The request is refused; nothing of it was kept."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal
