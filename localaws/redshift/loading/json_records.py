"""Cut a file into JSON objects and arrays, one for each row.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html ("JSON data file")
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from localaws.redshift.loading.bad_value import BadValue
from localaws.redshift.loading.super_values import JsonNumber

MAX_BYTES = 4 * 1024 * 1024
_CHUNK = 1024 * 1024
_SPACE = re.compile(r"\s*")
_START = re.compile(r"[{\[]")


@dataclass(frozen=True, slots=True)
class Document:
    """One object or array: the number of its last line, its text, and its value or what is bad."""

    line: int
    raw: str
    value: Any = None
    bad: BadValue | None = None


class JsonReader:
    """Reads documents from a text stream, a piece at a time. Numbers keep their digits."""

    def __init__(self, source: IO[str], skip_lines: int) -> None:
        self._source = source
        self._decoder = json.JSONDecoder(
            parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=_no_number
        )
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = 1 + sum(1 for _ in range(skip_lines) if source.readline())

    def documents(self) -> Iterator[Document]:
        """Yield every document, and in its place every piece of text that is none."""
        while self._skip_space():
            if self._text[self._at] not in "{[":
                yield self._refused(self._next_start())
                continue
            found = self._decoded()
            if isinstance(found, ValueError):
                end = self._text.find("\n", self._at)
                yield self._refused(len(self._text) if end < 0 else end)
                continue
            value, end = found
            yield self._taken(end, value)

    def _taken(self, end: int, value: Any) -> Document:
        raw = self._advance(end)
        if len(raw.encode(errors="surrogateescape")) > MAX_BYTES:
            # 1216: https://github.com/estuary/connectors (materialize-redshift); wording unsourced
            bad = BadValue(1216, "JSON object or array is larger than 4 MB")
            return Document(self._line, raw[:1024], bad=bad)
        return Document(self._line, raw, value)

    def _refused(self, end: int) -> Document:
        raw = self._advance(end)
        # 1216, "Input line is not valid"; wording unsourced
        return Document(self._line, raw, bad=BadValue(1216, "Invalid JSON"))

    def _advance(self, end: int) -> str:
        raw = self._text[self._at : end]
        self._line += raw.count("\n")
        self._at = end
        return raw

    def _decoded(self) -> tuple[Any, int] | ValueError:
        """Decode what begins here, reading on while it may be incomplete."""
        while True:
            try:
                return self._decoder.raw_decode(self._text, self._at)
            except ValueError as error:
                if len(self._text) - self._at > MAX_BYTES or not self._read():
                    return error

    def _skip_space(self) -> bool:
        while True:
            found = _SPACE.match(self._text, self._at)
            self._advance(found.end() if found else self._at)
            if self._at < len(self._text):
                return True
            if not self._read():
                return False

    def _next_start(self) -> int:
        while True:
            found = _START.search(self._text, self._at)
            if found:
                return found.start()
            if not self._read():
                return len(self._text)

    def _read(self) -> bool:
        more = "" if self._ended else self._source.read(_CHUNK)
        self._ended = not more
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(more)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
