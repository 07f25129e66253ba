"""Names up to 127 bytes, although the engine behind cuts them after 63.

https://docs.aws.amazon.com/redshift/latest/dg/r_names.html

A longer name goes to the engine as its beginning and a digest of all of it. The way back is
remembered here for the life of the process, and in each database (catalog/attributes.sql) for what
a statement defined; a short form means the same name everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

MAX_BYTES = 127
_ENGINE_BYTES = 63
_DIGEST_DIGITS = 12
_MARK = re.compile(r"~([0-9a-f]{12})")

# digest -> (short form, name)
_known: dict[str, tuple[str, str]] = {}


def shortened(name: str) -> str:
    """Return what a name is called in the engine."""
    encoded = name.encode()
    if len(encoded) <= _ENGINE_BYTES:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST_DIGITS]
    head = encoded[: _ENGINE_BYTES - _DIGEST_DIGITS - 1].decode(errors="ignore")
    short = f"{head}~{digest}"
    _known[digest] = (short, name)
    return short


def in_full(text: str) -> str:
    """Return a text of the engine's with the names as clients know them."""
    if "~" not in text:
        return text
    for digest in _MARK.findall(text):
        if digest in _known:
            text = text.replace(*_known[digest])
    return text


def remember(pairs: Iterable[tuple[str, str]]) -> None:
    """Take in the (short form, name) pairs of a database."""
    for short, name in pairs:
        _known[short[-_DIGEST_DIGITS:]] = (short, name)
