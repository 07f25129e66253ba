"""Bodies of webhook requests: what is taken, and how it becomes the text of a message."""

import json
from typing import Any

from tidemark.core.webhook.refusals import Refusal, Refused

# SQS takes the characters of XML 1.0. JSON has no bare control characters, so these two are left;
# inside a JSON string, the only place where they can stand, the escape means the same.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NOT_IN_SQS = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


def is_json_type(content_type: str | None) -> bool:
    """Whether a ``Content-Type`` says JSON, in UTF-8, the only encoding JSON has."""
    kind, _, parameters = (content_type or "").lower().partition(";")
    kind = kind.strip()
    charset = parameters.replace('"', "").replace(" ", "")
    return (
        kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    ) and charset in {"", "charset=utf-8"}


def message_text(body: bytes, *, max_depth: int, max_keys: int) -> str:
    """Return the text of the message that a body becomes: its own, to the byte.

    Raises `Refused` for what is no JSON object (NaN, Infinity and a byte order mark are no JSON
    either), lies deeper than `max_depth` or has more than `max_keys` keys.
    """
    try:
        text = body.decode()
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(Refusal.NOT_JSON) from None
    if not isinstance(value, dict):
        raise Refused(Refusal.NOT_AN_OBJECT)
    _measure(value, max_depth, max_keys)
    if "\ufffe" in text or "\uffff" in text:
        return text.translate(_NOT_IN_SQS)
    return text


def _measure(value: dict[str, Any], max_depth: int, max_keys: int) -> None:
    keys, depth = 0, 0
    level: list[Any] = [value]
    while level:
        depth += 1
        if depth > max_depth:
            raise Refused(Refusal.TOO_DEEP)
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                below += [child for child in node.values() if type(child) in (dict, list)]
            else:
                below += [child for child in node if type(child) in (dict, list)]
        if keys > max_keys:
            raise Refused(Refusal.TOO_MANY_KEYS)
        level = below


def _no_constant(name: str) -> None:
    raise ValueError(name)
