"""Cut a text file into records and fields: CSV or delimited text.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from localaws.redshift.loading.bad_value import BadValue, bad_quotes, delimiter_not_found
from localaws.redshift.loading.copy_options import Options

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first line's number, its text, and its fields (None for NULL), or why not."""

    line: int
    raw: str
    fields: tuple[str | None, ...] = ()
    bad: BadValue | None = None


class RecordReader:
    """Reads records from lines that end with a newline."""

    def __init__(self, options: Options) -> None:
        self._csv = "csv" in options
        self._delimiter = str(options.get("delimiter", "," if self._csv else "|"))
        self._quote = str(options.get("quote", '"'))
        self._escape = "escape" in options
        self._remove_quotes = "removequotes" in options
        self._null = str(options.get("null", r"\N"))
        self._nulls = {self._null, r"\\N"} if self._escape and "null" not in options else {
            self._null
        }  # fmt: skip
        self._skip = int(options.get("ignoreheader", 0))
        self._ignore_blank = "ignoreblanklines" in options
        self._csv_field = _csv_field(self._delimiter, self._quote)
        separator = re.escape(self._delimiter)
        self._escaped_field = re.compile(rf"((?:[^\\{separator}]|\\.)*)({separator}|$)", re.DOTALL)

    def records(self, lines: Iterable[str]) -> Iterator[Record]:
        """Yield every record behind the header."""
        for number, text in self._joined(lines):
            if self._ignore_blank and not text:
                continue
            try:
                yield Record(number, text, self._fields(text))
            except BadValue as bad:
                yield Record(number, text, bad=bad)

    def _joined(self, lines: Iterable[str]) -> Iterator[tuple[int, str]]:
        """Yield first line number and text of each record; a newline may be inside."""
        start, kept = 0, ""
        for number, line in enumerate(lines, 1):
            if number <= self._skip:
                continue
            start = start if kept else number
            kept += line
            if not self._goes_on(kept):
                yield start, _without_newline(kept)
                kept = ""
        if kept:
            yield start, _without_newline(kept)

    def _goes_on(self, text: str) -> bool:
        if self._csv:
            return text.count(self._quote) % 2 == 1
        if self._escape and text.endswith("\n"):
            body = text[:-1]
            return (len(body) - len(body.rstrip("\\"))) % 2 == 1
        return False

    def _fields(self, text: str) -> tuple[str | None, ...]:
        if self._csv and self._quote in text:
            return tuple(self._csv_fields(text))
        if self._escape or self._remove_quotes:
            return tuple(self._marked_fields(text))
        return tuple(
            None if field in self._nulls else field for field in text.split(self._delimiter)
        )

    def _csv_fields(self, text: str) -> Iterator[str | None]:
        position = 0
        while True:
            found = self._csv_field.match(text, position)
            if not found:
                raise bad_quotes()
            quoted, plain, end = found.groups()
            if quoted is not None:
                yield quoted.replace(self._quote * 2, self._quote)
            else:
                yield None if plain in self._nulls else plain
            position = found.end()
            if not end:
                return

    def _marked_fields(self, text: str) -> Iterator[str | None]:
        """Yield the fields of a record with ESCAPE or REMOVEQUOTES."""
        position = 0
        while True:
            raw, position, more = self._next_marked(text, position)
            if raw in self._nulls:
                yield None
            else:
                yield _ESCAPED.sub(r"\1", raw) if self._escape else raw
            if not more:
                return

    def _next_marked(self, text: str, position: int) -> tuple[str, int, bool]:
        quote = text[position : position + 1]
        if self._remove_quotes and quote in ("'", '"') and quote:
            end = position + 1
            while True:
                end = text.find(quote, end)
                if end < 0:
                    # "a beginning quotation mark but no corresponding ending mark": REMOVEQUOTES
                    raise delimiter_not_found()
                after = text[end + 1 : end + 2]
                escaped = self._escape and _backslashes_before(text, end) % 2 == 1
                if not escaped and after in ("", self._delimiter):
                    return text[position + 1 : end], end + 2, after == self._delimiter
                end += 1
        if self._escape:
            found = self._escaped_field.match(text, position)
            if not found:
                raise delimiter_not_found()
            return found[1], found.end(), bool(found[2])
        end = text.find(self._delimiter, position)
        if end < 0:
            return text[position:], len(text), False
        return text[position:end], end + 1, True


def _csv_field(delimiter: str, quote: str) -> re.Pattern[str]:
    """Return what matches one field: quoted (group 1) or plain (2), and what ends it (3).

    White space between delimiter and quotation mark is ignored, unless it is the delimiter.
    """
    d, q = re.escape(delimiter), re.escape(quote)
    blank = "[ \\t]*" if delimiter not in " \t" else ""
    quoted = rf"{blank}{q}((?:[^{q}]|{q}{q})*){q}{blank}"
    return re.compile(rf"(?:{quoted}|([^{d}{q}]*))({d}|$)", re.DOTALL)


def _without_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _backslashes_before(text: str, end: int) -> int:
    before = text[:end]
    return len(before) - len(before.rstrip("\\"))
